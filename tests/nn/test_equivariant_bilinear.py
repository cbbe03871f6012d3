"""Products of features with features."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from equijax import nn, testing
from equijax.groups import (
    SL,
    SO,
    E,
    Irreps,
    O,
    PermutationTensor,
    Point,
    Pseudoscalar,
    S,
    Spinor,
    Trivial,
    UnitQuaternions,
    Vector,
)

V, P, T = Vector(), PermutationTensor, Trivial()

CASES = [
    (O(3), 3 * T + 2 * V + Pseudoscalar()),
    (SO(3), Irreps("0e+1o+1e+2e")),
    (SL(2), 2 * V + V.dual() + T),
    (S(3) * O(2), P(1) @ (V + T) + T @ V),
    (S(3), P(2) + 2 * P(1) + T),
    (UnitQuaternions(), Spinor() + Spinor() * V + V),
]


@pytest.mark.parametrize(("group", "rep"), CASES, ids=repr)
def test_is_equivariant_and_quadratic(group, rep):
    layer = nn.EquivariantBilinear(group, rep, scale=1.0)
    x = jax.random.normal(jax.random.key(1), (2, *rep.shape(group)))
    y, variables = layer.init_with_output(jax.random.key(0), x)
    assert float(jnp.abs(y).max()) > 0
    np.testing.assert_allclose(layer.apply(variables, -2 * x), 4 * y, rtol=1e-4, atol=1e-5)
    variables = jax.tree.map(lambda leaf: np.asarray(leaf, np.float64), variables)
    testing.assert_equivariant(
        lambda x: layer.apply(variables, x),
        group,
        in_reps=(rep,),
        out_reps=rep,
        shapes=(x.shape,),
        dtype="float64",
        rtol=1e-8,
        max_examples=10,
    )


def test_products_are_those_of_scalars_vectors_and_matrices():
    layer = nn.EquivariantBilinear(O(3), T + V + V * V)
    x = np.random.default_rng(0).normal(size=13).astype(np.float32)
    scalar, vector, matrix = x[0], x[1:4], x[4:].reshape(3, 3)
    params = layer.init(jax.random.key(0), x)["params"]

    def only(name):
        chosen = {key: jnp.full_like(value, float(key == name)) for key, value in params.items()}
        return np.asarray(layer.apply({"params": chosen}, x))

    pure = {name: only(name) for name in params}
    expected = [
        np.r_[scalar**2, np.zeros(12)],
        np.r_[vector @ vector, np.zeros(12)],
        np.r_[np.sum(matrix**2), np.zeros(12)],
        np.r_[0, scalar * vector, np.zeros(9)],
        np.r_[0, matrix @ vector, np.zeros(9)],
        np.r_[np.zeros(4), scalar * matrix.ravel()],
        np.r_[np.zeros(4), np.outer(vector, vector).ravel()],
        np.r_[np.zeros(4), (matrix @ matrix.T).ravel()],
    ]
    for row in expected:
        assert any(np.allclose(row, value, atol=1e-5) for value in pure.values())
    assert len(pure) == len(expected)


def test_statistics_at_first_jit_and_vmap():
    layer = nn.EquivariantBilinear(O(3), 50 * T + 50 * V, scale=0.5)
    x = jax.random.normal(jax.random.key(1), (100, 200))
    y, variables = jax.jit(layer.init_with_output)(jax.random.key(0), x)
    assert 0.4 < float(jnp.std(y[:, 50:])) < 0.6
    np.testing.assert_allclose(jax.vmap(lambda x: layer.apply(variables, x))(x), y, atol=1e-5)
    gradient = jax.grad(lambda x: jnp.sum(layer.apply(variables, x)))(jnp.zeros(200))
    np.testing.assert_array_equal(gradient, 0)


def test_no_products_give_zeros():
    y, variables = nn.EquivariantBilinear(O(3), 2 * V).init_with_output(jax.random.key(0), jnp.ones((4, 6)))
    np.testing.assert_array_equal(y, np.zeros((4, 6)))
    assert not variables.get("params")


def test_wrong_calls_name_the_argument():
    with pytest.raises(ValueError, match=r"x must have shape \(\.\.\., 3\)"):
        nn.EquivariantBilinear(O(3), V).init(jax.random.key(0), jnp.ones(4))
    with pytest.raises(TypeError, match="rep must be linear"):
        nn.EquivariantBilinear(E(3), Point()).init(jax.random.key(0), jnp.ones(3))
