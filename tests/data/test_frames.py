import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from equijax.data import DataError, MolecularFrames, split_isolated_atoms


def random_frames(seed, num_frames=5, **kept):
    rng = np.random.default_rng(seed)
    counts = rng.integers(1, 5, num_frames)
    total = counts.sum()
    fields = {
        "numbers": rng.choice([1, 6, 8], total),
        "positions": rng.normal(size=(total, 3)),
        "num_atoms": counts,
        "energy": rng.normal(size=num_frames),
        "forces": rng.normal(size=(total, 3)),
        "cell": rng.normal(size=(num_frames, 3, 3)),
        "pbc": rng.integers(0, 2, (num_frames, 3)).astype(bool),
        "stress": rng.normal(size=(num_frames, 3, 3)),
        "info": {"angle": rng.normal(size=num_frames), "kind": rng.choice(["hot", "cold"], num_frames)},
    }
    return MolecularFrames(**{key: value for key, value in fields.items() if kept.get(key, True)})


def assert_same(a, b):
    for name in ("numbers", "positions", "num_atoms", "energy", "forces", "cell", "pbc", "stress"):
        np.testing.assert_array_equal(getattr(a, name), getattr(b, name), err_msg=name)
    assert a.info.keys() == b.info.keys()
    for key in a.info:
        np.testing.assert_array_equal(a.info[key], b.info[key])


@given(seed=st.integers(0, 1000), num_frames=st.integers(1, 6), data=st.data())
def test_selection_agrees_with_a_loop_over_frames(seed, num_frames, data):
    frames = random_frames(seed, num_frames)
    index = data.draw(st.lists(st.integers(-num_frames, num_frames - 1), max_size=8))
    chosen = frames[index]
    assert len(chosen) == len(index)
    for position, i in enumerate(index):
        start = int(frames.num_atoms[: i % num_frames].sum())
        atoms = slice(start, start + int(frames.num_atoms[i]))
        own = slice(int(chosen.offsets[position]), int(chosen.offsets[position] + chosen.num_atoms[position]))
        np.testing.assert_array_equal(chosen.forces[own], frames.forces[atoms])
        np.testing.assert_array_equal(chosen.numbers[own], frames.numbers[atoms])
        assert chosen.energy[position] == frames.energy[i]
        assert chosen.info["kind"][position] == frames.info["kind"][i]


@given(seed=st.integers(0, 1000), num_frames=st.integers(1, 6))
def test_concatenating_single_frames_gives_the_whole(seed, num_frames):
    frames = random_frames(seed, num_frames)
    assert_same(MolecularFrames.concatenate(list(frames)), frames)
    assert_same(MolecularFrames.concatenate([frames[:2], frames[2:]]), frames)


def test_masks_and_slices():
    frames = random_frames(0)
    assert_same(frames[np.array([True, False, True, False, False])], frames[[0, 2]])
    assert_same(frames[::2], frames[[0, 2, 4]])
    assert len(frames[:0]) == 0
    with pytest.raises(IndexError):
        frames[5]


def test_concatenation_marks_what_a_part_lacks():
    labelled, bare = (
        random_frames(0, 2),
        random_frames(1, 3, energy=False, forces=False, stress=False, info=False),
    )
    both = MolecularFrames.concatenate([labelled, bare])
    np.testing.assert_array_equal(np.isnan(both.energy), [False, False, True, True, True])
    assert np.isnan(both.forces[len(labelled.numbers) :]).all()
    assert np.isnan(both.stress[2:]).all()
    assert np.isnan(both.info["angle"][2:]).all()
    assert list(both.info["kind"][2:]) == ["", "", ""]
    assert_same(both[:2], labelled)
    assert MolecularFrames.concatenate([bare, bare]).energy is None
    with pytest.raises(ValueError, match="at least one"):
        MolecularFrames.concatenate([])


@given(seed=st.integers(0, 1000))
def test_ase_round_trip(seed):
    frames = random_frames(seed)
    stress = frames.stress + frames.stress.transpose(0, 2, 1)
    frames = MolecularFrames(**{**vars(frames), "stress": stress})
    assert_same(MolecularFrames.from_ase(frames.to_ase()), frames)


def test_unlabelled_frames_survive_ase():
    bare = random_frames(3, energy=False, forces=False, stress=False, info=False)
    back = MolecularFrames.from_ase(bare.to_ase())
    assert back.energy is None
    assert back.stress is None
    assert len(MolecularFrames.from_ase([])) == 0


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"positions": np.zeros((4, 3))}, r"positions must have shape \(atoms, 3\), atoms=3, got \(4, 3\)"),
        ({"energy": np.zeros(3)}, r"energy must have shape \(frames\), frames=2, got \(3,\)"),
        ({"forces": np.zeros(9)}, "forces must have shape"),
        ({"num_atoms": [3, 0]}, "num_atoms must be at least 1"),
        ({"info": {"angle": np.zeros(3)}}, r"info\['angle'\] must have a leading axis of 2 frames"),
    ],
)
def test_shapes_that_do_not_agree_are_refused(change, message):
    fields = {"numbers": [1, 1, 8], "positions": np.zeros((3, 3)), "num_atoms": [1, 2]}
    with pytest.raises(ValueError, match=message):
        MolecularFrames(**{**fields, **change})


def atoms_in(num_atoms, numbers, energy, **fields):
    return MolecularFrames(
        numbers=numbers, positions=np.zeros((len(numbers), 3)), num_atoms=num_atoms, energy=energy, **fields
    )


def test_isolated_atoms_are_split_off():
    frames = atoms_in([1, 2, 1], [8, 1, 1, 1], [-2041.0, -31.0, -13.6])
    rest, energies = split_isolated_atoms(frames)
    assert energies == {8: -2041.0, 1: -13.6}
    np.testing.assert_array_equal(rest.energy, [-31.0])


def test_a_periodic_single_atom_is_a_crystal_unless_it_is_marked():
    crystal = atoms_in([1], [29], [-3.5], pbc=np.ones((1, 3), bool))
    assert split_isolated_atoms(crystal)[1] == {}
    marked = atoms_in([1], [29], [-3.5], pbc=np.ones((1, 3), bool), info={"config_type": ["IsolatedAtom"]})
    assert split_isolated_atoms(marked)[1] == {29: -3.5}


def test_contradictory_isolated_atoms_are_refused():
    with pytest.raises(DataError, match="element 1 has two isolated-atom energies"):
        split_isolated_atoms(atoms_in([1, 1], [1, 1], [-13.6, -13.5]))
    with pytest.raises(DataError, match=r"frame 0 is an isolated atom \(element 1\) without an energy"):
        split_isolated_atoms(atoms_in([1], [1], None))


def test_wrong_kinds_are_refused_and_not_cut():
    atom = {"positions": np.zeros((1, 3)), "num_atoms": [1]}
    with pytest.raises(TypeError, match="numbers must be an array of int32, got dtype float64"):
        MolecularFrames(numbers=[1.5], **atom)
    with pytest.raises(TypeError, match="numbers must be an array of int32, got dtype <U1"):
        MolecularFrames(numbers=["H"], **atom)
    with pytest.raises(ValueError, match=r"numbers must be atomic numbers up to 118, got \(200,\)"):
        MolecularFrames(numbers=[200], **atom)
    with pytest.raises(TypeError, match=r"parts\[i\] must be a MolecularFrames, got int"):
        MolecularFrames.concatenate([3])
    with pytest.raises(TypeError, match="frames must be a MolecularFrames, got int"):
        split_isolated_atoms(3)
