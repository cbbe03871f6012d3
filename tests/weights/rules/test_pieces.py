import jax
import jax.numpy as jnp
import numpy as np
import pytest

from equijax.weights import symmetry
from equijax.weights.factors import Free
from equijax.weights.propagation import Propagation

RANDOM = np.random.default_rng(0)


def walk(function, *shapes):
    state = Propagation()
    inputs = [state.data(shape) for shape in shapes]
    outputs = state.run(jax.make_jaxpr(function)(*map(np.ones, shapes)), inputs)
    return state.factors, inputs, outputs


def segments(factors, axis):
    return [(each.start, factors.size((each.leaf,))) for each in factors.occurrences(axis)]


def test_slices_cut_and_concatenation_restores():
    factors, (x,), (y,) = walk(lambda x: jnp.concatenate([x[:2], x[2:]]), (7,))
    assert segments(factors, x.axes[0]) == segments(factors, y.axes[0]) == [(0, 2), (2, 5)]
    found = [[each.leaf for each in factors.occurrences(array.axes[0])] for array in (x, y)]
    assert found[0] == found[1]


def test_pieces_move_apart():
    def model(w, x):
        gate, up = jnp.split(x @ w["in"], [4])
        return jnp.sum(jnp.tanh(gate)) * jnp.sum(jnp.sin(up)) + x @ w["in"] @ w["out"]

    w = {"in": RANDOM.normal(size=(2, 9)), "out": RANDOM.normal(size=(9, 1))}
    assert sorted(group.size for group in symmetry(model, w, np.ones(2)).groups) == [4, 5]


def test_rolling_cuts_where_it_wraps():
    factors, (x,), _ = walk(lambda x: jnp.roll(x, 2), (7,))
    assert segments(factors, x.axes[0]) == [(0, 5), (5, 2)]


def test_slices_with_a_stride_freeze():
    factors, (x,), (y,) = walk(lambda x: x[1:6:2], (7,))
    leaves = [each.leaf for axis in (x.axes[0], y.axes[0]) for each in factors.occurrences(axis)]
    found = [(factors.size((leaf,)), factors.reason(leaf)) for leaf in leaves]
    assert found == [(7, "slice with a stride"), (3, "slice with a stride")]


def test_stacks_and_unstacking():
    factors, (x, y), (a, b) = walk(lambda x, y: tuple(jnp.unstack(jnp.stack([x, y]))), (3,), (3,))
    assert factors.expand(x.axes[0]) == factors.expand(y.axes[0])
    assert factors.expand(a.axes[0]) == factors.expand(b.axes[0]) == factors.expand(x.axes[0])


def test_padding_adds_segments_and_negative_padding_cuts():
    factors, (x,), (y,) = walk(lambda x: jnp.pad(x, ((1, 2), (0, 0)), constant_values=3.0), (4, 5))
    assert segments(factors, y.axes[0]) == [(1, 4), (5, 2)]
    assert y.axes[1] == x.axes[1]
    factors, (x,), _ = walk(lambda x: jax.lax.pad(x, 0.0, ((-1, 0, 0),)), (5,))
    assert segments(factors, x.axes[0]) == [(1, 4)]
    factors, (x,), _ = walk(lambda x: jax.lax.pad(x, 0.0, ((0, 0, 1),)), (5,))
    assert factors.reason(x.axes[0][0]) == "padded between its entries"


def test_channels_padded_with_zeros_keep_their_symmetry():
    w = {
        "in": RANDOM.normal(size=(2, 4)),
        "more": RANDOM.normal(size=(2, 6)),
        "out": RANDOM.normal(size=(6, 3)),
    }

    def model(w, x):
        return jnp.tanh(jnp.pad(jnp.tanh(x @ w["in"]), (0, 2)) + x @ w["more"]) @ w["out"]

    assert sorted(group.size for group in symmetry(model, w, np.ones(2)).groups) == [2, 4]


def test_tiled_axes_are_products():
    factors, (x,), (y,) = walk(lambda x: jnp.tile(x, (2, 3)), (4, 5))
    assert [factors.size((leaf,)) for leaf in factors.expand(y.axes[1])] == [3, 5]
    assert factors.expand(y.axes[0])[1] == x.axes[0][0]
    _, _, (z,) = walk(lambda x: jnp.tile(x, 3), (1,))
    assert z.axes == (Free(3),)


@pytest.mark.parametrize("index", [0, -1])
def test_single_entries(index):
    factors, (x,), (y,) = walk(lambda x: x[:, index], (4, 5))
    assert y.axes == (x.axes[0],)
    assert sum(size for _, size in segments(factors, x.axes[1])) == 4


def test_joined_data_does_not_cut_parameters():
    w = {"in": RANDOM.normal(size=(2, 4))}
    group = symmetry(lambda w, x: jnp.sum(x @ w["in"] * jnp.linspace(0, 1, 4)), w, np.ones(2), kinds=())
    assert sorted(str(each) for each in group.rigid) == [
        "in[0] (2): axis of an input",
        "in[1] (4): joined data",
    ]
