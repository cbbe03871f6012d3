"""The radial network."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from equijax import nn
from equijax.groups import O, Trivial
from equijax.testing import assert_equivariant


def test_vanishes_with_its_input_whatever_the_parameters():
    module = nn.RadialMLP((16, 8, 4), num_kinds=3)
    kind = jnp.array([0, 1, 2])
    variables = module.init(jax.random.key(0), jnp.ones((3, 8)), kind)
    doubled = jax.tree.map(lambda leaf: 2 * leaf + 1, variables)
    assert not module.apply(doubled, jnp.zeros((3, 8)), kind).any()
    assert module.apply(doubled, jnp.ones((3, 8)), kind).all()


def test_has_no_biases():
    variables = nn.RadialMLP((16, 4)).init(jax.random.key(0), jnp.ones((3, 8)))
    shapes = jax.tree.map(jnp.shape, variables)["params"]
    assert shapes == {"layer_0": {"kernel": (8, 16)}, "layer_1": {"kernel": (16, 4)}}


def test_kinds_differ_and_edges_of_a_kind_are_alike():
    module = nn.RadialMLP((16, 4), num_kinds=2)
    radial = jnp.broadcast_to(jnp.linspace(0.1, 1.0, 8), (3, 8))
    y = module.init_with_output(jax.random.key(0), radial, jnp.array([0, 1, 0]))[0]
    np.testing.assert_allclose(y[0], y[2], rtol=1e-6)
    assert np.abs(y[0] - y[1]).max() > 1e-2


def test_invariants_stay_invariant():
    module = nn.RadialMLP((8, 2))
    variables = module.init(jax.random.key(0), jnp.ones((3, 5)))
    assert_equivariant(
        lambda x: module.apply(variables, x),
        O(3),
        in_reps=(Trivial(),),
        out_reps=Trivial(),
        shapes=((3, 5),),
        max_examples=10,
    )


def test_jit_vmap_grad_and_dtype():
    module = nn.RadialMLP((8, 2))
    radial = jax.random.normal(jax.random.key(1), (3, 5))
    y, variables = module.init_with_output(jax.random.key(0), radial)
    np.testing.assert_allclose(jax.jit(jax.vmap(lambda x: module.apply(variables, x)))(radial), y, atol=1e-6)
    gradient = jax.grad(lambda x: module.apply(variables, x).sum())(jnp.zeros((3, 5)))
    assert np.isfinite(gradient).all()
    assert y.dtype == jnp.float32


RADIAL = jnp.ones((3, 5))
KIND = jnp.array([0, 1, 0])
WRONG_CALLS = [
    (dict(features=()), (RADIAL,), ValueError, "features must hold at least one size, got none"),
    (dict(features=(4,)), (RADIAL.astype(int),), TypeError, "radial must be .*got dtype int32"),
    (dict(features=(4,)), (1.0,), ValueError, r"radial must have shape \(\.\.\., b\), got \(\)"),
    (dict(features=(4,), num_kinds=2), (RADIAL,), ValueError, "kind must be given .*got 2"),
    (dict(features=(4,)), (RADIAL, KIND), ValueError, "kind must be given .*got 0"),
    (dict(features=(4,), num_kinds=2), (RADIAL, KIND[:2]), ValueError, r"kind must have .*got \(2,\)"),
    (dict(features=(4,), num_kinds=2), (RADIAL, KIND * 1.0), TypeError, "kind must be an integer array, got"),
]


@pytest.mark.parametrize(("attributes", "arguments", "error", "message"), WRONG_CALLS)
def test_wrong_calls_name_the_argument(attributes, arguments, error, message):
    with pytest.raises(error, match=message):
        nn.RadialMLP(**attributes).init(jax.random.key(0), *arguments)
