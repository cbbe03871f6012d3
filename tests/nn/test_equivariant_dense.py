"""The dense layer of any group: symmetry, completeness, statistics, errors."""

import flax.linen
import jax
import jax.numpy as jnp
import numpy as np
import pytest

from equijax import nn, testing
from equijax.equivariance import projector
from equijax.groups import (
    GL,
    SL,
    SO,
    Cyclic,
    E,
    Lorentz,
    MatrixGroup,
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
from equijax.nn.equivariant_dense import flattened

V, P, T = Vector(), PermutationTensor, Trivial()
# The symmetry of a square prism, written by its generators.
PRISM = MatrixGroup(
    "PRISM", discrete=[[[0, -1, 0], [1, 0, 0], [0, 0, 1]], np.diag([1, -1, 1]), np.diag([1, 1, -1])]
)

CASES = [
    (O(3), 3 * T + 2 * V, V * V + T),
    (SL(2), 2 * V, V.dual() + V * V),
    (Lorentz(), V * V.dual(), V * V.dual() + T),
    (S(4) * E(3), P(1) @ V, P(2) @ (V + T)),
    (UnitQuaternions(), Spinor() + V, Spinor() + T),
    (PRISM, V + V * V, V + 2 * T),
]


def randomised(module, x, seed=0):
    """Variables with random entries, as after training."""
    variables = module.init(jax.random.key(0), x)
    random = np.random.default_rng(seed)
    return jax.tree.map(lambda leaf: random.normal(size=leaf.shape).astype(np.float64), variables)


@pytest.mark.parametrize(("group", "in_rep", "out_rep"), CASES, ids=repr)
def test_is_equivariant_with_a_bias(group, in_rep, out_rep):
    module = nn.EquivariantDense(group, in_rep, out_rep)
    variables = randomised(module, jnp.ones(in_rep.shape(group)))
    testing.assert_equivariant(
        lambda x: module.apply(variables, x),
        group,
        in_reps=(in_rep,),
        out_reps=out_rep,
        shapes=((2, *in_rep.shape(group)),),
        dtype="float64",
        rtol=1e-8,
        max_examples=10,
    )


def test_every_equivariant_map_and_bias_is_there():
    group, in_rep, out_rep = O(3), 2 * T + 3 * V, V * V + T
    module = nn.EquivariantDense(group, in_rep, out_rep)
    params = module.init(jax.random.key(0), jnp.ones(11))["params"]
    kernels = [value.size for name, value in params.items() if name.startswith("kernel")]
    biases = [value.size for name, value in params.items() if name.startswith("bias")]
    assert sum(kernels) == projector(group, in_rep, out_rep).dim == 4
    assert sum(biases) == projector(group, T, out_rep).dim == 2


def test_statistics_at_first():
    x = jax.random.normal(jax.random.key(1), (200, 60 * 1 + 30 * 3 + 4 * 9))
    rep = 60 * T + 30 * V + 4 * (V * V)
    out = 40 * T + 20 * V
    layer = nn.EquivariantDense(SO(3), rep, out)
    y = layer.init_with_output(jax.random.key(0), x)[0]
    assert 0.8 < float(jnp.var(y[:, :40])) < 1.25
    assert 0.8 < float(jnp.var(y[:, 40:])) < 1.25


def test_trivial_group_has_a_dense_layer():
    x = jax.random.normal(jax.random.key(1), (5, 7))
    layer = nn.EquivariantDense(Cyclic(1), 7 * T, 4 * T)
    y, variables = layer.init_with_output(jax.random.key(0), x)
    kernel = variables["params"]["kernel_0_0"]
    np.testing.assert_allclose(y, x @ kernel[..., 0].T, atol=1e-5)


def test_without_any_map_the_output_is_the_bias():
    layer = nn.EquivariantDense(O(3), V, Pseudoscalar())
    y, variables = layer.init_with_output(jax.random.key(0), jnp.ones((2, 3)))
    assert y.shape == (2,)
    assert not variables.get("params")
    np.testing.assert_array_equal(y, 0)


def test_jit_vmap_grad_and_dtypes():
    layer = nn.EquivariantDense(GL(2), 2 * V + T, V * V.dual())
    x = jax.random.normal(jax.random.key(1), (3, 5))
    variables = jax.jit(layer.init)(jax.random.key(0), x)
    y = layer.apply(variables, x)
    assert y.shape == (3, 2, 2)
    np.testing.assert_allclose(jax.jit(jax.vmap(lambda x: layer.apply(variables, x)))(x), y, atol=1e-5)
    gradient = jax.grad(lambda v: jnp.sum(layer.apply(v, x) ** 2))(variables)
    assert all(np.all(np.isfinite(leaf)) for leaf in jax.tree.leaves(gradient))
    with jax.enable_x64(True):
        assert layer.apply(variables, x.astype(np.float64)).dtype == np.float64


def test_costs_what_a_dense_layer_costs():
    rep = nn.hidden_representation(O(3), 128)
    x = jnp.ones((256, 128))
    layer, dense = nn.EquivariantDense(O(3), rep, rep), flax.linen.Dense(128)
    flops = []
    for module in (layer, dense):
        variables = module.init(jax.random.key(0), x)
        flops.append(jax.jit(module.apply).lower(variables, x).compile().cost_analysis()["flops"])
    assert flops[0] < 1.3 * flops[1]


def started(group, in_rep, x):
    return nn.EquivariantDense(group, in_rep, V).init(jax.random.key(0), x)


WRONG = [
    (lambda: started(O(3), V, jnp.ones(4)), ValueError, r"x must have shape \(\.\.\., 3\) .*got \(4,\)"),
    (lambda: started(O(3), V, jnp.ones(3, int)), TypeError, "x must be a real floating"),
    (lambda: started(E(3), Point(), jnp.ones(3)), TypeError, "in_rep must be linear, got Point"),
    (lambda: flattened("h", jnp.ones(()), O(3), V), ValueError, r"h must have shape \(\.\.\., 3\)"),
]


@pytest.mark.parametrize(("call", "error", "message"), WRONG)
def test_wrong_calls_name_the_argument(call, error, message):
    with pytest.raises(error, match=message):
        call()
