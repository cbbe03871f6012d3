import itertools

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from jax.test_util import check_grads

from equijax.weights.matching import assignment, maximum_assignment, sinkhorn

random = np.random.default_rng(0)


def total(scores, image):
    return np.take_along_axis(np.asarray(scores), np.asarray(image)[..., None], -1).sum()


@given(st.integers(0, 10**6), st.sampled_from([1, 4]))
def test_both_back_ends_find_the_best_of_all_permutations(seed, size):
    scores = np.random.default_rng(seed).normal(size=(size, size)).astype(np.float32)
    best = max(
        sum(scores[i, j] for i, j in enumerate(order)) for order in itertools.permutations(range(size))
    )
    for backend in assignment.BACKENDS:
        image = maximum_assignment(scores, backend=backend)
        assert sorted(image.tolist()) == list(range(size))
        assert total(scores, image) == pytest.approx(best, abs=1e-5)


@pytest.mark.parametrize("size", [17])
def test_back_ends_agree_on_batches_under_jit_and_vmap(size):
    scores = random.normal(size=(3, size, size)).astype(np.float32)
    host = maximum_assignment(scores, backend="scipy")
    batched = jax.jit(maximum_assignment)(scores)
    mapped = jax.jit(jax.vmap(maximum_assignment))(scores)
    assert host.dtype == batched.dtype == jnp.int32
    np.testing.assert_array_equal(batched, mapped)
    assert total(scores, host) == pytest.approx(total(scores, batched), rel=1e-6)


def test_an_assignment_is_an_element_that_moves_as_scored():
    # Neuron i of b is neuron planted[i] of a.
    a, planted = random.normal(size=(6, 4)), random.permutation(6)
    b = a[planted]
    image = maximum_assignment(-((b[:, None] - a[None]) ** 2).sum(-1))
    np.testing.assert_array_equal(image, planted)


def test_permutations_have_no_gradient():
    def score(s):
        return jnp.sum(jnp.take_along_axis(s, maximum_assignment(s)[:, None], 1))

    scores = jnp.asarray(random.normal(size=(4, 4)), jnp.float32)
    gradient = jax.grad(score)(scores)
    np.testing.assert_array_equal(gradient.sum(1), np.ones(4))


def test_wrong_scores_are_refused():
    with pytest.raises(ValueError, match=r"scores must have shape \(..., n, n\), got \(2, 3\)"):
        maximum_assignment(np.ones((2, 3)))
    with pytest.raises(ValueError, match="scores must be finite"):
        maximum_assignment(np.full((2, 2), np.nan))
    with pytest.raises(TypeError, match="scores must be a real floating-point array"):
        maximum_assignment(np.ones((2, 2), int))
    with pytest.raises(ValueError, match="backend must be one of"):
        maximum_assignment(np.ones((2, 2)), backend="lapjv")
    with pytest.raises(ValueError, match="backend must be 'optax'"):
        jax.jit(lambda s: maximum_assignment(s, backend="scipy"))(np.ones((2, 2)))
    # Under jit scores are not known; what is not finite is ignored, and the program ends.
    image = jax.jit(maximum_assignment)(jnp.full((3, 3), jnp.nan))
    assert sorted(image.tolist()) == [0, 1, 2]


def test_soft_permutations_are_doubly_stochastic():
    logits = jnp.asarray(random.normal(size=(2, 6, 6)), jnp.float32)
    soft = jax.jit(sinkhorn)(logits)
    np.testing.assert_allclose(soft.sum(-1), 1, atol=1e-3)
    np.testing.assert_allclose(soft.sum(-2), 1, atol=1e-3)
    assert (soft >= 0).all()
    np.testing.assert_allclose(jax.vmap(sinkhorn)(logits), soft, atol=1e-6)


def test_cold_soft_permutations_tend_to_the_best():
    logits = jnp.eye(5)[::-1] + 0.1 * jnp.asarray(random.normal(size=(5, 5)), jnp.float32)
    hard = jax.nn.one_hot(maximum_assignment(logits), 5)
    gaps = [
        float(jnp.abs(sinkhorn(logits, temperature=t, num_iterations=500) - hard).max()) for t in (1, 0.01)
    ]
    assert gaps[1] < 1e-3 < gaps[0]


def test_soft_permutations_have_finite_gradients(x64):
    logits = jnp.asarray(random.normal(size=(4, 4)))
    check_grads(lambda x: jnp.sum(sinkhorn(x) ** 2), (logits,), order=1, modes=["rev"])
    assert jnp.isfinite(jax.grad(lambda x: sinkhorn(x)[0, 0])(jnp.zeros((3, 3)))).all()
    with pytest.raises(ValueError, match="temperature must be a number above 0"):
        sinkhorn(logits, temperature=0.0)
    with pytest.raises(ValueError, match="logits must have shape"):
        sinkhorn(jnp.ones((2, 3)))
