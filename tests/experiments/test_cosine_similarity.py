import jax
import jax.numpy as jnp
import numpy as np
import pytest

from equijax.equivariance import error
from equijax.groups import SO, Scaling, Trivial, Vector
from experiments.tasks.cosine_similarity import KINDS, draw_vectors, similarity

VECTORS = draw_vectors(50, seed=1)


@pytest.mark.parametrize(("kind", "rotations", "scalings"), list(zip(KINDS, (1, 1, 0, 0), (1, 0, 1, 0))))
def test_which_symmetries_hold(kind, rotations, scalings, x64):
    for group, holds in ((SO(3), rotations), (Scaling(3), scalings)):
        found = error(
            lambda x: similarity(x, kind),
            group,
            (3 * Vector(),),
            Trivial(),
            (jnp.asarray(VECTORS),),
            key=jax.random.key(0),
        )
        assert found < 1e-12 if holds else found > 0.05


def test_values_in_closed_form(x64):
    x, y, z = np.eye(3)
    row = np.concatenate([2 * x, y, x + z])
    cosine = (0 + 0 + 1 / np.sqrt(2)) / 3
    length, ratio = (2 + 1 + np.sqrt(2)) / 3, 2 / (1 + 2)
    expected = {"so3_scale": 0, "so3": length, "scale": ratio, "none": length - ratio}
    for kind, broken in expected.items():
        np.testing.assert_allclose(similarity(row, kind), cosine - broken, rtol=1e-12)
        np.testing.assert_allclose(similarity(row, kind, 0.5), cosine - broken / 2, rtol=1e-12)
    slope = jax.grad(lambda v: similarity(v, "none"))(jnp.zeros(9))
    assert np.isfinite(slope).all()


def test_wrong_calls_name_the_argument():
    with pytest.raises(ValueError, match=r"kind must be one of 'so3_scale', .*, got 'all'"):
        similarity(np.ones(9), "all")
    with pytest.raises(ValueError, match=r"vectors must have shape \(\.\.\., 9\)"):
        similarity(np.ones(8), "so3")
    with pytest.raises(ValueError, match="seed must be a number of at least 0"):
        draw_vectors(3, seed=-1)
