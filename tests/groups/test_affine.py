import jax
import jax.numpy as jnp
import numpy as np
import pytest

from equijax.groups import Affine, E, Homogeneous, Irreps, Point, Translation, Vector


def test_homogeneous_coordinates_move_as_points_and_displacements(x64):
    g = Affine(2).sample(jax.random.key(0), (5,))
    x = np.random.default_rng(0).normal(size=(5, 2))
    for last, rep in [(1.0, Point()), (0.0, Vector())]:
        moved = Homogeneous().act(g, np.c_[x, np.full(5, last)])
        np.testing.assert_allclose(moved[:, :2], rep.act(g, x), atol=1e-12)
        np.testing.assert_array_equal(moved[:, 2], last)
    for group in (E(3), Translation(3)):
        g = group.sample(jax.random.key(1))
        np.testing.assert_allclose(Homogeneous().matrix(g), group.matrix(g), atol=1e-15)


def test_samples_are_bounded(x64):
    g = Affine(2, bound=3.0, shift=5.0).sample(jax.random.key(0), (1000,))
    values = np.linalg.svd(np.asarray(g.linear), compute_uv=False)
    assert 2.5 < values.max() <= 3
    assert 4.5 < np.abs(g.translation).max() <= 5


def test_irreps_do_not_act():
    with pytest.raises(TypeError, match="preserves lengths, got AffineMap: Irreps do not act"):
        Irreps("1o").act(Affine(3).identity(), jnp.ones(3))


def test_wrong_arguments_are_named():
    with pytest.raises(ValueError, match="shift must be a number above 0, got 0"):
        Affine(2, shift=0)
    with pytest.raises(ValueError, match="bound must be a number above 1, got 1"):
        Affine(2, bound=1)
    with pytest.raises(TypeError, match="a AffineMap, got a single array"):
        Affine(2).inverse(jnp.eye(3))
