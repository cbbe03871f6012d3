"""Generators in representations: against finite differences, matrices and Kronecker products."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from equijax.equivariance import generators
from equijax.groups import (
    GL,
    SE,
    SO,
    Adjoint,
    Affine,
    Dihedral,
    E,
    FullLorentz,
    Homogeneous,
    Irreps,
    O,
    PermutationTensor,
    Pseudoscalar,
    Regular,
    S,
    Scaling,
    Spinor,
    Translation,
    UnitQuaternions,
    Vector,
    batch_shape,
)

V = Vector()


@pytest.mark.parametrize(
    ("group", "rep"),
    [
        (O(3), V),
        (SO(4), V),
        (O(3), Irreps("0o+1e+2x2e+3o")),
        (SE(3), Adjoint(SE(3))),
        (E(2), V),
        (Affine(2), Homogeneous()),
        (FullLorentz(2), V.dual()),
        (GL(2), V * V.dual()),
        (UnitQuaternions(), Spinor()),
        (UnitQuaternions(), V),
        (Scaling(2), V.dual()),
        (Translation(2), V),
    ],
    ids=repr,
)
def test_against_differences_and_matrices(group, rep, x64):
    algebra, discrete = generators.of_primitive(group, rep)
    step = 1e-5
    matrices = [rep.matrix(group.exp(sign * step * jnp.eye(group.algebra_dim))) for sign in (1.0, -1.0)]
    np.testing.assert_allclose(algebra, (matrices[0] - matrices[1]) / (2 * step), atol=1e-8)
    elements = group.discrete_generators()
    assert len(discrete) == batch_shape(elements)[0]
    if len(discrete):
        np.testing.assert_allclose(discrete, rep.matrix(elements), atol=1e-12)


def test_products_follow_leibniz(x64):
    reps = (V, Irreps("2e"), V)
    product = generators.of_product(O(3), reps)
    whole = generators.of_primitive(O(3), V * Irreps("2e") * V)
    np.testing.assert_allclose(product.algebra, whole.algebra, atol=1e-12)
    np.testing.assert_allclose(product.discrete, whole.discrete, atol=1e-12)
    empty = generators.of_product(O(3), ())
    assert (empty.algebra.shape, empty.discrete.shape) == ((3, 1, 1), (1, 1, 1))


def test_permutations_match_the_matrices(x64):
    for group, rep in [(S(4), PermutationTensor(1)), (S(3), Regular()), (Dihedral(4), Regular())]:
        moved = generators.permutations(group, rep)
        matrices = generators.of_primitive(group, rep).discrete
        for images, matrix in zip(moved, matrices, strict=True):
            np.testing.assert_array_equal(np.argmax(matrix, axis=0), images)
    assert generators.permutations(O(3), V) is None


def test_orthogonal_and_trivial_representations():
    assert generators.is_orthogonal(O(3), V)
    assert not generators.is_orthogonal(GL(2), V)
    assert not generators.is_orthogonal(FullLorentz(2), V)
    assert generators.is_trivial(S(1), PermutationTensor(1))
    assert generators.is_trivial(SO(2), Pseudoscalar())
    assert not generators.is_trivial(O(2), Pseudoscalar())
    assert not generators.is_trivial(Dihedral(3), Regular())


def test_values_are_constants_within_a_trace():
    found = []

    @jax.jit
    def traced(x):
        found.append(generators.of_primitive(SE(2), Adjoint(SE(2))))
        return x

    traced(1.0)
    assert isinstance(found[0].algebra, np.ndarray)
    assert found[0].algebra.dtype == np.float64
