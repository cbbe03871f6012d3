import ase
import numpy as np
import pytest
from ase.calculators.singlepoint import SinglePointCalculator
from ase.stress import full_3x3_to_voigt_6_stress

from equijax.data import DataError, MolecularFrames
from equijax.data.ase_labels import stacked_info


def water(**info):
    atoms = ase.Atoms("OH2", positions=[[0, 0, 0], [0, 0, 1], [0, 1, 0]], info=info)
    atoms.arrays["REF_forces"] = np.arange(9.0).reshape(3, 3)
    return atoms


def test_a_reference_key_wins_over_a_calculator():
    atoms = water(REF_energy=-2.0)
    atoms.calc = SinglePointCalculator(atoms, energy=-1.0, forces=np.ones((3, 3)))
    frames = MolecularFrames.from_ase(atoms)
    np.testing.assert_array_equal(frames.energy, [-2.0])
    np.testing.assert_array_equal(frames.forces, np.arange(9.0).reshape(3, 3))
    chosen = MolecularFrames.from_ase(atoms, energy_key="energy", forces_key="forces")
    np.testing.assert_array_equal(chosen.energy, [-1.0])
    np.testing.assert_array_equal(chosen.forces, np.ones((3, 3)))


def test_one_key_serves_all_frames():
    with pytest.raises(DataError, match=r"atoms, frame 1: no energy \(looked for REF_energy\); .*Energy"):
        MolecularFrames.from_ase([water(REF_energy=1.0), water(Energy=1.0)], require=("energy",))


def test_missing_labels_are_nan_when_not_required():
    frames = MolecularFrames.from_ase([water(energy=1.0), ase.Atoms("He2", positions=np.eye(3)[:2])])
    np.testing.assert_array_equal(frames.energy, [1.0, np.nan])
    assert np.isnan(frames.forces[3:]).all()


def test_stress_and_virial():
    full = np.array([[1.0, 0.1, 0.2], [0.1, 2.0, 0.3], [0.2, 0.3, 3.0]])
    cell = ase.Atoms("Cu", cell=[2.0, 3.0, 4.0], pbc=True)
    for key, value in {
        "stress": full_3x3_to_voigt_6_stress(full),
        "REF_stress": full.ravel(),
        "dft_stress": full,
        "virial": -24.0 * full,
        "REF_virials": -24.0 * full.ravel(),
    }.items():
        atoms = cell.copy()
        atoms.info[key] = value
        np.testing.assert_allclose(MolecularFrames.from_ase(atoms).stress[0], full, rtol=1e-14, err_msg=key)


def test_a_virial_without_a_cell_is_refused():
    with pytest.raises(DataError, match="needs a cell"):
        MolecularFrames.from_ase(ase.Atoms("Cu", info={"virial": np.eye(3)}))


@pytest.mark.parametrize(
    ("atoms", "message"),
    [
        (water(energy="low"), r"frame 0: energy \(key 'energy'\) must be numeric, got 'low'"),
        (water(energy=[1.0, 2.0]), r"energy \(key 'energy'\) must have shape \(\), got \(2,\)"),
        (water(energy=np.inf), r"energy \(key 'energy'\) is not a finite number"),
    ],
)
def test_labels_that_are_no_numbers_are_refused(atoms, message):
    with pytest.raises(DataError, match=message):
        MolecularFrames.from_ase(atoms)


def test_non_finite_forces_and_positions_name_the_frame():
    bad = water()
    bad.arrays["REF_forces"][1, 2] = np.nan
    with pytest.raises(DataError, match="atoms, frame 1, atom 1: forces"):
        MolecularFrames.from_ase([water(), bad])
    bad = water()
    bad.positions[2, 0] = np.inf
    with pytest.raises(DataError, match="frame 0: positions"):
        MolecularFrames.from_ase(bad)


def test_unknown_requirement():
    with pytest.raises(ValueError, match="require must be one of 'energy', 'forces', 'stress', got 'charge'"):
        MolecularFrames.from_ase(water(), require=("charge",))


def test_info_of_every_kind():
    np.testing.assert_array_equal(stacked_info([1, 2]), [1, 2])
    assert stacked_info([1, 2]).dtype.kind == "i"
    np.testing.assert_array_equal(stacked_info([1, None]), [1, np.nan])
    np.testing.assert_array_equal(stacked_info(["a", None]), ["a", ""])
    np.testing.assert_array_equal(stacked_info([[1.0, 2.0], None]), [[1, 2], [np.nan, np.nan]])
    mixed = stacked_info([{"a": 1}, [1, 2], None])
    assert mixed.tolist() == [{"a": 1}, [1, 2], None]
