import jax
import jax.numpy as jnp
import numpy as np
import pytest

from equijax.weights import symmetry
from equijax.weights.propagation import Propagation

RANDOM = np.random.default_rng(0)
IDS = np.array([2, 0, 1, 1])


def frozen(function, *values):
    """For each axis of the first input, whether a leaf of it is frozen."""
    state = Propagation()
    inputs = [state.data(np.shape(value)) for value in values]
    state.run(jax.make_jaxpr(function)(*values), inputs)
    factors = state.factors
    return [any(factors.reason(e.leaf) for e in factors.occurrences(axis)) for axis in inputs[0].axes]


TABLE = np.ones((3, 5))
CASES = {
    "rows looked up": (lambda t, i: t[i], [True, False]),
    "rows taken": (lambda t, i: jnp.take(t, i, axis=0, mode="clip"), [True, False]),
    "columns looked up": (lambda t, i: t[:, i], [False, True]),
    "entries looked up": (lambda t, i: t[i, i], [True, True]),
    "a computed slice": (lambda t, i: jax.lax.dynamic_slice_in_dim(t, i[0], 2), [True, False]),
    "a known slice": (lambda t, i: jax.lax.dynamic_slice_in_dim(t, 1, 2), [False, False]),
    "a row overwritten": (lambda t, i: t.at[i[0]].set(1.0), [True, False]),
    "rows added": (lambda t, i: t.at[i].add(t[i]), [True, False]),
    "a block overwritten": (lambda t, i: jax.lax.dynamic_update_slice(t, t[:1], (i[0], 0)), [True, False]),
    "sorted": (lambda t, i: jnp.sort(t, axis=0), [False, False]),
    "sorted positions": (lambda t, i: jnp.argsort(t, axis=0), [True, False]),
    "the largest": (lambda t, i: jax.lax.top_k(t, 2)[0], [False, False]),
    "positions of the largest": (lambda t, i: jax.lax.top_k(t, 2)[1], [False, True]),
    "one entry along an axis": (
        lambda t, i: jnp.take_along_axis(t, jnp.broadcast_to(i[:3, None], (3, 1)), 1),
        [True, True],
    ),
}


@pytest.mark.parametrize("name", CASES)
def test_only_indexed_axes_are_frozen(name):
    function, expected = CASES[name]
    if name == "one entry along an axis":
        # Rows are batched with the indices', which are data of no fixed order here.
        expected = [False, True]
    assert frozen(function, TABLE, IDS) == expected


def test_embedding_and_message_passing_keep_channels():
    def model(w, ids, senders, receivers):
        x = jnp.tanh(w["table"][ids])
        for _ in range(2):
            x = jnp.tanh(jax.ops.segment_sum(x[senders] @ w["w"], receivers, 4) + x)
        return x.sum(0) @ w["out"]

    w = {
        "table": RANDOM.normal(size=(3, 6)),
        "w": RANDOM.normal(size=(6, 6)),
        "out": RANDOM.normal(size=(6, 2)),
    }
    group = symmetry(model, w, IDS, np.array([0, 1, 2]), np.array([1, 2, 3]))
    assert [each.size for each in group.groups] == [6]
    assert group.verification.holds


def test_sorted_values_may_come_in_any_order():
    w = {"in": RANDOM.normal(size=(2, 6)), "out": RANDOM.normal(size=(6, 3))}
    group = symmetry(lambda w, x: jnp.sort(x @ w["in"]) @ w["out"], w, np.ones(2))
    assert [str(axis) for each in group.groups for axis in each.axes] == ["in[1]"]


def test_keys_that_are_sorted_move_with_what_they_carry():
    def model(w, x):
        keys, values = jax.lax.sort_key_val(x @ w["k"], x @ w["v"])
        return keys * values

    w = {"k": RANDOM.normal(size=(2, 6)), "v": RANDOM.normal(size=(2, 6))}
    (group,) = symmetry(model, w, np.ones(2)).groups
    assert [str(axis) for axis in group.axes] == ["k[1]", "v[1]"]
