"""The audit finds planted bugs where they are, and stays silent on the correct twins."""

import dataclasses
from collections.abc import Callable

import flax.linen as nn
import jax
import jax.numpy as jnp
import pytest

import equijax as ej
from equijax.groups import SO, E, O, PermutationTensor, Point, S, Trivial, Vector

NODES, CHANNELS = 5, 4
RIGID = S(NODES) * E(3)
POSITIONS = PermutationTensor(1) @ Point()
FEATURES = CHANNELS * Trivial()
SCALARS = PermutationTensor(1) @ FEATURES


class Mix(nn.Module):
    """Mix the channels of vectors ``(..., channels, 3)``."""

    features: int
    use_bias: bool = False

    @nn.compact
    def __call__(self, v):
        init = nn.initializers.normal(0.5)
        w = self.param("kernel", init, (v.shape[-2], self.features))
        v = jnp.einsum("...cd,cf->...fd", v, w)
        return v + self.param("bias", init, (self.features, 1)) if self.use_bias else v


class Activation(nn.Module):
    """Scale each vector by a function of its length, or each component of it by its sign."""

    componentwise: bool = False

    def __call__(self, v):
        return nn.relu(v) if self.componentwise else v * nn.sigmoid(jnp.sum(v**2, -1, keepdims=True))


class Norm(nn.Module):
    """Normalise by the mean square length over channels, or each vector's components by themselves."""

    componentwise: bool = False

    @nn.compact
    def __call__(self, v):
        if self.componentwise:
            return nn.LayerNorm(name="layer_norm")(v)
        return v / jnp.sqrt(1e-3 + jnp.mean(jnp.sum(v**2, -1, keepdims=True), -2, keepdims=True))


class Block(nn.Module):
    """Mix, normalise, activate, with an optional bug."""

    bug: str = ""

    @nn.compact
    def __call__(self, v):
        v = v + Mix(CHANNELS, use_bias=self.bug == "bias", name="mix")(v)
        v = Norm(self.bug == "layer norm", name="norm")(v)
        if self.bug == "inline":
            v = nn.relu(v)
        v = Activation(self.bug == "relu", name="activation")(v)
        return Mix(CHANNELS, name="out")(v)


class VectorNet(nn.Module):
    """Two blocks on vectors, the second with the bug."""

    bug: str = ""

    @nn.compact
    def __call__(self, v):
        v = Mix(CHANNELS, name="embed")(v)
        v = Block(name="block_0")(v)
        v = Block(self.bug, name="block_1")(v)
        return nn.Dense(1, name="readout")(jnp.sum(v**2, -1))


class Encode(nn.Module):
    """Distances of all pairs, or of all points from the origin."""

    absolute: bool = False

    @nn.compact
    def __call__(self, x):
        d = x[..., :, None, :] - x[..., None, :, :]
        if self.absolute:
            d = d + x[..., :, None, :]
        return jnp.exp(-jnp.sum(d**2, -1) / jnp.arange(1, 5)[:, None, None])


class PointNet(nn.Module):
    """Invariants of a cloud, absolute positions among them or not."""

    bug: str = ""

    @nn.compact
    def __call__(self, x):
        if x.ndim > 2:
            x = x[..., None, :, :]
        h = Encode(self.bug == "absolute", name="encode")(x)
        h = nn.tanh(nn.Dense(6, name="dense")(jnp.sum(h, -1)[..., None]))
        return jnp.sum(nn.Dense(1, name="readout")(h), (-3, -2, -1))


class AddIndex(nn.Module):
    """Add something to node features ``(..., nodes, channels)``: the node's number, or a constant."""

    number: bool = False

    @nn.compact
    def __call__(self, h):
        w = self.param("kernel", nn.initializers.normal(1.0), (h.shape[-1],))
        return h + (w * jnp.arange(h.shape[-2])[:, None] if self.number else w)


class JoinIndex(nn.Module):
    """Join something to node features: the node's number, or a constant."""

    number: bool = False

    def __call__(self, h):
        index = jnp.arange(h.shape[-2]) if self.number else jnp.ones(h.shape[-2])
        index = jnp.broadcast_to(index[:, None].astype(h.dtype), (*h.shape[:-1], 1))
        return jnp.concatenate([h, index], -1)


class SetNet(nn.Module):
    """Deep sets with an optional bug."""

    bug: str = ""

    @nn.compact
    def __call__(self, h):
        h = nn.relu(nn.Dense(6, name="first")(h))
        h = AddIndex(self.bug == "add", name="add")(h)
        h = JoinIndex(self.bug == "join", name="join")(h)
        if self.bug == "inline":
            h = h * jnp.arange(1.0, 1 + NODES)[:, None]
        if self.bug == "mix":
            h = jnp.swapaxes(nn.Dense(NODES, name="across")(jnp.swapaxes(h, -1, -2)), -1, -2)
        h = nn.relu(nn.Dense(6, name="second")(h))
        return nn.Dense(1, name="readout")(jnp.sum(h, -2))


@dataclasses.dataclass(frozen=True)
class Case:
    net: Callable
    bug: str
    path: str
    group: ej.groups.Group
    reps: tuple
    shape: tuple[int, ...]


CASES = [
    Case(VectorNet, "bias", "block_1/mix", O(3), (Vector(),), (CHANNELS, 3)),
    Case(VectorNet, "relu", "block_1/activation", O(3), (Vector(),), (CHANNELS, 3)),
    Case(VectorNet, "layer norm", "block_1/norm/layer_norm", SO(3), (Vector(),), (CHANNELS, 3)),
    Case(VectorNet, "inline", "block_1", SO(3), (Vector(),), (CHANNELS, 3)),
    Case(PointNet, "absolute", "encode", RIGID, (POSITIONS,), (NODES, 3)),
    Case(SetNet, "add", "add", S(NODES) * SO(2), (SCALARS,), (NODES, CHANNELS)),
    Case(SetNet, "join", "join", S(NODES), (PermutationTensor(1) * FEATURES,), (NODES, CHANNELS)),
    Case(SetNet, "inline", "SetNet", S(NODES) * SO(2), (SCALARS,), (NODES, CHANNELS)),
    Case(SetNet, "mix", "across", S(NODES) * SO(2), (SCALARS,), (NODES, CHANNELS)),
]
NAMES = [f"{case.net.__name__} {case.bug}" for case in CASES]


def run(case: Case, bug: str, batch=(), dtype="float32", **options):
    """Audit a network with a bug or without."""
    x = jax.random.normal(jax.random.key(1), (*batch, *case.shape), dtype)
    module = case.net(bug)
    variables = jax.jit(module.init)(jax.random.key(2), x)
    return ej.testing.audit(module, variables, case.group, case.reps, x, **options)


@pytest.mark.parametrize("case", CASES, ids=NAMES)
def test_finds_the_planted_bug(case):
    report = run(case, case.bug)
    assert report.first_failure == case.path, str(report)
    assert not report.ok
    assert case.path in str(report)
    assert "✗ ← first" in str(report)


@pytest.mark.parametrize("case", CASES, ids=NAMES)
def test_is_silent_on_the_twin(case):
    report = run(case, "")
    assert report.first_failure is None, str(report)
    assert report.ok, str(report)


@pytest.mark.parametrize("case", CASES[:6], ids=NAMES[:6])
def test_finds_the_bug_in_a_batch(case):
    assert run(case, case.bug, batch=(3,)).first_failure == case.path
    report = run(case, "", batch=(3,))
    assert report.ok, str(report)


@pytest.mark.parametrize("case", CASES[:6:2], ids=NAMES[:6:2])
def test_double_precision_is_sharper(case, x64):
    report = run(case, case.bug, dtype="float64")
    assert report.first_failure == case.path, str(report)
    report = run(case, "", dtype="float64")
    assert report.ok, str(report)
    assert max(call.residual for call in report.calls) < 1e-8
