"""Orbits of pairs of entries."""

import itertools

import networkx
import numpy as np
import pytest

from equijax.equivariance import generators, orbits
from equijax.groups import Cyclic, Dihedral, PermutationTensor, Regular, S

P, R = PermutationTensor(1), Regular()


@pytest.mark.parametrize(
    ("group", "out", "into"),
    [
        (S(4), (P, P), (P,)),
        (S(3), (R,), (P, P)),
        (Cyclic(5), (P,), (R,)),
        (Dihedral(4), (R, P), (P,)),
        (S(3), (), (P, P)),
    ],
    ids=repr,
)
def test_labels_are_connected_components(group, out, into):
    moved = [generators.permutations(group, rep) for rep in (*out, *into)]
    graph = networkx.Graph()
    for index in itertools.product(*(range(each.shape[1]) for each in moved)):
        graph.add_node(index)
        for generator in range(len(moved[0])):
            graph.add_edge(index, tuple(int(each[generator][i]) for each, i in zip(moved, index)))
    labels = orbits.labels(group, out, into)
    by_index = labels.reshape([each.shape[1] for each in moved])
    components = list(networkx.connected_components(graph))
    assert labels.max() + 1 == len(components)
    assert labels.dtype == np.int32
    for component in components:
        assert len({by_index[index] for index in component}) == 1


def test_labels_are_numbered_by_first_appearance():
    flat = orbits.labels(S(3), (P, P), (P, P)).ravel()
    first = np.unique(flat, return_index=True)[1]
    assert np.all(np.diff(first) > 0)
    assert not flat.flags.writeable


def test_high_orders_use_few_codes():
    assert orbits.labels(S(2), (P,) * 5, (P,) * 5).max() + 1 == 2**9


def test_too_many_pairs_are_refused():
    with pytest.raises(ValueError, match="must have at most 268435456 pairs of entries, got 312500000"):
        orbits.labels(S(50), (P, P, P), (P, P))
