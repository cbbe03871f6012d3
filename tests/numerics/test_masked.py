import jax
import jax.numpy as jnp
import numpy as np
import pytest

from equijax.numerics import masked

X = np.array([[1.0, -2.0, 3.0, 5.0], [4.0, np.nan, np.inf, -np.inf], [0.5, 2.0, np.nan, 2.0]], np.float32)
MASK = np.array([[True, True, True, False], [False, False, False, False], [True, True, False, True]])
ROWS = [X[0, :3], X[2, [0, 1, 3]]]


@pytest.mark.parametrize(
    ("function", "reference"),
    [(masked.sum, np.sum), (masked.mean, np.mean), (masked.max, np.max), (masked.min, np.min)],
)
def test_reductions(function, reference):
    expected = [reference(ROWS[0]), 0.0, reference(ROWS[1])]
    np.testing.assert_allclose(jax.jit(function)(X, MASK), expected, rtol=1e-6)
    np.testing.assert_allclose(jax.vmap(function)(X, MASK), expected, rtol=1e-6)
    np.testing.assert_allclose(function(X.T, MASK.T, 0, keepdims=True)[0], expected, rtol=1e-6)
    np.testing.assert_allclose(function(X, MASK, None), reference(np.concatenate(ROWS)), rtol=1e-6)


@pytest.mark.parametrize("function", [masked.mean, masked.max, masked.min])
def test_the_empty_value_is_the_callers(function):
    np.testing.assert_array_equal(function(X, np.zeros_like(MASK), empty=-7.0), [-7.0] * 3)
    np.testing.assert_array_equal(function(np.zeros((2, 0)), np.zeros((2, 0), bool), empty=-7.0), [-7.0] * 2)


def test_softmax():
    result = jax.jit(masked.softmax)(X, MASK)
    np.testing.assert_allclose(result[0, :3], jax.nn.softmax(ROWS[0]), rtol=1e-6)
    np.testing.assert_allclose(result[2, jnp.array([0, 1, 3])], jax.nn.softmax(ROWS[1]), rtol=1e-6)
    np.testing.assert_array_equal(result[~MASK], 0.0)


def test_softmax_of_large_and_infinite_logits():
    logits = jnp.array([[1e30, 1e30, 0.0], [-jnp.inf, 0.0, 0.0], [-jnp.inf] * 3])
    result = masked.softmax(logits, jnp.ones_like(logits, bool))
    np.testing.assert_allclose(result, [[0.5, 0.5, 0], [0, 0.5, 0.5], [0, 0, 0]], atol=1e-7)


@pytest.mark.parametrize(
    "function", [masked.sum, masked.mean, masked.max, masked.min, lambda x, m: masked.softmax(x, m) ** 2]
)
def test_masked_entries_have_zero_gradient_and_never_matter(function):
    gradient = jax.jit(jax.grad(lambda x: jnp.sum(function(x, MASK))))(X)
    assert jnp.all(jnp.isfinite(gradient))
    np.testing.assert_array_equal(gradient[~MASK], 0.0)
    assert jnp.any(gradient[MASK] != 0)
    other = np.where(MASK, X, 1e9).astype(np.float32)
    np.testing.assert_array_equal(function(X, MASK), function(other, MASK))


def test_a_smaller_mask_broadcasts():
    x = np.ones((2, 3, 4), np.float32)
    np.testing.assert_array_equal(masked.sum(x, np.array([[True], [False], [True]]), (-2, -1)), [8.0, 8.0])


def test_wrong_arguments_are_named():
    with pytest.raises(TypeError, match="mask must be a boolean array, got dtype int32"):
        masked.mean(jnp.ones(3), jnp.ones(3, int))
    with pytest.raises(ValueError, match=r"mask must have a shape .* \(3,\), got \(2,\)"):
        masked.mean(jnp.ones(3), jnp.ones(2, bool))
    with pytest.raises(ValueError, match=r"mask must have a shape .* \(3,\), got \(2, 3\)"):
        masked.sum(jnp.ones(3), jnp.ones((2, 3), bool))
    with pytest.raises(TypeError, match="x must be a real floating-point array"):
        masked.softmax(jnp.arange(3), jnp.ones(3, bool))
