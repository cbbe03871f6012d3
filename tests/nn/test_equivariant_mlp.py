"""A network for any group and any representations."""

import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest

from equijax import nn, testing
from equijax.groups import (
    SL,
    Cyclic,
    E,
    MatrixGroup,
    O,
    PermutationTensor,
    Point,
    Regular,
    S,
    Spinor,
    Trivial,
    TrivialGroup,
    UnitQuaternions,
    Vector,
)

V, P, T = Vector(), PermutationTensor, Trivial()
# Turns about an axis and scalings along it: neither compact nor in the library.
SPIRAL = MatrixGroup("SPIRAL", algebra=[[[0, -1, 0], [1, 0, 0], [0, 0, 0]], np.diag([0.0, 0, 1])])

CASES = [
    (O(3), 2 * T + 2 * V, V * V),
    (S(4) * O(2), P(1) @ V, P(1) @ V + T),
    (SPIRAL, 2 * V, V),
]


@pytest.mark.parametrize(("group", "in_rep", "out_rep"), CASES, ids=repr)
def test_is_equivariant(group, in_rep, out_rep):
    model = nn.EquivariantMLP(group, in_rep, out_rep, features=20, num_layers=1)
    x = jnp.ones((2, *in_rep.shape(group)))
    variables = jax.jit(model.init)(jax.random.key(0), x)
    random = np.random.default_rng(0)
    variables = jax.tree.map(lambda leaf: leaf + 0.1 * random.normal(size=leaf.shape), variables)
    testing.assert_equivariant(
        lambda x: model.apply(variables, x),
        group,
        in_reps=(in_rep,),
        out_reps=out_rep,
        shapes=(x.shape,),
        dtype="float64",
        rtol=1e-8,
        max_examples=10,
    )


def test_learns_the_tensor_of_inertia():
    masses = jax.nn.softplus(jax.random.normal(jax.random.key(0), (256, 3)))
    places = jax.random.normal(jax.random.key(1), (256, 3, 3))
    outer = places[..., :, None] * places[..., None, :]
    square = jnp.sum(places**2, -1)[..., None, None] * jnp.eye(3)
    target = jnp.einsum("bk,bkij->bij", masses, square - outer)
    x = jnp.concatenate([masses, places.reshape(256, 9)], axis=-1)
    model = nn.EquivariantMLP(O(3), 3 * T + 3 * V, V * V, features=64, num_layers=2)
    params = jax.jit(model.init)(jax.random.key(2), x)
    optimizer = optax.adam(1e-2)

    @jax.jit
    def step(params, state):
        loss, gradient = jax.value_and_grad(lambda p: jnp.mean((model.apply(p, x) - target) ** 2))(params)
        updates, state = optimizer.update(gradient, state)
        return optax.apply_updates(params, updates), state, loss

    state, losses = optimizer.init(params), []
    for _ in range(200):
        params, state, loss = step(params, state)
        losses.append(float(loss))
    # A network without products stays near 3.1: it cannot make a matrix out of vectors.
    assert losses[-1] < 0.06 * losses[0]


def test_soft_layers_take_the_place_of_hard_ones():
    def network(**options):
        return nn.EquivariantMLP(O(3), 2 * V, V, features=3 * T + V, num_layers=1, **options)

    x = jax.random.normal(jax.random.key(0), (3, 6))
    soft = network(dense=nn.SoftEquivariantDense, leak=0.1)
    names = set(jax.eval_shape(soft.init, jax.random.key(0), x)["params"])
    assert names == {
        "SoftEquivariantDense_0",
        "SoftEquivariantDense_1",
        "EquivariantBilinear_0",
        "EquivariantGate_0",
    }
    hard = set(jax.eval_shape(network().init, jax.random.key(0), x)["params"])
    assert hard == {"EquivariantDense_0", "EquivariantDense_1", "EquivariantBilinear_0"}


def test_hidden_representations():
    for group in (O(3), SL(2), S(4), Cyclic(5), S(4) * O(3), UnitQuaternions(), TrivialGroup(), E(3)):
        rep = nn.hidden_representation(group, 100)
        assert rep.shape(group) == (100,)
        counts = [part.count for part in rep.parts]
        assert min(counts) > 0
    assert nn.hidden_representation(O(3), 3).parts == (3 * T,)
    assert nn.hidden_representation(S(6), 60, order=1).parts == (30 * T, 5 * P(1))
    assert any(part.part == Spinor() for part in nn.hidden_representation(UnitQuaternions(), 100).parts)
    assert any(part.part == V.dual() for part in nn.hidden_representation(SL(2), 100).parts)
    assert any(part.part == Regular() for part in nn.hidden_representation(Cyclic(5), 100).parts)


def test_wrong_calls_name_the_argument():
    with pytest.raises(ValueError, match="width must be a number of at least 1, got 0"):
        nn.hidden_representation(O(3), 0)
    with pytest.raises(TypeError, match="group must be a Group, got str"):
        nn.hidden_representation("O(3)", 10)
    with pytest.raises(TypeError, match="in_rep must be linear, got Point"):
        nn.EquivariantMLP(E(3), Point(), T).init(jax.random.key(0), jnp.ones(3))
    with pytest.raises(ValueError, match="num_layers must be a number of at least 0, got -1"):
        nn.EquivariantMLP(O(3), V, T, num_layers=-1).init(jax.random.key(0), jnp.ones(3))
