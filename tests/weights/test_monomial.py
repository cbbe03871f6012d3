import jax
import jax.numpy as jnp
import numpy as np
import pytest

from equijax.groups import PermutationTensor
from equijax.weights import Diagonal, Monomial

GROUPS = [Monomial(4, scales=1), Monomial(3, signs=2), Monomial(3, scales=2, signs=1), Diagonal(3, 1, 1)]


@pytest.mark.parametrize("group", GROUPS, ids=repr)
def test_group_axioms(group, quick_jit, x64):
    @quick_jit
    def pairs(key):
        g, h, k = (group.sample(each) for each in jax.random.split(key, 3))
        compose, inverse = group.compose, group.inverse
        many = group.sample(key, (2,))
        return [
            (compose(g, inverse(g)), group.identity()),
            (compose(inverse(g), g), group.identity()),
            (compose(compose(g, h), k), compose(g, compose(h, k))),
            (group.matrix(compose(g, h)), group.matrix(g) @ group.matrix(h)),
            (compose(g, many), jax.vmap(compose, (None, 0))(g, many)),
        ]

    for left, right in pairs(jax.random.key(0)):
        jax.tree.map(lambda x, y: np.testing.assert_allclose(x, y, atol=1e-12), left, right)


@pytest.mark.parametrize("group", [Monomial(3, signs=1), Diagonal(2, signs=2), Monomial(3)], ids=repr)
def test_elements_are_all_different(group):
    matrices = np.asarray(group.matrix(group.elements()))
    assert group.order == len(np.unique(matrices.reshape(len(matrices), -1), axis=0))
    np.testing.assert_array_equal(matrices[0], np.eye(matrices.shape[-1]))


def test_scales_are_bounded_and_signs_are_signs():
    g = Monomial(50, scales=2, signs=1, bound=3.0).sample(jax.random.key(0))
    assert 1 / 3 <= g.scale.min() < 0.5
    assert 2 < g.scale.max() <= 3
    assert set(g.sign.ravel().tolist()) == {-1.0, 1.0}
    assert (Diagonal(50, scales=1).sample(jax.random.key(0)).image == jnp.arange(50)).all()


def test_neurons_can_be_permuted_as_points():
    g = Monomial(3, scales=1).sample(jax.random.key(1))
    np.testing.assert_array_equal(PermutationTensor(1).act(g, jnp.arange(3))[g.image], np.arange(3))


def test_wrong_arguments_are_named():
    with pytest.raises(ValueError, match="scales must be a number of at least 0"):
        Monomial(3, scales=-1)
    with pytest.raises(ValueError, match="bound must be a number above 1"):
        Monomial(3, scales=1, bound=1.0)
    with pytest.raises(ValueError, match="order is defined for finite groups only"):
        _ = Monomial(3, scales=1).order
    with pytest.raises(ValueError, match="finite groups only"):
        _ = Diagonal(3, scales=1).order
