import jax
import jax.numpy as jnp
import numpy as np
import pytest

from equijax.weights.factors import Free
from equijax.weights.propagation import Propagation


def walk(function, *values):
    """Walk a function; returns the walk, its inputs and its outputs."""
    state = Propagation()
    inputs = [state.data(np.shape(value)) for value in values]
    return state, inputs, state.run(jax.make_jaxpr(function)(*values), inputs)


def reasons(state, array):
    return [
        state.factors.reason(each.leaf) for axis in array.axes for each in state.factors.occurrences(axis)
    ]


def test_unknown_primitives_freeze_what_they_touch():
    state, (x,), (y,) = walk(jnp.linalg.inv, np.eye(3))
    assert all("has no rule" in reason for reason in reasons(state, x) + reasons(state, y))


def test_what_the_outputs_do_not_need_is_not_walked():
    state, (x,), _ = walk(lambda x: (jnp.linalg.inv(x), x * 2)[1], np.eye(3))
    assert reasons(state, x) == [None, None]


def test_constants_are_frozen_where_they_vary():
    table = np.arange(3.0)[:, None] * np.ones((3, 4))
    state, (x,), (y,) = walk(lambda x: x + table, np.ones((3, 4)))
    assert [reason is None for reason in reasons(state, x)] == [False, True]
    assert reasons(state, y)[0] == "constant array"


def test_constant_arrays_are_the_same_for_each_use():
    state, (a, b), _ = walk(lambda a, b: (a + jnp.zeros(3), b + jnp.zeros(3)), np.ones(3), np.ones(3))
    assert state.factors.expand(a.axes[0]) != state.factors.expand(b.axes[0])


def test_reasons_name_the_place():
    def sorted_inside(x):
        with jax.named_scope("layer"):
            return jnp.argsort(x)

    state, (x,), _ = walk(sorted_inside, np.ones(3))
    assert reasons(state, x)[0].endswith("in layer")


def test_random_numbers_are_refused():
    with pytest.raises(ValueError, match="apply_fn must not draw random numbers"):
        walk(lambda x: x + jax.random.normal(jax.random.key(0), (3,)), np.ones(3))


def test_empty_axes_are_free():
    state, _, (y,) = walk(lambda x: x[:0] * 2, np.ones((3, 2)))
    assert y.axes[0] == Free(0)
    assert state.shape(y) == (0, 2)
