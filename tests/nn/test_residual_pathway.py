"""Two pathways, one of which is held small."""

import functools

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from equijax import equivariance, nn
from equijax.groups import SO, MatrixGroup, O, Trivial, Vector

V, T = Vector(), Trivial()
ABOUT_Z = MatrixGroup("about_z", algebra=[[[0, -1, 0], [1, 0, 0], [0, 0, 0]]])


def without_basic(params):
    return {**params, "basic": jax.tree.map(jnp.zeros_like, params["basic"])}


@pytest.mark.parametrize("subgroup", [None, ABOUT_Z])
def test_the_second_pathway_starts_small_and_has_the_symmetry_of_the_subgroup(subgroup, x64):
    layer = nn.ResidualPathwayDense(O(3), 4 * V + 4 * T, 3 * V, subgroup=subgroup, scale=0.01)
    x = jax.random.normal(jax.random.key(0), (50, 16))
    y, variables = jax.jit(layer.init_with_output)(jax.random.key(1), x)
    params = jax.tree.map(lambda leaf: leaf.astype(jnp.float64), variables["params"])
    apply = jax.jit(lambda params, x: layer.apply({"params": params}, x))
    first = apply(without_basic(params), x)
    assert 0.002 < np.std(y - first) / np.std(first) < 0.05
    error = functools.partial(
        equivariance.error,
        in_reps=(4 * V + 4 * T,),
        out_reps=3 * V,
        args=(x,),
        key=jax.random.key(2),
        num_samples=4,
    )
    assert error(functools.partial(apply, without_basic(params)), O(3)) < 1e-12
    assert error(functools.partial(apply, params), SO(3)) > 1e-4
    about_z = error(functools.partial(apply, params), ABOUT_Z)
    assert about_z < 1e-12 if subgroup else about_z > 1e-4


def test_in_a_network_with_its_prior():
    dense = functools.partial(nn.ResidualPathwayDense, subgroup=ABOUT_Z)
    net = nn.EquivariantMLP(O(3), 2 * V, V, features=4 * T + 2 * V, num_layers=1, dense=dense, leak=0.1)
    x = jax.random.normal(jax.random.key(0), (5, 6))
    params = jax.jit(net.init)(jax.random.key(1), x)["params"]

    @jax.jit
    def loss(params):
        return nn.residual_pathway_penalty(params, equivariant=2.0, basic=3.0)

    value, slope = jax.value_and_grad(loss)(params)
    assert set(params) == {
        "ResidualPathwayDense_0",
        "ResidualPathwayDense_1",
        "EquivariantBilinear_0",
        "EquivariantGate_0",
    }
    expected = 0.0
    for name in ("ResidualPathwayDense_0", "ResidualPathwayDense_1"):
        for pathway, weight in (("equivariant", 2.0), ("basic", 3.0)):
            for mine, own in zip(
                jax.tree.leaves(params[name][pathway]), jax.tree.leaves(slope[name][pathway])
            ):
                np.testing.assert_allclose(own, weight * mine, rtol=1e-5)
                expected += weight * float(jnp.sum(mine**2)) / 2
    np.testing.assert_allclose(value, expected, rtol=1e-5)
    assert all(not leaf.any() for leaf in jax.tree.leaves(slope["EquivariantBilinear_0"]))
    batched = jax.jit(jax.vmap(lambda x: net.apply({"params": params}, x)))(x)
    np.testing.assert_allclose(batched, net.apply({"params": params}, x), atol=1e-5)


def test_a_free_pathway_declares_its_representations():
    net = nn.EquivariantMLP(O(3), 2 * V, V, features=2 * T + V, num_layers=1, dense=nn.ResidualPathwayDense)
    reps = nn.layer_representations(net, jnp.ones((1, 6)))
    assert list(reps) == ["ResidualPathwayDense_0/basic", "ResidualPathwayDense_1/basic"]


def test_wrong_calls_name_the_argument():
    with pytest.raises(ValueError, match="params must hold a ResidualPathwayDense layer, got"):
        nn.residual_pathway_penalty({"layer": {"kernel": jnp.ones(3)}})
    with pytest.raises(TypeError, match="params must be a Mapping"):
        nn.residual_pathway_penalty(jnp.ones(3))
    with pytest.raises(ValueError, match=r"x must have shape \(\.\.\., 3\)"):
        nn.ResidualPathwayDense(O(3), V, V).init(jax.random.key(0), jnp.ones(2))
