import jax
import jax.numpy as jnp
import numpy as np

from equijax.groups import Regular, S, Trivial, TrivialGroup


def test_it_has_one_element_which_changes_nothing():
    group = TrivialGroup()
    assert group.order == 1
    g = group.sample(jax.random.key(0), (4,))
    np.testing.assert_array_equal(group.matrix(g), np.ones((4, 1, 1)))
    np.testing.assert_array_equal(Regular().act(g, jnp.array([5.0])), np.full((4, 1), 5.0))


def test_it_is_a_factor_of_products():
    group = TrivialGroup() * S(3)
    assert group.order == 6
    assert (Trivial() @ Regular()).shape(group) == (6,)
