import jax
import jax.numpy as jnp
import numpy as np
import pytest
import scipy.stats

from equijax.groups import Irreps, Point, Shift, Translation, Vector


def test_points_move_and_vectors_do_not():
    g = Shift(jnp.array([1.0, 2.0, 3.0]))
    x = jnp.ones((4, 3))
    np.testing.assert_array_equal(Point().act(g, x), x + g.vector)
    np.testing.assert_array_equal(Vector().act(g, x), x)
    np.testing.assert_array_equal(Irreps("1o").act(g, x), x)


def test_samples_are_uniform_in_the_stated_cube():
    samples = Translation(2, bound=3.0).sample(jax.random.key(0), (5000,)).vector
    for axis in range(2):
        assert scipy.stats.kstest(samples[:, axis], scipy.stats.uniform(-3, 6).cdf).pvalue > 0.01


def test_one_dimension():
    group = Translation(1)
    assert group.algebra_dim == 1
    np.testing.assert_array_equal(group.log(group.exp(jnp.array([2.0]))), [2.0])


def test_wrong_arguments_are_named():
    with pytest.raises(ValueError, match="bound must be a number above 0, got -1"):
        Translation(3, bound=-1)
    with pytest.raises(ValueError, match=r"g must be an element of Translation\(3\), .* got \(2,\)"):
        Translation(3).inverse(Shift(jnp.zeros(2)))
