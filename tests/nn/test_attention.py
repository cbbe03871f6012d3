"""Attention over neighbours."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from equijax import euclid, nn, sphere, testing
from equijax.groups import SE, E, Irreps, PermutationTensor, Point, S
from equijax.numerics import safe

SIGNAL = Irreps("0e+1o+2e")
PAIRS = tuple(index.astype(np.int32) for index in np.nonzero(~np.eye(4, dtype=bool)))
SMALL = dict(features=4, lmax=2, heads=2, hidden=8, radial_hidden=(8,))
H = np.random.default_rng(0).normal(size=(4, 3, 9)).astype(np.float32)
POSITIONS = np.random.default_rng(1).normal(size=(4, 3)).astype(np.float32)


def edges(positions, aligned=False, cutoff=3.0):
    """Arguments of all pairs of four points, and the envelope of each."""
    receivers, senders = PAIRS
    vectors = positions[senders] - positions[receivers]
    distance = safe.norm(vectors)
    envelope = euclid.polynomial_cutoff(distance, cutoff)
    radial = euclid.bessel_basis(distance, 5, cutoff) * envelope[:, None]
    directions = sphere.align(vectors, 2) if aligned else sphere.spherical_harmonics(2, vectors)
    return (radial, directions, senders, receivers), envelope


def initialised(module, h=H, aligned=False, dtype="float32"):
    arguments, _ = edges(jnp.asarray(POSITIONS), aligned)
    variables = jax.jit(module.init)(jax.random.key(0), jnp.asarray(h), *arguments)
    random = np.random.default_rng(0)
    return jax.tree.map(
        lambda leaf: (np.asarray(leaf) + 0.1 * random.normal(size=leaf.shape)).astype(dtype), variables
    )


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize(("aligned", "parity"), [(False, "even"), (True, "even"), (True, "all")])
def test_is_equivariant(aligned, parity, dtype):
    module = nn.GraphAttention(**SMALL, parity=parity)
    variables = initialised(module, aligned=aligned, dtype=dtype)

    def layer(h, x):
        arguments, envelope = edges(x, aligned)
        return module.apply(variables, jnp.swapaxes(h, 0, 1), *arguments, envelope=envelope).swapaxes(0, 1)

    testing.assert_equivariant(
        layer,
        S(4) * (E(3) if parity == "even" else SE(3)),
        in_reps=(PermutationTensor(1) @ SIGNAL, PermutationTensor(1) @ Point()),
        out_reps=PermutationTensor(1) @ SIGNAL,
        args=(H.swapaxes(0, 1), POSITIONS),
        dtype=dtype,
        rtol=1e-10 if dtype == "float64" else 1e-4,
        max_examples=20,
    )


class Layer(nn.GraphAttention):
    """Attention as a function of features and positions."""

    def __call__(self, h, x):
        arguments, envelope = edges(x)
        return super().__call__(h, *arguments, envelope=envelope)


class Broken(Layer):
    """The same with a component-wise activation after it."""

    def __call__(self, h, x):
        return jnp.tanh(super().__call__(h, x))


@pytest.mark.parametrize(("make", "ok"), [(Layer, True), (Broken, False)])
def test_audit_passes_and_finds_a_broken_one(make, ok):
    import flax.linen

    class Net(flax.linen.Module):
        """Features as the group's representations have them: channels first."""

        @flax.linen.compact
        def __call__(self, h, x):
            return make(**SMALL, name="attention")(h.swapaxes(0, 1), x).swapaxes(0, 1)

    arguments = jnp.asarray(H.swapaxes(0, 1)), jnp.asarray(POSITIONS)
    variables = Net().init(jax.random.key(0), *arguments)
    in_reps = (PermutationTensor(1) @ SIGNAL, PermutationTensor(1) @ Point())
    report = testing.audit(Net(), variables, S(4) * E(3), in_reps, *arguments, num_elements=1)
    assert report.ok == ok, str(report)
    assert (report.first_failure == "attention") != ok


def test_weights_sum_to_one_over_the_edges_of_each_node():
    logits = jax.random.normal(jax.random.key(0), (12, 3))
    _, envelope = edges(jnp.asarray(POSITIONS))
    weights = nn.attention_weights(logits, PAIRS[0], 4, envelope=envelope)
    np.testing.assert_allclose(jax.ops.segment_sum(weights, PAIRS[0], 4), 1, rtol=1e-5)
    expected = jnp.exp(logits) * envelope[:, None]
    total = jax.ops.segment_sum(expected, PAIRS[0], 4)[PAIRS[0]]
    np.testing.assert_allclose(weights, expected / total, rtol=1e-4)


def test_a_neighbor_leaves_smoothly(x64):
    module = nn.GraphAttention(**SMALL)
    variables = initialised(module, dtype="float64")

    @jax.jit
    def at(distance):
        last = jnp.array([0.0, 0, distance])
        arguments, envelope = edges(jnp.stack([jnp.zeros(3), *jnp.eye(3)[:2], last]))
        return module.apply(variables, H.astype(float), *arguments, envelope=envelope)[:3]

    there, gone = at(3.0 - 1e-4), at(3.0 + 1e-4)
    np.testing.assert_allclose(there, gone, atol=1e-9)
    assert np.abs(there - at(2.0)).max() > 1e-3


@pytest.mark.parametrize("aligned", [False, True])
def test_masked_edges_have_no_effect_whatever_they_hold(aligned):
    module = nn.GraphAttention(**SMALL)
    variables = initialised(module, aligned=aligned)
    (radial, directions, senders, receivers), envelope = edges(jnp.asarray(POSITIONS), aligned)
    plain = jax.jit(module.apply)(variables, H, radial, directions, senders, receivers, envelope=envelope)
    extended = [
        jax.tree.map(lambda leaf: jnp.concatenate([leaf, jnp.full_like(leaf[:5], jnp.nan)]), each)
        for each in (radial, directions, envelope)
    ]
    padding = np.zeros(5, np.int32)
    mask = np.arange(17) < 12

    def padded(h):
        return module.apply(
            variables,
            h,
            *extended[:2],
            np.concatenate([senders, padding]),
            np.concatenate([receivers, padding]),
            mask=mask,
            envelope=extended[2],
        )

    np.testing.assert_allclose(jax.jit(padded)(H), plain, atol=1e-5)
    assert np.isfinite(jax.jit(jax.grad(lambda h: padded(h).sum()))(H)).all()


@pytest.mark.parametrize("num_nodes", [1, 4])
def test_nodes_without_edges_get_zeros(num_nodes):
    module = nn.GraphAttention(**SMALL)
    nothing = jnp.zeros((0, 5)), jnp.zeros((0, 9)), jnp.zeros(0, int), jnp.zeros(0, int)
    y = module.apply(initialised(module), H[:num_nodes], *nothing)
    assert y.shape == (num_nodes, 4, 9)
    assert not y.any()


@pytest.mark.parametrize("aligned", [False, True])
def test_coincident_points_have_finite_derivatives(aligned):
    module = nn.GraphAttention(**SMALL)
    variables = initialised(module, aligned=aligned)

    def energy(x):
        arguments, envelope = edges(x, aligned)
        return jnp.sum(module.apply(variables, H, *arguments, envelope=envelope) ** 2)

    together = jnp.zeros((4, 3)).at[3, 1].set(1.0)
    forces, curvature = jax.jit(
        lambda x: jax.jvp(jax.grad(energy), (x,), (jnp.ones_like(x).at[0].set(2.0),))
    )(together)
    assert np.isfinite(forces).all()
    assert np.isfinite(curvature).all()


def test_short_formats_change_little():
    module = nn.GraphAttention(**SMALL)
    variables, (arguments, _) = initialised(module), edges(jnp.asarray(POSITIONS))
    exact, short = (
        nn.GraphAttention(**SMALL, matmul_dtype=dtype).apply(variables, H, *arguments)
        for dtype in (None, jnp.bfloat16)
    )
    assert 1e-5 < jnp.linalg.norm(short - exact) / jnp.linalg.norm(exact) < 3e-2


def test_vmap_and_scalar_inputs():
    module = nn.GraphAttention(**SMALL)
    scalars = H[..., :1]
    variables = initialised(module, scalars)
    arguments, _ = edges(jnp.asarray(POSITIONS))
    plain = module.apply(variables, scalars, *arguments)
    both = jax.jit(jax.vmap(lambda h: module.apply(variables, h, *arguments)))(
        np.stack([scalars, 0 * scalars])
    )
    np.testing.assert_allclose(both[0], plain, atol=1e-5)
    assert plain.shape == (4, 4, 9)
    assert np.abs(plain[..., 1:]).max() > 0


ARGUMENTS, ENVELOPE = edges(jnp.asarray(POSITIONS))
WRONG_CALLS = [
    (dict(features=5), (H, *ARGUMENTS), {}, ValueError, "features must be a multiple of heads=2, got 5"),
    (dict(heads=0), (H, *ARGUMENTS), {}, ValueError, "heads must be .*at least 1, got 0"),
    (dict(lmax=-1), (H, *ARGUMENTS), {}, ValueError, "lmax must be .*at least 0, got -1"),
    ({}, (H[0], *ARGUMENTS), {}, ValueError, r"features must have shape \(n, c, k\), got \(3, 9\)"),
    ({}, (H, ARGUMENTS[0], ARGUMENTS[1][:, :8], *PAIRS), {}, ValueError, "directions must .*got 8"),
    ({}, (H, ARGUMENTS[0], sphere.align(jnp.ones((12, 3)), 1), *PAIRS), {}, ValueError, "at least 2, got 1"),
    ({}, (H, *ARGUMENTS), dict(mask=jnp.ones(3, bool)), ValueError, r"mask must have .*e=12, got \(3,\)"),
    ({}, (H, *ARGUMENTS), dict(mask=jnp.ones(12)), TypeError, "mask must be a boolean array"),
    ({}, (H, *ARGUMENTS), dict(envelope=jnp.ones(3)), ValueError, r"envelope must have .*got \(3,\)"),
]


@pytest.mark.parametrize(("attributes", "arguments", "options", "error", "message"), WRONG_CALLS)
def test_wrong_calls_name_the_argument(attributes, arguments, options, error, message):
    with pytest.raises(error, match=message):
        nn.GraphAttention(**{**SMALL, **attributes}).init(jax.random.key(0), *arguments, **options)
