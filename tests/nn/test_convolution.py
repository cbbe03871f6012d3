"""Equivariant convolution over neighbours."""

import e3nn_jax
import jax
import jax.numpy as jnp
import numpy as np
import pytest

from equijax import euclid, nn, sphere, testing
from equijax.groups import SE, E, Irreps, PermutationTensor, Point, S
from equijax.numerics import safe

SIGNAL = Irreps("0e+1o+2e")
PAIRS = tuple(index.astype(np.int32) for index in np.nonzero(~np.eye(4, dtype=bool)))


def edges(positions, cutoff=3.0):
    """A radial basis and spherical harmonics of all pairs of four points."""
    receivers, senders = PAIRS
    vectors = positions[senders] - positions[receivers]
    distance = safe.norm(vectors)
    radial = euclid.bessel_basis(distance, 5, cutoff) * euclid.polynomial_cutoff(distance, cutoff)[:, None]
    return radial, sphere.spherical_harmonics(2, vectors), senders, receivers


def aligned_edges(positions, cutoff=3.0):
    """The same, with rotations instead of harmonics."""
    radial, _, senders, receivers = edges(positions, cutoff)
    return radial, sphere.align(positions[senders] - positions[receivers], 2), senders, receivers


def initialised(module, degree=2, dtype="float32", edges=edges):
    features = jnp.ones((4, 3, (degree + 1) ** 2))
    variables = jax.jit(module.init)(jax.random.key(0), features, *edges(jnp.asarray(np.eye(4, 3))))
    return jax.tree.map(lambda leaf: np.asarray(leaf, dtype), variables)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("degree", [0, 2])
def test_is_equivariant(degree, dtype):
    module = nn.GauntConvolution(lmax=2, hidden=(8,))
    variables = initialised(module, degree, dtype)
    signal = SIGNAL if degree else Irreps("0e")
    random = np.random.default_rng(0)
    testing.assert_equivariant(
        lambda h, x: jnp.swapaxes(module.apply(variables, jnp.swapaxes(h, 0, 1), *edges(x)), 0, 1),
        S(4) * E(3),
        in_reps=(PermutationTensor(1) @ signal, PermutationTensor(1) @ Point()),
        out_reps=PermutationTensor(1) @ SIGNAL,
        args=(random.normal(size=(3, 4, (degree + 1) ** 2)), random.normal(size=(4, 3))),
        dtype=dtype,
        max_examples=20,
    )


@pytest.mark.parametrize(("degree", "lmax"), [(0, 2), (0, 1), (0, 3), (2, 2), (1, 0)])
def test_is_the_sum_of_gaunt_products_of_filters_and_features(x64, degree, lmax):
    module = nn.GauntConvolution(lmax=lmax, hidden=(8,), normalization="integral")
    variables = initialised(module, degree, "float64")
    random = np.random.default_rng(0)
    h = random.normal(size=(4, 3, (degree + 1) ** 2))
    radial, harmonics, senders, receivers = edges(jnp.asarray(random.normal(size=(4, 3))))
    found = jax.jit(module.apply)(variables, h, radial, harmonics, senders, receivers)
    network = nn.RadialMLP((8, 9))
    weights = network.apply({"params": variables["params"]["radial"]}, radial).reshape(-1, 3, 3)
    filters = sphere.per_degree(weights, harmonics[:, None])
    messages = sphere.gaunt_product(filters, h[senders], lmax, method="direct")
    # A constant function is its coefficient times 1/√4π; the module leaves that number to the weights.
    if degree == 0 and lmax <= 2:
        messages = messages * np.sqrt(4 * np.pi)
    np.testing.assert_allclose(found, jax.ops.segment_sum(messages, receivers, 4), atol=1e-11)


@pytest.mark.parametrize("degree", [0, 2])
def test_component_normalisation_gives_unit_variance(degree):
    # One message a node; radial weights of unit variance come from a radial network without hidden layers.
    keys = jax.random.split(jax.random.key(0), 3)
    h = jax.random.normal(keys[0], (4000, 8, (degree + 1) ** 2))
    harmonics = sphere.spherical_harmonics(2, jax.random.normal(keys[1], (4000, 3)))
    radial = jax.random.normal(keys[2], (4000, 6))
    node = jnp.arange(4000)
    module = nn.GauntConvolution(lmax=2, hidden=())
    y = jax.jit(lambda *a: module.init_with_output(jax.random.key(3), *a)[0])(
        h, radial, harmonics, node, node
    )
    for l in range(3):
        np.testing.assert_allclose(jnp.mean(y[..., l * l : (l + 1) ** 2] ** 2), 1, rtol=0.4)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("parity", ["even", "all"])
def test_aligned_is_equivariant(parity, dtype):
    module = nn.AlignedConvolution(lmax=2, hidden=(8,), parity=parity)
    variables = initialised(module, 2, dtype, aligned_edges)
    random = np.random.default_rng(0)
    testing.assert_equivariant(
        lambda h, x: module.apply(variables, h.swapaxes(0, 1), *aligned_edges(x)).swapaxes(0, 1),
        S(4) * (E(3) if parity == "even" else SE(3)),
        in_reps=(PermutationTensor(1) @ SIGNAL, PermutationTensor(1) @ Point()),
        out_reps=PermutationTensor(1) @ SIGNAL,
        args=(random.normal(size=(3, 4, 9)), random.normal(size=(4, 3))),
        dtype=dtype,
        rtol=1e-10 if dtype == "float64" else 1e-4,
        max_examples=20,
    )


def test_aligned_is_the_sum_of_convolutions_of_paths(x64):
    module = nn.AlignedConvolution(lmax=1, filter_lmax=2, hidden=(8,), parity="all", normalization="integral")
    variables = initialised(module, 2, "float64", aligned_edges)
    h = np.random.default_rng(0).normal(size=(4, 3, 9))
    radial, alignment, senders, receivers = aligned_edges(np.random.default_rng(1).normal(size=(4, 3)))
    found = jax.jit(module.apply)(variables, h, radial, alignment, senders, receivers)
    paths = len(sphere.convolution_paths(2, 2, 1, parity="all"))
    network = nn.RadialMLP((8, 3 * paths))
    weights = network.apply({"params": variables["params"]["radial"]}, radial).reshape(-1, 3, paths)
    messages = sphere.path_convolution(h[senders], alignment, 1, filter_lmax=2, weights=weights, parity="all")
    np.testing.assert_allclose(found, jax.ops.segment_sum(messages, receivers, 4), atol=1e-12)
    assert np.abs(found).max() > 0.01


def test_aligned_jit_and_second_derivatives_are_finite_at_coincident_points():
    module = nn.AlignedConvolution(lmax=2, hidden=(8,), parity="all")
    variables = initialised(module, edges=aligned_edges)

    def energy(x):
        return jnp.sum(module.apply(variables, jnp.ones((4, 3, 9)), *aligned_edges(x)) ** 2)

    second = jax.jit(lambda x: jax.jvp(jax.grad(energy), (x,), (jnp.eye(4, 3),)))(jnp.zeros((4, 3)))
    assert all(np.isfinite(part).all() for part in second)


def test_takes_irreps_and_keeps_parities_apart():
    module = nn.GauntConvolution(lmax=2, hidden=(8,))
    radial, harmonics, senders, receivers = edges(jnp.asarray(np.eye(4, 3)))
    x = e3nn_jax.normal("2x0e+2x1o+2x0o+2x1e", jax.random.key(0), (4,))
    arguments = radial, e3nn_jax.IrrepsArray("0e+1o+2e", harmonics), senders, receivers
    y, variables = module.init_with_output(jax.random.key(1), x, *arguments)
    assert y.irreps.regroup() == e3nn_jax.Irreps("2x0e+2x1o+2x2e+2x0o+2x1e+2x2o").regroup()
    signals = sphere.signals_from_irreps(x)
    stacked = jnp.concatenate([signals.natural, signals.pseudo], axis=1)
    expected = module.apply(variables, stacked, radial, harmonics, senders, receivers)
    found = sphere.signals_from_irreps(y)
    np.testing.assert_allclose(found.natural, expected[:, :2], atol=1e-6)
    np.testing.assert_allclose(found.pseudo, expected[:, 2:], atol=1e-6)


def test_edges_at_the_cutoff_send_nothing():
    module = nn.GauntConvolution(lmax=2)
    variables = initialised(module)
    h = jax.random.normal(jax.random.key(0), (4, 3, 9))
    far = jnp.asarray(np.outer([0.0, 3.0, 6.0, 9.0], [0.0, 1.0, 0.0]))
    assert not module.apply(variables, h, *edges(far)).any()


def test_no_edges_give_zeros_of_the_right_shape():
    module = nn.GauntConvolution(lmax=2)
    variables = initialised(module)
    nothing = jnp.zeros((0, 5)), jnp.zeros((0, 9)), jnp.zeros(0, int), jnp.zeros(0, int)
    y = module.apply(variables, jnp.ones((4, 3, 9)), *nothing)
    assert y.shape == (4, 3, 9)
    assert not y.any()


def test_kinds_of_edges_have_radial_functions_of_their_own():
    module = nn.GauntConvolution(lmax=1, num_kinds=2)
    h = jnp.ones((4, 3, 1))
    arguments = edges(jnp.asarray(np.eye(4, 3)))
    kind = jnp.zeros(12, int)
    y, variables = module.init_with_output(jax.random.key(0), h, *arguments, kind)
    assert np.abs(module.apply(variables, h, *arguments, kind + 1) - y).max() > 1e-3


def test_jit_and_grad_are_finite_at_coincident_points():
    module = nn.GauntConvolution(lmax=2, hidden=(8,))
    variables = initialised(module)
    h = jnp.ones((4, 3, 9))
    gradient = jax.jit(jax.grad(lambda x: module.apply(variables, h, *edges(x)).sum()))
    assert np.isfinite(gradient(jnp.zeros((4, 3)))).all()


H = jnp.ones((4, 3, 9))
EDGES = (jnp.ones((6, 5)), jnp.ones((6, 9)), jnp.zeros(6, int), jnp.ones(6, int))


def swapped(place, value):
    return (*EDGES[:place], value, *EDGES[place + 1 :])


WRONG_CALLS = [
    ((H[0], *EDGES), ValueError, r"features must have shape \(n, c, k\), got \(3, 9\)"),
    ((H.astype(int), *EDGES), TypeError, "features must be .*got dtype int32"),
    ((H[..., :5], *EDGES), ValueError, "features must have .*got 5"),
    ((H, *swapped(0, jnp.ones((5, 5)))), ValueError, r"radial must have .*e=6, got \(5, 5\)"),
    ((H, *swapped(1, jnp.ones((5, 9)))), ValueError, r"harmonics must have .*e=6, got \(5, 9\)"),
    ((H, *swapped(1, jnp.ones((6, 8)))), ValueError, r"harmonics must have \(lmax \+ 1\)² entries .*got 8"),
    ((H, *swapped(2, jnp.zeros(6))), TypeError, "senders must be an integer array, got dtype float32"),
    ((H, *swapped(3, jnp.zeros(5, int))), ValueError, r"receivers must have shape \(e\), e=6, got \(5,\)"),
    (
        (H, *EDGES, jnp.zeros(6, int)),
        ValueError,
        "kind must be given if and only if num_kinds is not 0, got 0",
    ),
]


@pytest.mark.parametrize(("arguments", "error", "message"), WRONG_CALLS)
def test_wrong_calls_name_the_argument(arguments, error, message):
    with pytest.raises(error, match=message):
        nn.GauntConvolution(lmax=2).init(jax.random.key(0), *arguments)


def test_largest_degree_must_not_be_negative():
    with pytest.raises(ValueError, match="lmax must be a number of at least 0, got -1"):
        nn.GauntConvolution(lmax=-1).init(jax.random.key(0), H, *EDGES)


def test_unknown_options_are_refused():
    with pytest.raises(ValueError, match=r"normalization must be one of .*got 'norm'"):
        nn.GauntConvolution(lmax=2, normalization="norm").init(jax.random.key(0), H, *EDGES)
    aligned = (H, EDGES[0], sphere.align(jnp.ones((6, 3)), 2), *EDGES[2:])
    with pytest.raises(ValueError, match=r"parity must be one of .*got 'both'"):
        nn.AlignedConvolution(lmax=2, parity="both").init(jax.random.key(0), *aligned)
    with pytest.raises(ValueError, match="alignment must have degrees up to at least 3, got 2"):
        nn.AlignedConvolution(lmax=3).init(jax.random.key(0), *aligned)
    with pytest.raises(TypeError, match="alignment must be a Alignment"):
        nn.AlignedConvolution(lmax=2).init(jax.random.key(0), H, *EDGES)
