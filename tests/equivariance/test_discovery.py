"""Verdicts on functions and on weights with known symmetries."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from equijax.equivariance import discover, projector
from equijax.groups import SL, SO, MatrixGroup, PermutationTensor, S, Scaling, Trivial, Vector

V, T = Vector(), Trivial()
ABOUT_Z = MatrixGroup("about_z", algebra=[[[0, -1, 0], [1, 0, 0], [0, 0, 0]]])
GROUPS = (SO(3), ABOUT_Z, Scaling(3))


@pytest.fixture(scope="module")
def inputs():
    return jax.random.normal(jax.random.key(0), (128, 3))


def verdicts(f, x, groups=GROUPS, **options):
    return discover(f, groups, in_reps=(V,), out_reps=T, args=(x,), **options)


def test_functions_with_known_symmetries(inputs):
    found = verdicts(lambda x: jnp.sum(x**2, axis=-1) / 6**0.5 + 0.2 * x[..., 2], inputs)
    assert [each.verdict for each in found.findings] == ["approximate", "exact", "absent"]
    turned = found[SO(3)]
    assert turned.low < 0.2 / 1.04**0.5 < turned.high
    assert turned.error < turned.controls["unrelated"]
    assert set(turned.controls) == {"constant", "linear", "unrelated"}
    text = str(found)
    for word in (
        "1 function at 128 inputs",
        "bootstrap",
        "about_z",
        "exact",
        "0.0001",
        "float32",
        "constant",
    ):
        assert word in text


def test_a_function_without_symmetry_and_one_with_all(inputs):
    nothing = verdicts(lambda x: jnp.sin(7 * x[..., 0] + x[..., 1] * x[..., 2]), inputs)
    assert [each.verdict for each in nothing.findings] == ["absent"] * 3
    constant = verdicts(lambda x: jnp.full(len(x), 3.0), inputs)
    assert [each.verdict for each in constant.findings] == ["exact"] * 3


def test_double_precision_asks_for_more(inputs, x64):
    x = jnp.asarray(np.asarray(inputs), jnp.float64)
    exact = verdicts(lambda x: jnp.linalg.norm(x, axis=-1), x, GROUPS[:1])
    nearly = verdicts(lambda x: jnp.linalg.norm(x, axis=-1) + 1e-6 * x[..., 0], x, GROUPS[:1])
    assert (exact.dtype, exact.exact) == ("float64", 1e-9)
    assert (exact.findings[0].verdict, nearly.findings[0].verdict) == ("exact", "approximate")
    by_hand = verdicts(lambda x: jnp.linalg.norm(x, axis=-1) + 1e-6 * x[..., 0], x, GROUPS[:1], exact=1e-3)
    assert by_hand.findings[0].verdict == "exact"


def test_several_functions_have_an_interval_over_them(inputs):
    def field(strength):
        return lambda x: jnp.sum(x**2, axis=-1) / 6**0.5 + strength * x[..., 2]

    found = verdicts([field(strength) for strength in (0.1, 0.15, 0.2)], inputs, GROUPS[:2])
    assert found[SO(3)].low < 0.1 < found[SO(3)].level < 0.2 < found[SO(3)].high
    assert "over functions" in str(found)
    assert found[ABOUT_Z].verdict == "exact"


def test_weights_with_known_symmetries():
    reps = (2 * V, V * V)
    draws = [np.random.default_rng(seed).normal(size=(9, 6)) for seed in range(6)]
    space = projector(ABOUT_Z, *reps)

    def weights(matrix, eps):
        own, rest = space.project(matrix), space.residual(matrix)
        scaled = own / np.linalg.norm(own) + eps * rest / np.linalg.norm(rest)
        return {"layer": {"kernel": jnp.asarray(scaled, jnp.float32).T, "bias": jnp.zeros(9)}}

    options = {"groups": (ABOUT_Z, SO(3), SL(3)), "layer_reps": {"layer": reps}}
    exact = discover(weights(draws[0], 0.0), **options)
    assert [each.verdict for each in exact.findings] == ["exact", "absent", "absent"]
    assert exact[ABOUT_Z].low == exact[ABOUT_Z].high
    several = discover([weights(each, 0.1) for each in draws[1:]], **options)
    nearly = several[ABOUT_Z]
    assert nearly.verdict == "approximate"
    # Of norm one there are 10 directions of 54 left: a residual of 0.1 is 0.1 / sqrt(1 - dim/54) of random's.
    expected = 0.1 / np.sqrt(1.01) / np.sqrt(1 - space.dim / 54)
    assert nearly.level == pytest.approx(expected, rel=1e-3)
    assert nearly.error == pytest.approx(0.1 / np.sqrt(1.01), rel=1e-3)
    assert several[SO(3)].verdict == "absent"
    assert "5 networks" in str(several)
    assert "random weights" in str(several)


def test_signatures_that_depend_on_the_group():
    def rep(group):
        return PermutationTensor(1) if isinstance(group, S) else V

    x = jax.random.normal(jax.random.key(0), (64, 3))
    found = discover(
        lambda x: jnp.tanh(x), (S(3), SO(3)), in_reps=lambda group: (rep(group),), out_reps=rep, args=(x,)
    )
    assert found[S(3)].verdict == "exact"
    assert found[SO(3)].verdict == "approximate"


X = jnp.ones((4, 3))
FUNCTION = {"in_reps": (V,), "out_reps": T, "args": (X,)}
WRONG = [
    ((jnp.sum, SO(3)), FUNCTION, TypeError, "groups must be a sequence of groups"),
    ((jnp.sum, GROUPS), {**FUNCTION, "args": None}, TypeError, "args must be given for a function"),
    ((jnp.sum, GROUPS), {**FUNCTION, "args": X}, TypeError, "args must be a tuple"),
    ((jnp.sum, GROUPS), {**FUNCTION, "layer_reps": {}}, TypeError, "layer_reps must be None for a function"),
    (({"w": X}, GROUPS), {}, TypeError, "layer_reps must be given for a mapping of weights"),
    (({"w": X}, GROUPS), {"layer_reps": {"w": (V, V)}, "args": (X,)}, TypeError, "args must be None for"),
    ((3, GROUPS), {}, TypeError, r"subject must be a function, .*, got \['int'\]"),
    (([], GROUPS), {}, ValueError, "subject must be at least one"),
    ((jnp.sum, GROUPS), {**FUNCTION, "confidence": 95}, ValueError, "confidence must be between 0 and 1"),
    ((jnp.sum, GROUPS), {**FUNCTION, "exact": -1.0}, ValueError, "exact must be a number above 0"),
    ((jnp.sum, GROUPS), {**FUNCTION, "num_elements": 0}, ValueError, "num_elements must be a number of at"),
    ((jnp.sum, GROUPS), {**FUNCTION, "key": 0}, TypeError, "key must be a random key"),
]


@pytest.mark.parametrize(("arguments", "options", "error", "message"), WRONG)
def test_wrong_calls_name_the_argument(arguments, options, error, message):
    with pytest.raises(error, match=message):
        discover(*arguments, **options)


def test_an_unknown_group_is_no_finding(inputs):
    with pytest.raises(KeyError, match=r"no finding of SL\(3\)"):
        verdicts(lambda x: x[..., 0], inputs, GROUPS[:1])[SL(3)]
