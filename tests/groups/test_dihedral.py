import jax
import jax.numpy as jnp
import numpy as np
import pytest
import scipy.stats

from equijax.groups import Dihedral, PermutationTensor, TurnFlip, Vector
from equijax.groups.cyclic import turn_matrices


@pytest.mark.parametrize("n", [1, 2, 3, 6])
def test_multiplication_table_is_that_of_the_plane_maps(n, x64):
    group = Dihedral(n)
    elements = group.elements()
    table = jax.vmap(lambda g: group.compose(g, elements))(elements)
    matrices = group.matrix(elements)
    np.testing.assert_allclose(
        group.matrix(table), np.einsum("gij,hjk->ghik", matrices, matrices), atol=1e-14
    )
    np.testing.assert_allclose(jnp.linalg.det(matrices), [1] * n + [-1] * n, atol=1e-14)


def test_plane_and_vertices_agree(x64):
    vertices = jnp.asarray(turn_matrices(5)[:, :, 0])
    group = Dihedral(5)
    for i in range(10):
        g = jax.tree.map(lambda leaf, i=i: leaf[i], group.elements())
        along = jax.vmap(lambda column, g=g: PermutationTensor(1).act(g, column), 1, 1)(vertices)
        np.testing.assert_allclose(along, Vector().act(group.inverse(g), vertices), atol=1e-14)


def test_a_reflection_is_its_own_inverse():
    group = Dihedral(7)
    g = TurnFlip(jnp.array(3), jnp.array(1), n=7)
    square = group.compose(g, g)
    assert (int(square.steps), int(square.flip)) == (0, 0)


def test_samples_are_uniform():
    g = Dihedral(3).sample(jax.random.key(0), (6000,))
    assert scipy.stats.chisquare(np.bincount(np.asarray(g.flip * 3 + g.steps), minlength=6)).pvalue > 0.01


def test_wrong_arguments_are_named():
    with pytest.raises(TypeError, match=r"n must be an integer, got '4'"):
        Dihedral("4")
    with pytest.raises(TypeError, match=r"a TurnFlip\(n=4\), got a TurnFlip\(n=3\)"):
        Dihedral(4).inverse(Dihedral(3).identity())
