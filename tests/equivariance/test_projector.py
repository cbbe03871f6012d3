"""Bases of equivariant maps: dimensions by independent counts, and what a projector must satisfy."""

import functools
import math

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from equijax.equivariance import basis, projector
from equijax.groups import (
    GL,
    SE,
    SL,
    SO,
    SU,
    Adjoint,
    Affine,
    Cyclic,
    Dihedral,
    E,
    FullLorentz,
    Homogeneous,
    Irreps,
    Lorentz,
    MatrixGroup,
    O,
    PermutationTensor,
    Point,
    Pseudoscalar,
    Pseudovector,
    Regular,
    S,
    Scaling,
    Sp,
    Spinor,
    Translation,
    Trivial,
    TrivialGroup,
    U,
    UnitQuaternions,
    Vector,
)

V, P = Vector(), PermutationTensor
CUBE = MatrixGroup("CUBE", discrete=[[[0, -1, 0], [1, 0, 0], [0, 0, 1]], [[0, 0, 1], [1, 0, 0], [0, 1, 0]]])
TURN = np.array([[0.0, -1, 0], [1, 0, 0], [0, 0, 0]])


def about_an_axis(axis):
    """O(2) in R^3: turns about an axis, and a reflection of another one."""
    order = np.roll(np.arange(3), 2 - axis)
    place = np.eye(3)[order]
    return MatrixGroup(
        f"O(2)_{'xyz'[axis]}",
        algebra=[place @ TURN @ place.T],
        discrete=[place @ np.diag([-1.0, 1, 1]) @ place.T],
    )


def tensor(order):
    return functools.reduce(lambda a, b: a * b, [V] * order) if order else Trivial()


# These functions run once each, so compile time is all their cost.
quick_jit = functools.partial(
    jax.jit, compiler_options={"xla_backend_optimization_level": 0, "xla_llvm_disable_expensive_passes": True}
)


def gram(basis):
    """The matrix of the projector onto the span of a basis."""
    flat = basis.reshape(len(basis), -1)
    return flat.T @ flat


def random_matrix(space, seed=0):
    return np.random.default_rng(seed).normal(size=space.shape)


CASES = [
    (O(3), 2 * V + Trivial(), V * V + Pseudovector() * V + 3 * Pseudoscalar()),
    (SO(3), Irreps("2x0e+1o+1e+2e"), Irreps("0o+1e+2o+3o") + V * V),
    (O(3), Irreps("0e+1e+2o+2e"), Irreps("0o+1e+2o") * V),
    (SE(2), Homogeneous() * Homogeneous().dual(), Homogeneous() * Homogeneous().dual()),
    (Translation(2), V + Homogeneous(), Homogeneous()),
    (Scaling(2), V * V.dual() + V, V + Trivial()),
    (GL(2), V * V.dual(), V * V.dual() + Trivial()),
    (Affine(2), Homogeneous() * V.dual(), Homogeneous() * V.dual() + Trivial()),
    (Lorentz(2), V * V, V * V + V.dual() * V),
    (Sp(1), V * V, V + V * V.dual()),
    (U(2), 2 * V, V),
    (UnitQuaternions(), Spinor() * Spinor(), V + Irreps("0e+2e") + Spinor()),
    (S(4), P(2) + Trivial(), P(1) + P(2)),
    (Cyclic(5), P(1) + V, Regular() * V),
    (Dihedral(4), Regular() + V, V * P(1) + Pseudoscalar()),
    (TrivialGroup(), 2 * Trivial(), 3 * Trivial()),
    (S(3) * O(2), P(1) @ V + Trivial(), P(2) @ (V * V) + P(1) @ (2 * V)),
    (S(3) * SE(3), Adjoint(S(3) * SE(3)), P(1) @ Pseudovector() + Trivial()),
    (Cyclic(3) * S(3), Regular() @ P(1), (V + Trivial()) @ P(2)),
]


@pytest.mark.parametrize(("group", "in_rep", "out_rep"), CASES, ids=repr)
def test_projections_are_equivariant_and_orthogonal(group, in_rep, out_rep, x64):
    space = projector(group, in_rep, out_rep)

    @quick_jit
    def compute(first, second):
        projected = space.project(first)
        again = space.project(jnp.stack([projected, second]))
        g = group.sample(jax.random.key(3), (4,))
        return projected, again, space.coefficients(first), out_rep.matrix(g), in_rep.matrix(g)

    first, second = random_matrix(space), random_matrix(space, 1)
    projected, again, coefficients, out, into = jax.tree.map(np.asarray, compute(first, second))
    np.testing.assert_allclose(again[0], projected, atol=1e-10)
    np.testing.assert_allclose(np.sum(projected * second), np.sum(first * again[1]), atol=1e-10)
    moved = out @ projected
    np.testing.assert_allclose(moved, projected @ into, atol=1e-9 * (1 + np.abs(moved).max()))
    # The dense basis spans the same space, in the order of the coefficients.
    dense = basis(group, in_rep, out_rep)
    assert dense.shape == (space.dim, *space.shape)
    assert dense.dtype == np.float64
    np.testing.assert_allclose(np.einsum("aij,bij->ab", dense, dense), np.eye(space.dim), atol=1e-10)
    flat = np.concatenate([np.zeros(0), *(np.ravel(each) for each in coefficients.values())])
    np.testing.assert_allclose(np.einsum("aij,ij->a", dense, first), flat, atol=1e-10)
    np.testing.assert_allclose(np.einsum("aij,a->ij", dense, flat), projected, atol=1e-10)
    assert space.gap.null < 1e-10
    assert space.gap.rest > 1e-3


def stirling(order, parts):
    """Partitions of a set into so many parts."""
    signs = [(-1) ** (parts - k) * math.comb(parts, k) * k**order for k in range(parts + 1)]
    return sum(signs) // math.factorial(parts)


@pytest.mark.parametrize(
    ("n", "into", "out"), [(5, 2, 2), (5, 1, 1), (6, 2, 1), (6, 0, 3), (3, 3, 2), (2, 2, 2)]
)
def test_permutation_tensors_count_set_partitions(n, into, out):
    expected = sum(stirling(into + out, parts) for parts in range(n + 1))
    assert projector(S(n), P(into), P(out)).dim == expected


def test_maron_counts_and_large_permutation_tensors():
    assert projector(S(8), P(2), P(2)).dim == 15
    assert projector(S(8), P(1), P(1)).dim == 2
    space = projector(S(50), P(2), P(2))
    assert (space.dim, space.shape) == (15, (2500, 2500))
    given = {(0, 0): jnp.arange(15.0).reshape(1, 1, 15)}
    np.testing.assert_allclose(space.coefficients(space.combine(given))[0, 0], given[0, 0], rtol=1e-4)


def test_invariant_tensors_of_rotations():
    # Card of soft equivariance: O(3) and O(2) about an axis; Riordan's numbers for SO(3).
    assert [projector(O(3), Trivial(), tensor(r)).dim for r in range(7)] == [1, 0, 1, 0, 3, 0, 15]
    assert [projector(SO(3), Trivial(), tensor(r)).dim for r in range(7)] == [1, 0, 1, 1, 3, 6, 15]
    assert [projector(about_an_axis(2), Trivial(), tensor(r)).dim for r in range(5)] == [1, 1, 2, 4, 10]
    assert projector(O(3), tensor(4), tensor(4)).dim == 91
    assert projector(SO(2), Trivial(), tensor(6)).dim == math.comb(6, 3)


def test_subgroups_that_generate_a_group():
    whole = projector(O(3), V * V, V * V)
    parts = [projector(about_an_axis(axis), V * V, V * V) for axis in range(3)]
    assert [part.dim for part in parts] == [10] * 3
    onto, *onto_parts = (gram(space.basis()) for space in (whole, *parts))
    for each in onto_parts:
        np.testing.assert_allclose(each @ onto, onto, atol=1e-10)
        np.testing.assert_allclose(onto @ each, onto, atol=1e-10)
    eigenvalues = np.linalg.eigvalsh(sum(onto_parts) / 3)
    assert np.sum(eigenvalues > 1 - 1e-9) == whole.dim == 3


CHARACTERS = [
    (Dihedral(5), V * V, Regular()),
    (Cyclic(6), Regular(), V * V + P(1)),
    (S(4), Regular(), P(2)),
    (CUBE, tensor(3), tensor(2)),
    (S(3) * Cyclic(4), P(2) @ V, P(1) @ (V * V)),
]


@pytest.mark.parametrize(("group", "in_rep", "out_rep"), CHARACTERS, ids=repr)
def test_finite_groups_by_characters_and_by_averages(group, in_rep, out_rep, x64):
    space, g = projector(group, in_rep, out_rep), group.elements()
    into, out = (np.asarray(quick_jit(rep.matrix)(g)) for rep in (in_rep, out_rep))
    count = np.mean(np.trace(into, axis1=1, axis2=2) * np.trace(out, axis1=1, axis2=2))
    assert space.dim == round(count)
    assert abs(count - space.dim) < 1e-9
    first = random_matrix(space)
    average = np.mean(out @ first @ np.swapaxes(into, 1, 2), axis=0)
    np.testing.assert_allclose(quick_jit(space.project)(first), average, atol=1e-10)


COUNTS = [
    (GL(3), V, V.dual(), 0),
    (GL(3), V * V.dual(), V * V.dual(), 2),
    (GL(3), V * V, V * V, 2),
    (SL(2), V, V.dual(), 1),
    (SL(3), V * V, V.dual(), 1),
    (SL(3), V * V, V * V, 2),
    (Lorentz(), V * V, V * V, 4),
    (FullLorentz(), V * V, V * V, 3),
    (Lorentz(), V, V.dual(), 1),
    (Sp(2), V * V, Trivial(), 1),
    (Sp(2), V * V, V * V, 3),
    (U(2), V, V, 2),
    (SU(3), V, V, 2),
    (SU(2), V, V, 4),
    (SU(3), V * V, V, 2),
    (UnitQuaternions(), Spinor(), Spinor(), 4),
    (UnitQuaternions(), Spinor(), V, 0),
    (UnitQuaternions(), Spinor() * Spinor(), V, 4),
    (Affine(2), Homogeneous(), Homogeneous(), 1),
    (Affine(2), Homogeneous(), Trivial(), 1),
    (Scaling(3), V * V.dual(), V * V.dual(), 81),
    (E(3), Adjoint(E(3)), Pseudovector(), 1),
]


@pytest.mark.parametrize(("group", "in_rep", "out_rep", "dim"), COUNTS, ids=repr)
def test_dimensions_known_in_closed_form(group, in_rep, out_rep, dim):
    assert projector(group, in_rep, out_rep).dim == dim


def test_a_group_written_by_a_sampler_alone():
    def haar(key, shape, dtype):
        return O(3).sample(key, shape, dtype)

    sampled = MatrixGroup("sampled", sampler=haar, haar=True)
    np.testing.assert_allclose(gram(basis(sampled, V * V, V * V)), gram(basis(O(3), V * V, V * V)), atol=1e-9)


def test_schur_agrees_with_solving():
    # SO(3) knows Schur's lemma; the same group written by its algebra does not.
    written = MatrixGroup("written", algebra=SO(3).algebra_basis())
    for into, out in [("2e", "2e"), ("1e+2e", "1o+2o+0e")]:
        known, solved = (basis(group, Irreps(into), Irreps(out)) for group in (SO(3), written))
        assert known.shape == solved.shape
        np.testing.assert_allclose(gram(known), gram(solved), atol=1e-10)


def test_jit_vmap_and_grad():
    # Solved within jit, in single precision; gradients of the penalty are the residual.
    @jax.jit
    def penalty(matrix):
        return jnp.sum(projector(O(2), 3 * V, V * V + V).residual(matrix) ** 2) / 2

    space = projector(O(2), 3 * V, V * V + V)
    matrices = jax.random.normal(jax.random.key(0), (4, *space.shape))
    np.testing.assert_allclose(jax.grad(penalty)(matrices[0]), space.residual(matrices[0]), atol=1e-5)
    np.testing.assert_allclose(jax.vmap(space.project)(matrices), space.project(matrices), atol=1e-5)
    assert space.project(matrices).dtype == jnp.float32


def test_bases_do_not_depend_on_the_precision_or_the_trace():
    @jax.jit
    def traced(x):
        return x * basis(SL(2), V * V.dual(), V * V.dual()).sum()

    found = traced(1.0)
    with jax.enable_x64(True):
        np.testing.assert_allclose(found, basis(SL(2), V * V.dual(), V * V.dual()).sum(), rtol=1e-6)


WRONG = [
    (lambda: projector(O(3), Point(), V), TypeError, "in_rep must be linear, got Point.*use Vector"),
    (lambda: projector(O(3), V, "V"), TypeError, "out_rep must be a representation .*, got 'V'"),
    (lambda: projector("O(3)", V, V), TypeError, "group must be a Group"),
    (lambda: projector(S(3), V, V), TypeError, r"S\(3\) has no representation Vector"),
    (lambda: projector(GL(3), Irreps("1o"), V), TypeError, "preserves lengths, got LinearMap"),
    (lambda: projector(S(60), P(2), P(3)), ValueError, "must have at most 268435456 pairs of entries"),
    (lambda: basis(S(20), 9 * P(2), 9 * P(2)), ValueError, "a dense basis must have at most .* 1215 "),
    (
        lambda: projector(O(3), V, V).project(jnp.ones((3, 2))),
        ValueError,
        r"matrix must have shape \(\.\.\., 3, 3",
    ),
    (lambda: projector(O(3), V, V).project(jnp.ones((3, 3), int)), TypeError, "matrix must be a real float"),
    (lambda: projector(O(3), V, V).combine({}), ValueError, r"for the pairs \[\(0, 0\)\], got \[\]"),
    (
        lambda: projector(O(3), V, V).combine({(0, 0): jnp.ones((1, 1, 2))}),
        ValueError,
        r"coefficients\[\(0, 0\)\] must have shape \(\.\.\., 1, 1, 1\), got \(1, 1, 2\)",
    ),
    (
        lambda: projector(O(3), V, V).apply({(0, 0): jnp.ones((1, 1, 1))}, jnp.ones(2)),
        ValueError,
        r"x must have shape \(\.\.\., 3\), got \(2,\)",
    ),
]


@pytest.mark.parametrize(("call", "error", "message"), WRONG)
def test_wrong_calls_name_the_argument(call, error, message):
    with pytest.raises(error, match=message):
        call()
