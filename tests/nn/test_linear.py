"""Linear maps of signals: symmetry, statistics, and what they may and may not do."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from equijax import nn, testing
from equijax.groups import Irreps, O, PermutationTensor, S, Trivial
from equijax.nn.linear import check_signal, mix_channels

SIGNAL = Irreps("0e+1o+2e")
SPECIES = jnp.array([0, 2, 1, 1, 0])


def random_like(variables, dtype="float32"):
    """Variables of the same shapes, all entries random."""
    leaves, structure = jax.tree.flatten(variables)
    random = np.random.default_rng(0)
    return structure.unflatten([random.normal(size=leaf.shape).astype(dtype) for leaf in leaves])


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_linear_is_equivariant_with_a_bias(dtype):
    module = nn.Linear(3, use_bias=True)
    variables = random_like(module.init(jax.random.key(0), jnp.ones((5, 4, 9))), dtype)
    testing.assert_equivariant(
        lambda x: module.apply(variables, x),
        O(3),
        in_reps=(SIGNAL,),
        out_reps=SIGNAL,
        shapes=((5, 4, 9),),
        dtype=dtype,
        gradient=True,
        max_examples=20,
    )


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_species_linear_is_equivariant(dtype):
    module = nn.SpeciesLinear(3, num_species=3)
    variables = random_like(module.init(jax.random.key(0), jnp.ones((5, 4, 9)), SPECIES), dtype)
    # Channels first here, because the group acts on the axes of nodes and of components.
    testing.assert_equivariant(
        lambda x, species: jnp.swapaxes(module.apply(variables, jnp.swapaxes(x, 0, 1), species), 0, 1),
        S(5) * O(3),
        in_reps=(PermutationTensor(1) @ SIGNAL, PermutationTensor(1) @ Trivial()),
        out_reps=PermutationTensor(1) @ SIGNAL,
        args=(np.random.default_rng(0).normal(size=(4, 5, 9)), SPECIES),
        dtype=dtype,
        max_examples=20,
    )


def test_linear_is_one_matrix_a_degree():
    x = np.random.default_rng(0).normal(size=(5, 4, 9)).astype(np.float32)
    kernel = np.random.default_rng(1).normal(size=(3, 4, 2)).astype(np.float32)
    y = mix_channels(x, kernel)
    for degree in range(3):
        part = slice(degree**2, (degree + 1) ** 2)
        expected = np.einsum("nck,cd->ndk", x[..., part], kernel[degree])
        np.testing.assert_allclose(y[..., part], expected, atol=1e-5)


def test_species_linear_uses_the_matrix_of_the_species():
    module = nn.SpeciesLinear(2, num_species=3)
    x = jnp.asarray(np.random.default_rng(0).normal(size=(5, 4, 9)), jnp.float32)
    y, variables = module.init_with_output(jax.random.key(0), x, SPECIES)
    kernel = variables["params"]["kernel"]
    for node, species in enumerate(SPECIES):
        np.testing.assert_allclose(y[node], mix_channels(x[node], kernel[species]), atol=1e-5)


def test_variance_of_outputs_at_first_is_that_of_the_docstrings():
    x = jax.random.normal(jax.random.key(1), (5, 64, 9))
    y = nn.Linear(64).init_with_output(jax.random.key(0), x)[0]
    assert 0.85 < float(jnp.var(y)) < 1.15
    y = nn.SpeciesLinear(64, num_species=3).init_with_output(jax.random.key(0), x, SPECIES)[0]
    assert 0.85 < 3 * float(jnp.var(y)) < 1.15


def test_jit_vmap_and_dtype():
    module = nn.Linear(3)
    x = jax.random.normal(jax.random.key(1), (2, 5, 4, 9))
    y, variables = module.init_with_output(jax.random.key(0), x)
    mapped = jax.jit(jax.vmap(lambda x: module.apply(variables, x)))(x)
    np.testing.assert_allclose(mapped, y, atol=1e-5)
    assert y.dtype == jnp.float32


X = jnp.ones((5, 4, 9))
WRONG_CALLS = [
    (lambda: nn.Linear(3).init(jax.random.key(0), jnp.ones(9)), ValueError, r"x must have .*got \(9,\)"),
    (
        lambda: nn.Linear(3).init(jax.random.key(0), jnp.ones((4, 8))),
        ValueError,
        r"x must have \(lmax .*got 8",
    ),
    (lambda: nn.Linear(3).init(jax.random.key(0), X.astype(int)), TypeError, "x must be .*got dtype int32"),
    (lambda: nn.Linear(0).init(jax.random.key(0), X), ValueError, "features must be .* at least 1, got 0"),
    (
        lambda: nn.SpeciesLinear(3, num_species=3).init(jax.random.key(0), X, SPECIES[:4]),
        ValueError,
        r"species must have shape \(n\), n=5, got \(4,\)",
    ),
    (
        lambda: nn.SpeciesLinear(3, num_species=3).init(jax.random.key(0), X, SPECIES * 1.0),
        TypeError,
        "species must be an integer array, got dtype float32",
    ),
    (
        lambda: nn.SpeciesLinear(3, num_species=3).init(jax.random.key(0), X[None], SPECIES),
        ValueError,
        r"x must have shape \(n, c, k\), got \(1, 5, 4, 9\)",
    ),
    (
        lambda: nn.SpeciesLinear(3, num_species=0).init(jax.random.key(0), X, SPECIES),
        ValueError,
        "num_species must be .* at least 1, got 0",
    ),
    (lambda: check_signal("h", jnp.ones(())), ValueError, r"h must have shape .*channels, k\), got \(\)"),
    (
        lambda: mix_channels(X, jnp.ones((2, 4, 3))),
        ValueError,
        r"kernel must have shape \(3, 4, d\), got \(2, 4",
    ),
]


@pytest.mark.parametrize(("call", "error", "message"), WRONG_CALLS)
def test_wrong_calls_name_the_argument(call, error, message):
    with pytest.raises(error, match=message):
        call()
