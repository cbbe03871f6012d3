"""Parsers of the molecular data sets: named parts of :class:`MolecularFrames`, and isolated-atom energies.

Units are angstrom, eV and eV/angstrom throughout.
"""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from equijax.data import registry, store
from equijax.data.errors import DataError
from equijax.data.frames import MolecularFrames, split_isolated_atoms
from equijax.data.xyz import read_xyz
from equijax.numerics import check


class AcAc(NamedTuple):
    """Acetylacetone at the PBE-D3/def2-SVP level. A part that was not asked for is None.

    Attributes:
      train_300K, train_600K: 500 frames each, with forces.
      test_300K, test_600K: 650 frames each, with forces.
      h_transfer: the proton-transfer path, energies only.
      dihedral: the dihedral scan, energies only; ``info["dihedral_angle"]`` in degrees.
      isolated_energies: energy of each element's isolated atom by atomic number, in eV.

    Example:
      >>> AcAc._fields[:2]
      ('train_300K', 'train_600K')
    """

    train_300K: MolecularFrames | None = None
    train_600K: MolecularFrames | None = None
    test_300K: MolecularFrames | None = None
    test_600K: MolecularFrames | None = None
    h_transfer: MolecularFrames | None = None
    dihedral: MolecularFrames | None = None
    isolated_energies: dict[int, float] | None = None


class ThreeBPA(NamedTuple):
    """3-(benzyloxy)pyridin-2-amine at the wB97X/6-31G(d) level. A part that was not asked for is None.

    Attributes:
      train_300K: 500 frames at 300 K, with forces; ``info["dihedrals"]``, shape (500, 3), in degrees.
      train_mixedT: 500 frames at 300, 600 and 1200 K.
      isolated_energies: energy of each element's isolated atom by atomic number, in eV.

    Example:
      >>> ThreeBPA._fields
      ('train_300K', 'train_mixedT', 'isolated_energies')
    """

    train_300K: MolecularFrames | None = None
    train_mixedT: MolecularFrames | None = None
    isolated_energies: dict[int, float] | None = None


class AcetylacetoneGFN2(NamedTuple):
    """The enol of acetylacetone by GFN2-xTB, from a script of our own. A part that was not asked for is None.

    Attributes:
      train_300K: 500 frames of Langevin dynamics at 300 K, one every 100 fs, with forces.
      valid_300K: the next 100 frames of the same trajectory.
      test_300K, test_600K: 300 frames each, from trajectories of their own.
      isolated_energies: energy of each element's isolated atom by atomic number, in eV.

    Example:
      >>> AcetylacetoneGFN2._fields[:2]
      ('train_300K', 'valid_300K')
    """

    train_300K: MolecularFrames | None = None
    valid_300K: MolecularFrames | None = None
    test_300K: MolecularFrames | None = None
    test_600K: MolecularFrames | None = None
    isolated_energies: dict[int, float] | None = None


def load_acac(parts: Sequence[str] | None = None) -> AcAc:
    """Load ``acac``; see :func:`equijax.data.load`."""
    return AcAc(**_xyz_parts("acac", _chosen(parts, AcAc._fields)))


def load_3bpa(parts: Sequence[str] | None = None) -> ThreeBPA:
    """Load ``3bpa``; see :func:`equijax.data.load`."""
    return ThreeBPA(**_xyz_parts("3bpa", _chosen(parts, ThreeBPA._fields)))


def load_acetylacetone_gfn2(parts: Sequence[str] | None = None) -> AcetylacetoneGFN2:
    """Load ``acetylacetone_gfn2``; see :func:`equijax.data.load`."""
    name = "acetylacetone_gfn2"
    entry = registry.ENTRIES[name]
    path = store.locate(name, entry.files["all"], origin=entry.origin)
    with np.load(path) as stored:
        arrays = dict(stored)
    loaded = {}
    for part in _chosen(parts, AcetylacetoneGFN2._fields):
        if part == "isolated_energies":
            pairs = zip(arrays["isolated_numbers"], arrays["isolated_energies"], strict=True)
            loaded[part] = {int(number): float(energy) for number, energy in pairs}
        else:
            loaded[part] = _same_molecule(arrays, part)
    return AcetylacetoneGFN2(**loaded)


def _chosen(parts: Sequence[str] | None, fields: tuple[str, ...]) -> tuple[str, ...]:
    """The parts to load, checked."""
    if parts is None:
        return fields
    if isinstance(parts, str):
        raise TypeError(f"parts must be a sequence of names, got the string {parts!r}")
    for part in parts:
        check.one_of("parts", part, fields)
    return tuple(parts)


def _xyz_parts(name: str, parts: tuple[str, ...]) -> dict:
    """Read the files of parts, each an extended-XYZ file of one sort."""
    entry = registry.ENTRIES[name]
    loaded = {}
    for part in parts:
        path = store.locate(name, entry.files[part], origin=entry.origin)
        frames = read_xyz(path, require=("energy",))
        if part == "isolated_energies":
            frames, energies = split_isolated_atoms(frames)
            if len(frames):
                raise DataError(f"{path} must hold isolated atoms only, got {len(frames)} molecules")
            loaded[part] = energies
        else:
            loaded[part] = frames
    return loaded


def _same_molecule(arrays: dict[str, np.ndarray], part: str) -> MolecularFrames:
    """Frames of one molecule, stored as arrays with an axis of frames."""
    positions, forces = arrays[f"{part}_positions"], arrays[f"{part}_forces"]
    num_frames, num_atoms, _ = positions.shape
    return MolecularFrames(
        numbers=np.tile(arrays["numbers"], num_frames),
        positions=positions.reshape(-1, 3),
        num_atoms=np.full(num_frames, num_atoms),
        energy=arrays[f"{part}_energy"],
        forces=forces.reshape(-1, 3),
    )
