import jax
import jax.numpy as jnp
import numpy as np
import pytest

from equijax.groups.decompositions import hyperbolic

T = np.array([1e-9, 1e-3, 0.2, 0.9, 0.999, 1.001, 3.0, 20.0])
FUNCTIONS = {
    hyperbolic.cosh_root: np.cosh,
    hyperbolic.sinhc: lambda t: np.sinh(t) / t,
    hyperbolic.log_sinhc: lambda t: np.log(np.sinh(t) / t),
}


@pytest.mark.parametrize("function", FUNCTIONS, ids=lambda function: function.__name__)
def test_values_of_the_square(x64, function):
    np.testing.assert_allclose(function(jnp.asarray(T**2)), FUNCTIONS[function](T), rtol=1e-13, atol=1e-15)


def test_inverse_tangent(x64):
    t = np.array([1e-9, 0.1, 0.22, 0.23, 0.9, 0.999999])
    np.testing.assert_allclose(hyperbolic.arctanhc(jnp.asarray(t**2)), np.arctanh(t) / t, rtol=1e-10)


@pytest.mark.parametrize("function", [*FUNCTIONS, hyperbolic.arctanhc], ids=lambda f: f.__name__)
def test_derivatives_at_zero_and_across_the_seam(x64, function):
    seam = 0.05 if function is hyperbolic.arctanhc else 1.0
    points = jnp.array([0.0, seam - 1e-9, seam + 1e-9])
    first = jax.jit(jax.vmap(jax.grad(function)))(points)
    third = jax.jit(jax.vmap(jax.grad(jax.grad(jax.grad(function)))))(points)
    assert np.isfinite(first).all()
    np.testing.assert_allclose(first[1], first[2], rtol=1e-7)
    np.testing.assert_allclose(third[1], third[2], rtol=1e-4)


def test_small_arguments_keep_all_digits(x64):
    assert float(hyperbolic.log_sinhc(jnp.array(1e-12))) == pytest.approx(1e-12 / 6, rel=1e-12)


def test_large_arguments_do_not_overflow():
    assert float(hyperbolic.log_sinhc(jnp.array(1e8))) == pytest.approx(1e4 - np.log(2e4), rel=1e-6)


def test_integers_are_refused():
    with pytest.raises(TypeError, match="square must be a real floating-point array, got dtype int32"):
        hyperbolic.sinhc(jnp.array(1))
