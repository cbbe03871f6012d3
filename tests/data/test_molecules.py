import os

import numpy as np
import pytest

import equijax as ej
from equijax.data import molecules, registry, store

needs_files = pytest.mark.skipif(not os.environ.get("EQUIJAX_DATA"), reason="EQUIJAX_DATA is not set")


@pytest.fixture
def gfn2_file(tmp_path, monkeypatch):
    """A file in the format of the embedded set, two frames a part."""
    rng = np.random.default_rng(0)
    arrays = {"numbers": np.array([8, 1, 1], np.int32)}
    for part in ("train_300K", "valid_300K", "test_300K", "test_600K"):
        arrays[f"{part}_positions"] = rng.normal(size=(2, 3, 3)).astype(np.float32)
        arrays[f"{part}_energy"] = rng.normal(size=2)
        arrays[f"{part}_forces"] = rng.normal(size=(2, 3, 3)).astype(np.float32)
    arrays |= {"isolated_numbers": np.array([1, 8], np.int32), "isolated_energies": np.array([-10.7, -102.6])}
    path = tmp_path / "acetylacetone_gfn2.npz"
    np.savez_compressed(path, **arrays)
    file = registry.File(path.name, store.sha256(path), None)
    entry = registry.ENTRIES["acetylacetone_gfn2"]._replace(files={"all": file})
    monkeypatch.setitem(registry.ENTRIES, "acetylacetone_gfn2", entry)
    monkeypatch.setattr(store, "EMBEDDED", tmp_path)
    return arrays


def test_stacked_arrays_become_frames(gfn2_file):
    loaded = ej.data.load("acetylacetone_gfn2")
    assert loaded.isolated_energies == {1: -10.7, 8: -102.6}
    for part in ("train_300K", "valid_300K", "test_300K", "test_600K"):
        frames = getattr(loaded, part)
        np.testing.assert_array_equal(frames.num_atoms, [3, 3])
        np.testing.assert_array_equal(frames.numbers, [8, 1, 1, 8, 1, 1])
        np.testing.assert_array_equal(frames[1].positions, gfn2_file[f"{part}_positions"][1])
        np.testing.assert_array_equal(frames[1].forces, gfn2_file[f"{part}_forces"][1])
        np.testing.assert_array_equal(frames.energy, gfn2_file[f"{part}_energy"])


def test_parts_that_are_not_asked_for_are_none(gfn2_file):
    loaded = ej.data.load("acetylacetone_gfn2", parts=("test_600K",))
    assert len(loaded.test_600K) == 2
    assert loaded.train_300K is None
    assert loaded.isolated_energies is None


def test_the_embedded_set_is_physical():
    loaded = ej.data.load("acetylacetone_gfn2")
    sizes = {"train_300K": 500, "valid_300K": 100, "test_300K": 300, "test_600K": 300}
    assert {part: len(getattr(loaded, part)) for part in sizes} == sizes
    assert loaded.train_300K.elements == tuple(sorted(loaded.isolated_energies)) == (1, 6, 8)
    spread = {}
    for part in sizes:
        frames = getattr(loaded, part)
        assert all(np.isfinite(getattr(frames, name)).all() for name in ("positions", "energy", "forces"))
        forces = frames.forces.reshape(len(frames), 15, 3)
        np.testing.assert_allclose(forces.sum(1), 0.0, atol=1e-3)
        torque = np.cross(frames.positions.reshape(len(frames), 15, 3), forces).sum(1)
        np.testing.assert_allclose(torque, 0.0, atol=1e-2)
        reference = 5 * loaded.isolated_energies[6] + 2 * loaded.isolated_energies[8]
        binding = frames.energy - reference - 8 * loaded.isolated_energies[1]
        assert (binding < -40).all(), "a molecule of 15 atoms is bound by tens of eV"
        spread[part] = frames.energy.std()
    assert spread["test_600K"] > 1.5 * spread["test_300K"]


@needs_files
def test_acac():
    loaded = ej.data.load("acac")
    sizes = {"train_300K": 500, "train_600K": 500, "test_300K": 650, "test_600K": 650}
    assert {part: len(getattr(loaded, part)) for part in sizes} == sizes
    assert all((getattr(loaded, part).num_atoms == 15).all() for part in loaded._fields[:-1])
    assert loaded.h_transfer.forces is None
    np.testing.assert_array_equal(np.diff(loaded.dihedral.info["dihedral_angle"]), 4.0)
    assert loaded.isolated_energies[1] == -13.568422178253735
    first = loaded.train_300K[0]
    assert first.energy == -9391.45554428476
    np.testing.assert_array_equal(first.forces[0], [1.47339228, 1.13796366, 0.06391102])


@needs_files
def test_3bpa():
    loaded = ej.data.load("3bpa")
    assert len(loaded.train_300K) == len(loaded.train_mixedT) == 500
    assert (loaded.train_300K.num_atoms == 27).all()
    assert loaded.train_300K.elements == tuple(sorted(loaded.isolated_energies)) == (1, 6, 7, 8)
    assert loaded.train_300K.info["dihedrals"].shape == (500, 3)


def test_corrupt_and_mixed_files_are_refused(tmp_path, monkeypatch):
    path = tmp_path / "acac/isolated_atoms.xyz"
    path.parent.mkdir()
    path.write_text("2\nProperties=species:S:1:pos:R:3 energy=-31.0\nH 0 0 0\nH 0 0 0.7\n")
    monkeypatch.setenv("EQUIJAX_DATA", str(tmp_path))
    with pytest.raises(ej.data.DataError, match=r"isolated_atoms.xyz is not the file .* expected SHA-256"):
        ej.data.load("acac", parts=("isolated_energies",))
    entry = registry.ENTRIES["acac"]
    file = registry.File("acac/isolated_atoms.xyz", store.sha256(path), None)
    monkeypatch.setattr(store, "EMBEDDED", tmp_path)
    changed = entry._replace(files={**entry.files, "isolated_energies": file})
    monkeypatch.setitem(registry.ENTRIES, "acac", changed)
    with pytest.raises(ej.data.DataError, match="must hold isolated atoms only, got 1 molecules"):
        molecules.load_acac(parts=("isolated_energies",))
