"""One layer of message passing."""

import functools

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from equijax import euclid, nn, sphere, testing
from equijax.groups import E, Irreps, PermutationTensor, Point, S, Trivial
from equijax.numerics import safe

SIGNAL = Irreps("0e+1o+2e")
SPECIES = jnp.array([0, 1, 1, 0])
SMALL = dict(features=3, lmax=2, num_species=2, many_body_features=3)


def edges(positions, cutoff=3.0):
    receivers, senders = np.nonzero(~np.eye(4, dtype=bool))
    vectors = positions[senders] - positions[receivers]
    distance = safe.norm(vectors)
    radial = euclid.bessel_basis(distance, 5, cutoff) * euclid.polynomial_cutoff(distance, cutoff)[:, None]
    return radial, sphere.spherical_harmonics(2, vectors), senders, receivers


def initialised(module, h, dtype="float32"):
    variables = module.init(jax.random.key(0), h, SPECIES, *edges(jnp.asarray(np.eye(4, 3))))
    return jax.tree.map(lambda leaf: np.asarray(leaf, dtype), variables)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("degree", [0, 2])
def test_is_equivariant(degree, dtype):
    module = nn.Interaction(**SMALL)
    size = (degree + 1) ** 2
    variables = initialised(module, jnp.ones((4, 3, size)), dtype)
    random = np.random.default_rng(0)

    def layer(h, x, species):
        return jnp.swapaxes(module.apply(variables, jnp.swapaxes(h, 0, 1), species, *edges(x)), 0, 1)

    testing.assert_equivariant(
        layer,
        S(4) * E(3),
        in_reps=(
            PermutationTensor(1) @ (SIGNAL if degree else Irreps("0e")),
            PermutationTensor(1) @ Point(),
            PermutationTensor(1) @ Trivial(),
        ),
        out_reps=PermutationTensor(1) @ SIGNAL,
        args=(random.normal(size=(3, 4, size)), random.normal(size=(4, 3)), SPECIES),
        dtype=dtype,
        max_examples=20,
    )


def test_residual_adds_a_map_of_the_species():
    h = jax.random.normal(jax.random.key(1), (4, 3, 4))
    x = jnp.asarray(np.eye(4, 3))
    module = nn.Interaction(**SMALL)
    variables = initialised(module, h)
    plain = nn.Interaction(**SMALL, residual=False)
    params = {name: value for name, value in variables["params"].items() if name != "residual"}
    difference = module.apply(variables, h, SPECIES, *edges(x)) - plain.apply(
        {"params": params}, h, SPECIES, *edges(x)
    )
    kept = nn.SpeciesLinear(3, 2).apply({"params": variables["params"]["residual"]}, h, SPECIES)
    np.testing.assert_allclose(difference, jnp.pad(kept, ((0, 0), (0, 0), (0, 5))), atol=1e-5)


def test_nothing_arrives_without_neighbours():
    module = nn.Interaction(**SMALL, residual=False)
    h = jnp.ones((4, 3, 9))
    variables = initialised(module, h)
    nothing = jnp.zeros((0, 5)), jnp.zeros((0, 9)), jnp.zeros(0, int), jnp.zeros(0, int)
    assert not module.apply(variables, h, SPECIES, *nothing).any()


def test_products_can_be_replaced():
    class Doubled(nn.GauntConvolution):
        """A convolution with twice the result."""

        def __call__(self, *arguments):
            return 2 * super().__call__(*arguments)

    h = jnp.ones((4, 3, 4))
    plain = nn.Interaction(**SMALL, order=1, residual=False)
    convolution = functools.partial(Doubled, normalization="integral")
    doubled = nn.Interaction(**SMALL, order=1, residual=False, convolution=convolution)
    variables = initialised(plain, h)
    arguments = (h, SPECIES, *edges(jnp.asarray(np.eye(4, 3))))
    found = doubled.apply(variables, *arguments)
    np.testing.assert_allclose(found, 2 * plain.apply(variables, *arguments), rtol=1e-5)


def test_jit_and_grad():
    module = nn.Interaction(**SMALL)
    h = jnp.ones((4, 3, 9))
    variables = initialised(module, h)

    def loss(variables, x):
        return jnp.sum(module.apply(variables, h, SPECIES, *edges(x)) ** 2)

    gradients = jax.jit(jax.grad(loss, argnums=(0, 1)))(variables, jnp.asarray(np.eye(4, 3)))
    assert all(np.isfinite(leaf).all() for leaf in jax.tree.leaves(gradients))
    assert all(np.abs(leaf).max() > 0 for leaf in jax.tree.leaves(gradients))


H = jnp.ones((4, 3, 4))
EDGES = edges(jnp.asarray(np.eye(4, 3)))
WRONG_CALLS = [
    (SMALL, (H[0], SPECIES, *EDGES), ValueError, r"h must have shape \(n, c, k\), got \(3, 4\)"),
    (SMALL, (H, SPECIES[:2], *EDGES), ValueError, r"species must have shape \(n\), n=4, got \(2,\)"),
    (SMALL, (H, SPECIES * 1.0, *EDGES), TypeError, "species must be an integer array, got dtype float32"),
    (SMALL, (jnp.ones((4, 3, 16)), SPECIES, *EDGES), ValueError, "h must have degrees up to lmax=2, got 3"),
    ({**SMALL, "features": 0}, (H, SPECIES, *EDGES), ValueError, "features must be .* at least 1, got 0"),
    ({**SMALL, "order": 0}, (H, SPECIES, *EDGES), ValueError, "order must be .* at least 1, got 0"),
    (
        {**SMALL, "avg_num_neighbors": 0.0},
        (H, SPECIES, *EDGES),
        ValueError,
        "avg_num_neighbors must be a number above 0, got 0.0",
    ),
]


@pytest.mark.parametrize(("attributes", "arguments", "error", "message"), WRONG_CALLS)
def test_wrong_calls_name_the_argument(attributes, arguments, error, message):
    with pytest.raises(error, match=message):
        nn.Interaction(**attributes).init(jax.random.key(0), *arguments)
