import jax
import jax.numpy as jnp
import numpy as np
import pytest
import scipy.stats

from equijax.groups import SO, O

COUNT = 20_000


@pytest.mark.parametrize("n", [2, 3, 4])
def test_orthogonal_samples_have_the_haar_moments(n, x64):
    g = O(n).sample(jax.random.key(n), (COUNT,))
    np.testing.assert_allclose(jnp.einsum("bij,bkj->bik", g, g) - jnp.eye(n), 0, atol=1e-13)
    assert scipy.stats.binomtest(int(jnp.sum(jnp.linalg.det(g) > 0)), COUNT).pvalue > 0.01
    np.testing.assert_allclose(jnp.mean(g, axis=0), 0, atol=5 / np.sqrt(COUNT))
    # On all of O(n) the second moments are those of independent entries, for n = 2 too.
    second = jnp.einsum("bij,bkl->ijkl", g, g) / COUNT
    np.testing.assert_allclose(
        second, np.einsum("ik,jl->ijkl", np.eye(n), np.eye(n)) / n, atol=5 / np.sqrt(COUNT)
    )


def test_samples_are_invariant_under_multiplication(x64):
    # Haar measure: the entries of g h are distributed as those of h, for any fixed g.
    group = O(3)
    h = group.sample(jax.random.key(0), (COUNT,))
    fixed = group.sample(jax.random.key(1))
    for moved in (group.compose(fixed, h), group.compose(h, fixed)):
        for i in range(3):
            assert scipy.stats.kstest(moved[:, i, 0], scipy.stats.uniform(-1, 2).cdf).pvalue > 0.001


def test_algebra_dimensions():
    assert [SO(n).algebra_dim for n in (2, 3, 4, 5)] == [1, 3, 6, 10]


def test_groups_are_compact_and_infinite():
    for group in (SO(2), O(3)):
        assert group.is_compact
        assert not group.is_finite
        with pytest.raises(ValueError, match="order is defined for finite groups only"):
            _ = group.order


@pytest.mark.parametrize("cls", [SO, O])
def test_wrong_arguments_are_named(cls):
    with pytest.raises(ValueError, match="n must be a number of at least 2, got 1"):
        cls(1)
    with pytest.raises(TypeError, match=r"n must be an integer, got 3\.0"):
        cls(3.0)
    with pytest.raises(ValueError, match=r"g must be an element of S?O\(3\), .* got \(2, 2\)"):
        cls(3).inverse(jnp.eye(2))
    with pytest.raises(TypeError, match="with floating arrays, got dtype int32"):
        cls(3).inverse(jnp.eye(3, dtype=int))
    with pytest.raises(TypeError, match="dtype must be a real floating-point type, got int32"):
        cls(3).sample(jax.random.key(0), dtype=int)
    with pytest.raises(ValueError, match=r"a must have shape \(..., dim\), dim=3, got \(2,\)"):
        cls(3).exp(jnp.zeros(2))
    with pytest.raises(TypeError, match="a must be a real floating-point array"):
        cls(3).exp(jnp.zeros(3, int))
