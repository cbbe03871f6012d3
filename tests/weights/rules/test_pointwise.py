import jax
import jax.numpy as jnp
import numpy as np
import pytest

from equijax.weights import symmetry
from equijax.weights.propagation import Propagation


def walk(function, *shapes):
    state = Propagation()
    inputs = [state.data(shape) for shape in shapes]
    outputs = state.run(jax.make_jaxpr(function)(*map(np.ones, shapes)), inputs)
    return state.factors, inputs, outputs


def same(factors, a, b):
    return factors.expand(a) == factors.expand(b)


def test_operands_are_tied_axis_by_axis():
    factors, (a, b), (c,) = walk(lambda a, b: jnp.where(a > 0, a, b) + b, (3, 4), (3, 4))
    assert all(
        same(factors, x, y) and same(factors, x, z) for x, y, z in zip(a.axes, b.axes, c.axes, strict=True)
    )


def test_axes_of_size_one_and_scalars_ask_for_nothing():
    factors, (a, b, _), (c,) = walk(lambda a, b, s: jnp.clip(a * b, -s, s), (3, 4), (3, 1), ())
    assert same(factors, a.axes[0], b.axes[0])
    assert same(factors, a.axes[1], c.axes[1])


def test_barriers_pass():
    factors, (a,), (b,) = walk(jax.lax.optimization_barrier, (3,))
    assert same(factors, a.axes[0], b.axes[0])


@pytest.mark.parametrize(
    "function", [jnp.exp, jnp.sign, jax.lax.rsqrt, jnp.floor, jax.nn.gelu, jax.nn.softmax]
)
def test_outputs_follow_permutations(function):
    w = np.random.default_rng(0).normal(size=(2, 6)) ** 2
    group = symmetry(lambda w, x: jnp.sum(function(x @ w)), w, np.ones(2))
    assert [each.size for each in group.groups] == [6]
