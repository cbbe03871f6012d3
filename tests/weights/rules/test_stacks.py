import jax
import jax.numpy as jnp
import numpy as np
import pytest

from equijax.weights import symmetry

RANDOM = np.random.default_rng(0)
X = RANDOM.normal(size=(5, 2))
W = {"in": RANDOM.normal(size=(2, 24)), "bias": RANDOM.normal(size=24), "out": RANDOM.normal(size=(2, 4, 3))}


def by_index(qkv):
    return qkv[:, 0], qkv[:, 1], qkv[:, 2]


def by_splitting(qkv):
    return [each[:, 0] for each in jnp.split(qkv, 3, axis=1)]


def by_moving(qkv):
    q, k, v = jnp.moveaxis(qkv, 1, 0)
    return q, k, v


def by_unstacking(qkv):
    return jnp.unstack(qkv, axis=1)


def by_dynamic_index(qkv):
    return [jax.lax.dynamic_index_in_dim(qkv, i, 1, keepdims=False) for i in range(3)]


def after_more_operations(qkv):
    scale = jnp.array([1.0, 2.0, 3.0])[:, None, None]
    return by_index(jax.jit(jnp.tanh)(qkv * 2 + 1) * scale)


def attention(apart, order=(3, 2, 4)):
    def model(w, x):
        qkv = (x @ w["in"] + w["bias"]).reshape(5, *order)
        if order[0] != 3:
            qkv = jnp.swapaxes(qkv, 1, 2)
        q, k, v = apart(qkv)
        weights = jax.nn.softmax(jnp.einsum("thd,shd->hts", q, k))
        return jnp.einsum("hts,shd,hdo->to", weights, v, w["out"])

    return model


WAYS = [by_index, by_splitting, by_moving, by_unstacking, by_dynamic_index, after_more_operations]


@pytest.mark.parametrize("apart", WAYS, ids=lambda way: way.__name__)
def test_queries_and_values_move_apart(apart):
    group = symmetry(attention(apart), W, X)
    assert [each.size for each in group.groups] == [2, 4, 4]
    assert group.verification.holds


def test_heads_may_come_first():
    group = symmetry(attention(by_index, (2, 3, 4)), W, X)
    assert sorted(each.size for each in group.groups) == [2, 4, 4]


def test_heads_are_not_taken_for_a_stack():
    def model(w, x):
        q = jnp.tanh((x @ w["in"]).reshape(5, 3, 8))
        return jnp.einsum("thd,shd->hts", q, q).sum(0)

    assert [each.size for each in symmetry(model, {"in": W["in"]}, X).groups] == [3, 8]


def test_entries_that_meet_again_are_tied():
    def model(w, x):
        parts = (x @ w["in"]).reshape(5, 3, 8)
        return jnp.tanh(parts[:, 0] + parts.sum(1)).sum(1)

    assert [each.size for each in symmetry(model, {"in": W["in"]}, X).groups] == [8]


def test_some_of_the_entries():
    def model(w, x):
        parts = (x @ w["in"]).reshape(5, 4, 6)
        return jnp.sin(parts[:, 0]).sum(1) + jnp.tanh(parts[:, 1:3]).sum((1, 2)) + parts[:, 3].max(1)

    assert sorted(each.size for each in symmetry(model, {"in": W["in"]}, X).groups) == [6, 6, 6]
