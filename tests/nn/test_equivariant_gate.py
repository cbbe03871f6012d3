"""The non-linearity of any representation."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from equijax import nn, testing
from equijax.groups import (
    SL,
    Adjoint,
    Cyclic,
    E,
    O,
    PermutationTensor,
    Point,
    Pseudoscalar,
    Regular,
    S,
    Trivial,
    Vector,
)

V, P, T = Vector(), PermutationTensor, Trivial()

CASES = [
    (O(3), 3 * T + 2 * V + Pseudoscalar() + V * V),
    (S(4) * O(2), P(1) @ (V + T) + P(2) @ V),
    (SL(2), 2 * V.dual() + T),
    (Cyclic(4), Regular() + V * P(1)),
    (S(3), P(2)),
    (S(2) * E(2), Adjoint(S(2) * E(2))),
]


@pytest.mark.parametrize(("group", "rep"), CASES, ids=repr)
def test_is_equivariant(group, rep):
    wide = nn.gated(group, rep)
    testing.assert_equivariant(
        lambda x: nn.EquivariantGate(group, rep).apply({}, x),
        group,
        in_reps=(wide,),
        out_reps=rep,
        shapes=((2, *wide.shape(group)),),
        dtype="float64",
        max_examples=20,
        gradient=True,
    )


def test_scalars_are_activated_and_vectors_gated():
    x = jnp.array([2.0, 1.0, 2.0, 3.0, 0.5])
    y = nn.EquivariantGate(O(3), T + V).apply({}, x)
    np.testing.assert_allclose(y[0], jax.nn.silu(2.0), rtol=1e-6)
    np.testing.assert_allclose(y[1:], jax.nn.sigmoid(0.5) * x[1:4], rtol=1e-6)


def test_gates_move_with_nodes():
    group = S(5) * O(3)
    assert nn.gated(group, P(1) @ V).shape(group) == (5 * 3 + 5,)
    assert nn.gated(group, T @ V + P(1) @ T).shape(group) == (3 + 5 + 1,)
    assert nn.gated(S(3), P(2)) == P(2)


def test_non_linearities_can_be_chosen_and_jit_and_vmap_work():
    layer = nn.EquivariantGate(O(2), T + V, activation=jnp.tanh, gate=jnp.abs)
    x = jax.random.normal(jax.random.key(0), (4, 4))
    y = layer.apply({}, x)
    np.testing.assert_allclose(y, np.c_[np.tanh(x[:, 0]), x[:, 1:3] * np.abs(x[:, 3:])], atol=1e-6)
    np.testing.assert_allclose(jax.jit(jax.vmap(lambda x: layer.apply({}, x)))(x), y, atol=1e-6)


def test_a_leak_acts_entry_by_entry_and_breaks_the_symmetry_until_it_is_zero():
    rep = 2 * T + V + V * V
    layer = nn.EquivariantGate(O(3), rep, leak=0.25)
    x = jax.random.normal(jax.random.key(0), (4, 2 + 3 + 9 + 2))
    y, variables = layer.init_with_output(jax.random.key(1), x)
    tight = nn.EquivariantGate(O(3), rep).apply({}, x)
    np.testing.assert_array_equal(y[:, :2], tight[:, :2])
    np.testing.assert_allclose(y[:, 2:], tight[:, 2:] + 0.25 * jax.nn.silu(x[:, 2:14]), rtol=1e-5)
    assert nn.leak_penalty({"deep": variables["params"], "kernel": jnp.ones(3)}) == 12 * 0.25**2 / 2
    slope = jax.jit(jax.grad(nn.leak_penalty))(variables["params"])
    jax.tree.map(np.testing.assert_array_equal, slope, variables["params"])
    closed = jax.tree.map(jnp.zeros_like, variables)
    np.testing.assert_array_equal(jax.jit(jax.vmap(lambda x: layer.apply(closed, x)))(x), tight)
    assert not nn.EquivariantGate(O(3), 2 * T, leak=0.1).init(jax.random.key(0), jnp.ones(2))


def test_wrong_calls_name_the_argument():
    with pytest.raises(TypeError, match="params must be a Mapping"):
        nn.leak_penalty(jnp.ones(3))
    with pytest.raises(ValueError, match=r"x must have shape \(\.\.\., 4\)"):
        nn.EquivariantGate(O(3), V).apply({}, jnp.ones(3))
    with pytest.raises(TypeError, match="rep must be linear"):
        nn.gated(E(3), Point())
