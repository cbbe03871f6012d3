"""Scales and signs: each where it holds, exactly, and where it must not be found."""

import flax.linen as nn
import jax.numpy as jnp
import pytest

from equijax.groups import GL, S
from equijax.weights import KINDS, Diagonal, Monomial, symmetry


def found(case, kinds=KINDS, **options):
    return symmetry(case.apply_fn, case.variables, *case.inputs, kinds=kinds, verify=False, **options)


# Activations, and the kinds that commute with each, of which units have one of each.
ACTIVATIONS = {
    "relu": (nn.relu, {"scale"}),
    "leaky relu": (nn.leaky_relu, {"scale"}),
    "maximum with zero": (lambda x: jnp.where(x > 0, x, 0), {"scale"}),
    "tanh": (nn.tanh, {"sign"}),
    "sine": (jnp.sin, {"sign"}),
    "cube": (lambda x: x**3, {"scale", "sign"}),
    "absolute value": (jnp.abs, {"scale", "sign"}),
    "x |x|": (lambda x: x * jnp.abs(x), {"scale", "sign"}),
    "gelu": (nn.gelu, set()),
    "exact gelu": (lambda x: nn.gelu(x, approximate=False), set()),
    "silu": (nn.silu, set()),
    "sigmoid": (nn.sigmoid, set()),
    "softplus": (nn.softplus, set()),
    "elu": (nn.elu, set()),
    "relu6": (lambda x: nn.relu6(9 * x), set()),
    "cosine plus relu": (lambda x: jnp.cos(x) + nn.relu(x), set()),
}
LIKE = {"cube": {"sign"}, "absolute value": {"scale"}, "x |x|": {"sign"}}
"""Activations that allow a kind in another way than ReLU or tanh: the power of the output is another."""


@pytest.mark.parametrize("name", ACTIVATIONS)
def test_activations(name, models, x64, change):
    activation, kinds = ACTIVATIONS[name]
    case = models.case(models.MLP(activation=activation), models.FEATURES)
    for kind in ("scale", "sign"):
        group = found(case, (kind,))
        assert [type(each.group) for each in group.groups] == [Diagonal] * (2 if kind in kinds else 0)
        assert not group.groups or change(group, case) < 1e-12
        # What ReLU, or tanh, allows is allowed here only if the activation is as homogeneous, or as odd.
        reference = models.MLP(activation={"scale": nn.relu, "sign": nn.tanh}[kind])
        other = change(found(models.case(reference, models.FEATURES), (kind,)), case)
        assert other < 1e-12 if kind in LIKE.get(name, kinds) else other > 1e-2


def test_permutations_and_scales_of_relu_are_monomial(models, changes, x64):
    case = models.CASES["cnn"]()
    group = found(case)
    assert [each.group for each in group.groups] == [Monomial(n, scales=1) for n in (4, 6, 5)]
    assert changes(group, case).max() < 1e-12


@pytest.mark.parametrize("name", ["resnet with batch norm", "densenet", "mobilenet", "mixer", "gru", "lstm"])
def test_everything_that_is_found_leaves_outputs_unchanged(name, models, changes, x64):
    case = models.CASES[name]()
    group = found(case)
    assert any(not isinstance(each.group, S) for each in group.groups)
    assert changes(group, case).max() < 1e-9


def test_recurrent_cells_have_signs(models):
    for name in ("lstm", "gru"):
        (neurons,) = found(models.CASES[name]()).groups
        assert neurons.group == Monomial(6, signs=1)


def test_scanned_layers_have_signs_each(models, changes, x64):
    case = models.CASES["scanned layers"]()
    group = found(case)
    assert [(each.group, each.over) for each in group.groups] == [(GL(5), ()), (Monomial(7, signs=1), (3,))]
    assert changes(group, case).max() < 1e-9
