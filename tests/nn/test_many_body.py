"""Many-body powers with weights by species."""

import e3nn_jax
import jax
import jax.numpy as jnp
import numpy as np
import pytest

from equijax import nn, sphere, testing
from equijax.groups import Irreps, O, PermutationTensor, S, Trivial

SIGNAL = Irreps("0e+1o+2e")
SPECIES = jnp.array([0, 2, 1, 1])


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_is_equivariant(dtype):
    module = nn.ManyBody(order=3, num_species=3)
    variables = jax.tree.map(
        lambda leaf: np.random.default_rng(0).normal(size=leaf.shape).astype(dtype),
        module.init(jax.random.key(0), jnp.ones((4, 3, 9)), SPECIES),
    )
    testing.assert_equivariant(
        lambda x, species: jnp.swapaxes(module.apply(variables, jnp.swapaxes(x, 0, 1), species), 0, 1),
        S(4) * O(3),
        in_reps=(PermutationTensor(1) @ SIGNAL, PermutationTensor(1) @ Trivial()),
        out_reps=PermutationTensor(1) @ SIGNAL,
        args=(np.random.default_rng(0).normal(size=(3, 4, 9)), SPECIES),
        dtype=dtype,
        max_examples=20,
    )


def test_is_the_weighted_sum_of_powers(x64):
    x = np.random.default_rng(0).normal(size=(4, 3, 9))
    module = nn.ManyBody(order=3, num_species=3, lmax=1, normalization="integral")
    y, variables = module.init_with_output(jax.random.key(0), x, SPECIES)
    weights = variables["params"]["weights"]
    assert weights.shape == (3, 3, 3, 2)
    for node, species in enumerate(SPECIES):
        expected = sum(
            sphere.per_degree(weights[power - 1, species], sphere.gaunt_power(x[node], power, 1))
            for power in (1, 2, 3)
        )
        np.testing.assert_allclose(y[node], expected, atol=1e-6)


def test_component_normalisation_gives_unit_variance():
    x = jax.random.normal(jax.random.key(0), (500, 64, 9))
    module = nn.ManyBody(order=3, num_species=1)
    y = jax.jit(lambda x: module.init_with_output(jax.random.key(1), x, jnp.zeros(500, int))[0])(x)
    for degree in range(3):
        part = y[..., degree**2 : (degree + 1) ** 2]
        np.testing.assert_allclose(jnp.mean(part**2), 1, rtol=0.4)


def test_takes_irreps_of_natural_parity():
    x = e3nn_jax.normal("3x0e+3x1o+3x2e", jax.random.key(0), (4,))
    module = nn.ManyBody(order=2, num_species=3)
    y, variables = module.init_with_output(jax.random.key(1), x, SPECIES)
    signals = sphere.signals_from_irreps(x).natural
    expected = module.apply(variables, signals, SPECIES)
    assert y.irreps == x.irreps
    np.testing.assert_allclose(sphere.signals_from_irreps(y).natural, expected, atol=1e-6)
    with pytest.raises(ValueError, match=r"x must have irreps of natural parity .*got 3x0e\+3x1e"):
        module.init(jax.random.key(1), e3nn_jax.normal("3x0e+3x1e", jax.random.key(0), (4,)), SPECIES)


def test_body_order_is_one_more_than_the_power(x64):
    # A cube of a sum of four neighbours' signals has no part that needs all four at once.
    module = nn.ManyBody(order=3, num_species=1)
    neighbors = np.random.default_rng(0).normal(size=(4, 1, 1, 9))
    node = jnp.array([0])
    variables = module.init(jax.random.key(0), neighbors[0], node)
    total = 0.0
    for chosen in np.ndindex(2, 2, 2, 2):
        signal = np.tensordot(chosen, neighbors, 1)
        total = total + (-1) ** sum(chosen) * module.apply(variables, signal, node)
    np.testing.assert_allclose(total, 0, atol=1e-10)


def test_jit_grad_and_zero():
    module = nn.ManyBody(order=3, num_species=3)
    zero = jnp.zeros((4, 3, 9))
    y, variables = module.init_with_output(jax.random.key(0), zero, SPECIES)
    assert not y.any()
    gradient = jax.jit(jax.grad(lambda x: module.apply(variables, x, SPECIES).sum()))(zero)
    assert np.isfinite(gradient).all()


X = jnp.ones((4, 3, 9))
WRONG_CALLS = [
    (dict(order=0, num_species=3), (X, SPECIES), ValueError, "order must be .* at least 1, got 0"),
    (dict(order=2, num_species=0), (X, SPECIES), ValueError, "num_species must be .* at least 1, got 0"),
    (dict(order=2, num_species=3, normalization="norm"), (X, SPECIES), ValueError, "normalization must be"),
    (dict(order=2, num_species=3, lmax=-1), (X, SPECIES), ValueError, "lmax must be .* at least 0, got -1"),
    (dict(order=2, num_species=3), (X, SPECIES[:3]), ValueError, r"species must have .*n=4, got \(3,\)"),
    (dict(order=2, num_species=3), (X, SPECIES * 1.0), TypeError, "species must be an integer array, got"),
    (
        dict(order=2, num_species=3),
        (X[0], SPECIES),
        ValueError,
        r"x must have shape \(n, c, k\), got \(3, 9\)",
    ),
    (dict(order=2, num_species=3), (X[..., :5], SPECIES), ValueError, "x must have .*got 5"),
]


@pytest.mark.parametrize(("attributes", "arguments", "error", "message"), WRONG_CALLS)
def test_wrong_calls_name_the_argument(attributes, arguments, error, message):
    with pytest.raises(error, match=message):
        nn.ManyBody(**attributes).init(jax.random.key(0), *arguments)
