"""Generators of rotations and gradients on grids against derivatives by JAX."""

import jax
import numpy as np
import pytest

from equijax import sphere
from equijax.groups import rotations
from equijax.groups.irreps import wigner
from equijax.sphere import gradients
from equijax.sphere.harmonics import harmonics_float64


def unit_vectors(num, seed=0):
    vectors = np.random.default_rng(seed).normal(size=(num, 3))
    return vectors / np.linalg.norm(vectors, axis=1, keepdims=True)


@jax.jit
def derivatives_at(points):
    """Derivatives of the harmonics up to degree 5 by the coordinates, shape ``(p, k, 3)``."""
    return jax.vmap(jax.jacfwd(lambda r: sphere.spherical_harmonics(5, r)))(points)


def test_generators_are_r_cross_nabla(x64):
    points = np.concatenate([unit_vectors(6), [[0.0, 1.0, 0.0]]])
    values = harmonics_float64(5, points)
    expected = np.cross(points[:, None], derivatives_at(points))
    for l in range(6):
        block = slice(l * l, (l + 1) ** 2)
        found = np.einsum("amn,pn->pma", gradients.rotation_generators(l), values[:, block])
        np.testing.assert_allclose(found, expected[:, block], atol=1e-12)


@pytest.mark.parametrize("l", [1, 2, 5])
def test_generators_are_antisymmetric_and_commute_as_rotations_do(l):
    x, y, z = gradients.rotation_generators(l)
    np.testing.assert_allclose(x, -x.T, atol=1e-14)
    for a, b, c in ((x, y, z), (y, z, x), (z, x, y)):
        np.testing.assert_allclose(a @ b - b @ a, c, atol=1e-13)
    np.testing.assert_allclose(x @ x + y @ y + z @ z, -l * (l + 1) * np.eye(2 * l + 1), atol=1e-12)


def test_generators_are_the_derivatives_of_wigner_matrices(x64):
    turns = rotations.generators(3)
    derivatives = [jax.jvp(lambda r: wigner(r, 3)[3], (np.eye(3),), (turn,))[1] for turn in turns]
    own = gradients.rotation_generators(3)
    for turn, derivative in zip(turns, derivatives):
        axis = np.array([turn[2, 1], turn[0, 2], turn[1, 0]])
        expected = np.einsum("a,amn->mn", axis, own)
        # A turned point: d Y(R r) = (axis x r) · ∇ Y = axis · (r x ∇) Y.
        np.testing.assert_allclose(derivative, expected, atol=1e-6)


@pytest.mark.parametrize("rule", ["lebedev", "gauss_legendre"])
def test_gradient_components_are_those_in_a_right_handed_frame(x64, rule):
    grid = sphere.SphereGrid(rule, 7)
    first, second = gradients.gradient_matrices(grid, 3)
    points = grid.points()
    ambient = np.asarray(derivatives_at(points))[:, :16]
    dots = np.einsum("pka,pja->kjp", ambient, ambient)
    found = np.einsum("kp,jp->kjp", first, first) + np.einsum("kp,jp->kjp", second, second)
    np.testing.assert_allclose(found, dots, atol=1e-12)
    triple = np.einsum("pa,pkja->kjp", points, np.cross(ambient[:, :, None], ambient[:, None]))
    found = np.einsum("kp,jp->kjp", first, second) - np.einsum("kp,jp->kjp", second, first)
    np.testing.assert_allclose(found, triple, atol=1e-12)


def test_arrays_are_read_only_and_wrong_calls_name_the_argument():
    with pytest.raises(ValueError, match="read-only"):
        gradients.rotation_generators(1)[0, 0, 0] = 1
    with pytest.raises(ValueError, match="l must be a number of at least 0"):
        gradients.rotation_generators(-1)
    with pytest.raises(TypeError, match="l must be an integer"):
        gradients.rotation_generators(1.5)
