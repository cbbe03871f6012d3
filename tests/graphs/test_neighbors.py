"""Neighbour lists against ASE and a search over lattice images, in free space and in cells."""

import itertools

import ase
import ase.neighborlist
import hypothesis
import hypothesis.strategies as st
import numpy as np
import pytest

from equijax.graphs import neighbor_list

ORTHORHOMBIC = np.diag([4.0, 5.0, 6.0])
TRICLINIC = np.array([[4.0, 0.0, 0.0], [1.0, 3.5, 0.0], [-0.7, 0.9, 4.2]])
SMALL = np.array([[1.5, 0.0, 0.0], [0.4, 1.2, 0.0], [0.1, -0.3, 1.4]])


def edges(pairs, positions):
    """Edges as a sorted array of receiver, sender and connecting vector."""
    vectors = positions[pairs.senders] - positions[pairs.receivers] + pairs.shifts
    return sorted_rows(pairs.receivers, pairs.senders, vectors)


def sorted_rows(receivers, senders, vectors):
    rows = np.concatenate([receivers[:, None], senders[:, None], vectors.reshape(-1, 3)], axis=1)
    return rows[np.lexsort(np.round(rows, 6).T[::-1])]


def by_search(positions, cutoff, cell, pbc):
    """Every pair within the cut-off, over all lattice images that can matter."""
    heights = (
        np.ones(3) if not any(pbc) else np.abs(np.linalg.det(cell)) / np.linalg.norm(face_areas(cell), axis=1)
    )
    extent = np.linalg.norm(positions[:, None] - positions[None], axis=-1).max(initial=0.0)
    reach = [int(np.ceil((cutoff + extent) / h)) if periodic else 0 for h, periodic in zip(heights, pbc)]
    found = []
    for image in itertools.product(*(range(-n, n + 1) for n in reach)):
        shift = np.asarray(image) @ cell
        vectors = positions[None, :] + shift - positions[:, None]
        near = np.linalg.norm(vectors, axis=-1) < cutoff
        if not any(image):
            np.fill_diagonal(near, False)
        receivers, senders = np.nonzero(near)
        found.append((receivers, senders, vectors[near]))
    return sorted_rows(*(np.concatenate(parts) for parts in zip(*found)))


def face_areas(cell):
    return np.stack([np.cross(cell[(i + 1) % 3], cell[(i + 2) % 3]) for i in range(3)])


def by_ase(positions, cutoff, cell, pbc):
    atoms = ase.Atoms("H" * len(positions), positions, cell=cell, pbc=pbc)
    receivers, senders, vectors = ase.neighborlist.neighbor_list("ijD", atoms, cutoff, self_interaction=False)
    return sorted_rows(receivers, senders, vectors)


def assert_same(found, expected):
    assert found.shape == expected.shape
    np.testing.assert_allclose(found, expected, atol=1e-9)


@pytest.mark.parametrize("cell", [ORTHORHOMBIC, TRICLINIC, SMALL], ids=["orthorhombic", "triclinic", "small"])
@pytest.mark.parametrize("pbc", [(True, True, True), (True, False, True), (False, False, True), (False,) * 3])
def test_agrees_with_ase_and_with_a_search_over_images(cell, pbc):
    positions = np.random.default_rng(sum(pbc)).uniform(-1, 5, (7, 3))
    found = edges(neighbor_list(positions, 3.1, cell=cell, pbc=pbc), positions)
    assert len(found) > 0
    assert_same(found, by_search(positions, 3.1, cell, pbc))
    assert_same(found, by_ase(positions, 3.1, cell, pbc))


@hypothesis.given(
    seed=st.integers(0, 10_000),
    num=st.integers(1, 9),
    cutoff=st.floats(0.3, 4.0),
    pbc=st.tuples(st.booleans(), st.booleans(), st.booleans()),
)
def test_agrees_with_ase_for_any_cell(seed, num, cutoff, pbc):
    random = np.random.default_rng(seed)
    cell = np.diag(random.uniform(1.5, 5.0, 3)) + random.uniform(-0.7, 0.7, (3, 3))
    positions = random.uniform(-6, 6, (num, 3))
    found = edges(neighbor_list(positions, cutoff, cell=cell, pbc=pbc), positions)
    assert_same(found, by_ase(positions, cutoff, cell, pbc))


def test_free_space_needs_no_cell():
    positions = np.random.default_rng(0).normal(size=(12, 3)) * 2
    pairs = neighbor_list(positions, 2.5)
    assert_same(edges(pairs, positions), by_search(positions, 2.5, np.zeros((3, 3)), (False,) * 3))
    assert not pairs.shifts.any()


def test_one_periodic_direction_needs_one_lattice_vector():
    cell = np.zeros((3, 3))
    cell[1] = [0.0, 2.0, 0.0]
    positions = np.array([[0.0, 0.0, 0.0], [0.5, 1.9, 0.0]])
    pairs = neighbor_list(positions, 1.0, cell=cell, pbc=(False, True, False))
    vectors = positions[pairs.senders] - positions[pairs.receivers] + pairs.shifts
    np.testing.assert_allclose(vectors, [[0.5, -0.1, 0], [-0.5, 0.1, 0]], atol=1e-12)


def test_an_atom_is_its_own_neighbour_through_the_lattice_only():
    positions = np.zeros((1, 3))
    assert len(neighbor_list(positions, 1.1).senders) == 0
    pairs = neighbor_list(positions, 1.1, cell=np.eye(3), pbc=True)
    assert pairs.senders.tolist() == pairs.receivers.tolist() == [0] * 6
    np.testing.assert_allclose(np.linalg.norm(pairs.shifts, axis=1), 1)


def test_edges_come_in_both_directions_sorted_by_receiver():
    positions = np.random.default_rng(1).uniform(0, 4, (9, 3))
    pairs = neighbor_list(positions, 2.0, cell=TRICLINIC, pbc=True)
    assert np.all(np.diff(pairs.receivers) >= 0)
    vectors = positions[pairs.senders] - positions[pairs.receivers] + pairs.shifts
    assert_same(
        sorted_rows(pairs.receivers, pairs.senders, vectors),
        sorted_rows(pairs.senders, pairs.receivers, -vectors),
    )


@pytest.mark.parametrize(
    "positions", [np.zeros((0, 3)), np.zeros((1, 3)), np.array([[0.0, 0, 0], [9, 0, 0]])]
)
def test_no_edges_have_the_usual_shapes_and_dtypes(positions):
    pairs = neighbor_list(positions, 1.0)
    assert pairs.senders.shape == pairs.receivers.shape == (0,)
    assert pairs.shifts.shape == (0, 3)
    assert pairs.senders.dtype == pairs.receivers.dtype == np.int32
    assert pairs.shifts.dtype == np.float64


def test_coincident_atoms_are_neighbours():
    pairs = neighbor_list(np.zeros((2, 3)), 1.0)
    assert pairs.senders.tolist() == [1, 0]


def test_wrapped_positions_have_the_same_vectors():
    random = np.random.default_rng(3)
    positions = random.uniform(0, 3, (6, 3))
    moved = positions + random.integers(-3, 4, (6, 3)) @ TRICLINIC
    first, second = (edges(neighbor_list(p, 3.0, cell=TRICLINIC, pbc=True), p) for p in (positions, moved))
    assert_same(first, second)


def test_positions_may_be_lists_and_single_precision():
    assert neighbor_list([[0, 0, 0], [1, 0, 0]], 1.5).senders.tolist() == [1, 0]
    assert neighbor_list(np.eye(3, dtype=np.float32), 1.5).senders.shape == (6,)


DEGENERATE = np.array([[1.0, 0, 0], [2.0, 0, 0], [0, 0, 1]])
WRONG_CALLS = [
    (dict(positions=np.zeros((3, 2)), cutoff=1.0), r"positions must have shape \(n, 3\), got \(3, 2\)"),
    (dict(positions=np.zeros(3), cutoff=1.0), r"positions must have shape \(n, 3\), got \(3,\)"),
    (dict(positions=np.zeros((2, 3)), cutoff=0.0), "cutoff must be a number above 0, got 0.0"),
    (dict(positions=np.zeros((2, 3)), cutoff=float("inf")), "cutoff must be finite, got inf"),
    (dict(positions=np.full((2, 3), np.nan), cutoff=1.0), r"positions must be finite, got \[nan nan nan\]"),
    (dict(positions=np.zeros((2, 3)), cutoff=1.0, pbc=True), "cell must have a lattice vector for every per"),
    (
        dict(positions=np.zeros((2, 3)), cutoff=1.0, cell=np.eye(2)),
        r"cell must have shape \(3, 3\), got \(2, 2",
    ),
    (
        dict(positions=np.zeros((2, 3)), cutoff=1.0, cell=DEGENERATE, pbc=True),
        "cell must have linearly indep",
    ),
    (
        dict(positions=np.zeros((2, 3)), cutoff=1.0, cell=np.eye(3) * np.nan, pbc=True),
        "cell must be finite, got",
    ),
    (dict(positions=np.zeros((2, 3)), cutoff=1.0, pbc=(True, False)), "pbc must be one or three .*, got"),
]


@pytest.mark.parametrize(("arguments", "message"), WRONG_CALLS)
def test_wrong_calls_name_the_argument(arguments, message):
    with pytest.raises(ValueError, match=message):
        neighbor_list(**arguments)
