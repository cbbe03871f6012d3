import functools

import jax
import jax.numpy as jnp
import numpy as np
import pytest
import scipy.spatial

from equijax.equivariance import average_over, error
from equijax.euclid import local_frames, weighted_pair_frame
from equijax.groups import SE, E, PermutationTensor, Point, S, Vector

MAKE = functools.partial(local_frames, num_neighbors=4, group=E(3))


def local_network(x):
    """A random function of each point's surroundings, as a vector at each point."""
    found = MAKE(x)
    weights = np.random.RandomState(0).randn(12, 3)

    def network(around):
        return jnp.tanh(around.reshape(*around.shape[:-2], 12) @ weights + 0.3)

    return average_over(network, found.frame, (Point(),), Vector(), (x[found.neighbors],))


def test_neighbors_agree_with_scipy(clouds, x64):
    x = clouds.GENERIC
    found = jax.jit(MAKE)(jnp.asarray(x))
    np.testing.assert_array_equal(found.neighbors, scipy.spatial.cKDTree(x).query(x, 4)[1])
    assert found.neighbors.dtype == jnp.int32
    assert found.mask.all()
    assert (found.frame.batch_shape, found.frame.size) == ((8,), 8)


def test_local_networks_are_equivariant(clouds, x64):
    group, positions, vectors = S(8) * E(3), PermutationTensor(1) @ Point(), PermutationTensor(1) @ Vector()
    x = jnp.asarray(clouds.GENERIC)

    def measure(x, key):
        return error(local_network, group, (positions,), vectors, (x,), key=key, num_samples=4)

    assert clouds.quick_jit(measure)(x, jax.random.key(0)) < 1e-12
    gradient = clouds.quick_jit(jax.grad(lambda x: jnp.sum(local_network(x) ** 2)))(x)
    assert np.all(np.isfinite(gradient))


def test_masked_points_are_no_neighbors(clouds, x64):
    x = jnp.asarray(clouds.GENERIC)
    mask = jnp.array([True, False, True, True, False, True, False, False])
    found = jax.jit(functools.partial(local_frames, num_neighbors=5, group=SE(3)))(
        jnp.where(mask[:, None], x, jnp.nan), mask
    )
    np.testing.assert_array_equal(found.mask.sum(axis=1), np.where(mask, 4, 0))
    kept = np.where(found.mask, found.neighbors, -1)
    assert not np.isin(kept, [1, 4, 6, 7]).any()
    assert np.all(np.isfinite(found.frame.elements.linear))
    # All that count are neighbours of all, so that all frames have one center.
    centers = np.asarray(found.frame.elements.translation)[np.asarray(mask), 0]
    np.testing.assert_allclose(centers, np.tile(np.mean(x[mask], axis=0), (4, 1)), atol=1e-12)


def test_points_at_one_place_come_first_in_their_own_neighborhood():
    found = local_frames(jnp.zeros((4, 2)), num_neighbors=2, group=E(2))
    assert found.neighbors[:, 0].tolist() == [0, 1, 2, 3]


def test_other_frames_and_batches(clouds, x64):
    x = jnp.stack([jnp.asarray(clouds.GENERIC)] * 2)
    make = functools.partial(local_frames, num_neighbors=3, group=SE(3), frame=weighted_pair_frame)
    found = clouds.quick_jit(make)(x)
    assert found.frame.batch_shape == (2, 8)
    assert found.frame.size == 3 * 2 * 4 + 4
    np.testing.assert_allclose(np.sum(found.frame.weights, axis=-1), 1, rtol=1e-12)


def test_errors_name_the_argument():
    with pytest.raises(ValueError, match="num_neighbors must be at most the number of points 4, got 5"):
        local_frames(jnp.ones((4, 3)), num_neighbors=5, group=E(3))
    with pytest.raises(ValueError, match="num_neighbors must be a number of at least 1"):
        local_frames(jnp.ones((4, 3)), num_neighbors=0, group=E(3))
    with pytest.raises(ValueError, match=r"x must have shape \(..., n, d\), d=2"):
        local_frames(jnp.ones((4, 3)), num_neighbors=2, group=E(2))
