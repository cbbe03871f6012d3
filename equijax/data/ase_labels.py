"""Energies, forces and stresses in ``ase.Atoms``: where files put them, and how to write them back.

ASE moves the keys ``energy``, ``forces`` and ``stress`` of a file into a ``SinglePointCalculator``; every
other key stays in ``Atoms.info`` (per frame) or ``Atoms.arrays`` (per atom).
"""

from collections.abc import Sequence

import numpy as np

from equijax.data.errors import DataError
from equijax.numerics import check

# In order of preference: a key that says it is the reference wins over a plain one.
ENERGY_KEYS = ("REF_energy", "ref_energy", "dft_energy", "DFT_energy", "energy", "Energy", "free_energy")
FORCES_KEYS = ("REF_forces", "ref_forces", "dft_forces", "DFT_forces", "forces", "Forces", "force")
STRESS_KEYS = ("REF_stress", "ref_stress", "dft_stress", "DFT_stress", "stress")
VIRIAL_KEYS = ("REF_virials", "REF_virial", "ref_virial", "dft_virial", "virials", "virial")
LABELS = ("energy", "forces", "stress")
_VOIGT = ((0, 5, 4), (5, 1, 3), (4, 3, 2))  # xx, yy, zz, yz, xz, xy


def find(
    images: Sequence, *, energy_key: str | None, forces_key: str | None, require: Sequence[str], source: str
) -> dict[str, object]:
    """Labels and further information of frames, as the fields of ``MolecularFrames``.

    One key is chosen for all frames, so that labels of two kinds never mix.

    Args:
      images: ``ase.Atoms`` objects.
      energy_key, forces_key: the keys to use; the usual ones in order of preference if None.
      require: which of ``LABELS`` every frame must have.
      source: what to call the frames in messages.

    Raises:
      DataError: if a required label is missing or a number is not finite.
    """
    for label in require:
        check.one_of("require", label, LABELS)
    frames = [_values(image) for image in images]
    keys = {
        "energy": (energy_key,) if energy_key else ENERGY_KEYS,
        "forces": (forces_key,) if forces_key else FORCES_KEYS,
        "stress": STRESS_KEYS + VIRIAL_KEYS,
    }
    chosen = {label: _first_present(frames, candidates) for label, candidates in keys.items()}
    fields = {}
    for label in LABELS:
        rows = []
        for index, (image, values) in enumerate(zip(images, frames, strict=True)):
            where = f"{source}, frame {index}"
            row = _label(label, image, values.get(chosen[label]), chosen[label], where)
            if row is None and label in require:
                raise DataError(_missing(where, label, keys[label], chosen[label], values))
            rows.append(row)
        fields[label] = _stacked(label, rows, images)
    for index, image in enumerate(images):
        if not np.isfinite(image.positions).all():
            raise DataError(f"{source}, frame {index}: positions are not all finite numbers")
    used = {*ENERGY_KEYS, *FORCES_KEYS, *STRESS_KEYS, *VIRIAL_KEYS, energy_key, forces_key}
    names = dict.fromkeys(key for image in images for key in image.info if key not in used)
    fields["info"] = {key: stacked_info([image.info.get(key) for image in images]) for key in names}
    return fields


def to_atoms(frame):
    """A set of one frame as ``ase.Atoms``."""
    from ase import Atoms
    from ase.calculators.singlepoint import SinglePointCalculator

    info = {key: _plain(value[0]) for key, value in frame.info.items()}
    atoms = Atoms(
        numbers=frame.numbers,
        positions=frame.positions,
        cell=frame.cell[0],
        pbc=frame.pbc[0],
        info={key: value for key, value in info.items() if not _is_missing(value)},
    )
    results = {}
    if frame.energy is not None and np.isfinite(frame.energy[0]):
        results["energy"] = float(frame.energy[0])
    if frame.forces is not None and np.isfinite(frame.forces).all():
        results["forces"] = frame.forces
    if frame.stress is not None and np.isfinite(frame.stress).all():
        results["stress"] = frame.stress[0][(0, 1, 2, 1, 0, 0), (0, 1, 2, 2, 2, 1)]
    if results:
        atoms.calc = SinglePointCalculator(atoms, **results)
    return atoms


def stacked_info(values: Sequence) -> np.ndarray:
    """One array of a key's values over frames; None becomes NaN, an empty string, or stays None."""
    present = [np.asarray(value) for value in values if not _is_missing(value)]
    kinds = {value.dtype.kind for value in present}
    shapes = {value.shape for value in present}
    if kinds == {"U"} and shapes == {()}:
        return np.asarray(["" if _is_missing(value) else str(value) for value in values])
    if kinds and kinds <= set("biuf") and len(shapes) == 1:
        if len(present) == len(values):
            return np.stack(present)
        blank = np.full(shapes.pop(), np.nan)
        return np.stack([blank if _is_missing(value) else np.asarray(value, float) for value in values])
    objects = np.empty(len(values), object)
    objects[:] = [_plain(value) for value in values]
    return objects


def _values(image) -> dict[str, object]:
    """All that a frame may hold as labels: calculator results, per-frame and per-atom values."""
    results = getattr(image.calc, "results", {}) if image.calc is not None else {}
    arrays = {key: value for key, value in image.arrays.items() if key not in ("numbers", "positions")}
    return {**arrays, **image.info, **results}


def _first_present(frames: Sequence[dict], candidates: Sequence[str]) -> str | None:
    """The first of the candidate keys that any frame has."""
    return next((key for key in candidates if any(key in frame for frame in frames)), None)


def _label(label: str, image, value, key: str | None, where: str) -> np.ndarray | None:
    """One frame's label as a checked array; None where it is missing."""
    if value is None:
        # A lone atom feels no force, whatever a file leaves out.
        lone = label == "forces" and len(image) == 1 and not image.pbc.any()
        return np.zeros((1, 3)) if lone else None
    try:
        array = np.asarray(value, float)
    except (TypeError, ValueError) as error:
        raise DataError(f"{where}: {label} (key {key!r}) must be numeric, got {value!r}") from error
    if label == "stress":
        array = _stress(array, key, image, where)
    expected = {"energy": (), "forces": (len(image), 3), "stress": (3, 3)}[label]
    if array.shape != expected:
        raise DataError(f"{where}: {label} (key {key!r}) must have shape {expected}, got {array.shape}")
    if not np.isfinite(array).all():
        atom = f", atom {np.argwhere(~np.isfinite(array))[0][0]}" if label == "forces" else ""
        raise DataError(f"{where}{atom}: {label} (key {key!r}) is not a finite number")
    return array


def _stress(array: np.ndarray, key: str, image, where: str) -> np.ndarray:
    """A full stress tensor from Voigt, flat or full components of a stress or a virial (-volume x stress)."""
    if array.size == 6:
        array = array.reshape(6)[np.asarray(_VOIGT)]
    elif array.size == 9:
        array = array.reshape(3, 3)
    if key not in VIRIAL_KEYS:
        return array
    if not image.cell.rank == 3:
        raise DataError(f"{where}: a virial (key {key!r}) needs a cell with three lattice vectors, got none")
    return -array / image.get_volume()


def _stacked(label: str, rows: list, images: Sequence) -> np.ndarray | None:
    """One array of the rows, NaN where a frame has none; None where none has one."""
    if all(row is None for row in rows):
        return None
    shapes = {
        "energy": lambda image: (),
        "forces": lambda image: (len(image), 3),
        "stress": lambda image: (3, 3),
    }
    filled = [
        np.full(shapes[label](image), np.nan) if row is None else row
        for row, image in zip(rows, images, strict=True)
    ]
    return np.concatenate(filled) if label == "forces" else np.stack(filled)


def _missing(where: str, label: str, candidates: Sequence[str], chosen: str | None, values: dict) -> str:
    """Message for a label that is required and not there."""
    sought = chosen or ", ".join(candidates)
    return (
        f"{where}: no {label} (looked for {sought}); the keys of this frame are {', '.join(values) or 'none'}"
    )


def _is_missing(value) -> bool:
    """Whether a value of ``info`` stands for none."""
    if value is None or (isinstance(value, str) and not value):
        return True
    array = np.asarray(value)
    return array.dtype.kind == "f" and bool(np.isnan(array).all()) and array.size > 0


def _plain(value):
    """A NumPy scalar as the Python value it holds."""
    return value.item() if isinstance(value, np.generic) else value
