import dataclasses

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import equijax as ej
from equijax.groups import SE, SO, Cyclic, E, Frame, Rigid, S, Translation, sample_frame, uniform_frame


def test_uniform_frame_broadcasts_the_arrays_of_an_element():
    frame = uniform_frame(E(3), Rigid(jnp.eye(3)[None], jnp.zeros((5, 4, 3))))
    assert (frame.size, frame.batch_shape) == (4, (5,))
    assert frame.elements.linear.shape == (5, 4, 3, 3)
    assert frame.elements.translation.shape == (5, 4, 3)
    np.testing.assert_allclose(frame.weights, 0.25)


def test_frames_of_product_groups():
    group = S(2) * Cyclic(3)
    frame = uniform_frame(group, group.elements())
    assert (frame.group, frame.size) == (group, 6)
    assert sample_frame(jax.random.key(0), frame, 2).elements[0].shape == (2, 2)


def test_the_dtype_of_weights_is_that_of_the_elements(x64):
    assert uniform_frame(SO(2), jnp.eye(2, dtype=jnp.float32)[None]).weights.dtype == jnp.float32
    assert uniform_frame(S(3), jnp.arange(3)[None]).weights.dtype == jnp.float64
    assert uniform_frame(S(3), jnp.arange(3)[None], dtype=jnp.float32).weights.dtype == jnp.float32


def test_a_frame_is_a_pytree_with_a_static_group():
    frame = uniform_frame(Cyclic(4), Cyclic(4).elements())
    again = jax.jit(lambda each: each)(frame)
    assert again.group == Cyclic(4)
    assert jax.tree.structure(frame) == jax.tree.structure(again)
    mapped = jax.vmap(lambda angle: uniform_frame(Translation(1), ej.groups.Shift(angle[None, None])))
    assert mapped(jnp.arange(3.0)).batch_shape == (3,)


@pytest.mark.parametrize("num_samples", [1, 3, 8])
def test_samples_are_drawn_by_weight(num_samples):
    weights = jnp.array([0.5, 0.0, 0.3, 0.2, 0.0])
    frame = Frame(S(1) * Translation(1), None, weights)
    numbered = dataclasses.replace(frame, elements=jnp.arange(5))

    def counts(key):
        return jnp.bincount(sample_frame(key, numbered, num_samples).elements, length=5)

    drawn = jax.vmap(counts)(jax.random.split(jax.random.key(0), 4000))
    assert np.all(np.abs(drawn - num_samples * weights) < 1)
    error = 3 * np.std(drawn, axis=0) / np.sqrt(4000) + 1e-6
    assert np.all(np.abs(np.mean(drawn, axis=0) - num_samples * weights) < error)
    assert not drawn[:, [1, 4]].any()


def test_equal_weights_are_met_once_each():
    frame = uniform_frame(Cyclic(8), Cyclic(8).elements())
    drawn = sample_frame(jax.random.key(3), frame, 8)
    for leaf, original in zip(jax.tree.leaves(drawn.elements), jax.tree.leaves(frame.elements), strict=True):
        np.testing.assert_allclose(leaf, original)


def test_batched_frames_are_sampled_independently():
    weights = jnp.full((64, 4), 0.25)
    frame = Frame(
        Translation(1), ej.groups.Shift(jnp.broadcast_to(jnp.arange(4.0)[:, None], (64, 4, 1))), weights
    )
    drawn = jax.jit(sample_frame, static_argnums=2)(jax.random.key(0), frame, 1)
    assert drawn.elements.vector.shape == (64, 1, 1)
    assert len(set(drawn.elements.vector.ravel().tolist())) == 4


def test_derivatives_by_the_weights_are_unbiased(x64):
    values = jnp.array([3.0, -1.0, 4.0, 1.0])
    logits = jnp.array([0.3, -0.2, 1.0, 0.0])

    def full(logits):
        return jnp.sum(jax.nn.softmax(logits) * values)

    def estimate(logits, key):
        frame = Frame(Translation(1), ej.groups.Shift(values[:, None]), jax.nn.softmax(logits))
        drawn = sample_frame(key, frame, 2)
        return jnp.sum(drawn.weights * drawn.elements.vector[:, 0])

    keys = jax.random.split(jax.random.key(0), 2000)
    draws = jax.vmap(jax.grad(estimate), (None, 0))(logits, keys)
    error = 4 * np.std(draws, axis=0) / np.sqrt(len(keys))
    assert np.all(np.abs(np.mean(draws, axis=0) - jax.grad(full)(logits)) < error)


def test_errors_name_the_argument():
    with pytest.raises(TypeError, match="group must be a Group"):
        uniform_frame("E(3)", jnp.eye(3)[None])
    with pytest.raises(ValueError, match=r"elements must have leading axes \(..., m\) with m at least 1"):
        uniform_frame(SO(3), jnp.eye(3))
    with pytest.raises(TypeError, match="elements must be an element of SE"):
        uniform_frame(SE(3), jnp.eye(3)[None])
    frame = uniform_frame(SO(3), jnp.eye(3)[None])
    with pytest.raises(TypeError, match="key must be a random key"):
        sample_frame(0, frame, 1)
    with pytest.raises(ValueError, match="num_samples must be a number of at least 1"):
        sample_frame(jax.random.key(0), frame, 0)
    with pytest.raises(TypeError, match="frame must be a Frame"):
        sample_frame(jax.random.key(0), frame.elements, 1)
