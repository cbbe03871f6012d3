import itertools

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from equijax.groups import Cyclic, E, PermutationTensor, Regular, S


@pytest.mark.parametrize("order", [0, 1, 2, 3])
def test_entries_move_with_their_points(order):
    g = S(4).sample(jax.random.key(order), (3,))
    x = np.random.default_rng(order).normal(size=(4,) * order).astype(np.float32)
    moved = np.asarray(PermutationTensor(order).act(g, x))
    assert moved.shape == (3,) + (4,) * order if order else moved.shape in ((), (3,))
    for b, index in itertools.product(range(3), itertools.product(range(4), repeat=order)):
        image = tuple(int(g[b, i]) for i in index)
        assert np.broadcast_to(moved, (3,) + (4,) * order)[(b, *image)] == x[index]


def test_arrays_of_any_dtype_and_batch():
    g = jnp.array([1, 2, 0])
    names = jnp.array([[1, 6, 8], [7, 7, 1]], jnp.int8)
    np.testing.assert_array_equal(PermutationTensor(1).act(g, names), [[8, 1, 6], [1, 7, 7]])
    assert PermutationTensor(1).act(g, names).dtype == jnp.int8
    np.testing.assert_array_equal(PermutationTensor(1).act(g, names[0] > 5), [True, False, True])


def test_adjacency_matrices_are_relabelled():
    edges = [(0, 1), (1, 3), (2, 3)]
    g = S(4).sample(jax.random.key(5))
    adjacency = np.zeros((4, 4))
    relabelled = np.zeros((4, 4))
    for i, j in edges:
        adjacency[i, j] = 1
        relabelled[int(g[i]), int(g[j])] = 1
    np.testing.assert_array_equal(PermutationTensor(2).act(g, adjacency), relabelled)


def test_functions_on_a_group_are_translated():
    group = S(3)
    elements = group.elements()
    f = jnp.arange(6.0)
    lookup = {tuple(np.asarray(h)): value for h, value in zip(elements, f.tolist(), strict=True)}
    for g in elements:
        expected = [lookup[tuple(np.asarray(group.compose(group.inverse(g), h)))] for h in elements]
        np.testing.assert_array_equal(Regular().act(g, f), expected)


def test_gradients_and_jit():
    g = jnp.array([2, 0, 1])
    gradient = jax.jit(jax.grad(lambda x: PermutationTensor(1).act(g, x) @ jnp.arange(3.0)))(jnp.ones(3))
    np.testing.assert_array_equal(gradient, [2.0, 0.0, 1.0])


def test_wrong_arguments_are_named():
    with pytest.raises(ValueError, match="order must be a number of at least 0, got -1"):
        PermutationTensor(-1)
    with pytest.raises(ValueError, match=r"x must have shape \(..., 4, 4\) .* got \(4, 3\)"):
        PermutationTensor(2).act(Cyclic(4).identity(), jnp.ones((4, 3)))
    with pytest.raises(TypeError, match="with a permutation, got Rigid"):
        PermutationTensor(1).act(E(3).identity(), jnp.ones(3))
