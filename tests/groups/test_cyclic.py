import jax
import jax.numpy as jnp
import numpy as np
import pytest
import scipy.stats

from equijax.groups import Cyclic, PermutationTensor, Turn, Vector
from equijax.groups.cyclic import turn_matrices


def test_acting_on_the_plane_is_a_rotation_by_a_part_of_a_turn(x64):
    got = Vector().act(Turn(jnp.array(2), n=5), jnp.array([1.0, 0.0]))
    np.testing.assert_allclose(got, [np.cos(4 * np.pi / 5), np.sin(4 * np.pi / 5)], atol=1e-15)


def test_plane_and_vertices_agree(x64):
    # Moving the vertices of the polygon in the plane is moving them along the polygon.
    vertices = turn_matrices(7)[:, :, 0]
    for steps in range(7):
        g = Turn(jnp.array(steps), n=7)
        along = jax.vmap(lambda column, g=g: PermutationTensor(1).act(g, column), 1, 1)(jnp.asarray(vertices))
        inverse = Vector().act(Cyclic(7).inverse(g), vertices)
        np.testing.assert_allclose(along, inverse, atol=1e-14)


def test_acting_on_a_sequence_rolls_it():
    x = jnp.arange(6)
    np.testing.assert_array_equal(PermutationTensor(1).act(Turn(jnp.array(2), n=6), x), jnp.roll(x, 2))


def test_samples_are_uniform():
    steps = np.asarray(Cyclic(6).sample(jax.random.key(0), (6000,)).steps)
    assert scipy.stats.chisquare(np.bincount(steps, minlength=6)).pvalue > 0.01


def test_one_element():
    assert Cyclic(1).order == 1
    np.testing.assert_allclose(Cyclic(1).matrix(Cyclic(1).identity()), np.eye(2))


def test_wrong_arguments_are_named():
    with pytest.raises(ValueError, match="n must be a number of at least 1, got 0"):
        Cyclic(0)
    with pytest.raises(TypeError, match=r"an element of Cyclic\(4\), a Turn\(n=4\), got a Turn\(n=5\)"):
        Cyclic(4).inverse(Cyclic(5).identity())
