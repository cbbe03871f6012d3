"""Spaces of maps: coefficients and matrices are inverse, in each of the three forms."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from equijax.equivariance import intertwiners
from equijax.equivariance.intertwiners import DenseSpace, Gap, OrbitSpace, ProductSpace, worst_gap
from equijax.groups import SO, PermutationTensor, S, Vector

P, V = PermutationTensor(1), Vector()
LABELS = np.array([[0, 1, 1], [1, 0, 2]], np.int32)
ORBITS = OrbitSpace(LABELS, np.bincount(LABELS.ravel()))
DENSE = DenseSpace(np.linalg.qr(np.random.default_rng(0).normal(size=(12, 5)))[0].T.reshape(5, 3, 4))


@pytest.mark.parametrize(
    "space", [DENSE, ORBITS, ProductSpace(DENSE, ORBITS), ProductSpace(ORBITS, ProductSpace(DENSE, ORBITS))]
)
def test_coefficients_and_matrices(space, x64):
    random = np.random.default_rng(1)
    given = random.normal(size=(2, space.dim))
    combined = space.combine(jnp.asarray(given))
    assert combined.shape == (2, *space.shape)
    np.testing.assert_allclose(combined, np.einsum("bk,koi->boi", given, space.matrices), atol=1e-12)
    np.testing.assert_allclose(space.coefficients(combined), given, atol=1e-12)
    other = random.normal(size=space.shape)
    expected = np.einsum("koi,oi->k", space.matrices, other)
    np.testing.assert_allclose(jax.jit(space.coefficients)(jnp.asarray(other)), expected, atol=1e-12)
    pulled = jax.grad(lambda c: jnp.sum(space.combine(c) * other))(jnp.asarray(given[0]))
    np.testing.assert_allclose(pulled, expected, atol=1e-12)


def test_large_orbits_are_kept_as_labels_and_small_ones_as_a_basis():
    assert isinstance(intertwiners.solve((S(20),), ((P, P),), ((P, P),)), OrbitSpace)
    assert isinstance(intertwiners.solve((S(5),), ((P, P),), ((P, P),)), DenseSpace)


def test_products_leave_out_factors_that_see_scalars():
    groups = (S(4), SO(3), S(3))
    space = intertwiners.solve(groups, ((P,), (V,), ()), ((P,), (V,), ()))
    assert (space.dim, space.shape) == (2, (12, 12))
    assert intertwiners.solve(groups, ((P,), (V,), (P,)), ((P,), (), (P,))).dim == 0
    assert intertwiners.solve(groups, ((), (), ()), ((), (), ())).dim == 1


def test_worst_gap():
    assert worst_gap([]) == Gap(0.0, 1.0)
    assert ProductSpace(DenseSpace(np.ones((1, 1, 1)), Gap(1e-13, 0.7)), ORBITS).gap == Gap(1e-13, 0.7)
