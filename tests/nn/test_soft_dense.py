"""Free weights with declared representations."""

import functools

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from equijax import nn, testing
from equijax.equivariance import projection_residuals
from equijax.groups import O, PermutationTensor, Point, S, Trivial, Vector

V, T = Vector(), Trivial()
WIDE = 40 * T + 30 * V + 10 * (V * V)


@pytest.mark.parametrize("softness", [0.0, 0.6, 1.0])
def test_variance_and_share_of_what_is_free(softness):
    layer = nn.SoftEquivariantDense(O(3), WIDE, WIDE, softness=softness, scale=2.0)

    @jax.jit
    def drawn(key):
        x = jax.random.normal(jax.random.key(5), (200, 220))
        y, variables = layer.init_with_output(key, x)
        params = variables["params"]
        return y, params["bias"], projection_residuals(params, {"": (WIDE, WIDE)}, [O(3)]).corrected["kernel"]

    y, bias, residual = drawn(jax.random.key(0))
    assert abs(np.sqrt(np.mean(y**2)) - 2) < 0.2
    # A free kernel has entries of variance 4 / 220, and none of an equivariant one is in the residual.
    np.testing.assert_allclose(residual, softness**2 * 4 / 220 * 220**2 / 2, rtol=0.05, atol=1e-8)
    np.testing.assert_array_equal(bias, 0)


def test_it_is_equivariant_if_its_weights_are():
    layer = nn.SoftEquivariantDense(
        S(3) * O(2), PermutationTensor(1) @ V, PermutationTensor(1) @ V, softness=0.0
    )
    x = jax.random.normal(jax.random.key(0), (4, 3, 2))
    variables = layer.init(jax.random.key(1), x)
    testing.assert_equivariant(
        lambda x: layer.apply(variables, x),
        S(3) * O(2),
        in_reps=(PermutationTensor(1) @ V,),
        out_reps=PermutationTensor(1) @ V,
        shapes=((3, 2),),
        max_examples=5,
    )


def test_representations_of_a_network_lead_to_its_weights():
    dense = functools.partial(nn.SoftEquivariantDense, softness=0.0)
    net = nn.EquivariantMLP(O(3), T + 2 * V, V * V, features=2 * T + V, num_layers=2, dense=dense, leak=0.0)
    x = jax.random.normal(jax.random.key(0), (5, 7))
    reps = nn.layer_representations(net, x)
    assert list(reps) == [f"SoftEquivariantDense_{number}" for number in range(3)]
    assert reps["SoftEquivariantDense_2"] == (2 * T + V, V * V)
    params = jax.jit(net.init)(jax.random.key(1), x)["params"]
    np.testing.assert_allclose(projection_residuals(params, reps, [O(3)]).total, 0, atol=1e-10)
    bare = nn.layer_representations(nn.SoftEquivariantDense(O(3), V, V), jnp.ones(3))
    assert bare == {"": (V, V)}


def test_jit_vmap_and_grad():
    layer = nn.SoftEquivariantDense(O(3), 2 * V, V * V)
    x = jax.random.normal(jax.random.key(0), (4, 6))
    variables = layer.init(jax.random.key(1), x)
    y = layer.apply(variables, x)
    np.testing.assert_allclose(jax.jit(jax.vmap(functools.partial(layer.apply, variables)))(x), y, atol=1e-6)
    slope = jax.jit(jax.grad(lambda v: jnp.sum(layer.apply(v, x) ** 2)))(variables)["params"]
    np.testing.assert_allclose(slope["kernel"], 2 * x.T @ y.reshape(4, 9), rtol=1e-4)


def test_wrong_calls_name_the_argument():
    x, key = jnp.ones(3), jax.random.key(0)
    with pytest.raises(ValueError, match=r"softness must be between 0 and 1, got 1\.5"):
        nn.SoftEquivariantDense(O(3), V, V, softness=1.5).init(key, x)
    with pytest.raises(ValueError, match="scale must be at least 0, got -1"):
        nn.SoftEquivariantDense(O(3), V, V, scale=-1).init(key, x)
    with pytest.raises(ValueError, match=r"x must have shape \(\.\.\., 3\)"):
        nn.SoftEquivariantDense(O(3), V, V).init(key, jnp.ones(2))
    with pytest.raises(TypeError, match="in_rep must be linear"):
        nn.SoftEquivariantDense(O(3), Point(), V, softness=0.5).init(key, x)
    with pytest.raises(TypeError, match="module must be a Flax module, got int"):
        nn.layer_representations(3)
    with pytest.raises(ValueError, match="module must hold a SoftEquivariantDense, got EquivariantDense"):
        nn.layer_representations(nn.EquivariantDense(O(3), V, V), x)
