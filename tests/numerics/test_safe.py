import jax
import jax.numpy as jnp
import numpy as np
import pytest

from equijax.numerics import safe

SCALAR = [
    (safe.sqrt, jnp.sqrt, [0.0, 1e-30, 0.25, 4.0]),
    (safe.arccos, jnp.arccos, [-1.0, -0.5, 0.0, 0.999999, 1.0]),
    (safe.arcsin, jnp.arcsin, [-1.0, -0.5, 0.0, 0.999999, 1.0]),
    (safe.norm, jnp.linalg.norm, [[0.0, 0.0, 0.0], [3.0, -4.0, 0.0], [1e-6, 0.0, 0.0]]),
]
SINGULAR = [
    (safe.sqrt, jnp.array(0.0)),
    (safe.arccos, jnp.array(1.0)),
    (safe.arccos, jnp.array(-1.0)),
    (safe.arccos, jnp.array(1.5)),
    (safe.arcsin, jnp.array(1.0)),
    (safe.norm, jnp.zeros(3)),
    (lambda x: jnp.sum(safe.normalize(x) * jnp.arange(1.0, 4.0)), jnp.zeros(3)),
    (lambda x: safe.arctan2(x[0], x[1]), jnp.zeros(2)),
]


def close(actual, desired, tolerance):
    np.testing.assert_allclose(actual, desired, rtol=tolerance, atol=tolerance)


@pytest.mark.parametrize("double", [False, True])
@pytest.mark.parametrize(("function", "usual", "points"), SCALAR)
def test_values_are_the_usual_ones(function, usual, points, double):
    with jax.enable_x64(double):
        for point in points:
            point = jnp.asarray(point)
            assert function(point).dtype == point.dtype
            close(jax.jit(function)(point), usual(point), 1e-14 if double else 1e-6)


@pytest.mark.parametrize("double", [False, True])
@pytest.mark.parametrize(("function", "point"), SINGULAR)
def test_derivatives_at_singular_points_are_zero(function, point, double):
    with jax.enable_x64(double):
        point = jnp.asarray(np.asarray(point), float)
        derivatives = [jax.grad(function), jax.hessian(function), jax.jacfwd(jax.hessian(function))]
        for values in jax.jit(lambda x: [f(x) for f in derivatives])(point):
            np.testing.assert_array_equal(values, 0.0)


def test_derivatives_elsewhere_are_the_usual_ones(x64):
    x = jnp.array([0.3, -0.4, 0.5])
    pairs = [
        (safe.norm, jnp.linalg.norm, x),
        (lambda x: safe.normalize(x)[0], lambda x: x[0] / jnp.linalg.norm(x), x),
        (safe.arccos, jnp.arccos, x[0]),
        (safe.arcsin, jnp.arcsin, x[1]),
        (safe.sqrt, jnp.sqrt, x[2]),
        (lambda x: safe.arctan2(x[0], x[1]), lambda x: jnp.arctan2(x[0], x[1]), x),
    ]
    for function, usual, point in pairs:
        for derive in (jax.grad, jax.hessian, lambda f: jax.jacfwd(jax.hessian(f))):
            both = (derive(function), derive(usual))
            close(*jax.jit(lambda x, both=both: [f(x) for f in both])(point), 1e-12)


def test_norm_neither_overflows_nor_underflows():
    close(safe.norm(jnp.array([3e30, 4e30])) / 1e30, 5.0, 1e-6)
    close(safe.norm(jnp.array([3e-30, 4e-30])) * 1e30, 5.0, 1e-6)
    close(jax.grad(safe.norm)(jnp.array([3e-30, 4e-30])), [0.6, 0.8], 1e-6)


def test_infinity_and_not_a_number_pass_through():
    assert safe.norm(jnp.array([jnp.inf, 1.0])) == jnp.inf
    for value in (safe.norm(jnp.array([jnp.nan, 1.0])), safe.arccos(jnp.array(jnp.nan)), safe.sqrt(-1.0)):
        assert jnp.isnan(value)


@pytest.mark.parametrize("axis", [0, -1, (0, 1), None])
def test_norm_axes(axis):
    x = np.random.default_rng(0).normal(size=(3, 4)).astype(np.float32)
    for keepdims in (False, True):
        expected = np.sqrt(np.sum(x**2, axis=axis, keepdims=keepdims))
        got = safe.norm(x, axis, keepdims=keepdims)
        assert got.shape == expected.shape
        close(got, expected, 1e-6)
    close(safe.norm(safe.normalize(x, axis), axis), np.ones_like(np.sum(x, axis=axis)), 1e-6)


def test_batches_with_and_without_singular_rows():
    x = jnp.array([[0.0, 0.0], [3.0, 4.0]])
    gradient = jax.vmap(jax.grad(safe.norm))(x)
    close(gradient, [[0.0, 0.0], [0.6, 0.8]], 1e-6)


def test_norm_of_no_components_is_zero():
    np.testing.assert_array_equal(safe.norm(jnp.zeros((2, 0))), [0.0, 0.0])


@pytest.mark.parametrize("function", [safe.sqrt, safe.norm, safe.normalize, safe.arccos, safe.arcsin])
def test_integers_are_refused(function):
    with pytest.raises(TypeError, match="x must be a real floating-point array, got dtype int32"):
        function(jnp.arange(3))
