import flax.linen as nn
import jax
import jax.numpy as jnp
import numpy as np
import pytest

from equijax.weights import symmetry
from equijax.weights.factors import Free
from equijax.weights.propagation import Propagation


def frozen(function, *shapes):
    """For each axis of the first input, whether it is frozen."""
    state = Propagation()
    inputs = [state.data(shape) for shape in shapes]
    state.run(jax.make_jaxpr(function)(*map(np.ones, shapes)), inputs)
    return [state.factors.reason(state.factors.root(axis[0])) is not None for axis in inputs[0].axes]


@pytest.mark.parametrize("reduce", [jnp.sum, jnp.max, jnp.min, jnp.prod, jnp.mean, jax.nn.logsumexp])
def test_reduced_axes_stay_free_to_move(reduce):
    assert frozen(lambda x: reduce(x, axis=1), (3, 4)) == [False, False]


@pytest.mark.parametrize("ordered", [jnp.cumsum, jnp.argmax, jnp.flip, jnp.fft.fft, jax.lax.cummax])
def test_axes_whose_order_matters_are_frozen(ordered):
    assert frozen(lambda x: ordered(x, axis=1), (3, 4)) == [False, True]


def test_windows_freeze_the_axes_that_they_run_along():
    def multiply(x, *windows):
        return nn.pool(x, 1.0, jax.lax.mul, *windows, "VALID")

    for pool in (nn.max_pool, nn.avg_pool, multiply):
        found = frozen(lambda x, pool=pool: pool(x, (2, 2), (2, 2)), (2, 4, 4, 3))
        assert found == [False, True, True, False]


def test_reductions_by_a_function_of_the_users():
    assert frozen(lambda x: jax.lax.reduce(x, 1.0, lambda a, b: a * b, (1,)), (3, 4)) == [False, False]


def test_counting_is_frozen_along_its_axis():
    state = Propagation()
    (x,) = state.run(jax.make_jaxpr(lambda: jax.lax.broadcasted_iota(int, (3, 4), 0))(), [])
    assert state.factors.reason(x.axes[0][0]) == "counted by iota"
    assert x.axes[1] == Free(4)


def test_softmax_over_neurons_lets_them_move():
    w = np.random.default_rng(0).normal(size=(2, 6))
    group = symmetry(lambda w, x: jnp.sum(jax.nn.softmax(x @ w) ** 2), w, np.ones(2))
    assert [each.size for each in group.groups] == [6]
