"""Terms of the full product: their sums are mapped as the sum of the products is, for every way to weigh."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from equijax import sphere
from equijax.sphere.full_terms import full_terms

KINDS = ("none", "shared", "by channel")


def random_signals(*shape, seed):
    return np.random.default_rng(seed).normal(size=shape)


def weights_of(kind, rank=2):
    if kind == "none":
        return None
    leading = () if kind == "shared" else (5,)
    random = np.random.default_rng(0)
    factors = [[random.normal(size=(*leading, rank, l + 1)) for l in (2, 1, 2)] for _ in range(2)]
    return sphere.PathWeights(*(sphere.DegreeFactors(*part) for part in factors))


@pytest.mark.parametrize("method", ["direct", "grid"])
@pytest.mark.parametrize("kind", KINDS)
def test_terms_of_several_products_are_projected_as_one(x64, method, kind):
    weights = weights_of(kind)
    x, y = random_signals(3, 4, 5, 9, seed=1), random_signals(3, 4, 5, 4, seed=2)
    terms = full_terms(jnp.asarray(x), jnp.asarray(y), 2, method=method, weights=weights)
    one = terms.project(jnp.sum(terms.even, axis=0), jnp.sum(terms.odd, axis=0))
    apart = sphere.tensor_product(x, y, 2, method=method, weights=weights)
    np.testing.assert_allclose(one, apart.sum(axis=0), atol=1e-11)


@pytest.mark.parametrize("method", ["direct", "grid"])
def test_shared_weights_give_the_same_as_weights_repeated_for_every_channel(x64, method):
    shared = weights_of("shared")
    repeated = jax.tree.map(lambda factor: np.broadcast_to(factor, (5, *factor.shape)), shared)
    x, y = random_signals(4, 5, 9, seed=1), random_signals(4, 5, 4, seed=2)
    parts = [sphere.tensor_product_parts(x, y, 2, method=method, weights=w) for w in (shared, repeated)]
    np.testing.assert_allclose(parts[0], parts[1], atol=1e-11)
    assert np.abs(parts[0]).max() > 1


@pytest.mark.parametrize("kind", KINDS)
def test_either_half_can_be_left_out(x64, kind):
    weights = weights_of(kind)
    x, y = random_signals(4, 5, 9, seed=1), random_signals(4, 5, 4, seed=2)
    terms = full_terms(jnp.asarray(x), jnp.asarray(y), 2, method="grid", weights=weights)
    both = terms.project(terms.even, terms.odd)
    halves = terms.project(terms.even, None) + terms.project(None, terms.odd)
    np.testing.assert_allclose(both, halves, atol=1e-11)


@pytest.mark.parametrize("kind", ["shared", "by channel"])
def test_even_and_odd_paths_may_have_different_ranks(x64, kind):
    weights = sphere.PathWeights(weights_of(kind, 1).even, weights_of(kind, 3).odd)
    x, y = random_signals(4, 5, 9, seed=1), random_signals(4, 5, 4, seed=2)
    for method in ("direct", "grid"):
        found = sphere.tensor_product(x, y, 2, method=method, weights=weights)
        np.testing.assert_allclose(found, sum(by_definition(x, y, weights)), atol=1e-11)


def by_definition(x, y, weights):
    """Sums over all paths, even and odd."""
    for factors, block in zip(weights, (sphere.gaunt_coefficients, sphere.bracket_coefficients)):
        dense = np.einsum("...ra,...rb,...rc->...abc", *factors)
        total = np.zeros((4, 5, 9))
        for l1, l2, l3 in np.ndindex(3, 2, 3):
            a, b, c = (slice(l * l, (l + 1) ** 2) for l in (l1, l2, l3))
            path = np.einsum("...i,...j,ijk->...k", x[..., a], y[..., b], block(l1, l2, l3))
            total[..., c] += dense[..., l1, l2, l3, None] * path
        yield total


def test_weights_of_the_wrong_size_are_named():
    weights = weights_of("shared")
    with pytest.raises(ValueError, match=r"weights\.even\.y must have shape"):
        full_terms(jnp.ones(9), jnp.ones(9), 2, weights=weights)
    with pytest.raises(TypeError, match="weights must be"):
        full_terms(jnp.ones(9), jnp.ones(4), 2, weights=weights.even)
