import jax
import jax.numpy as jnp
import numpy as np
import pytest

from equijax.groups import SO, Cyclic, Dihedral, E, O, S, Scaling, Translation, TrivialGroup, actions

PLANE_GROUPS = [SO(2), O(2), E(2), Translation(2), Scaling(2), Cyclic(4), Dihedral(3)]
POINT_GROUPS = [S(4), Cyclic(4), Dihedral(4)]
FINITE_GROUPS = [S(3), Cyclic(4), Dihedral(3), TrivialGroup()]


@pytest.mark.parametrize("group", PLANE_GROUPS, ids=repr)
def test_the_plane_is_acted_on_by_affine_maps(group):
    g = group.sample(jax.random.key(0), (5,))
    assert actions.linear_part(g).shape == (5, 2, 2)
    assert actions.translation_part(g).shape == (5, 2)
    np.testing.assert_allclose(actions.parity(g), jnp.sign(jnp.linalg.det(actions.linear_part(g))))


@pytest.mark.parametrize("group", POINT_GROUPS, ids=repr)
def test_points_are_permuted(group):
    image = actions.permutation(group.sample(jax.random.key(0), (5,)))
    np.testing.assert_array_equal(jnp.sort(image, axis=-1), np.tile(np.arange(4), (5, 1)))


@pytest.mark.parametrize("group", FINITE_GROUPS, ids=repr)
def test_left_multiplication_permutes_the_elements(group):
    elements = group.elements()
    table = jax.jit(actions.regular_permutation)(elements)
    matrices = np.asarray(group.matrix(elements))
    products = np.einsum("gij,hjk->ghik", matrices, matrices)
    np.testing.assert_allclose(matrices[np.asarray(table)], products, atol=1e-6)


@pytest.mark.parametrize("group", [*PLANE_GROUPS, *FINITE_GROUPS, S(3) * E(2)], ids=repr)
def test_batch_shape(group):
    assert actions.batch_shape(group.identity()) == ()
    assert actions.batch_shape(group.identity((3, 2))) == (3, 2)
    inside = []
    jax.vmap(lambda g: (inside.append(actions.batch_shape(g)), g)[1])(group.identity((3, 2)))
    assert inside == [(2,)]


def test_numpy_arrays_and_tracers_are_elements():
    np.testing.assert_array_equal(actions.linear_part(np.eye(3)), np.eye(3))
    np.testing.assert_array_equal(jax.jit(actions.permutation)(np.arange(3)), np.arange(3))
    assert jax.eval_shape(actions.parity, np.eye(3)).shape == ()


@pytest.mark.parametrize(
    ("function", "g", "message"),
    [
        (actions.linear_part, jnp.arange(3), "a permutation acts by PermutationTensor"),
        (actions.linear_part, (jnp.eye(3),), "one representation a factor, as in A @ B"),
        (actions.linear_part, TrivialGroup().identity(), "with a linear part, got Unit"),
        (actions.permutation, jnp.eye(3), "with a permutation, got .*: a matrix acts by Vector"),
        (actions.permutation, E(3).identity(), "with a permutation, got Rigid"),
        (actions.regular_permutation, jnp.eye(3), "with a permutation"),
        (actions.regular_permutation, E(3).identity(), "Regular needs a finite group"),
        (actions.batch_shape, "g", "with batch axes, got str"),
    ],
)
def test_elements_without_the_part_are_refused(function, g, message):
    with pytest.raises(TypeError, match="g must be a group element .*" + message):
        function(g)
