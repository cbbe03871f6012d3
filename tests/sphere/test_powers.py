"""Powers and polynomials of signals against repeated products, values, and their symmetry."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from equijax import sphere, testing
from equijax.groups import Irreps, O

UNIT = np.array([np.sqrt(4 * np.pi)])


def random_signal(lmax, *leading, seed=0):
    return np.random.default_rng([seed, lmax]).normal(size=(*leading, (lmax + 1) ** 2))


def natural(lmax):
    return Irreps("+".join(f"{l}{'eo'[l % 2]}" for l in range(lmax + 1)))


def repeated(x, order, lmax):
    """The power by products that drop nothing, and one projection at the end."""
    product = UNIT
    for _ in range(order):
        product = sphere.gaunt_product(product, x, method="direct")
    result = np.zeros((*x.shape[:-1], (lmax + 1) ** 2))
    kept = min(product.shape[-1], result.shape[-1])
    result[..., :kept] = product[..., :kept]
    return result


@pytest.mark.parametrize(
    ("degree", "order", "lmax"), [(0, 3, 0), (1, 1, 1), (2, 3, 2), (1, 4, 2), (2, 2, 6), (3, 2, 0)]
)
def test_powers_equal_repeated_products(x64, degree, order, lmax):
    x = random_signal(degree, 3)
    found = sphere.gaunt_powers(x, order, lmax)
    assert found.shape == (order, 3, (lmax + 1) ** 2)
    for power in range(1, order + 1):
        expected = repeated(x, power, lmax)
        np.testing.assert_allclose(found[power - 1], expected, atol=1e-12 * max(1, np.abs(expected).max()))
        np.testing.assert_allclose(sphere.gaunt_power(x, power, lmax), found[power - 1], atol=1e-12)


def test_degrees_unless_given(x64):
    x = random_signal(2)
    assert sphere.gaunt_powers(x, 3).shape == (3, 9)
    assert sphere.gaunt_power(x, 3).shape == (49,)
    assert sphere.gaunt_polynomial(x, [1.0, 2.0, 3.0]).shape == (9,)


@pytest.mark.parametrize(("degree", "order", "lmax"), [(0, 2, 1), (2, 3, 2), (3, 2, 6)])
def test_component_normalisation_divides_by_the_deviation(x64, degree, order, lmax):
    x = random_signal(degree, 2, 3)
    plain = sphere.gaunt_powers(x, order, lmax)
    found = sphere.gaunt_powers(x, order, lmax, normalization="component")
    for power in range(1, order + 1):
        deviation = sphere.power_deviation(degree, power, lmax)
        deviation = np.where(deviation > 0, deviation, 1)[sphere.degree_index(lmax)]
        np.testing.assert_allclose(found[power - 1], plain[power - 1] / deviation, atol=1e-12)
        one = sphere.gaunt_power(x, power, lmax, normalization="component")
        np.testing.assert_allclose(one, found[power - 1], atol=1e-12)
    coefficients = [2.0, *np.arange(1, order + 1)]
    constant = np.eye(1, (lmax + 1) ** 2)[0]
    expected = 2 * constant + np.tensordot(coefficients[1:], found, 1)
    total = sphere.gaunt_polynomial(x, coefficients, lmax, normalization="component")
    np.testing.assert_allclose(total, expected, atol=1e-11)


@pytest.mark.parametrize("degree", [1, 3])
def test_components_of_powers_have_unit_mean_square_on_the_average(degree):
    x = jnp.asarray(random_signal(degree, 1 << 14), jnp.float32)
    powers = np.asarray(sphere.gaunt_powers(x, 3, normalization="component"))
    for l in range(degree + 1):
        squares = np.mean(powers[..., l * l : (l + 1) ** 2] ** 2, axis=(1, 2))
        np.testing.assert_allclose(squares, 1, atol=0.15)


def test_polynomial_of_component_normalisation_takes_arrays_and_a_constant_alone(x64):
    x, weights = random_signal(1, 3), random_signal(1, 3)[:, :3]
    found = sphere.gaunt_polynomial(x, list(weights.T), normalization="component")
    powers = sphere.gaunt_powers(x, 2, normalization="component")
    expected = np.einsum("no,onk->nk", weights[:, 1:], powers) + weights[:, :1] * np.eye(1, 4)
    np.testing.assert_allclose(found, expected, atol=1e-12)
    alone = sphere.gaunt_polynomial(x, [3.0], normalization="component")
    np.testing.assert_allclose(alone, 3 * np.eye(1, 4).repeat(3, axis=0), atol=1e-14)


def test_short_operands_are_close():
    x = jnp.asarray(random_signal(2, 16), jnp.float32)
    for function in (sphere.gaunt_power, sphere.gaunt_powers):
        exact, short = (function(x, 3, 2, matmul_dtype=dtype) for dtype in (None, jnp.bfloat16))
        assert short.dtype == jnp.float32
        assert 1e-4 < np.linalg.norm(short - exact) / np.linalg.norm(exact) < 3e-2
    exact, short = (
        sphere.gaunt_polynomial(x, [1.0, 2.0, 3.0], matmul_dtype=dtype) for dtype in (None, jnp.bfloat16)
    )
    assert 1e-4 < np.linalg.norm(short - exact) / np.linalg.norm(exact) < 3e-2


def test_values_of_a_power_are_powers_of_values(x64):
    x = random_signal(2)
    directions = np.random.default_rng(0).normal(size=(20, 3))
    values = sphere.spherical_harmonics(2, directions) @ x
    cubes = sphere.spherical_harmonics(6, directions) @ sphere.gaunt_power(x, 3)
    np.testing.assert_allclose(cubes, values**3, atol=1e-12)


def test_truncating_between_products_changes_the_result(x64):
    x = random_signal(2)
    square = sphere.gaunt_product(x, x, 2)
    truncated = sphere.gaunt_product(square, x, 2)
    exact = sphere.gaunt_power(x, 3, 2)
    assert np.linalg.norm(truncated - exact) > 1e-2 * np.linalg.norm(exact)


@pytest.mark.parametrize("order", [1, 2, 4])
def test_polynomials_are_sums_of_powers(x64, order):
    x = random_signal(2, 5)
    coefficients = [0.3, -1.2, 0.7, 0.1, 2.0][: order + 1]
    powers = sphere.gaunt_powers(x, order)
    expected = np.tensordot(coefficients[1:], powers, 1) + coefficients[0] * np.pad(UNIT, (0, 8))
    np.testing.assert_allclose(sphere.gaunt_polynomial(x, coefficients), expected, atol=1e-12)


def test_polynomial_coefficients_may_differ_by_channel(x64):
    x = random_signal(1, 2, 3)
    random = np.random.default_rng(0)
    coefficients = [random.normal(size=3), 0.5, random.normal(size=(2, 1))]
    found = sphere.gaunt_polynomial(x, coefficients, 2)
    one = sphere.gaunt_polynomial(x[1, 2], [coefficients[0][2], 0.5, coefficients[2][1, 0]], 2)
    np.testing.assert_allclose(found[1, 2], one, atol=1e-13)


@pytest.mark.parametrize("constant", [2.0, np.array([1.0, 2.0, 3.0])])
def test_polynomial_of_degree_zero_is_constant(x64, constant):
    found = sphere.gaunt_polynomial(random_signal(1, 3), [constant])
    expected = np.broadcast_to(constant, (3,))[:, None] * np.pad(UNIT, (0, 3))
    np.testing.assert_allclose(found, expected, atol=1e-13)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_are_equivariant_under_rotations_and_reflections(dtype):
    testing.assert_equivariant(
        lambda x: (
            sphere.gaunt_powers(x, 3),
            sphere.gaunt_power(x, 2, 3),
            sphere.gaunt_polynomial(x, [1.0, -0.5, 2.0]),
        ),
        O(3),
        in_reps=(natural(2),),
        out_reps=(natural(2), natural(3), natural(2)),
        shapes=((4, 9),),
        dtype=dtype,
        max_examples=20,
    )


@pytest.mark.parametrize("order", [1, 2, 3])
def test_jit_vmap_grad_and_hessian_vector_products_at_zero(order):
    def loss(x):
        return jnp.sum(sphere.gaunt_power(x, order, 2) ** 2) + jnp.sum(sphere.gaunt_powers(x, order))

    x = jnp.asarray(random_signal(2, 3), jnp.float32)
    np.testing.assert_allclose(jax.jit(jax.vmap(loss))(x), [loss(row) for row in x], rtol=1e-4)
    hessian_vector = jax.jit(lambda x: jax.jvp(jax.grad(loss), (x,), (jnp.ones_like(x),))[1])
    assert np.isfinite(hessian_vector(jnp.zeros(9))).all()


def test_dtype_is_kept():
    x = jnp.ones(4, jnp.bfloat16)
    assert sphere.gaunt_power(x, 2).dtype == jnp.bfloat16
    assert sphere.gaunt_powers(x, 2).dtype == jnp.bfloat16
    assert sphere.gaunt_polynomial(x, [1.0, 2.0]).dtype == jnp.bfloat16


def test_single_precision_is_close_to_double():
    x = random_signal(4, 8)
    rough = sphere.gaunt_powers(jnp.asarray(x, jnp.float32), 3)
    with jax.enable_x64(True):
        exact = np.asarray(sphere.gaunt_powers(np.float32(x).astype(np.float64), 3))
    for power in range(3):
        assert np.linalg.norm(rough[power] - exact[power]) < 5e-7 * np.linalg.norm(exact[power])


X = np.ones((5, 9))
WRONG_CALLS = [
    (lambda: sphere.gaunt_power(X, 0), ValueError, "order must be a number of at least 1, got 0"),
    (lambda: sphere.gaunt_power(X, 1.5), TypeError, "order must be an integer"),
    (lambda: sphere.gaunt_power(X, 2, -1), ValueError, "lmax must be a number of at least 0, got -1"),
    (lambda: sphere.gaunt_power(2.0, 2), ValueError, r"x must have shape \(\.\.\., k\), got \(\)"),
    (lambda: sphere.gaunt_power(X[:, :5], 2), ValueError, "x must have .*got 5"),
    (lambda: sphere.gaunt_powers(X, 0), ValueError, "order must be a number of at least 1, got 0"),
    (lambda: sphere.gaunt_powers(X.astype(int), 2), TypeError, "x must be .*got dtype int"),
    (lambda: sphere.gaunt_powers(X, 2, 1.0), TypeError, "lmax must be an integer"),
    (lambda: sphere.gaunt_power(X, 2, normalization="norm"), ValueError, "normalization .*got 'norm'"),
    (lambda: sphere.gaunt_powers(X, 2, matmul_dtype=int), TypeError, "matmul_dtype must be None or"),
    (
        lambda: sphere.gaunt_polynomial(X, []),
        ValueError,
        "coefficients must hold at least one number, got none",
    ),
    (
        lambda: sphere.gaunt_polynomial(X, [1.0], -3),
        ValueError,
        "lmax must be a number of at least 0, got -3",
    ),
    (
        lambda: sphere.gaunt_polynomial(X, [1.0, np.ones(3)]),
        ValueError,
        r"coefficients\[1\] must have leading axes .*of x, \(5,\), got \(3,\)",
    ),
]


@pytest.mark.parametrize(("call", "error", "message"), WRONG_CALLS)
def test_wrong_calls_name_the_argument(call, error, message):
    with pytest.raises(error, match=message):
        call()
