"""The benchmark of equivariant perceptrons: its networks do the work that it says."""

import jax
import numpy as np

import equijax as ej
from benchmarks import equivariant_mlp
from equijax.groups import O


def test_networks_share_inputs_and_agree_in_shape():
    found = list(equivariant_mlp.cases(quick=True))
    assert [case.method for case in found] == ["dense", "equijax", "equijax, no products"]
    for case in found:
        assert case.arguments[1] is found[0].arguments[1]
        assert jax.eval_shape(case.function, *case.arguments).shape == (equivariant_mlp.BATCH, 9)


def test_the_equivariant_one_is_equivariant():
    network = equivariant_mlp.networks(16)["equijax"]
    x = np.random.default_rng(0).normal(size=(4, 20)).astype(np.float32)
    variables = jax.jit(network.init)(jax.random.key(0), x)
    error = ej.equivariance.error(
        jax.jit(lambda x: network.apply(variables, x)),
        O(3),
        (equivariant_mlp.IN_REP,),
        equivariant_mlp.OUT_REP,
        (x,),
        key=jax.random.key(1),
    )
    assert error < 1e-4
