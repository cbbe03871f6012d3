"""Rotations of directions to the pole."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from equijax import sphere
from equijax.groups.irreps import wigner

RANDOM = np.random.default_rng(0)
POLES = np.array([[0.0, 1.0, 0.0], [0.0, -2.0, 0.0], [1e-9, -1.0, 0.0], [0.0, 1.0, 1e-9]])
VECTORS = np.concatenate([RANDOM.normal(size=(6, 3)), POLES])
ALIGN = jax.jit(sphere.align, static_argnums=1)
HARMONICS = jax.jit(sphere.spherical_harmonics, static_argnums=0)
ROTATE = jax.jit(sphere.rotate_to_pole)


@pytest.mark.parametrize("lmax", [0, 6, 12])
def test_takes_harmonics_of_the_direction_to_those_of_the_pole(x64, lmax):
    alignment = ALIGN(VECTORS, lmax)
    signals = HARMONICS(lmax, VECTORS)[:, None]
    found = ROTATE(signals, alignment)[:, 0]
    pole = HARMONICS(lmax, np.array([0.0, 1.0, 0.0]))
    np.testing.assert_allclose(found, np.broadcast_to(pole, found.shape), atol=1e-12)


def test_blocks_are_those_of_the_rotation_matrix(x64):
    alignment = ALIGN(VECTORS, 6)
    rotation = alignment.blocks[1]
    product = rotation @ jnp.swapaxes(rotation, -1, -2)
    np.testing.assert_allclose(product, np.broadcast_to(np.eye(3), product.shape), atol=1e-14)
    np.testing.assert_allclose(jnp.linalg.det(rotation), 1, atol=1e-14)
    for found, expected in zip(alignment.blocks, wigner(rotation, 6)):
        np.testing.assert_allclose(found, expected, atol=1e-11)


def test_the_way_back_is_the_inverse(x64):
    x = RANDOM.normal(size=(10, 2, 16))
    alignment = ALIGN(VECTORS, 3)
    there = ROTATE(x, alignment)
    np.testing.assert_allclose(sphere.rotate_from_pole(there, alignment), x, atol=1e-13)
    np.testing.assert_allclose(jnp.linalg.norm(there, axis=-1), np.linalg.norm(x, axis=-1), atol=1e-13)


H, OUT = RANDOM.normal(size=(2, 1, 16))


def axial(vector):
    """A function of the direction alone: in the frame, a map that is equivariant about the axis."""
    alignment = sphere.align(vector, 3)
    order = np.concatenate([abs(np.arange(-l, l + 1)) for l in range(4)])
    aligned = sphere.rotate_to_pole(jnp.asarray(H, vector.dtype), alignment)
    back = sphere.rotate_from_pole(aligned * jnp.cos(1.0 + order), alignment)
    return jnp.sum(back * jnp.asarray(OUT, vector.dtype)) * jnp.sum(vector**2)


VALUE, GRADIENT, HESSIAN, REVERSE = (
    jax.jit(f) for f in (axial, jax.grad(axial), jax.hessian(axial), jax.jacrev(jax.grad(axial)))
)


@pytest.mark.parametrize("point", [*VECTORS[:2], *POLES], ids=str)
def test_derivatives_of_gauge_free_results_are_right_at_the_poles_too(x64, point):
    step = 1e-5
    moves = step * np.eye(3)
    numeric = [(VALUE(point + move) - VALUE(point - move)) / (2 * step) for move in moves]
    np.testing.assert_allclose(GRADIENT(point), numeric, atol=1e-6)
    numeric = [(GRADIENT(point + move) - GRADIENT(point - move)) / (2 * step) for move in moves]
    np.testing.assert_allclose(HESSIAN(point), numeric, atol=1e-5)
    np.testing.assert_allclose(HESSIAN(point), HESSIAN(point).T, atol=1e-10)
    np.testing.assert_allclose(REVERSE(point), HESSIAN(point), atol=1e-10)


def test_a_turn_about_the_axis_changes_nothing(x64):
    # The frames of r and of a slightly turned copy of the whole scene differ, the result must not.
    angle = 0.3
    turn = np.array([[np.cos(angle), 0, np.sin(angle)], [0, 1, 0], [-np.sin(angle), 0, np.cos(angle)]])
    blocks = wigner(jnp.asarray(turn), 3)
    alignment = ALIGN(VECTORS[:6], 3)
    turned = sphere.Alignment(tuple(d @ b for d, b in zip(blocks, alignment.blocks)), alignment.directed)
    weights = (None, RANDOM.normal(size=(6, 2, 3)), None)
    x = RANDOM.normal(size=(6, 2, 16))
    convolve = jax.jit(lambda each: sphere.aligned_convolution(x, each, 3, filter_lmax=2, weights=weights))
    first, second = convolve(alignment), convolve(turned)
    np.testing.assert_allclose(first, second, atol=1e-12)


def test_without_a_direction_nothing_turns():
    alignment = ALIGN(jnp.zeros((2, 3)), 2)
    for l, block in enumerate(alignment.blocks):
        np.testing.assert_array_equal(block, np.broadcast_to(np.eye(2 * l + 1), block.shape))
    assert not alignment.directed.any()
    assert ALIGN(jnp.full((2, 3), 1e-30), 2).directed.all()
    assert not GRADIENT(jnp.zeros(3)).any()
    assert np.isfinite(HESSIAN(jnp.zeros(3))).all()


def test_single_precision_jit_and_vmap():
    vectors = jnp.asarray(VECTORS, jnp.float32)
    blocks = jax.jit(jax.vmap(lambda v: sphere.align(v, 4)))(vectors).blocks
    with jax.enable_x64(True):
        expected = sphere.align(np.asarray(vectors, np.float64), 4).blocks
    for found, exact in zip(blocks, expected):
        assert found.dtype == jnp.float32
        np.testing.assert_allclose(found, exact, atol=3e-6)


ALIGNMENT = sphere.align(jnp.ones((4, 3)), 2)
WRONG_CALLS = [
    (sphere.align, (jnp.ones((4, 2)), 2), ValueError, r"vectors must have shape \(..., 3\), got \(4, 2\)"),
    (sphere.align, (jnp.ones((4, 3), int), 2), TypeError, "vectors must be .*got dtype int32"),
    (sphere.align, (jnp.ones((4, 3)), -1), ValueError, "lmax must be .*at least 0, got -1"),
    (sphere.rotate_to_pole, (jnp.ones((4, 8, 16)), ALIGNMENT), ValueError, "up to at least 3, got 2"),
    (
        sphere.rotate_to_pole,
        (jnp.ones((5, 8, 9)), ALIGNMENT),
        ValueError,
        r"alignment must .*got \(4,\)",
    ),
    (
        sphere.rotate_to_pole,
        (jnp.ones(9), ALIGNMENT),
        ValueError,
        r"x must have .*got \(9,\)",
    ),
    (sphere.rotate_from_pole, (jnp.ones((4, 8, 9)), jnp.ones(3)), TypeError, "alignment must be a Alignment"),
]


@pytest.mark.parametrize(("function", "arguments", "error", "message"), WRONG_CALLS)
def test_wrong_calls_name_the_argument(function, arguments, error, message):
    with pytest.raises(error, match=message):
        function(*arguments)
