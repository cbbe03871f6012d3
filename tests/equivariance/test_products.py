"""Multiplying by equivariant matrices: whichever way is chosen, the product is that of the matrix."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from equijax.equivariance import products, projector
from equijax.groups import SO, Cyclic, Irreps, O, PermutationTensor, Regular, S, Trivial, Vector

V, P = Vector(), PermutationTensor

CASES = [
    (O(3), Irreps("8x0e+8x1o+8x2e"), Irreps("8x0e+8x1o+8x2e")),
    (O(3), V + 5 * Trivial() + 2 * (V * V), V * V + Trivial() + 3 * V),
    (S(4), 2 * P(1) + P(2), P(2) + Trivial()),
    (S(20) * SO(3), P(2) @ V, P(2) @ V),
    (Cyclic(3), 2 * Regular() + V, V + Regular()),
]


@pytest.mark.parametrize(("group", "in_rep", "out_rep"), CASES, ids=repr)
def test_products_equal_those_of_the_matrix(group, in_rep, out_rep):
    space = projector(group, in_rep, out_rep)
    keys = jax.random.split(jax.random.key(0), 1 + len(space.spaces))
    x = jax.random.normal(keys[0], (3, space.shape[1]))
    given = {
        pair: jax.random.normal(key, shape)
        for key, (pair, shape) in zip(keys[1:], space.coefficient_shapes.items(), strict=True)
    }
    expected = np.asarray(x) @ np.asarray(space.combine(given)).T
    found = jax.jit(space.apply)(given, x)
    np.testing.assert_allclose(found, expected, atol=1e-4 * (1 + np.abs(expected).max()))
    np.testing.assert_allclose(
        jax.vmap(lambda x: space.apply(given, x))(x), expected, atol=1e-4 * (1 + np.abs(expected).max())
    )
    gradient = jax.grad(lambda x: jnp.sum(space.apply(given, x) ** 2))(x)
    assert np.all(np.isfinite(gradient))


def test_structure_saves_operations():
    # Schur: 8 x 8 numbers a degree, against a dense matrix of 72 x 72.
    space = projector(O(3), CASES[0][1], CASES[0][2])
    given = {pair: jnp.ones(shape) for pair, shape in space.coefficient_shapes.items()}
    x = jnp.ones((64, 72))
    flops = jax.jit(space.apply).lower(given, x).compile().cost_analysis()["flops"]
    assert flops < 0.5 * 2 * 64 * 72 * 72


def test_wrong_arguments_are_named():
    space = projector(SO(3), V, V)
    with pytest.raises(ValueError, match=r"coefficients must be given for the pairs \[\(0, 0\)\]"):
        products.apply(space, {}, jnp.ones(3))
