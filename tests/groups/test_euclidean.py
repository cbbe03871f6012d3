import jax
import jax.numpy as jnp
import numpy as np
import pytest

from equijax.groups import SE, SO, E, O, Point, Rigid
from equijax.groups.euclidean import homogeneous


@pytest.mark.parametrize("group", [SE(2), SE(3), SE(4), E(2), E(3)])
def test_elements_preserve_distances(group, x64):
    g = group.sample(jax.random.key(0), (10, 1))
    x = jax.random.normal(jax.random.key(1), (6, group.n))
    moved = Point().act(g, x)
    distances = [jnp.linalg.norm(p[..., :, None, :] - p[..., None, :, :], axis=-1) for p in (moved, x)]
    np.testing.assert_allclose(distances[0], jnp.broadcast_to(distances[1], distances[0].shape), atol=1e-12)


def test_translations_fill_the_stated_cube():
    t = E(3, bound=5.0).sample(jax.random.key(0), (10_000,)).translation
    assert jnp.abs(t).max() <= 5
    np.testing.assert_allclose(jnp.min(t, axis=0), -5, atol=0.01)
    np.testing.assert_allclose(jnp.max(t, axis=0), 5, atol=0.01)
    np.testing.assert_allclose(jnp.var(t, axis=0), 25 / 3, rtol=0.05)


def test_only_the_full_group_has_reflections():
    key = jax.random.key(0)
    determinants = [jnp.linalg.det(group.sample(key, (100,)).linear).round() for group in (SE(3), E(3))]
    assert set(determinants[0].tolist()) == {1.0}
    assert set(determinants[1].tolist()) == {-1.0, 1.0}


def test_a_screw_motion_moves_along_its_axis(x64):
    # A turn about z with a velocity along z: the shift is the velocity, however large the turn.
    g = SE(3).exp(jnp.array([0.0, 0.0, 3.0, 0.0, 0.0, 2.0]))
    np.testing.assert_allclose(g.translation, [0, 0, 2], atol=1e-14)
    # About z with a velocity along x: a circle of radius 1 / 3 around (0, 1/3, 0).
    g = SE(3).exp(jnp.array([0.0, 0.0, 3.0, 1.0, 0.0, 0.0]))
    np.testing.assert_allclose(g.translation, [np.sin(3) / 3, (1 - np.cos(3)) / 3, 0], atol=1e-14)


@pytest.mark.parametrize("angle", [0.0, 1e-9, 1e-4, np.pi - 1e-9, np.pi])
@pytest.mark.parametrize("group", [SE(2), SE(3)])
def test_log_is_exact_near_zero_and_near_half_turns(group, angle, x64):
    axis = jnp.array([1.0] if group.n == 2 else [2 / 3, -1 / 3, 2 / 3])
    a = jnp.concatenate([angle * axis, jnp.arange(1.0, group.n + 1)])
    g = group.exp(a)
    again = group.exp(group.log(g))
    np.testing.assert_allclose(again.linear, g.linear, atol=1e-10)
    np.testing.assert_allclose(again.translation, g.translation, atol=1e-8 if angle > 3 else 1e-10)


def test_homogeneous_matrices_act_on_points_with_a_one(x64):
    g = E(3).sample(jax.random.key(0))
    x = jnp.array([0.3, -1.0, 2.0])
    expected = jnp.append(Point().act(g, x), 1.0)
    np.testing.assert_allclose(
        homogeneous(g.linear, g.translation) @ jnp.append(x, 1.0), expected, atol=1e-14
    )


def test_point_groups():
    assert SE(3).point_group == SO(3)
    assert E(3).point_group == O(3)
    assert not E(3).is_compact


def test_wrong_arguments_are_named():
    with pytest.raises(ValueError, match="bound must be a number above 0, got 0"):
        E(3, bound=0)
    with pytest.raises(ValueError, match="n must be a number of at least 2, got 1"):
        SE(1)
    with pytest.raises(TypeError, match=r"g must be an element of E\(3\), a Rigid, got a single array"):
        E(3).inverse(jnp.eye(3))
    with pytest.raises(ValueError, match=r"array shapes \(..., 3, 3\); \(..., 3\), got \(2,\)"):
        E(3).inverse(Rigid(jnp.eye(3), jnp.zeros(2)))
    with pytest.raises(ValueError, match="translation must have shape"):
        homogeneous(jnp.eye(3), jnp.zeros(2))
