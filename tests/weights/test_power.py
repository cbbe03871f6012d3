import jax
import numpy as np
import pytest

from equijax.groups import SO, S
from equijax.weights import Power


def test_copies_are_independent():
    group = Power(S(5), 40)
    g = group.sample(jax.random.key(0))
    assert len({tuple(row) for row in g.tolist()}) > 20
    np.testing.assert_array_equal(group.compose(g, group.inverse(g)), group.identity())


def test_elements_are_all_pairs():
    group = Power(S(3), 2)
    elements = np.asarray(group.elements())
    assert elements.shape == (group.order, 2, 3) == (36, 2, 3)
    assert len(np.unique(elements.reshape(36, -1), axis=0)) == 36
    np.testing.assert_array_equal(elements[0], group.identity())


def test_the_matrix_is_a_homomorphism(x64):
    group = Power(SO(3), 2)
    assert group.is_compact
    assert not group.is_finite
    g, h = group.sample(jax.random.key(0), (2,))
    np.testing.assert_allclose(
        group.matrix(group.compose(g, h)), group.matrix(g) @ group.matrix(h), atol=1e-12
    )
    assert group.matrix(g).shape == (6, 6)


def test_wrong_arguments_are_named():
    with pytest.raises(TypeError, match="group must be a Group"):
        Power(3, 2)
    with pytest.raises(ValueError, match="copies must be a number of at least 1"):
        Power(S(3), 0)
