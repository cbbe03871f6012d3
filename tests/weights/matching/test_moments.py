import jax
import jax.numpy as jnp
import numpy as np
import pytest

from equijax.weights.matching import maximum_assignment, merged_moments, moments, similarity

random = np.random.default_rng(0)
A, B = random.normal(size=(2, 60, 5)) + 3


def test_batches_merge_to_the_moments_of_all(x64):
    whole = moments(jnp.asarray(A), jnp.asarray(B))
    pieces = [moments(jnp.asarray(A[i : i + 20]), jnp.asarray(B[i : i + 20])) for i in (0, 20, 40)]
    both = merged_moments(merged_moments(pieces[0], pieces[1]), pieces[2])
    jax.tree.map(lambda x, y: np.testing.assert_allclose(x, y, rtol=1e-12), both, whole)


def test_similarities_are_those_of_numpy(x64):
    found = jax.jit(moments)(jnp.asarray(A), jnp.asarray(B))
    np.testing.assert_allclose(similarity(found, "second_moment"), B.T @ A / 60, rtol=1e-12)
    np.testing.assert_allclose(similarity(found, "correlation"), np.corrcoef(B.T, A.T)[:5, 5:], atol=1e-12)
    distance = ((B[:, :, None] - A[:, None, :]) ** 2).mean(0)
    np.testing.assert_allclose(similarity(found, "squared_distance"), -distance, atol=1e-12)


def test_second_moments_and_squared_distances_have_one_assignment():
    found = moments(jnp.asarray(A, jnp.float32), jnp.asarray(B, jnp.float32))
    first, second = (maximum_assignment(similarity(found, s)) for s in ("second_moment", "squared_distance"))
    np.testing.assert_array_equal(first, second)


def test_large_means_lose_no_digits():
    a = jnp.asarray(random.normal(size=(100, 3)) + 1000, jnp.float32)
    both = merged_moments(moments(a[:50], a[:50]), moments(a[50:], a[50:]))
    np.testing.assert_allclose(jnp.diagonal(similarity(both, "correlation")), 1, atol=1e-4)


def test_dead_neurons_have_no_correlation_and_finite_gradients():
    a = jnp.zeros((10, 2)).at[:, 0].set(jnp.arange(10.0))
    found = similarity(moments(a, a), "correlation")
    np.testing.assert_allclose(found, [[1, 0], [0, 0]], atol=1e-6)
    gradient = jax.grad(lambda x: similarity(moments(x, a), "correlation").sum())(a + jnp.eye(10, 2))
    assert jnp.isfinite(gradient).all()


def test_families_keep_their_members_apart():
    a, b = (jnp.asarray(each.reshape(20, 3, 5), jnp.float32) for each in (A, B))
    found = jax.vmap(moments, 1)(a, b)
    whole = moments(a, b)
    np.testing.assert_allclose(whole.covariation, found.covariation, rtol=1e-5)


def test_wrong_activations_are_refused():
    with pytest.raises(ValueError, match="a and b must have one shape"):
        moments(jnp.ones((3, 2)), jnp.ones((3, 3)))
    with pytest.raises(TypeError, match="a must be a real floating-point array"):
        moments(jnp.ones((3, 2), int), jnp.ones((3, 2)))
    with pytest.raises(ValueError, match="statistic must be one of"):
        similarity(moments(jnp.ones((3, 2)), jnp.ones((3, 2))), "covariance")
