"""Scales and signs: each where it holds, exactly, and where it must not be found."""

import flax.linen as nn
import jax
import jax.numpy as jnp
import numpy as np
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


X = np.random.default_rng(0).normal(size=2)
W = {
    "in": np.random.default_rng(1).normal(size=(2, 4, 6)),
    "out": np.random.default_rng(2).normal(size=(6, 3)),
}
ROWS = np.array([0, 3, 7])

# How rows of a hidden array are read or written, and whether its neurons may be scaled.
ROUTES = {
    "rows read": (lambda h: h[ROWS], True),
    "rows filled with nothing": (lambda h: h.at[ROWS].get(mode="fill", fill_value=0.0), True),
    "rows filled with a number": (lambda h: h.at[ROWS].get(mode="fill", fill_value=2.0), False),
    "rows added": (lambda h: jnp.zeros((5, 6)).at[ROWS].add(h[:3]), True),
    "rows added to others": (lambda h: jnp.ones((5, 6)).at[ROWS].add(h[:3]), False),
    "rows overwritten": (lambda h: h.at[ROWS].set(2 * h[:3]), True),
    "rows overwritten by a number": (lambda h: h.at[ROWS].set(1.0), False),
    "a function applied": (lambda h: h.at[ROWS].apply(jnp.exp), False),
    "rounded": (lambda h: h.astype(int).astype(float), False),
    "a matrix to a power": (lambda h: (jnp.abs(h) + 0.0) ** 0.5, True),
    "clipped": (lambda h: jnp.clip(h, -0.1, 0.1), False),
    "padded with zeros": (lambda h: jnp.pad(h, ((1, 1), (0, 0))), True),
    "padded with ones": (lambda h: jnp.pad(h, ((1, 1), (0, 0)), constant_values=1.0), False),
    "pooled": (lambda h: nn.max_pool(h[None, :, :], (2,), (2,))[0], True),
    "the running maximum": (lambda h: jax.lax.cummax(h, axis=0), True),
    "the largest": (lambda h: jnp.where(h == h.max(axis=0), h, 0.0), True),
    "where positive": (lambda h: jnp.where(h > 0.1, h, 0.0), False),
    "masked for good": (lambda h: jnp.where(h > 0, h, -jnp.inf).max(axis=0), True),
    "normalised": (lambda h: h / jnp.sqrt(jnp.mean(h**2, axis=0)), True),
    "normalised safely": (lambda h: h / jnp.sqrt(jnp.mean(h**2, axis=0) + 1e-2), False),
    "standardised over neurons": (lambda h: nn.standardize(h), False),
}


@pytest.mark.parametrize("name", ROUTES)
def test_operations_that_keep_scales(name, x64):
    route, holds = ROUTES[name]

    def model(w, x):
        h = nn.relu(jnp.einsum("i,itf->tf", x, w["in"]))
        return (route(h) @ w["out"]).sum(0) if route(h).ndim > 1 else route(h) @ w["out"]

    group = symmetry(model, W, X, kinds=("scale",))
    # Where only the direction of a norm is left, the scale of the input stands alone.
    assert [each.size for each in group.groups] == ([6] if holds else [])
    assert group.verification.holds
