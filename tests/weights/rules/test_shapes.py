import jax
import jax.numpy as jnp
import numpy as np

from equijax.weights.factors import Free
from equijax.weights.propagation import Propagation
from equijax.weights.rules.shapes import _blocks


def walk(function, *shapes):
    state = Propagation()
    inputs = [state.data(shape) for shape in shapes]
    outputs = state.run(jax.make_jaxpr(function)(*map(np.ones, shapes)), inputs)
    return state.factors, inputs, outputs


def sizes(factors, axis):
    return [factors.size((leaf,)) for leaf in factors.expand(axis)]


def test_blocks_are_the_smallest_runs():
    assert _blocks((2, 3, 4), (6, 4)) == [([0, 1], [0]), ([2], [1])]
    assert _blocks((24,), (2, 3, 4)) == [([0], [0, 1, 2])]
    assert _blocks((), (1, 1)) == [([], [0]), ([], [1])]
    assert sorted(axis for _, new in _blocks((1, 5), (5, 1, 1)) for axis in new) == [0, 1, 2]


def test_flattening_keeps_the_factors():
    factors, (x,), (y,) = walk(lambda x: x.reshape(2, -1), (2, 3, 4))
    assert factors.expand(y.axes[1]) == factors.expand(x.axes[1] + x.axes[2])


def test_splitting_refines_and_joining_again_restores():
    factors, (x,), (y,) = walk(lambda x: jnp.tanh(x.reshape(2, 3, 4)).reshape(2, 12), (2, 12))
    assert sizes(factors, x.axes[1]) == [3, 4]
    assert factors.expand(x.axes[1]) == factors.expand(y.axes[1])


def test_boundaries_across_factors_freeze_one_block_only():
    factors, (x,), (y,) = walk(lambda x: x.reshape(6, 6, 5), (4, 9, 5))
    assert [factors.reason(axis[0]) is None for axis in x.axes] == [False, False, True]
    assert factors.expand(x.axes[2]) == factors.expand(y.axes[2])


def test_broadcast_axes_are_free_until_they_join_others():
    factors, _, (y,) = walk(lambda x: jnp.broadcast_to(x[:, None], (3, 4)).reshape(12), (3,))
    assert sizes(factors, y.axes[0]) == [3, 4]
    _, _, (z,) = walk(lambda x: jnp.broadcast_to(x.sum(), (3, 4)).reshape(2, 6), (3,))
    assert z.axes == (Free(2), Free(6))


def test_a_sum_of_segments_that_is_split_ties_them():
    factors, (x, y), _ = walk(lambda x, y: jnp.concatenate([x, y]).reshape(2, 4), (4,), (4,))
    assert factors.expand(x.axes[0]) == factors.expand(y.axes[0])


def test_transposition_squeezing_and_empty_arrays():
    _, (x,), (y,) = walk(lambda x: jnp.transpose(x, (2, 0, 1)).squeeze(1), (1, 3, 4))
    assert (y.axes[0], y.axes[1]) == (x.axes[2], x.axes[1])
    _, _, (z,) = walk(lambda x: x.reshape(0, 7), (0, 3))
    assert z.axes[0] == Free(0)
