"""Molecular frames of any size in one container: per-atom arrays laid end to end.

Units: angstrom, eV, eV/angstrom, eV/angstrom^3. The sign of the stress is ASE's (positive under tension).
"""

import dataclasses
from collections.abc import Iterator, Mapping, Sequence

import numpy as np
from jaxtyping import Bool, Float, Int

from equijax.data import ase_labels
from equijax.data.errors import DataError
from equijax.numerics import check

_HEAVIEST = 118
_ISOLATED = ("isolated_atom", "IsolatedAtom", "isolatedatom", "isolated")


@dataclasses.dataclass(frozen=True, eq=False, repr=False)
class MolecularFrames:
    """Configurations of atoms with their energies and forces; atoms of all frames are concatenated.

    Attributes:
      numbers: atomic numbers, shape ``(atoms,)``.
      positions: shape ``(atoms, 3)``, angstrom.
      num_atoms: atoms of each frame, shape ``(frames,)``.
      energy: shape ``(frames,)``, eV; NaN where a frame has none, None where no frame has one.
      forces: shape ``(atoms, 3)``, eV/angstrom; NaN and None as above.
      cell: lattice vectors as rows, shape ``(frames, 3, 3)``, angstrom; zeros where not given.
      pbc: periodic directions, shape ``(frames, 3)``; False where not given.
      stress: shape ``(frames, 3, 3)``, eV/angstrom^3; NaN and None as above.
      info: further arrays with a leading axis of frames, by name (``config_type``, ``dihedral_angle``, ...).

    Raises:
      ValueError: if shapes do not agree, or a number is no atomic number.
      TypeError: if an array has another kind of dtype.

    Example:
      >>> water = MolecularFrames(
      ...     numbers=[8, 1, 1, 8, 1, 1], positions=np.zeros((6, 3)), num_atoms=[3, 3], energy=[0.0, 1.0]
      ... )
      >>> water
      MolecularFrames(2 frames, 6 atoms, elements H O, with energy)
      >>> water[-1].energy
      array([1.])
    """

    numbers: Int[np.ndarray, "atoms"]
    positions: Float[np.ndarray, "atoms 3"]
    num_atoms: Int[np.ndarray, "frames"]
    energy: Float[np.ndarray, "frames"] | None = None
    forces: Float[np.ndarray, "atoms 3"] | None = None
    cell: Float[np.ndarray, "frames 3 3"] | None = None
    pbc: Bool[np.ndarray, "frames 3"] | None = None
    stress: Float[np.ndarray, "frames 3 3"] | None = None
    info: Mapping[str, np.ndarray] = dataclasses.field(default_factory=dict)

    def __post_init__(self):
        frames = len(np.asarray(self.num_atoms))
        defaults = {"cell": np.zeros((frames, 3, 3)), "pbc": np.zeros((frames, 3), bool)}
        for name, default in defaults.items():
            if getattr(self, name) is None:
                object.__setattr__(self, name, default)
        dtypes = {"numbers": np.int32, "num_atoms": np.int64, "pbc": bool}
        shapes = {"numbers": "atoms", "num_atoms": "frames", "energy": "frames", "positions": "atoms 3"}
        shapes |= {"forces": "atoms 3", "cell": "frames 3 3", "pbc": "frames 3", "stress": "frames 3 3"}
        sizes = {"atoms": int(np.sum(self.num_atoms)), "frames": frames}
        for name, pattern in shapes.items():
            if getattr(self, name) is not None:
                array = _converted(name, getattr(self, name), dtypes.get(name, np.float64))
                check.shape(name, array, pattern, **{key: sizes[key] for key in sizes if key in pattern})
                object.__setattr__(self, name, array)
        if len(self.numbers) and not 0 <= self.numbers.min() <= self.numbers.max() <= _HEAVIEST:
            raise ValueError(f"numbers must be atomic numbers up to {_HEAVIEST}, got {self.elements}")
        if frames and self.num_atoms.min() < 1:
            raise ValueError(f"num_atoms must be at least 1 in every frame, got {self.num_atoms.min()}")
        info = {key: np.asarray(value) for key, value in self.info.items()}
        for key, value in info.items():
            if value.shape[:1] != (frames,):
                raise ValueError(
                    f"info[{key!r}] must have a leading axis of {frames} frames, got {value.shape}"
                )
        object.__setattr__(self, "info", info)

    def __len__(self) -> int:
        return len(self.num_atoms)

    def __iter__(self) -> Iterator["MolecularFrames"]:
        return (self[i] for i in range(len(self)))

    def __getitem__(self, index) -> "MolecularFrames":
        """Frames by integer (one frame), slice, index array or mask, in the order given."""
        index = np.asarray(index, int) if isinstance(index, list | tuple) and not len(index) else index
        frames = np.atleast_1d(np.arange(len(self))[index])
        counts = self.num_atoms[frames]
        shift = self.offsets[frames] - (np.cumsum(counts) - counts)
        atoms = np.repeat(shift, counts) + np.arange(counts.sum())
        return MolecularFrames(
            numbers=self.numbers[atoms],
            positions=self.positions[atoms],
            num_atoms=counts,
            energy=None if self.energy is None else self.energy[frames],
            forces=None if self.forces is None else self.forces[atoms],
            cell=self.cell[frames],
            pbc=self.pbc[frames],
            stress=None if self.stress is None else self.stress[frames],
            info={key: value[frames] for key, value in self.info.items()},
        )

    def __repr__(self) -> str:
        from ase.data import chemical_symbols

        elements = " ".join(chemical_symbols[number] for number in self.elements)
        labels = [name for name in ("energy", "forces", "stress") if getattr(self, name) is not None]
        parts = [f"{len(self)} frames", f"{len(self.numbers)} atoms", f"elements {elements or 'none'}"]
        return f"MolecularFrames({', '.join([*parts, 'with ' + (' and '.join(labels) or 'no labels')])})"

    @property
    def offsets(self) -> Int[np.ndarray, "frames"]:
        """Index of the first atom of each frame."""
        return np.cumsum(self.num_atoms) - self.num_atoms

    @property
    def elements(self) -> tuple[int, ...]:
        """The atomic numbers that occur, in ascending order."""
        return tuple(int(number) for number in np.unique(self.numbers))

    @classmethod
    def concatenate(cls, parts: Sequence["MolecularFrames"]) -> "MolecularFrames":
        """Lay several sets of frames end to end. What a part lacks and another has is NaN (or empty) there.

        Raises:
          ValueError: if there are no parts.

        Example:
          >>> atom = MolecularFrames(numbers=[1], positions=np.zeros((1, 3)), num_atoms=[1])
          >>> len(MolecularFrames.concatenate([atom, atom, atom]))
          3
        """
        parts = list(parts)
        for part in parts:
            check.instance("parts[i]", part, MolecularFrames)
        if not parts:
            raise ValueError("parts must hold at least one MolecularFrames, got none")
        fields = {
            name: [getattr(part, name) for part in parts] for name in ("numbers", "positions", "num_atoms")
        }
        fields |= {name: [getattr(part, name) for part in parts] for name in ("cell", "pbc")}
        arrays = {name: np.concatenate(values) for name, values in fields.items()}
        for name, like in (("energy", "num_atoms"), ("forces", "positions"), ("stress", "cell")):
            values = [getattr(part, name) for part in parts]
            if any(value is not None for value in values):
                blanks = [np.full(getattr(part, like).shape, np.nan) for part in parts]
                arrays[name] = np.concatenate(
                    [blank if value is None else value for value, blank in zip(values, blanks, strict=True)]
                )
        keys = dict.fromkeys(key for part in parts for key in part.info)
        info = {
            key: ase_labels.stacked_info([value for part in parts for value in _info_of(part, key)])
            for key in keys
        }
        return cls(**arrays, info=info)

    @classmethod
    def from_ase(
        cls, atoms, *, energy_key=None, forces_key=None, require=(), source="atoms"
    ) -> "MolecularFrames":
        """Gather ``ase.Atoms`` objects; energies and forces as :func:`equijax.data.read_xyz` finds them.

        Args:
          atoms: one ``ase.Atoms`` or a sequence of them.
          energy_key, forces_key: names to look under, instead of the usual ones.
          require: which of ``"energy"``, ``"forces"``, ``"stress"`` every frame must have.
          source: what to call the atoms in messages.

        Raises:
          DataError: if a required label is missing or a number is not finite.

        Example:
          >>> from ase.build import molecule
          >>> MolecularFrames.from_ase([molecule("H2O"), molecule("CH4")])
          MolecularFrames(2 frames, 8 atoms, elements H C O, with no labels)
        """
        images = [atoms] if hasattr(atoms, "get_positions") else list(atoms)
        labels = ase_labels.find(
            images, energy_key=energy_key, forces_key=forces_key, require=require, source=source
        )
        counts = [len(image) for image in images]
        empty = np.zeros((0, 3))
        return cls(
            numbers=np.concatenate([np.zeros(0, int), *(image.numbers for image in images)]),
            positions=np.concatenate([empty, *(image.positions for image in images)]),
            num_atoms=np.asarray(counts, int),
            cell=np.asarray([np.asarray(image.cell) for image in images]).reshape(-1, 3, 3),
            pbc=np.asarray([image.pbc for image in images], bool).reshape(-1, 3),
            **labels,
        )

    def to_ase(self) -> list:
        """The frames as ``ase.Atoms``, labels in a ``SinglePointCalculator``; missing values are left out.

        Example:
          >>> frame = MolecularFrames(numbers=[2], positions=np.zeros((1, 3)), num_atoms=[1], energy=[-2.5])
          >>> frame.to_ase()[0].get_potential_energy()
          -2.5
        """
        return [ase_labels.to_atoms(frame) for frame in self]


def split_isolated_atoms(frames: MolecularFrames) -> tuple[MolecularFrames, dict[int, float]]:
    """Split reference energies of isolated atoms off a set of frames.

    A frame is an isolated atom if it has one atom and no periodic direction, or one atom and a
    ``config_type`` that says so (``isolated_atom``, ``IsolatedAtom``).

    Args:
      frames: any frames.

    Returns:
      The other frames, and the energy in eV of each isolated atom by atomic number.

    Raises:
      DataError: if an isolated atom has no energy, or an element has two different ones.

    Example:
      >>> both = MolecularFrames(
      ...     numbers=[1, 1, 1], positions=np.zeros((3, 3)), num_atoms=[1, 2], energy=[-13.6, -31.7]
      ... )
      >>> split_isolated_atoms(both)
      (MolecularFrames(1 frames, 2 atoms, elements H, with energy), {1: -13.6})
    """
    check.instance("frames", frames, MolecularFrames)
    marked = np.zeros(len(frames), bool)
    if "config_type" in frames.info:
        marked = np.isin(frames.info["config_type"].astype(str), _ISOLATED)
    isolated = (frames.num_atoms == 1) & (marked | ~frames.pbc.any(axis=-1))
    energies: dict[int, float] = {}
    for index in np.flatnonzero(isolated):
        number = int(frames.numbers[frames.offsets[index]])
        energy = np.nan if frames.energy is None else float(frames.energy[index])
        if not np.isfinite(energy):
            raise DataError(f"frame {index} is an isolated atom (element {number}) without an energy")
        if energies.setdefault(number, energy) != energy:
            raise DataError(
                f"element {number} has two isolated-atom energies, {energies[number]} and {energy} eV"
            )
    return frames[~isolated], energies


def _converted(name: str, value, dtype) -> np.ndarray:
    """A field as an array of its dtype; fractions are not cut to integers."""
    array = np.asarray(value)
    kinds = "fiuO" if dtype is np.float64 else "iub"  # objects: None becomes NaN
    if array.size and array.dtype.kind not in kinds:
        raise TypeError(f"{name} must be an array of {np.dtype(dtype).name}, got dtype {array.dtype}")
    return array.astype(dtype)


def _info_of(frames: MolecularFrames, key: str) -> list:
    """A value of a key for every frame; None where the key is missing."""
    return list(frames.info[key]) if key in frames.info else [None] * len(frames)
