"""Energies and forces of molecules: what is learnt from, what is tested on, and padded batches of it."""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

import jax
import numpy as np

import equijax as ej
from equijax.data import MolecularFrames
from equijax.graphs import molecular_graph, pad_batch, padding_budget

DATA_SETS = ("acetylacetone_gfn2", "acac", "3bpa")


class MoleculeTask(NamedTuple):
    """Frames with energies (eV) and forces (eV/angstrom), split for learning.

    Attributes:
      name: of the data set, or of the user's file.
      train, valid: frames to fit, and to watch while fitting.
      tests: further frames by name.
      profiles: paths along one coordinate by name, with energies only.
      atomic_energies: energy of an isolated atom of each atomic number, eV.
    """

    name: str
    train: MolecularFrames
    valid: MolecularFrames
    tests: Mapping[str, MolecularFrames]
    profiles: Mapping[str, MolecularFrames]
    atomic_energies: Mapping[int, float]

    @property
    def species(self) -> tuple[int, ...]:
        """Atomic numbers of all elements, sorted."""
        every = [self.train, self.valid, *self.tests.values(), *self.profiles.values()]
        return tuple(sorted({int(number) for frames in every for number in np.unique(frames.numbers)}))


def load_task(
    data: str, test: str | None = None, *, num_train: int | None = None, seed: int = 0
) -> MoleculeTask:
    """A data set by name, or the user's own extended-XYZ file.

    Args:
      data: one of :data:`DATA_SETS`, or the path of an extended-XYZ file.
      test: path of an extended-XYZ file to test on; a tenth of ``data`` is held out if None. Only with a
        file as ``data``.
      num_train: use only so many training frames, the first of a shuffle.
      seed: of the shuffles.

    Raises:
      DataError: if ``test`` is given with a named data set, a file has too few frames, cannot be read, or
        lacks energies or forces.
    """
    if data in DATA_SETS:
        if test is not None:
            raise ej.data.DataError(f"test must be None with the data set {data!r}, got {test!r}")
        task = {"acetylacetone_gfn2": _acetylacetone, "acac": _acac, "3bpa": _3bpa}[data](seed)
    else:
        task = _from_file(data, test, seed)
    if num_train is not None and num_train < len(task.train):
        order = np.random.default_rng(seed).permutation(len(task.train))
        task = task._replace(train=task.train[np.sort(order[:num_train])])
    return task


def _acetylacetone(seed: int) -> MoleculeTask:
    """The embedded data set, in its own split."""
    data = ej.data.load("acetylacetone_gfn2")
    tests = {"300 K": data.test_300K, "600 K": data.test_600K}
    return MoleculeTask(
        "acetylacetone_gfn2", data.train_300K, data.valid_300K, tests, {}, data.isolated_energies
    )


def _acac(seed: int) -> MoleculeTask:
    """AcAc: 450 of the training frames at 300 K, 50 to watch, the published tests."""
    data = ej.data.load("acac")
    train, valid = _split(data.train_300K, 50, seed)
    tests = {"300 K": data.test_300K, "600 K": data.test_600K}
    profiles = {"dihedral scan": data.dihedral, "proton transfer": data.h_transfer}
    return MoleculeTask("acac", train, valid, tests, profiles, data.isolated_energies)


def _3bpa(seed: int) -> MoleculeTask:
    """3BPA: 400 frames to train on, 50 to watch, 50 held out, and the mixed temperatures as the hot test."""
    data = ej.data.load("3bpa")
    train, rest = _split(data.train_300K, 100, seed)
    tests = {"300 K": rest[50:], "mixed 300-1200 K": data.train_mixedT}
    return MoleculeTask("3bpa", train, rest[:50], tests, {}, data.isolated_energies)


def _from_file(path: str, test: str | None, seed: int) -> MoleculeTask:
    """The user's molecules: a tenth to watch, and a tenth to test on unless there is a file for it."""
    frames, isolated = ej.data.split_isolated_atoms(ej.data.read_xyz(path))
    tenth = max(len(frames) // 10, 1)
    needed = 3 if test is None else 2
    if len(frames) < needed:
        raise ej.data.DataError(
            f"data must hold at least {needed} frames besides isolated atoms, got {len(frames)} in {path}"
        )
    if test is None:
        frames, held_out = _split(frames, tenth, seed)
    else:
        held_out = ej.data.split_isolated_atoms(ej.data.read_xyz(test))[0]
        if not len(held_out):
            raise ej.data.DataError(f"test must hold at least one frame besides isolated atoms, got {test}")
    train, valid = _split(frames, tenth, seed + 1)
    task = MoleculeTask(str(path), train, valid, {"held out": held_out}, {}, isolated)
    if set(task.species) - set(isolated):
        task = task._replace(atomic_energies=fitted_atomic_energies(train, task.species))
    return task


def _split(frames: MolecularFrames, count: int, seed: int) -> tuple[MolecularFrames, MolecularFrames]:
    """All but ``count`` random frames, and those."""
    order = np.random.default_rng(seed).permutation(len(frames))
    return frames[np.sort(order[count:])], frames[np.sort(order[:count])]


def composition(frames: MolecularFrames, species: Sequence[int]) -> np.ndarray:
    """Atoms of each species in each frame, shape ``(frames, species)``."""
    frame_of_atom = np.repeat(np.arange(len(frames)), frames.num_atoms)
    counts = np.zeros((len(frames), len(species)))
    for column, number in enumerate(species):
        np.add.at(counts[:, column], frame_of_atom[frames.numbers == number], 1)
    return counts


def fitted_atomic_energies(frames: MolecularFrames, species: Sequence[int]) -> dict[int, float]:
    """Energies per element that fit the total energies best, where no isolated atoms are given."""
    energies = np.linalg.lstsq(composition(frames, species), frames.energy, rcond=None)[0]
    return {int(number): float(energy) for number, energy in zip(species, energies, strict=True)}


def interaction_energies(frames: MolecularFrames, atomic_energies: Mapping[int, float]) -> np.ndarray:
    """Total energies less those of the isolated atoms, eV, shape ``(frames,)``."""
    species = sorted(atomic_energies)
    references = composition(frames, species) @ np.asarray([atomic_energies[number] for number in species])
    return frames.energy - references


class MoleculeBatches:
    """Padded batches of molecular graphs for training, as a pure function of the step.

    A batch is a stack of ``shards`` padded graphs with the same number of molecules each, so that it divides
    among devices. Targets are ``globals["energy"]`` (interaction energy, eV) and ``nodes["forces"]``.

    Args:
      frames: with energies and forces.
      atomic_energies: reference of each element, eV.
      species: the model's table of elements.
      cutoff: angstrom.
      batch_size: molecules a step, a multiple of ``shards``.
      shards: graphs a step.
      key: of the shuffles.
    """

    def __init__(self, frames, atomic_energies, *, species, cutoff, batch_size, shards, key):
        if batch_size % shards:
            raise ValueError(f"batch_size must be a multiple of the {shards} shards, got {batch_size}")
        self.shards, self.per_shard = shards, batch_size // shards
        self.graphs = labelled_graphs(frames, atomic_energies, species=species, cutoff=cutoff)
        sizes = [(int(graph.n_node[0]), int(graph.n_edge[0])) for graph in self.graphs]
        self.budget = padding_budget(*zip(*sizes, strict=True), self.per_shard)
        index = np.arange(len(self.graphs))
        self._order = ej.training.ShuffledBatches(index, min(batch_size, len(index)), key)

    def __call__(self, step: int):
        """The stacked batch of a step."""
        chosen = np.resize(self._order(step), self.shards * self.per_shard)
        shards = [
            pad_batch([self.graphs[index] for index in part], self.budget)
            for part in chosen.reshape(self.shards, self.per_shard)
        ]
        return jax.tree.map(lambda *leaves: np.stack(leaves), *shards)


def labelled_graphs(frames, atomic_energies, *, species, cutoff, dtype=np.float32) -> list:
    """Graphs of all frames, with ``globals["energy"]``, and ``nodes["forces"]`` where there are forces."""
    unknown = sorted(set(frames.elements) - {int(number) for number in species})
    if unknown:
        raise ej.data.DataError(f"frames must hold the elements {tuple(species)} only, got {unknown}, too")
    energies = interaction_energies(frames, atomic_energies)
    graphs = []
    for index, (start, count) in enumerate(zip(frames.offsets, frames.num_atoms, strict=True)):
        stop = start + count
        graph = molecular_graph(
            frames.numbers[start:stop],
            frames.positions[start:stop],
            cutoff,
            species=species,
            cell=frames.cell[index],
            pbc=frames.pbc[index],
            dtype=dtype,
        )
        graph.globals["energy"] = energies[index : index + 1].astype(dtype)
        if frames.forces is not None:
            graph.nodes["forces"] = frames.forces[start:stop].astype(dtype)
        graphs.append(graph)
    return graphs
