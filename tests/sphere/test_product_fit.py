"""Fits by sums of products of vectors."""

import numpy as np
import pytest

from equijax.sphere.product_fit import fit_products


def dense(factors):
    return np.einsum("ra,rb,rc->abc", *factors)


@pytest.mark.parametrize("rank", [1, 2, 3])
def test_finds_an_array_of_that_rank_with_free_entries(rank):
    random = np.random.default_rng(rank)
    target = dense([random.uniform(0.5, 2, size=(rank, size)) for size in (4, 5, 6)])
    mask = random.uniform(size=target.shape) < 0.8
    factors = fit_products(target, mask.astype(float), rank)
    assert [factor.shape for factor in factors] == [(rank, 4), (rank, 5), (rank, 6)]
    np.testing.assert_allclose(dense(factors), target, rtol=1e-7)
    norms = [np.linalg.norm(factor, axis=1) for factor in factors]
    np.testing.assert_allclose(norms[0], norms[1], rtol=1e-12)
    np.testing.assert_allclose(norms[0], norms[2], rtol=1e-12)


def test_is_a_minimum_that_more_products_lower():
    target = np.random.default_rng(0).uniform(0.5, 2, size=(3, 4, 3))
    weights = np.random.default_rng(1).uniform(0.5, 2, size=target.shape)

    def cost(factors):
        return np.sum((weights * (dense(factors) - target)) ** 2)

    factors = fit_products(target, weights, 1)
    for axis in range(3):
        for entry in np.ndindex(factors[axis].shape):
            for step in (1e-3, -1e-3):
                moved = [factor.copy() for factor in factors]
                moved[axis][entry] += step
                assert cost(moved) > cost(factors)
    assert cost(fit_products(target, weights, 2)) < 0.8 * cost(factors)


def test_is_deterministic():
    target = np.random.default_rng(0).uniform(0.5, 2, size=(3, 4, 3))
    for one, two in zip(fit_products(target, target, 2), fit_products(target, target, 2)):
        np.testing.assert_array_equal(one, two)


def test_one_entry_with_many_products():
    factors = fit_products(np.full((1, 1, 1), 8.0), np.ones((1, 1, 1)), 3)
    np.testing.assert_allclose(dense(factors), 8.0, rtol=1e-10)
