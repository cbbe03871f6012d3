"""Equivariant convolution over neighbours."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from equijax import euclid, nn, sphere, testing
from equijax.groups import E, Irreps, PermutationTensor, Point, S
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


def initialised(module, degree=2, dtype="float32"):
    features = jnp.ones((4, 3, (degree + 1) ** 2))
    variables = module.init(jax.random.key(0), features, *edges(jnp.asarray(np.eye(4, 3))))
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
    module = nn.GauntConvolution(lmax=lmax, hidden=(8,))
    variables = initialised(module, degree, "float64")
    random = np.random.default_rng(0)
    h = random.normal(size=(4, 3, (degree + 1) ** 2))
    radial, harmonics, senders, receivers = edges(jnp.asarray(random.normal(size=(4, 3))))
    found = module.apply(variables, h, radial, harmonics, senders, receivers)
    network = nn.RadialMLP((8, 9))
    weights = network.apply({"params": variables["params"]["radial"]}, radial).reshape(-1, 3, 3)
    filters = sphere.per_degree(weights, harmonics[:, None])
    messages = sphere.gaunt_product(filters, h[senders], lmax, method="direct")
    # A constant function is its coefficient times 1/√4π; the module leaves that number to the weights.
    if degree == 0 and lmax <= 2:
        messages = messages * np.sqrt(4 * np.pi)
    np.testing.assert_allclose(found, jax.ops.segment_sum(messages, receivers, 4), atol=1e-11)


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
