"""The bracket: independent values, the algebra of Poisson brackets, exactness, equivariance."""

import e3nn_jax as e3nn
import jax
import jax.numpy as jnp
import numpy as np
import pytest
import sympy.physics.wigner

from equijax import equivariance, sphere, testing
from equijax.groups import SO, Irreps, O
from equijax.sphere import couplings, gradients

METHODS = ("direct", "grid")


def random_signal(lmax, *leading, seed=0):
    return np.random.default_rng([seed, lmax]).normal(size=(*leading, (lmax + 1) ** 2))


def irreps(lmax, sign=1):
    return Irreps("+".join(f"{l}{'e' if sign * (-1) ** l == 1 else 'o'}" for l in range(lmax + 1)))


@pytest.mark.parametrize("l1", range(7))
def test_coefficients_are_clebsch_gordan_ones_times_the_known_factor(l1):
    for l2 in range(7):
        for l3 in range(7):
            block = np.zeros((2 * l1 + 1, 2 * l2 + 1, 2 * l3 + 1))
            if (l1 + l2 + l3) % 2 and abs(l1 - l2) <= l3 <= l1 + l2:
                symbol = abs(float(sympy.physics.wigner.wigner_3j(l1, l2, l3, 1, -1, 0)))
                sizes = (2 * l1 + 1) * (2 * l2 + 1) * (2 * l3 + 1) * l1 * (l1 + 1) * l2 * (l2 + 1)
                block = np.sqrt(sizes / (4 * np.pi)) * symbol * e3nn.clebsch_gordan(l1, l2, l3)
                assert np.linalg.norm(block) > 0.3
            found = sphere.bracket_coefficients(l1, l2, l3)
            np.testing.assert_allclose(found, block, atol=1e-10)


def test_coefficients_are_antisymmetric_in_all_three_harmonics():
    for l1, l2, l3 in ((1, 1, 1), (2, 2, 3), (2, 3, 4), (3, 4, 4)):
        block = sphere.bracket_coefficients(l1, l2, l3)
        np.testing.assert_allclose(sphere.bracket_coefficients(l2, l1, l3), -block.swapaxes(0, 1), atol=1e-13)
        np.testing.assert_allclose(sphere.bracket_coefficients(l1, l3, l2), -block.swapaxes(1, 2), atol=1e-13)


@pytest.mark.parametrize(
    ("l1", "l2", "lmax"), [(0, 0, 0), (0, 3, 2), (1, 1, 1), (3, 2, 5), (2, 4, 1), (6, 5, 8)]
)
def test_methods_agree(x64, l1, l2, lmax):
    x, y = random_signal(l1, 3, seed=1), random_signal(l2, 3, seed=2)
    direct, grid, auto = (sphere.bracket_product(x, y, lmax, method=m) for m in (*METHODS, "auto"))
    assert direct.shape == (3, (lmax + 1) ** 2)
    assert direct.dtype == jnp.float64
    for other in (grid, auto):
        np.testing.assert_allclose(other, direct, atol=1e-12 * max(np.abs(direct).max(), 1))


def test_values_are_the_triple_product_of_gradients(x64):
    x, y = random_signal(3), random_signal(2)
    points = np.random.default_rng(0).normal(size=(20, 3))
    points = np.concatenate([points, [[0.0, 1.0, 0.0], [0.0, -1.0, 0.0]]])
    points /= np.linalg.norm(points, axis=1, keepdims=True)

    @jax.vmap
    def triple_product(point):
        first = jax.grad(lambda r: sphere.spherical_harmonics(3, r) @ x)(point)
        second = jax.grad(lambda r: sphere.spherical_harmonics(2, r) @ y)(point)
        return point @ jnp.cross(first, second)

    z = np.asarray(sphere.bracket_product(x, y))
    values = np.asarray(sphere.spherical_harmonics(5, points)) @ z
    np.testing.assert_allclose(values, jax.jit(triple_product)(points), atol=1e-12)
    np.testing.assert_allclose(z[25:], 0, atol=1e-13)  # degree l1 + l2 is on an even path


@pytest.mark.parametrize("method", METHODS)
def test_vectors_have_their_cross_product(x64, method):
    x, y = np.random.default_rng(0).normal(size=(2, 7, 3))
    z = sphere.bracket_product(np.pad(x, ((0, 0), (1, 0))), np.pad(y, ((0, 0), (1, 0))), 2, method=method)
    np.testing.assert_allclose(z[:, 1:4], np.sqrt(3 / (4 * np.pi)) * np.cross(x, y), atol=1e-14)
    np.testing.assert_allclose(np.delete(z, [1, 2, 3], axis=1), 0, atol=1e-14)


@pytest.mark.parametrize("method", METHODS)
def test_is_a_poisson_bracket(x64, method):
    f, g, h = random_signal(2, seed=1), random_signal(3, seed=2), random_signal(2, seed=3)

    def bracket(a, b):
        return np.asarray(sphere.bracket_product(a, b, method=method))

    def product(a, b):
        return np.asarray(sphere.gaunt_product(a, b))

    np.testing.assert_allclose(bracket(f, g), -bracket(g, f), atol=1e-12)
    np.testing.assert_allclose(bracket(f, f), 0, atol=1e-13)
    leibniz = product(bracket(f, g), h) + product(g, bracket(f, h))
    np.testing.assert_allclose(bracket(f, product(g, h)), leibniz, atol=1e-11)
    cyclic = [bracket(a, bracket(b, c)) for a, b, c in ((f, g, h), (g, h, f), (h, f, g))]
    np.testing.assert_allclose(sum(cyclic), 0, atol=1e-11)
    assert np.abs(cyclic[0]).max() > 1
    constant = np.array([1.0])
    np.testing.assert_allclose(bracket(f, constant), 0, atol=1e-13)


@pytest.mark.parametrize(("l1", "l2", "lmax"), [(2, 2, 2), (3, 2, 3), (1, 3, 1)])
@pytest.mark.parametrize("rule", ["gauss_legendre", "lebedev"])
def test_grid_of_one_degree_less_is_wrong(x64, l1, l2, lmax, rule):
    x, y = random_signal(l1, seed=1), random_signal(l2, seed=2)
    exact = sphere.bracket_product(x, y, lmax, method="direct")

    def on_grid(degree):
        grid = sphere.SphereGrid(rule, degree)
        x1, x2 = np.einsum("k,fkp->fp", x, gradients.gradient_matrices(grid, l1))
        y1, y2 = np.einsum("k,fkp->fp", y, gradients.gradient_matrices(grid, l2))
        return sphere.from_grid(x1 * y2 - x2 * y1, grid, lmax)

    degree = l1 + l2 + lmax - 1
    np.testing.assert_allclose(on_grid(degree), exact, atol=1e-12)
    # Lebedev rules have odd degrees only, so the next smaller one is two degrees lower.
    fewer = degree - 1 if rule == "gauss_legendre" else degree - 1 - degree % 2
    assert np.abs(on_grid(fewer) - exact).max() > 1e-3


@pytest.mark.parametrize("method", METHODS)
def test_weights_and_leading_axes(x64, method):
    x, y = random_signal(2, 4, 1, seed=1), random_signal(1, 3, seed=2)
    random = np.random.default_rng(0)
    weights = random.normal(size=(4, 1, 3)), random.normal(size=(3, 2)), random.normal(size=(4,))
    found = sphere.bracket_product(x, y, 3, method=method, weights=weights)
    spread = [w[..., sphere.degree_index(l)] for w, l in zip(weights, (2, 1, 3))]
    expected = sphere.bracket_product(x * spread[0], y * spread[1], 3) * spread[2]
    assert found.shape == (4, 3, 16)
    np.testing.assert_allclose(found, expected, atol=1e-12)
    only_y = sphere.bracket_product(x, y, 3, method=method, weights=(None, weights[1], None))
    np.testing.assert_allclose(only_y, sphere.bracket_product(x, y * spread[1], 3), atol=1e-12)
    assert sphere.bracket_product(x[:0], y, 2, method=method).shape == (0, 3, 9)


@pytest.mark.parametrize("method", METHODS)
def test_component_normalization_gives_unit_variance(x64, method):
    x, y = (np.random.default_rng(seed).normal(size=(40_000, 9)) for seed in (0, 1))
    z = sphere.bracket_product(x, y, 4, method=method, normalization="component")
    squares = np.mean(np.asarray(z) ** 2, axis=0)
    np.testing.assert_allclose(squares[1:16], 1, atol=0.05)
    np.testing.assert_allclose(squares[[0, *range(16, 25)]], 0, atol=1e-20)
    plain = np.asarray(sphere.bracket_product(x[:3], y[:3], 4, method=method))
    scale = couplings.output_deviations(("odd",), 2, 2, 4)[sphere.degree_index(4)]
    np.testing.assert_allclose(z[:3] * scale, plain, atol=1e-12)


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_is_equivariant_and_makes_a_signal_of_pseudo_parity(method, dtype):
    testing.assert_equivariant(
        lambda x, y: sphere.bracket_product(x, y, 3, method=method),
        O(3),
        in_reps=(irreps(2), irreps(3)),
        out_reps=irreps(3, sign=-1),
        shapes=((4, 9), (4, 16)),
        dtype=dtype,
    )


def test_equivariance_error_is_rounding(x64):
    args = random_signal(4, 8), random_signal(3, 8)

    def error(group, out):
        reps = (irreps(4), irreps(3))
        return equivariance.error(
            lambda x, y: sphere.bracket_product(x, y, 4), group, reps, out, args, key=jax.random.key(0)
        )

    assert error(O(3), irreps(4, sign=-1)) < 1e-12
    assert error(SO(3), irreps(4)) < 1e-12
    assert error(O(3), irreps(4)) > 0.1


@pytest.mark.parametrize("lmax", [1, 4, 8])
def test_single_precision_stays_and_is_close_to_double(lmax):
    x, y = (jnp.asarray(random_signal(lmax, 8, seed=seed), jnp.float32) for seed in (1, 2))
    rough = sphere.bracket_product(x, y, lmax)
    assert rough.dtype == jnp.float32
    with jax.enable_x64(True):
        exact = np.asarray(sphere.bracket_product(np.asarray(x, np.float64), np.asarray(y, np.float64), lmax))
    assert np.linalg.norm(rough - exact) < 1e-6 * np.linalg.norm(exact)


@pytest.mark.parametrize("method", METHODS)
def test_jit_vmap_grad_and_hessian_vector_products(method):
    def product(x, y):
        return sphere.bracket_product(x, y, 2, method=method)

    def loss(x):
        return jnp.sum(product(x, x[::-1]) ** 2)

    x, y = jnp.asarray(random_signal(2, 5), jnp.float32), jnp.asarray(random_signal(1, 5), jnp.float32)
    np.testing.assert_allclose(jax.jit(jax.vmap(product))(x, y), product(x, y), atol=1e-5)
    hessian_vector = jax.jit(lambda x: jax.jvp(jax.grad(loss), (x,), (jnp.ones_like(x),))[1])
    assert np.isfinite(hessian_vector(jnp.zeros(9))).all()
    assert np.abs(hessian_vector(x[0])).max() > 1e-2


X, Y = np.ones((5, 9)), np.ones((5, 4))
WRONG_CALLS = [
    (
        lambda: sphere.bracket_product(np.ones(5), Y),
        ValueError,
        r"x must have \(lmax \+ 1\)² entries .*got 5",
    ),
    (lambda: sphere.bracket_product(X, Y * 1j), TypeError, "y must be a real floating.*, got dtype complex"),
    (lambda: sphere.bracket_product(X, Y[:3]), ValueError, r"y must .*of x, \(5,\), got \(3,\)"),
    (lambda: sphere.bracket_product(X, Y, -1), ValueError, "lmax must be a number of at least 0, got -1"),
    (lambda: sphere.bracket_product(X, Y, 2.0), TypeError, "lmax must be an integer"),
    (lambda: sphere.bracket_product(X, Y, method="fft"), ValueError, "method must be one of .*got 'fft'"),
    (lambda: sphere.bracket_product(X, Y, normalization="norm"), ValueError, "normalization must be one of"),
    (
        lambda: sphere.bracket_product(X, Y, weights=(None,)),
        TypeError,
        r"weights must be a tuple of .*\(None,\)",
    ),
    (
        lambda: sphere.bracket_product(X, Y, weights=(np.ones(2), None, None)),
        ValueError,
        r"weights\[0\] must have shape \(\.\.\., 3\), got \(2,\)",
    ),
    (
        lambda: sphere.bracket_product(e3nn.IrrepsArray("0e+1o", jnp.ones(4)), np.ones(4)),
        TypeError,
        "x must be an array of coefficients, got an IrrepsArray",
    ),
    (lambda: sphere.bracket_coefficients(1, -1, 0), ValueError, "l2 must be a number of at least 0, got -1"),
    (lambda: sphere.bracket_coefficients(1, 1, 0.0), TypeError, "l3 must be an integer"),
]


@pytest.mark.parametrize(("call", "error", "message"), WRONG_CALLS)
def test_wrong_calls_name_the_argument(call, error, message):
    with pytest.raises(error, match=message):
        call()


def test_wrong_calls_raise_at_trace_time():
    with pytest.raises(ValueError, match=r"y must have .*got 3"):
        jax.jit(sphere.bracket_product).lower(jnp.ones(4), jnp.ones(3))


def test_coefficients_are_read_only():
    with pytest.raises(ValueError, match="read-only"):
        sphere.bracket_coefficients(1, 1, 1)[0, 0, 0] = 1


def test_one_process_may_use_both_precisions():
    product = jax.jit(lambda x, y: sphere.bracket_product(x, y, 2))
    x, y = random_signal(2), random_signal(2, seed=1)
    single = product(jnp.asarray(x), jnp.asarray(y))
    with jax.enable_x64(True):
        double = product(jnp.asarray(x), jnp.asarray(y))
        np.testing.assert_allclose(double, sphere.bracket_product(x, y, 2, method="direct"), atol=1e-13)
    np.testing.assert_allclose(single, double, atol=1e-5)
