"""Gaunt coefficients and products: independent values, agreement of the methods, algebra, equivariance."""

import e3nn_jax as e3nn
import jax
import jax.numpy as jnp
import numpy as np
import pytest
import sympy.physics.wigner

from equijax import sphere, testing
from equijax.groups import Irreps, O

METHODS = ("direct", "grid", "gauss_legendre", "antipodal", "separable", "fourier")
DEGREES = [
    (0, 0, 0),
    (0, 0, 2),
    (0, 3, 3),
    (3, 0, 1),
    (1, 1, 2),
    (1, 1, 1),
    (2, 2, 0),
    (2, 3, 5),
    (3, 2, 7),
    (4, 4, 4),
    (5, 1, 3),
    (6, 6, 6),
    (7, 8, 8),
]


product = jax.jit(sphere.gaunt_product, static_argnums=2, static_argnames="method")


def random_signal(lmax, *leading, seed=0):
    return np.random.default_rng([seed, lmax]).normal(size=(*leading, (lmax + 1) ** 2))


def natural(lmax):
    return Irreps("+".join(f"{l}{'eo'[l % 2]}" for l in range(lmax + 1)))


def complex_from_real(l):
    """Rows: real harmonics without Condon-Shortley sign; columns: complex ones with it, m = -l … l."""
    matrix = np.zeros((2 * l + 1, 2 * l + 1), complex)
    matrix[l, l] = 1
    for m in range(1, l + 1):
        matrix[l + m, [l - m, l + m]] = np.array([1, (-1) ** m]) / np.sqrt(2)
        matrix[l - m, [l - m, l + m]] = np.array([1j, -1j * (-1) ** m]) / np.sqrt(2)
    return matrix


def gaunt_by_sympy(l1, l2, l3):
    table = np.zeros((2 * l1 + 1, 2 * l2 + 1, 2 * l3 + 1))
    for m1 in range(-l1, l1 + 1):
        for m2 in range(-l2, l2 + 1):
            if abs(m1 + m2) <= l3:
                value = sympy.physics.wigner.gaunt(l1, l2, l3, m1, m2, -m1 - m2)
                table[l1 + m1, l2 + m2, l3 - m1 - m2] = float(value)
    bases = [complex_from_real(l) for l in (l1, l2, l3)]
    real = np.einsum("xa,yb,zc,abc->xyz", *bases, table)
    assert np.abs(real.imag).max() < 1e-13
    return real.real


@pytest.mark.parametrize("l1", range(4))
@pytest.mark.parametrize("l2", range(4))
def test_coefficients_equal_those_of_sympy(l1, l2):
    # The polar axis y and the azimuth atan2(x, z) only rename the axes: the integral stays the same.
    for l3 in range(4):
        found = sphere.gaunt_coefficients(l1, l2, l3)
        np.testing.assert_allclose(found, gaunt_by_sympy(l1, l2, l3), atol=1e-12)


@pytest.mark.parametrize("degrees", [(1, 1, 2), (2, 2, 2), (1, 2, 3), (3, 2, 3), (4, 3, 3)])
def test_coefficients_are_clebsch_gordan_ones_times_the_known_factor(degrees):
    found = sphere.gaunt_coefficients(*degrees)
    block = np.asarray(e3nn.clebsch_gordan(*degrees), np.float64)
    block /= np.linalg.norm(block)
    sizes = np.prod([2 * l + 1 for l in degrees])
    factor = np.sqrt(sizes / (4 * np.pi)) * abs(float(sympy.physics.wigner.wigner_3j(*degrees, 0, 0, 0)))
    sign = np.sign(np.sum(found * block))
    np.testing.assert_allclose(found, sign * factor * block, atol=2e-6)
    np.testing.assert_allclose(np.linalg.norm(found), factor, rtol=1e-13)


@pytest.mark.parametrize(
    ("lmax", "paths"), [(1, 4), (2, 11), (3, 23), (4, 42), (6, 106), (8, 215), (10, 381)]
)
def test_number_of_paths(lmax, paths):
    degrees = [(l1, l2, l3) for l1 in range(lmax + 1) for l2 in range(lmax + 1) for l3 in range(lmax + 1)]
    norms = [np.linalg.norm(sphere.gaunt_coefficients(*triple)) for triple in degrees]
    assert sum(norm > 0.2 for norm in norms) == paths
    assert all(norm > 0.2 or norm == 0 for norm in norms)


@pytest.mark.parametrize(("l1", "l2", "lmax"), DEGREES)
def test_methods_agree(x64, l1, l2, lmax):
    x, y = random_signal(l1, 3, seed=1), random_signal(l2, 3, seed=2)
    methods = (*METHODS, "lebedev", "auto")
    results = [product(x, y, lmax, method=method) for method in methods]
    assert all(result.shape == (3, (lmax + 1) ** 2) and result.dtype == jnp.float64 for result in results)
    for result in results[1:]:
        np.testing.assert_allclose(result, results[0], atol=1e-12 * max(np.abs(results[0]).max(), 1))


@pytest.mark.parametrize("method", METHODS)
def test_product_is_the_sum_of_the_definition(x64, method):
    x, y = random_signal(2), random_signal(1)
    expected = np.zeros(9)
    for l1 in range(3):
        for l2 in range(2):
            for l3 in range(3):
                block = gaunt_by_sympy(l1, l2, l3)
                parts = x[l1**2 : (l1 + 1) ** 2], y[l2**2 : (l2 + 1) ** 2]
                expected[l3**2 : (l3 + 1) ** 2] += np.einsum("abc,a,b->c", block, *parts)
    np.testing.assert_allclose(product(x, y, 2, method=method), expected, atol=1e-12)


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize(("l1", "l2"), [(0, 2), (3, 3), (2, 5)])
def test_values_multiply_when_nothing_is_truncated(x64, method, l1, l2):
    x, y = random_signal(l1), random_signal(l2)
    z = product(x, y, method=method)
    directions = np.random.default_rng(0).normal(size=(20, 3))
    values = [
        np.asarray(sphere.spherical_harmonics(lmax, directions)) @ signal
        for lmax, signal in ((l1, x), (l2, y), (l1 + l2, z))
    ]
    np.testing.assert_allclose(values[0] * values[1], values[2], atol=1e-12)


@pytest.mark.parametrize("method", METHODS)
def test_is_a_commutative_associative_product_with_a_unit(x64, method):
    x, y, z = random_signal(2, seed=1), random_signal(1, seed=2), random_signal(3, seed=3)

    def times(a, b):
        return product(a, b, method=method)

    np.testing.assert_allclose(times(x, y), times(y, x), atol=1e-13)
    np.testing.assert_allclose(times(times(x, y), z), times(x, times(y, z)), atol=1e-12)
    unit = np.array([np.sqrt(4 * np.pi)])
    np.testing.assert_allclose(times(x, unit), x, atol=1e-13)
    np.testing.assert_allclose(times(x, x)[0], x @ x / np.sqrt(4 * np.pi), atol=1e-13)


@pytest.mark.parametrize("method", METHODS)
def test_vectors_have_no_cross_product(x64, method):
    x, y = (np.pad(np.random.default_rng(seed).normal(size=3), (1, 0)) for seed in (0, 1))
    z = product(x, y, 2, method=method)
    np.testing.assert_allclose(z[1:4], 0, atol=1e-14)
    assert np.abs(z[4:]).max() > 1e-2


@pytest.mark.parametrize("method", METHODS)
def test_truncation_keeps_the_degrees_below_exact_and_fills_with_zeros_above(x64, method):
    x, y = random_signal(3), random_signal(2)
    whole = product(x, y, method=method)
    np.testing.assert_allclose(product(x, y, 2, method=method), whole[:9], atol=1e-13)
    beyond = product(x, y, 7, method=method)
    np.testing.assert_allclose(beyond, np.pad(whole, (0, 28)), atol=1e-13)


@pytest.mark.parametrize(("l1", "l2", "lmax"), [(2, 2, 2), (3, 2, 3), (1, 3, 0)])
def test_product_grid_of_one_degree_less_is_wrong(x64, l1, l2, lmax):
    x, y = random_signal(l1), random_signal(l2)
    exact = product(x, y, lmax, method="direct")

    def on_grid(degree):
        grid = sphere.SphereGrid("gauss_legendre", degree)
        return sphere.from_grid(sphere.to_grid(x, grid) * sphere.to_grid(y, grid), grid, lmax)

    np.testing.assert_allclose(on_grid(l1 + l2 + lmax), exact, atol=1e-12)
    assert np.abs(on_grid(l1 + l2 + lmax - 1) - exact).max() > 1e-3


@pytest.mark.parametrize("method", METHODS)
def test_weights_multiply_degrees(x64, method):
    x, y = random_signal(2, 5, 4), random_signal(1, 5, 4)
    random = np.random.default_rng(0)
    weights = random.normal(size=(4, 3)), random.normal(size=(4, 2)), random.normal(size=(5, 1, 4))
    found = product(x, y, 3, method=method, weights=weights)
    spread = [w[..., sphere.degree_index(l)] for w, l in zip(weights, (2, 1, 3))]
    expected = product(x * spread[0], y * spread[1], 3) * spread[2]
    np.testing.assert_allclose(found, expected, atol=1e-12)
    only_y = product(x, y, 3, method=method, weights=(None, weights[1], None))
    np.testing.assert_allclose(only_y, product(x, y * spread[1], 3), atol=1e-12)


@pytest.mark.parametrize("method", METHODS)
def test_leading_axes_broadcast(x64, method):
    x, y = random_signal(2, 4, 1, seed=1), random_signal(3, 3, seed=2)
    z = product(x, y, 2, method=method)
    assert z.shape == (4, 3, 9)
    np.testing.assert_allclose(z[2, 1], product(x[2, 0], y[1], 2), atol=1e-13)
    assert product(x[:0], y, 2, method=method).shape == (0, 3, 9)


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("lmax", [1, 4, 8])
def test_single_precision_stays_and_is_close_to_double(method, lmax):
    x, y = random_signal(lmax, 8, seed=1), random_signal(lmax, 8, seed=2)
    single = [jnp.asarray(array, jnp.float32) for array in (x, y)]
    rough = product(*single, lmax, method=method)
    assert rough.dtype == jnp.float32
    with jax.enable_x64(True):
        exact = np.asarray(product(*(np.asarray(array, np.float64) for array in single), lmax))
    assert np.linalg.norm(rough - exact) < 5e-7 * np.linalg.norm(exact)


def test_dtype_is_the_common_one(x64):
    x = jnp.ones(4, jnp.float32)
    assert product(x, jnp.ones(4, jnp.float64)).dtype == jnp.float64
    assert product(x, jnp.ones(4, jnp.bfloat16)).dtype == jnp.float32


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_is_equivariant_under_rotations_and_reflections(method, dtype):
    testing.assert_equivariant(
        lambda x, y: product(x, y, 3, method=method),
        O(3),
        in_reps=(natural(2), natural(3)),
        out_reps=natural(3),
        shapes=((4, 9), (4, 16)),
        dtype=dtype,
        max_examples=20,
    )


@pytest.mark.parametrize("method", METHODS)
def test_jit_vmap_grad_and_hessian_vector_products(method):
    def truncated(x, y):
        return product(x, y, 2, method=method)

    def loss(x):
        return jnp.sum(truncated(x, x) ** 2)

    x, y = jnp.asarray(random_signal(2, 5), jnp.float32), jnp.asarray(random_signal(1, 5), jnp.float32)
    np.testing.assert_allclose(jax.jit(jax.vmap(truncated))(x, y), truncated(x, y), atol=1e-5)

    def hessian_vector(x):
        return jax.jvp(jax.grad(loss), (x,), (jnp.ones_like(x),))[1]

    assert np.isfinite(jax.jit(hessian_vector)(jnp.zeros(9))).all()
    assert np.abs(jax.jit(hessian_vector)(x[0])).max() > 1e-2


X, Y = np.ones((5, 9)), np.ones((5, 4))
WRONG_CALLS = [
    (lambda: sphere.gaunt_product(np.ones(5), Y), ValueError, r"x must have \(lmax \+ 1\)² entries .*got 5"),
    (lambda: sphere.gaunt_product(X, np.ones(3)), ValueError, r"y must have \(lmax \+ 1\)² entries .*got 3"),
    (lambda: sphere.gaunt_product(X, 1.0), ValueError, r"y must have shape \(\.\.\., k\), got \(\)"),
    (lambda: sphere.gaunt_product(X.astype(int), Y), TypeError, "x must be a real floating.*, got dtype int"),
    (lambda: sphere.gaunt_product(X, Y * 1j), TypeError, "y must be a real floating.*, got dtype complex"),
    (lambda: sphere.gaunt_product(X, Y[:3]), ValueError, r"y must .*of x, \(5,\), got \(3,\)"),
    (lambda: sphere.gaunt_product(X, Y, -1), ValueError, "lmax must be a number of at least 0, got -1"),
    (lambda: sphere.gaunt_product(X, Y, 2.0), TypeError, "lmax must be an integer"),
    (
        lambda: sphere.gaunt_product(X, Y, method="fft"),
        ValueError,
        "method must be one of 'auto', .*got 'fft'",
    ),
    (lambda: sphere.gaunt_product(X, Y, normalization="norm"), ValueError, "normalization .*got 'norm'"),
    (lambda: sphere.gaunt_product(X, Y, matmul_dtype=int), TypeError, "matmul_dtype must be None or"),
    (
        lambda: sphere.gaunt_product(X, Y, method="fourier", matmul_dtype=jnp.bfloat16),
        ValueError,
        "matmul_dtype must be None for the method 'fourier', got .*bfloat16",
    ),
    (
        lambda: sphere.gaunt_product(X, Y, 130, method="lebedev"),
        ValueError,
        "degree must be at most 131, got 133",
    ),
    (
        lambda: sphere.gaunt_product(X, Y, weights=(None,)),
        TypeError,
        r"weights must be a tuple of .*\(None,\)",
    ),
    (
        lambda: sphere.gaunt_product(X, Y, weights=(np.ones(2), None, None)),
        ValueError,
        r"weights\[0\] must have shape \(\.\.\., 3\), got \(2,\)",
    ),
    (
        lambda: sphere.gaunt_product(X, Y, weights=(None, None, np.ones((2, 4)))),
        ValueError,
        r"weights\[2\] must have leading axes .*\(5,\), got \(2,\)",
    ),
    (lambda: sphere.gaunt_coefficients(1, -1, 0), ValueError, "l2 must be a number of at least 0, got -1"),
    (lambda: sphere.gaunt_coefficients(1, 1, 0.0), TypeError, "l3 must be an integer"),
]


@pytest.mark.parametrize(("call", "error", "message"), WRONG_CALLS)
def test_wrong_calls_name_the_argument(call, error, message):
    with pytest.raises(error, match=message):
        call()


def test_wrong_calls_raise_at_trace_time():
    with pytest.raises(ValueError, match=r"y must have .*got 3"):
        jax.jit(sphere.gaunt_product).lower(jnp.ones(4), jnp.ones(3))


def test_coefficients_are_read_only():
    with pytest.raises(ValueError, match="read-only"):
        sphere.gaunt_coefficients(1, 1, 2)[0, 0, 0] = 1


@pytest.mark.parametrize("method", METHODS)
def test_one_process_may_use_both_precisions(method):
    weighted = jax.jit(
        lambda x, y: sphere.gaunt_product(x, y, 2, method=method, weights=(jnp.ones(3), None, None))
    )
    x, y = random_signal(2), random_signal(2, seed=1)
    single = weighted(jnp.asarray(x), jnp.asarray(y))
    with jax.enable_x64(True):
        double = weighted(jnp.asarray(x), jnp.asarray(y))
        np.testing.assert_allclose(double, sphere.gaunt_product(x, y, 2, method="direct"), atol=1e-13)
    np.testing.assert_allclose(single, double, atol=1e-5)
