"""The audit of modules of every make: in setup style, lifted, with pytrees, integers, repeated calls."""

import e3nn_jax as e3nn
import flax.linen as nn
import jax
import jax.numpy as jnp
import jraph
import pytest

import equijax as ej
from equijax.groups import SE, SO, Cyclic, E, Irreps, O, PermutationTensor, Point, Regular, S, Trivial, Vector

NODES, CHANNELS = 5, 4
RIGID = S(NODES) * E(3)
POSITIONS = PermutationTensor(1) @ Point()


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


class Structured(nn.Module):
    """Made in ``setup``; takes species and a topology, calls a child twice, returns all sorts of pytrees."""

    bug: str = ""

    def setup(self):
        self.embed = nn.Embed(3, CHANNELS)
        self.mixes = [Mix(CHANNELS), Mix(CHANNELS, use_bias=self.bug == "list")]
        self.twice = Mix(CHANNELS)
        self.collect = Collect(self.bug == "collect")
        self.update = Update(self.bug == "graph")

    def __call__(self, vectors, species, senders, receivers):
        h = self.embed(species)
        v = h[:, :, None] * vectors[:, None, :]
        for mix in self.mixes:
            v = mix(v)
        v = self.twice(v)
        if self.bug == "between":
            v = jnp.abs(v)
        v = self.twice(v)
        graph = jraph.GraphsTuple(
            v, None, receivers, senders, None, jnp.array([len(v)]), jnp.array([len(senders)])
        )
        return self.collect(self.update(graph).nodes)

    def encode(self, vectors, species):
        return self.mixes[1](self.embed(species)[:, :, None] * vectors[:, None, :])


class Update(nn.Module):
    """A graph in, a graph out."""

    broken: bool = False

    def __call__(self, graph):
        messages = graph.nodes[graph.senders]
        messages = jnp.tanh(messages) if self.broken else messages * jnp.sum(messages**2, -1, keepdims=True)
        nodes = graph.nodes + jax.ops.segment_sum(messages, graph.receivers, len(graph.nodes))
        return graph._replace(nodes=nodes, edges=messages)


class Collect(nn.Module):
    """A dictionary with an IrrepsArray, a tuple, and integers."""

    broken: bool = False

    @nn.compact
    def __call__(self, v):
        scalars = jnp.sum(v**2, -1)
        both = e3nn.concatenate(
            [e3nn.IrrepsArray(f"{CHANNELS}x0e", scalars), e3nn.IrrepsArray("1o", v[:, 0])]
        )
        both = e3nn.IrrepsArray(both.irreps, both.array + 1.0) if self.broken else both
        return {"irreps": both, "pair": (scalars, [v]), "argmax": jnp.argmax(scalars, -1)}


@pytest.mark.parametrize(
    ("bug", "path"),
    [("", None), ("list", "mixes_1"), ("between", "Structured"), ("graph", "update"), ("collect", "collect")],
)
def test_pytrees_setup_and_integer_arguments(bug, path):
    vectors = jax.random.normal(jax.random.key(0), (NODES, 3))
    args = (vectors, jnp.array([0, 1, 2, 1, 0]), jnp.array([0, 1, 2, 3]), jnp.array([1, 2, 3, 4]))
    module = Structured(bug)
    variables = jax.jit(module.init)(jax.random.key(1), *args)
    reps = (Vector(), Trivial(), Trivial(), Trivial())
    report = ej.testing.audit(module, variables, O(3), reps, *args)
    assert report.first_failure == path, str(report)
    assert {
        "twice",
        "twice (call 2)",
        "collect['irreps']",
        "collect['pair'][1][0]",
        "update.edges",
    } <= {call.name for call in report.calls}
    assert report.inside == (bug == "between")


def test_other_methods_and_keyword_arguments():
    class Dropped(nn.Module):
        @nn.compact
        def __call__(self, v, train):
            return nn.Dropout(0.5, deterministic=not train)(Mix(CHANNELS)(v))

    vectors = jax.random.normal(jax.random.key(0), (NODES, 3))
    args = (vectors, jnp.array([0, 1, 2, 1, 0]))
    module = Structured("list")
    variables = module.init(jax.random.key(1), *args, method="encode")
    reps = (Vector(), Trivial())
    report = ej.testing.audit(module, variables, SO(3), reps, *args, method="encode")
    assert report.first_failure == "mixes_1"
    assert report.calls[-1].name == "Structured.encode"
    by_function = ej.testing.audit(
        module, variables, SO(3), reps, *args, method=lambda m, v, s: m.encode(v, s)
    )
    assert by_function.first_failure == "mixes_1"

    x = jax.random.normal(jax.random.key(0), (CHANNELS, 3))
    variables = Dropped().init(jax.random.key(1), x, train=False)
    assert ej.testing.audit(Dropped(), variables, SO(3), (Vector(),), x, kwargs={"train": False}).ok
    noisy = {"kwargs": {"train": True}, "rngs": {"dropout": jax.random.key(3)}}
    assert ej.testing.audit(Dropped(), variables, SO(3), (Vector(),), x, **noisy).first_failure == "Dropout_0"


@pytest.mark.parametrize("broken", [False, True])
def test_lifted_transformations(broken):
    class Layer(nn.Module):
        @nn.compact
        def __call__(self, v, _):
            return nn.remat(Activation)(broken, name="activation")(Mix(CHANNELS, name="mix")(v)), None

    class Scanned(nn.Module):
        @nn.compact
        def __call__(self, v):
            axes = {"params": 0, "intermediates": 0}
            scan = nn.scan(Layer, variable_axes=axes, split_rngs={"params": True}, length=2)
            return scan(name="layers")(v, None)[0]

    x = jax.random.normal(jax.random.key(0), (CHANNELS, 3))
    variables = jax.jit(Scanned().init)(jax.random.key(1), x)
    report = ej.testing.audit(Scanned(), variables, SO(3), (Vector(),), x)
    assert (report.first_failure is None) is not broken
    assert not broken or report.failure.name == "layers/activation", str(report)
    assert [call.number for call in report.calls if call.path == "layers/mix"] == [0, 1]
    assert report.calls[-1].shape == (CHANNELS, 3)


@pytest.mark.parametrize("broken", [False, True])
def test_a_scan_that_drops_intermediates_is_named_as_not_seen(broken):
    class Layer(nn.Module):
        @nn.compact
        def __call__(self, v, _):
            return Activation(broken, name="activation")(v), None

    class Scanned(nn.Module):
        @nn.compact
        def __call__(self, v):
            return nn.scan(Layer, variable_axes={"params": 0}, length=2)(name="layers")(v, None)[0]

    x = jax.random.normal(jax.random.key(0), (CHANNELS, 3))
    report = ej.testing.audit(Scanned(), {}, SO(3), (Vector(),), x)
    assert report.first_failure == ("Scanned" if broken else None)
    assert report.unseen == ("layers/activation", "layers")
    assert "not seen: layers/activation, layers (a lifted" in str(report)


class Scalar(nn.Module):
    """One number of a cloud of points, by the module's own operations."""

    kind: str

    def __call__(self, x):
        pairs = jnp.sum((x[:, None] - x[None]) ** 2, -1)
        extra = {
            "none": 0.0,
            "absolute": jnp.sum(x**2),
            "index": jnp.sum(jnp.exp(-pairs) * jnp.arange(len(x))),
            "parity": jnp.linalg.det(x[1:4] - x[0]) ** 3,
        }
        return jnp.sum(jnp.exp(-pairs)) + extra[self.kind]


@pytest.mark.parametrize(("kind", "path"), [("none", None), ("absolute", "Scalar"), ("index", "Scalar")])
def test_a_scalar_output_is_decided(kind, path):
    x = jax.random.normal(jax.random.key(0), (NODES, 3))
    assert ej.testing.audit(Scalar(kind), {}, RIGID, (POSITIONS,), x).first_failure == path


def test_a_scalar_that_changes_under_reflections_only():
    x = jax.random.normal(jax.random.key(0), (NODES, 3))
    assert ej.testing.audit(Scalar("parity"), {}, E(3), (Point(),), x).first_failure == "Scalar"
    assert ej.testing.audit(Scalar("parity"), {}, SE(3), (Point(),), x).ok


def test_running_averages_may_be_updated():
    class Normed(nn.Module):
        @nn.compact
        def __call__(self, v):
            return v * nn.BatchNorm(use_running_average=False, name="norm")(jnp.sum(v**2, -1))[..., None]

    x = jax.random.normal(jax.random.key(0), (NODES, CHANNELS, 3))
    variables = Normed().init(jax.random.key(1), x)
    report = ej.testing.audit(Normed(), variables, SO(3), (Vector(),), x)
    assert report.ok, str(report)


def test_positions_between_layers():
    class Move(nn.Module):
        @nn.compact
        def __call__(self, x):
            d = x[:, None] - x[None]
            return x + jnp.mean(d * nn.tanh(nn.Dense(1)(jnp.sum(d**2, -1, keepdims=True))), 1)

    class Moving(nn.Module):
        @nn.compact
        def __call__(self, x):
            x = Move(name="first")(x)
            x = Move(name="second")(x)
            return jnp.sum((x[:, None] - x[None]) ** 2)

    x = jax.random.normal(jax.random.key(0), (NODES, 3))
    variables = jax.jit(Moving().init)(jax.random.key(1), x)
    report = ej.testing.audit(Moving(), variables, RIGID, (POSITIONS,), x)
    assert report.first_failure == "first"
    assert report.failure.relations["E(3) shifts"] == "shifted"
    assert "points=True" in str(report)
    assert ej.testing.audit(Moving(), variables, RIGID, (POSITIONS,), x, points=True).ok


def test_biases_that_are_zero_at_initialisation():
    x = jax.random.normal(jax.random.key(0), (CHANNELS, 3))
    module = nn.Dense(3)
    variables = {"params": {"kernel": jnp.eye(3), "bias": jnp.zeros(3)}}
    report = ej.testing.audit(module, variables, SO(3), (Vector(),), x)
    assert report.first_failure == "Dense"
    assert report.perturbed == ("bias",)
    assert ej.testing.audit(module, variables, SO(3), (Vector(),), x, perturb_zeros=False).ok


def test_irreps_arguments_and_finite_groups():
    class Linear(nn.Module):
        @nn.compact
        def __call__(self, x):
            return e3nn.flax.Linear("4x0e + 3x1o + 2x2e", name="linear")(x)

    irreps = "2x0e + 2x1o + 2x2e"
    x = e3nn.normal(irreps, jax.random.key(0), (NODES,))
    variables = jax.jit(Linear().init)(jax.random.key(1), x)
    report = ej.testing.audit(Linear(), variables, RIGID, (PermutationTensor(1) @ Irreps(irreps),), x)
    assert report.ok, str(report)

    class Convolution(nn.Module):
        def __call__(self, x):
            return nn.relu(x + 0.5 * jnp.roll(x, 1, -1) - 0.2)

    x = jax.random.normal(jax.random.key(0), (NODES, 8))
    report = ej.testing.audit(Convolution(), {}, Cyclic(8), (Regular(),), x)
    assert report.ok, str(report)
    assert report.calls[0].relations == {"Cyclic(8)": "permuted"}
    assert (
        ej.testing.audit(nn.Dense(8), nn.Dense(8).init(jax.random.key(0), x), Cyclic(8), (Regular(),), x).ok
        is False
    )


def test_errors_name_the_argument():
    x = jnp.ones((CHANNELS, 3))
    variables = Mix(2).init(jax.random.key(0), x)
    with pytest.raises(TypeError, match="group must be a Group"):
        ej.testing.audit(Mix(2), variables, 3, (Vector(),), x)
    with pytest.raises(ValueError, match=r"args\[0\] must have shape \(..., 2\)"):
        ej.testing.audit(Mix(2), variables, SO(2), (Vector(),), x)
    with pytest.raises(ValueError, match="num_samples must be a number of at least 8, got 3"):
        ej.testing.audit(Mix(2), variables, SO(3), (Vector(),), x, num_samples=3)
    with pytest.raises(ValueError, match="args must hold a floating array"):
        ej.testing.audit(Mix(2), variables, SO(3), (Trivial(),), x)
    with pytest.raises(TypeError, match="variables must be a mapping"):
        ej.testing.audit(Mix(2), None, SO(3), (Vector(),), x)
    with pytest.raises(TypeError, match=r"variables must be .* got 'kernel', which is no collection"):
        ej.testing.audit(Mix(2), variables["params"], SO(3), (Vector(),), x)
    with pytest.raises(TypeError, match="module must be a Module, got the class Mix"):
        ej.testing.audit(Mix, variables, SO(3), (Vector(),), x)
    with pytest.raises(ValueError, match="method must be a method of Mix, got 'nope'"):
        ej.testing.audit(Mix(2), variables, SO(3), (Vector(),), x, method="nope")
    with pytest.raises(TypeError, match=r"key must be a random key .* got 1"):
        ej.testing.audit(Mix(2), variables, SO(3), (Vector(),), x, key=1)
    with pytest.raises(ValueError, match="rtol must be a number above 0"):
        ej.testing.audit(Mix(2), variables, SO(3), (Vector(),), x, rtol=0)
