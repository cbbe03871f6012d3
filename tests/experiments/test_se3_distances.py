import jax
import jax.numpy as jnp
import numpy as np
import pytest

from equijax.equivariance import error
from equijax.groups import SO, Homogeneous, Translation, Trivial
from experiments.tasks.se3_distances import distance, draw_points

POINTS = draw_points(50, seed=1)


@pytest.mark.parametrize(("kind", "rotations", "translations"), [("ball", 1, 0), ("l1", 0, 1)])
def test_which_symmetries_hold(kind, rotations, translations, x64):
    for group, holds in ((SO(3), rotations), (Translation(3), translations)):
        found = error(
            lambda x: distance(x, kind),
            group,
            (3 * Homogeneous(),),
            Trivial(),
            (jnp.asarray(POINTS),),
            key=jax.random.key(0),
        )
        assert found < 1e-12 if holds else found > 0.05


def test_values_of_a_loop(x64):
    row = POINTS[3].reshape(3, 4)[:, :3]
    mean = np.mean([np.linalg.norm(row[i] - row[(i + 1) % 3]) for i in range(3)])
    np.testing.assert_allclose(distance(POINTS[3], "ball"), mean - np.linalg.norm(row[0]), rtol=1e-12)
    np.testing.assert_allclose(distance(POINTS[3], "l1"), mean - np.abs(row[0] - row[1]).sum(), rtol=1e-12)
    slope = jax.grad(lambda v: distance(v, "ball"))(jnp.zeros(12))
    assert np.isfinite(slope).all()


def test_wrong_calls_name_the_argument():
    with pytest.raises(ValueError, match="kind must be one of 'ball', 'l1', got 'cube'"):
        distance(np.ones(12), "cube")
    with pytest.raises(ValueError, match=r"points must have shape \(\.\.\., 12\)"):
        distance(np.ones(9), "l1")
    with pytest.raises(ValueError, match="num must be a number of at least 1"):
        draw_points(0, seed=0)
