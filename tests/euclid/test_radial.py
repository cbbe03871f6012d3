"""Radial bases and cut-offs against closed forms, at the cut-off and at zero."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
import scipy.special

from equijax import euclid

CUTOFF = 4.0


def derivatives(function, count, distances):
    """The values and the first derivatives of a scalar function, shape ``(count + 1, points)``."""
    chain = [function]
    for _ in range(count):
        chain.append(jax.grad(chain[-1]))
    compiled = jax.jit(jax.vmap(lambda r: jnp.stack([derivative(r) for derivative in chain]), out_axes=1))
    return np.asarray(compiled(jnp.asarray(distances)))


@pytest.mark.parametrize("order", [2, 3, 6, 9])
def test_polynomial_cutoff_vanishes_with_two_derivatives_at_the_cutoff(x64, order):
    distances = CUTOFF + np.array([0.0, 1e-7, -1e-7])
    values = derivatives(lambda r: euclid.polynomial_cutoff(r, CUTOFF, order), 2, distances)
    assert np.all(values[:, :2] == 0)
    assert np.all(np.abs(values[:, 2]) < 1e-5)


def test_polynomial_cutoff_is_the_polynomial_of_its_docstring(x64):
    r = np.linspace(0, CUTOFF, 41)
    u, p = r / CUTOFF, 6
    expected = 1 - (p + 1) * (p + 2) / 2 * u**p + p * (p + 2) * u ** (p + 1) - p * (p + 1) / 2 * u ** (p + 2)
    np.testing.assert_allclose(euclid.polynomial_cutoff(r, CUTOFF), expected, atol=1e-13)


def test_polynomial_cutoff_has_a_third_derivative_that_does_not_vanish(x64):
    values = derivatives(lambda r: euclid.polynomial_cutoff(r, CUTOFF), 3, [CUTOFF - 1e-6])
    assert abs(values[3, 0]) > 1


def test_smooth_cutoff_vanishes_with_five_derivatives_at_the_cutoff(x64):
    distances = [CUTOFF - 1e-9, CUTOFF - 1e-3, CUTOFF, CUTOFF + 1e-9, 2 * CUTOFF]
    values = derivatives(lambda r: euclid.smooth_cutoff(r, CUTOFF), 5, distances)
    np.testing.assert_allclose(values, 0, atol=1e-60)


def test_smooth_cutoff_is_its_closed_form(x64):
    r = np.linspace(0, 0.99 * CUTOFF, 30)
    expected = np.exp(1 - 1 / (1 - (r / CUTOFF) ** 2))
    np.testing.assert_allclose(euclid.smooth_cutoff(r, CUTOFF), expected, rtol=1e-13)


@pytest.mark.parametrize("cutoff_function", [euclid.polynomial_cutoff, euclid.smooth_cutoff])
def test_cutoffs_start_at_one_and_never_increase(cutoff_function):
    values = np.asarray(cutoff_function(jnp.linspace(0.0, 6.0, 601), CUTOFF))
    assert values[0] == 1
    assert np.all(np.diff(values) <= 1e-6)
    assert np.all(values >= -1e-6)


def test_bessel_basis_is_spherical_bessel_functions(x64):
    r = np.linspace(0, CUTOFF, 50)
    n = np.arange(1, 9)
    # √(2/c) sin(nπr/c) / r = √(2/c) (nπ/c) j_0(nπr/c)
    frequency = n * np.pi / CUTOFF
    expected = np.sqrt(2 / CUTOFF) * frequency * scipy.special.spherical_jn(0, r[:, None] * frequency)
    np.testing.assert_allclose(euclid.bessel_basis(r, 8, CUTOFF), expected, atol=1e-13)


def test_bessel_basis_is_orthonormal_on_the_ball(x64):
    nodes, weights = np.polynomial.legendre.leggauss(60)
    r, weights = (nodes + 1) * CUTOFF / 2, weights * CUTOFF / 2
    values = np.asarray(euclid.bessel_basis(r, 6, CUTOFF))
    overlaps = np.einsum("rn,rm,r->nm", values, values, weights * r**2)
    np.testing.assert_allclose(overlaps, np.eye(6), atol=1e-12)


def test_bessel_basis_has_right_derivatives_at_zero(x64):
    values = derivatives(lambda r: euclid.bessel_basis(r, 3, CUTOFF)[2], 3, [0.0])
    a = 3 * np.pi / CUTOFF
    # sin(ar)/r = a - a³r²/6 + …
    expected = np.array([a, 0, -(a**3) / 3, 0]) * np.sqrt(2 / CUTOFF)
    np.testing.assert_allclose(values[:, 0], expected, atol=1e-9)


def test_bessel_basis_times_cutoff_vanishes_with_two_derivatives(x64):
    def product(r):
        return euclid.bessel_basis(r, 4, CUTOFF)[3] * euclid.polynomial_cutoff(r, CUTOFF)

    values = derivatives(product, 2, [CUTOFF, CUTOFF - 1e-7])
    assert np.all(values[:, 0] == 0)
    assert np.all(np.abs(values[:, 1]) < 1e-4)


def test_gaussian_basis_is_its_closed_form(x64):
    r = np.linspace(0, CUTOFF, 21)
    centers = np.linspace(0, CUTOFF, 5)
    np.testing.assert_allclose(
        euclid.gaussian_basis(r, 5, CUTOFF), np.exp(-0.5 * (r[:, None] - centers) ** 2), atol=1e-14
    )


FUNCTIONS = {
    "polynomial_cutoff": lambda r: euclid.polynomial_cutoff(r, CUTOFF),
    "smooth_cutoff": lambda r: euclid.smooth_cutoff(r, CUTOFF),
    "bessel_basis": lambda r: euclid.bessel_basis(r, 5, CUTOFF),
    "gaussian_basis": lambda r: euclid.gaussian_basis(r, 5, CUTOFF),
}


@pytest.mark.parametrize("name", FUNCTIONS)
def test_functions_keep_dtype_and_work_under_jit_vmap_and_grad(name):
    function = FUNCTIONS[name]
    r = jnp.linspace(0.0, 5.0, 6).reshape(2, 3)
    plain = function(r)
    assert plain.dtype == jnp.float32
    assert function(r.astype(jnp.bfloat16)).dtype == jnp.bfloat16
    np.testing.assert_allclose(jax.jit(function)(r), plain, atol=1e-6)
    np.testing.assert_allclose(jax.jit(jax.vmap(function))(r), plain, atol=1e-6)
    second = jax.jit(jax.grad(lambda r: jnp.sum(jax.grad(lambda r: jnp.sum(function(r)))(r) ** 2)))
    assert np.isfinite(second(r)).all()


@pytest.mark.parametrize("name", FUNCTIONS)
def test_single_precision_is_close_to_double(name):
    r = np.linspace(0, 5, 30)
    with jax.enable_x64(True):
        exact = np.asarray(FUNCTIONS[name](jnp.asarray(r)))
    rough = np.asarray(FUNCTIONS[name](jnp.asarray(r, jnp.float32)))
    np.testing.assert_allclose(rough, exact, atol=2e-6 * np.abs(exact).max())


WRONG_CALLS = [
    (lambda: euclid.polynomial_cutoff(1.0, -1.0), ValueError, "cutoff must be a number above 0, got -1.0"),
    (
        lambda: euclid.polynomial_cutoff(1.0, 4.0, 1),
        ValueError,
        "order must be a number of at least 2, got 1",
    ),
    (lambda: euclid.polynomial_cutoff(jnp.arange(3), 4.0), TypeError, "distance must be .*, got dtype int32"),
    (lambda: euclid.smooth_cutoff(1.0, 0.0), ValueError, "cutoff must be a number above 0, got 0.0"),
    (lambda: euclid.smooth_cutoff(1j, 4.0), TypeError, "distance must be .*, got dtype complex"),
    (lambda: euclid.bessel_basis(1.0, 0, 4.0), ValueError, "num must be a number of at least 1, got 0"),
    (lambda: euclid.bessel_basis(1.0, 3, 0), ValueError, "cutoff must be a number above 0, got 0"),
    (lambda: euclid.gaussian_basis(1.0, 1, 4.0), ValueError, "num must be a number of at least 2, got 1"),
    (lambda: euclid.gaussian_basis(1.0, 3, float("nan")), ValueError, "cutoff must be .*, got nan"),
    (lambda: euclid.gaussian_basis(jnp.arange(3), 3, 4.0), TypeError, "distance must be .*, got dtype int32"),
]


@pytest.mark.parametrize(("call", "error", "message"), WRONG_CALLS)
def test_wrong_calls_name_the_argument(call, error, message):
    with pytest.raises(error, match=message):
        call()
