import jax
import numpy as np
import pytest

import equijax as ej
from experiments.tasks import molecules


def water_file(path, num_frames, *, forces=True, seed=0):
    rng = np.random.default_rng(seed)
    frames = ej.data.MolecularFrames(
        numbers=np.tile([8, 1, 1], num_frames),
        positions=rng.normal(size=(3 * num_frames, 3)) + np.tile(np.eye(3), (num_frames, 1)),
        num_atoms=np.full(num_frames, 3),
        energy=rng.normal(size=num_frames) - 2000,
        forces=rng.normal(size=(3 * num_frames, 3)) if forces else None,
    )
    ej.data.write_xyz(path, frames)
    return path


def test_embedded_task_has_its_own_split():
    task = molecules.load_task("acetylacetone_gfn2")
    assert [len(task.train), len(task.valid), *map(len, task.tests.values())] == [500, 100, 300, 300]
    assert task.species == (1, 6, 8)
    interaction = molecules.interaction_energies(task.train, task.atomic_energies)
    assert -120 < interaction.mean() < -40  # bound by a few eV an atom
    assert interaction.std() < 1


def test_fewer_training_frames_are_a_subset():
    whole, part = (molecules.load_task("acetylacetone_gfn2", num_train=n).train for n in (None, 7))
    assert len(part) == 7
    assert set(part.energy) <= set(whole.energy)


def test_own_file_is_split_without_overlap(tmp_path):
    path = water_file(tmp_path / "water.xyz", 20)
    task = molecules.load_task(str(path))
    parts = [task.train, task.valid, task.tests["held out"]]
    assert [len(part) for part in parts] == [16, 2, 2]
    energies = np.concatenate([part.energy for part in parts])
    assert len(set(np.round(energies, 6))) == 20


def test_own_test_file(tmp_path):
    path = water_file(tmp_path / "water.xyz", 10)
    other = water_file(tmp_path / "other.xyz", 4, seed=1)
    task = molecules.load_task(str(path), str(other))
    assert [len(task.train), len(task.valid), len(task.tests["held out"])] == [9, 1, 4]


def test_without_isolated_atoms_references_are_fitted(tmp_path):
    task = molecules.load_task(str(water_file(tmp_path / "water.xyz", 20)))
    interaction = molecules.interaction_energies(task.train, task.atomic_energies)
    assert abs(interaction.mean()) < 1e-6


def test_errors(tmp_path):
    with pytest.raises(
        ej.data.DataError, match="test must be None with the data set 'acetylacetone_gfn2', got 'x'"
    ):
        molecules.load_task("acetylacetone_gfn2", "x")
    with pytest.raises(ej.data.DataError, match="forces"):
        molecules.load_task(str(water_file(tmp_path / "water.xyz", 5, forces=False)))
    with pytest.raises(ej.data.DataError, match=r"data must hold at least 3 frames besides .*, got 2"):
        molecules.load_task(str(water_file(tmp_path / "two.xyz", 2)))


def test_batches_are_a_function_of_the_step():
    task = molecules.load_task("acetylacetone_gfn2", num_train=8)
    batches = molecules.MoleculeBatches(
        task.train, task.atomic_energies, species=task.species, cutoff=4.0, batch_size=4, shards=2,
        key=jax.random.key(0),
    )  # fmt: skip
    first, again, other = batches(3), batches(3), batches(4)
    for a, b in zip(jax.tree.leaves(first), jax.tree.leaves(again), strict=True):
        np.testing.assert_array_equal(a, b)
    assert first.globals["energy"].shape == (2, 3)  # two shards of two molecules and one of padding
    assert not np.array_equal(first.globals["energy"], other.globals["energy"])
    epoch = np.concatenate([batches(step).globals["energy"][:, :2].ravel() for step in (0, 1)])
    assert len(set(epoch.tolist())) == 8
    with pytest.raises(ValueError, match="batch_size must be a multiple of the 3 shards, got 4"):
        molecules.MoleculeBatches(
            task.train, task.atomic_energies, species=task.species, cutoff=4.0, batch_size=4, shards=3,
            key=jax.random.key(0),
        )  # fmt: skip


def test_elements_that_the_table_lacks_are_an_error_of_the_data():
    frames = ej.data.MolecularFrames(numbers=[1, 11], positions=np.eye(3)[:2], num_atoms=[2], energy=[0.0])
    with pytest.raises(ej.data.DataError, match=r"frames must hold the elements \(1, 8\) only, got \[11\]"):
        molecules.labelled_graphs(frames, {1: 0.0, 8: 0.0}, species=(1, 8), cutoff=4.0)
