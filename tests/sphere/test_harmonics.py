"""Spherical harmonics against e3nn-jax, at poles and the origin, and under O(3)."""

import e3nn_jax as e3nn
import jax
import jax.numpy as jnp
import numpy as np
import pytest
import scipy.special

from equijax import sphere, testing
from equijax.groups import SO, Irreps, O, Vector
from equijax.numerics import quadrature
from equijax.sphere.harmonics import check_leading_axes, harmonics_float64, signal_degree

AXES = np.concatenate([np.eye(3), -np.eye(3)])


def natural(lmax):
    """Signals of natural parity: ``0e + 1o + 2e + …``."""
    return Irreps("+".join(f"{l}{'eo'[l % 2]}" for l in range(lmax + 1)))


@pytest.mark.filterwarnings("ignore::DeprecationWarning:e3nn_jax.*")
@pytest.mark.parametrize("lmax", [0, 1, 2, 5, 12])
def test_equal_e3nn(x64, lmax):
    vectors = np.concatenate([np.random.default_rng(lmax).normal(size=(40, 3)), AXES])
    irreps = e3nn.Irreps.spherical_harmonics(lmax)
    expected = e3nn.spherical_harmonics(irreps, vectors, normalize=True, normalization="integral").array
    found = sphere.spherical_harmonics(lmax, vectors)
    assert found.dtype == jnp.float64
    np.testing.assert_allclose(found, expected, atol=1e-14 * np.abs(expected).max())


@pytest.mark.parametrize("lmax", [12, 24])
def test_are_orthonormal(lmax):
    points, weights = quadrature.sphere_product(2 * lmax)
    values = harmonics_float64(lmax, points)
    np.testing.assert_allclose(values.T * weights @ values, np.eye((lmax + 1) ** 2), atol=1e-12)


@pytest.mark.parametrize("l", [1, 3, 9])
def test_equal_scipy(l):
    # The polar axis is y; scipy's harmonics have the Condon-Shortley sign, these have none.
    points = np.random.default_rng(l).normal(size=(30, 3))
    points /= np.linalg.norm(points, axis=1, keepdims=True)
    x, y, z = points.T
    found = harmonics_float64(l, points)[:, l * l :]
    for m in range(l + 1):
        value = scipy.special.sph_harm_y(l, m, np.arccos(y), np.arctan2(x, z)) * (-1) ** m
        scale = np.sqrt(2) if m else 1.0
        np.testing.assert_allclose(found[:, l + m], scale * value.real, atol=1e-14)
        if m:
            np.testing.assert_allclose(found[:, l - m], scale * value.imag, atol=1e-14)


def test_host_and_device_agree(x64):
    points = np.random.default_rng(0).normal(size=(9, 3))
    points /= np.linalg.norm(points, axis=1, keepdims=True)
    np.testing.assert_allclose(sphere.solid_harmonics(8, points), harmonics_float64(8, points), atol=1e-14)


def test_solid_harmonics_are_homogeneous_and_harmonic(x64):
    lmax, vector = 5, jnp.array([0.3, -0.7, 1.1])
    degrees = sphere.degree_index(lmax)
    values = sphere.solid_harmonics(lmax, vector)
    np.testing.assert_allclose(sphere.solid_harmonics(lmax, 2 * vector), 2.0**degrees * values, rtol=1e-13)
    second = jax.jit(jax.hessian(lambda v: sphere.solid_harmonics(lmax, v)))(vector)
    np.testing.assert_allclose(jnp.trace(second, axis1=1, axis2=2), 0, atol=1e-12)


def test_derivatives_at_the_poles_are_those_of_the_polynomials(x64):
    # Degree 2 is √(15/4π) (xz, xy, ½(3y² - r²)/√3, yz, ½(z² - x²)).
    scale = np.sqrt(15 / (4 * np.pi))
    jacobian = jax.jit(jax.jacobian(lambda v: sphere.solid_harmonics(2, v)))(jnp.array([0.0, 1.0, 0.0]))
    expected = scale * np.array([[0, 0, 0], [1, 0, 0], [0, 2 / np.sqrt(3), 0], [0, 0, 1], [0, 0, 0]])
    np.testing.assert_allclose(jacobian[4:], expected, atol=1e-14)


@pytest.mark.parametrize("vector", [[0.0, 1, 0], [0, -1, 0], [0, 0, 0], [0, 0, 1], [1e-30, 0, 0]])
def test_three_derivatives_are_finite_at_poles_and_origin(x64, vector):
    assert np.all(np.isfinite(three_derivatives(jnp.asarray(vector, jnp.float64))))


@jax.jit
def three_derivatives(vector):
    """Harmonics of the direction of a vector, and derivatives of three orders along another."""

    def along(f, direction):
        return lambda v: jax.jvp(f, (v,), (direction,))[1]

    def values(v):
        return sphere.spherical_harmonics(3, v)

    direction = jnp.array([0.3, -0.2, 0.9], vector.dtype)
    first = along(values, direction)
    second = along(first, direction)
    reverse = jax.jacrev(values)(vector)
    results = [values(vector), first(vector), second(vector), along(second, direction)(vector), reverse]
    return jnp.concatenate([result.ravel() for result in results])


def test_zero_vector_has_the_constant_only_and_no_gradient(x64):
    values = sphere.spherical_harmonics(3, jnp.zeros(3))
    np.testing.assert_allclose(values, [1 / np.sqrt(4 * np.pi), *[0.0] * 15], atol=1e-15)
    jacobian = jax.jit(jax.jacobian(lambda v: sphere.spherical_harmonics(3, v)))
    assert not jacobian(jnp.zeros(3)).any()


def test_single_precision_is_close_to_double():
    points = np.random.default_rng(1).normal(size=(50, 3))
    points /= np.linalg.norm(points, axis=1, keepdims=True)
    rough = np.asarray(sphere.solid_harmonics(8, jnp.asarray(points, jnp.float32)))
    assert rough.dtype == np.float32
    exact = harmonics_float64(8, points)
    assert np.linalg.norm(rough - exact) < 5e-7 * np.linalg.norm(exact)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("function", [sphere.solid_harmonics, sphere.spherical_harmonics])
def test_are_equivariant_under_rotations_and_reflections(function, dtype):
    testing.assert_equivariant(
        lambda v: function(3, v),
        O(3),
        in_reps=(Vector(),),
        out_reps=natural(3),
        shapes=((5, 3),),
        dtype=dtype,
        gradient=function is sphere.spherical_harmonics,
        max_examples=20,
    )


def test_jit_and_vmap_agree_with_plain():
    vectors = jnp.asarray(np.random.default_rng(0).normal(size=(2, 3, 3)), jnp.float32)
    plain = sphere.spherical_harmonics(3, vectors)
    assert plain.shape == (2, 3, 16)
    np.testing.assert_allclose(
        jax.jit(jax.vmap(lambda v: sphere.spherical_harmonics(3, v)))(vectors), plain, atol=1e-6
    )
    assert sphere.spherical_harmonics(3, vectors.astype(jnp.bfloat16)).dtype == jnp.bfloat16


def test_per_degree_weights_commute_with_rotations():
    weights = jnp.array([0.5, -2.0, 3.0])
    testing.assert_equivariant(
        lambda x: sphere.per_degree(weights, x), SO(3), in_reps=(natural(2),), out_reps=natural(2)
    )


def test_degrees_of_coefficients():
    assert sphere.degree_index(2).tolist() == [0, 1, 1, 1, 2, 2, 2, 2, 2]
    assert [sphere.degree_of(sphere.num_coefficients(lmax)) for lmax in range(30)] == list(range(30))
    with pytest.raises(ValueError, match="read-only"):
        sphere.degree_index(2)[0] = 1


VECTORS = np.zeros((2, 3))
WRONG_CALLS = [
    (lambda: sphere.spherical_harmonics(-1, VECTORS), ValueError, "lmax must be .* at least 0, got -1"),
    (lambda: sphere.spherical_harmonics(1.5, VECTORS), TypeError, "lmax must be an integer"),
    (lambda: sphere.spherical_harmonics(2, np.zeros((3, 2))), ValueError, r"vectors .*3\), got \(3, 2\)"),
    (lambda: sphere.solid_harmonics(2, 1.0), ValueError, r"vectors must have shape \(\.\.\., 3\), got \(\)"),
    (lambda: sphere.solid_harmonics(2, np.zeros((2, 3), int)), TypeError, "vectors must be .*dtype int"),
    (lambda: sphere.degree_of(8), ValueError, r"coefficients must have \(lmax \+ 1\)² entries .*got 8"),
    (lambda: sphere.degree_index(-2), ValueError, "lmax must be .* at least 0, got -2"),
    (lambda: sphere.num_coefficients(-2), ValueError, "lmax must be .* at least 0, got -2"),
    (lambda: sphere.per_degree(np.ones(2), np.ones(9)), ValueError, r"weights .*3\), got \(2,\)"),
    (
        lambda: sphere.per_degree(np.ones((2, 3)), np.ones((4, 9))),
        ValueError,
        r"weights .*\(4,\), got \(2,\)",
    ),
    (lambda: sphere.per_degree(np.ones(3, int), np.ones(9)), TypeError, "weights must be .*, got dtype int"),
    (lambda: signal_degree("x", np.ones(7)), ValueError, "x must have .*got 7"),
    (lambda: check_leading_axes("y", (2,), "x", (3,)), ValueError, r"y must .*of x, \(3,\), got \(2,\)"),
]


@pytest.mark.parametrize(("call", "error", "message"), WRONG_CALLS)
def test_wrong_calls_name_the_argument(call, error, message):
    with pytest.raises(error, match=message):
        call()
