"""Representations taken apart: every block acts as its type says, at the places that it names."""

import functools

import jax
import numpy as np
import pytest

from equijax.equivariance.tensor_types import check_linear, factors, places, split, start_of, taken
from equijax.groups import (
    GL,
    SE,
    SO,
    Adjoint,
    Cyclic,
    Dual,
    E,
    Irreps,
    O,
    PermutationTensor,
    Point,
    Pseudoscalar,
    Pseudovector,
    Regular,
    S,
    Translation,
    Trivial,
    Vector,
)

V, P = Vector(), PermutationTensor

CASES = [
    (O(3), Irreps("2x0o+1e+2x2o+3o+0e") + Pseudovector() * V),
    (O(2), Pseudoscalar() * Pseudovector() * Pseudoscalar() + 2 * (V + Trivial()) * V),
    (GL(2), V * V.dual() * V + Dual(2 * V + Trivial())),
    (S(3), 2 * (P(2) + P(1) * P(1)) + P(0)),
    (Cyclic(4), (Regular() + V) * P(1)),
    (Translation(2), V * V + Trivial()),
    (S(3) * O(2), (P(2) @ V) * (P(1) @ Pseudovector()) + 2 * (Trivial() @ V) + Trivial()),
    (S(2) * SE(2), Adjoint(S(2) * SE(2)) + P(1) @ V),
]


@pytest.mark.parametrize(("group", "rep"), CASES, ids=repr)
def test_blocks_cover_the_array_and_act_as_their_type(group, rep, x64):
    groups = factors(group, rep)
    blocks = split(groups, rep)
    assert sorted(places(blocks)) == list(range(int(np.prod(rep.shape(group)))))
    assert len({block.type for block in blocks}) == len(blocks)
    g = group.sample(jax.random.key(0))
    matrix = np.asarray(rep.matrix(g))
    by_factor = g if len(groups) > 1 else (g,)
    for block in blocks:
        parts = [np.asarray(r.matrix(e)) for e, reps in zip(by_factor, block.type) for r in reps]
        expected = functools.reduce(np.kron, parts, np.ones((1, 1)))
        for copy in block.index.reshape(block.copies, -1):
            np.testing.assert_allclose(matrix[np.ix_(copy, copy)], expected, atol=1e-10)
            assert np.abs(np.delete(matrix[copy], copy, axis=1)).max(initial=0) < 1e-12


def test_equal_types_are_merged():
    assert [
        block.copies for block in split((O(3),), V + Irreps("2x1o") + Pseudovector() * Pseudoscalar())
    ] == [4]
    assert [block.copies for block in split((SO(3),), Pseudovector() + V + Pseudoscalar())] == [2, 1]
    assert [block.copies for block in split((Translation(3),), V + Trivial())] == [4]
    (block,) = split((S(4),), P(2) + 3 * (P(1) * P(1)))
    assert (block.copies, block.size) == (4, 16)


def test_places_starts_and_taking():
    blocks = split((SO(2),), V + Trivial() + V)
    np.testing.assert_array_equal(places(blocks), [0, 1, 3, 4, 2])
    assert start_of(blocks, 1) == 4
    x = np.random.default_rng(0).normal(size=(3, 50)).astype(np.float32)
    for order in (
        np.arange(50),
        np.arange(10, 20),
        np.roll(np.arange(50), 7),
        np.arange(50)[::-1],
        np.arange(0),
    ):
        np.testing.assert_array_equal(taken(jax.numpy.asarray(x), order, -1), x[:, order])


def test_linear_representations_are_required():
    assert check_linear("rep", E(3), 2 * V) == 6
    with pytest.raises(TypeError, match=r"rep must be linear, got Point\(\), which translations move"):
        check_linear("rep", E(3), Point())
    with pytest.raises(TypeError, match="rep must be a representation such as Vector"):
        check_linear("rep", E(3), V.shape)
    with pytest.raises(ValueError, match=r"must act on R\^3"):
        check_linear("rep", O(2), Irreps("1o"))
