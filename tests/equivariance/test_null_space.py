"""The solver on its own: iteration against eigenvalues, generators without a symmetric element, the gap."""

import numpy as np
import pytest
import scipy.linalg

from equijax.equivariance import generators
from equijax.equivariance.null_space import solve
from equijax.groups import GL, SO, Affine, Homogeneous, MatrixGroup, O, Vector


def constraints(group, out, into):
    pairs = zip(generators.of_product(group, out), generators.of_product(group, into))
    return [list(zip(*pair)) for pair in pairs]


def gram(basis):
    flat = basis.reshape(len(basis), -1)
    return flat.T @ flat


V, H = Vector(), Homogeneous()
AXIS = MatrixGroup("AXIS", algebra=[[[0, -1, 0], [1, 0, 0], [0, 0, 0]]])
CASES = [
    (SO(3), (V, V, V), (V, V)),
    (O(3), (V, V), (V, V)),
    (GL(2), (V, V, V.dual()), (V, V, V.dual())),
    (Affine(2), (H, H.dual()), (H, H.dual())),
    (AXIS, (V, V), (V, V)),
]


@pytest.mark.parametrize(("group", "out", "into"), CASES, ids=repr)
def test_against_singular_values_of_the_whole_constraint(group, out, into):
    algebra, discrete = constraints(group, out, into)
    basis, gap = solve(algebra, discrete)
    stacked = np.concatenate(
        [np.kron(x, np.eye(len(y))) - np.kron(np.eye(len(x)), y.T) for x, y in (*algebra, *discrete)]
    )
    null = scipy.linalg.null_space(stacked, rcond=1e-9)
    assert len(basis) == null.shape[1]
    np.testing.assert_allclose(gram(basis), null @ null.T, atol=1e-10)
    assert gap.null < 1e-11
    assert gap.rest > 1e-3


@pytest.mark.parametrize(("group", "out", "into"), CASES, ids=repr)
def test_iteration_finds_the_same_space(group, out, into):
    problem = constraints(group, out, into)
    dense, _ = solve(*problem)
    iterative, gap = solve(*problem, max_dense=0)
    assert iterative.shape == dense.shape
    np.testing.assert_allclose(gram(iterative), gram(dense), atol=1e-9)
    assert gap.null < 1e-9


def test_the_basis_does_not_depend_on_how_the_space_was_found():
    problem = constraints(SO(3), (V, V), (V, V))
    dense, iterative = solve(*problem)[0], solve(*problem, max_dense=0)[0]
    np.testing.assert_allclose(iterative, dense, atol=1e-9)
    # Any basis of the same Lie algebra gives the same basis of maps.
    turned = [[tuple(x + y for x, y in zip(problem[0][0], pair)) for pair in problem[0]], []]
    np.testing.assert_allclose(solve(*turned)[0], dense, atol=1e-9)


def test_scales_of_generators_do_not_matter():
    algebra, discrete = constraints(O(3), (V, V), (V, V))
    scaled = [(1e-7 * x, 1e-7 * y) for x, y in algebra]
    assert len(solve(scaled, discrete)[0]) == len(solve(algebra, discrete)[0]) == 3


def test_no_constraint_and_no_solution():
    zero, one = np.zeros((2, 2)), np.eye(3)
    assert solve([(zero, np.zeros((3, 3)))], [])[0].shape == (6, 2, 3)
    assert solve([(zero, one)], [])[0].shape == (0, 2, 3)


def test_an_unclear_rank_is_refused():
    # One of three singular values is neither zero nor not.
    with pytest.raises(ArithmeticError, match="the rank of the constraints is not clear"):
        solve([(np.diag([0.0, 2e-7, 1.0]), np.zeros((1, 1)))], [])
