import jax
import jax.numpy as jnp
import numpy as np
import pytest

from equijax.groups import GL, S, batch_shape
from equijax.weights import Blocks, Monomial, Wreath

GROUPS = [
    Wreath(S(3), (S(2),)),
    Wreath(S(3), (S(4), Monomial(2, scales=1))),
    Wreath(Monomial(2, signs=1), (GL(3),)),
    Wreath(S(2), (Wreath(S(3), (S(2),)),)),
]


def close(a, b):
    jax.tree.map(lambda x, y: np.testing.assert_allclose(x, y, atol=1e-10), a, b)


@pytest.mark.parametrize("group", GROUPS, ids=repr)
def test_group_axioms(group, quick_jit, x64):
    @quick_jit
    def pairs(key):
        g, h, k = (group.sample(each) for each in jax.random.split(key, 3))
        compose, inverse, matrix = group.compose, group.inverse, group.matrix
        return [
            (compose(g, inverse(g)), group.identity()),
            (compose(inverse(g), g), group.identity()),
            (compose(compose(g, h), k), compose(g, compose(h, k))),
            (matrix(compose(g, h)), matrix(g) @ matrix(h)),
            (
                jax.tree.map(lambda leaf: leaf[1], compose(g, group.sample(key, (2,)))),
                compose(g, jax.tree.map(lambda leaf: leaf[1], group.sample(key, (2,)))),
            ),
        ]

    for left, right in pairs(jax.random.key(0)):
        close(left, right)


def test_elements_are_all_different():
    group = GROUPS[0]
    elements = group.elements()
    matrices = np.asarray(jax.vmap(group.matrix)(elements))
    assert group.order == len(np.unique(matrices.reshape(len(matrices), -1), axis=0)) == 6 * 2**3
    close(jax.tree.map(lambda leaf: leaf[0], elements), group.identity())


def test_blocks_move_as_wholes_after_moving_within():
    group = Wreath(S(2), (S(3),))
    within, swap = jnp.array([[1, 2, 0], [0, 1, 2]]), jnp.array([1, 0])
    matrix = group.matrix(Blocks(swap, (within,)))[2:, 2:]
    x = jnp.arange(6.0)
    # Block 0 turns to (2, 0, 1), and the blocks change places.
    assert (matrix @ x).tolist() == [3.0, 4.0, 5.0, 2.0, 0.0, 1.0]


def test_batch_axes_are_those_of_the_base():
    group = GROUPS[3]
    assert batch_shape(group.sample(jax.random.key(0), (5, 2))) == (5, 2)
    assert batch_shape(group.discrete_generators())[0] > 10


def test_wrong_arguments_are_named():
    with pytest.raises(TypeError, match="base must be a Group"):
        Wreath(3, (S(2),))
    with pytest.raises(ValueError, match="fibres must be a tuple of at least one group"):
        Wreath(S(3), ())
    with pytest.raises(TypeError, match="fibres must be a Group"):
        Wreath(S(3), (2,))
