"""Extended-XYZ files, read and written through ASE, with errors that say where a file is wrong."""

import io
import os
import pathlib
from collections.abc import Sequence

from equijax.data.errors import DataError, DataUnavailableError
from equijax.data.frames import MolecularFrames
from equijax.numerics import check


def read_xyz(
    path: str | os.PathLike,
    energy_key: str | None = None,
    forces_key: str | None = None,
    require: Sequence[str] = ("energy", "forces"),
) -> MolecularFrames:
    """Read all frames of an extended-XYZ file: any elements and sizes, periodic or not.

    Energies and forces are found under the usual keys (``REF_energy``, ``dft_energy``, ``energy``,
    ``Energy``, ...; ``REF_forces``, ``forces``, ...), a key that says it is the reference before a plain
    one; one key serves the whole file. Units are taken to be eV, eV/angstrom, angstrom. The stress is
    read where there is one, and made from a virial (minus volume times stress). The forces of an isolated
    atom are zero if the file leaves them out. See :func:`equijax.data.split_isolated_atoms` for reference
    energies.

    Args:
      path: the file.
      energy_key, forces_key: the keys to read, instead of the usual ones.
      require: which of ``"energy"``, ``"forces"``, ``"stress"`` every frame must have.

    Raises:
      DataUnavailableError: (a FileNotFoundError) if there is no such file.
      DataError: if the file is empty, cut off or malformed, if a required label is missing, or if a number
        is not finite. The message names the file, the frame, and the keys that the frame has.

    Example:
      >>> import tempfile
      >>> path = pathlib.Path(tempfile.mkdtemp()) / "hydrogen.xyz"
      >>> _ = path.write_text("2\\nProperties=species:S:1:pos:R:3 energy=-31.7\\nH 0 0 0\\nH 0 0 0.74\\n")
      >>> read_xyz(path, require=("energy",))
      MolecularFrames(1 frames, 2 atoms, elements H, with energy)
      >>> read_xyz(path)
      Traceback (most recent call last):
      equijax.data.errors.DataError: ...hydrogen.xyz, frame 0: no forces (looked for REF_forces, ...); the
      keys of this frame are energy
    """
    path = pathlib.Path(path)
    if not path.is_file():
        raise DataUnavailableError(f"path must name an extended-XYZ file, got {path}, which is none")
    images = _parse(path, _frame_text(path))
    return MolecularFrames.from_ase(
        images, energy_key=energy_key, forces_key=forces_key, require=require, source=str(path)
    )


def write_xyz(path: str | os.PathLike, frames: MolecularFrames) -> None:
    """Write frames as an extended-XYZ file with the keys ``energy``, ``forces``, ``stress``.

    Positions and forces are written to eight decimals. The file appears only when it is whole.

    Args:
      path: where to write; its folder must exist.
      frames: at least one frame.

    Raises:
      ValueError: if there is no frame.
      TypeError: if ``frames`` are none.
      DataUnavailableError: (a FileNotFoundError) if the folder does not exist.

    Example:
      >>> import tempfile
      >>> path = pathlib.Path(tempfile.mkdtemp()) / "helium.xyz"
      >>> write_xyz(path, MolecularFrames(numbers=[2], positions=[[0, 0, 1]], num_atoms=[1], energy=[-79.0]))
      >>> read_xyz(path).energy
      array([-79.])
    """
    import ase.io

    check.instance("frames", frames, MolecularFrames)
    if not len(frames):
        raise ValueError("frames must hold at least one frame, got none")
    path = pathlib.Path(path)
    if not path.parent.is_dir():
        raise DataUnavailableError(f"path must be in a folder that exists, got {path}")
    unfinished = path.with_name(path.name + ".unfinished")
    ase.io.write(unfinished, frames.to_ase(), format="extxyz")
    os.replace(unfinished, path)


def _frame_text(path: pathlib.Path) -> str:
    """The text of a file without blank lines between frames, once every frame is known to be whole.

    ASE stops at the first blank line without a word, and reports a frame that is cut off without its place.
    """
    try:
        lines = path.read_text(encoding="utf-8").splitlines(keepends=True)
    except UnicodeDecodeError as error:
        raise DataError(f"{path} is not a text file: {error}") from error
    kept: list[str] = []
    frame = line = 0
    while line < len(lines):
        if not lines[line].strip():
            line += 1
            continue
        where = f"{path}, frame {frame} (line {line + 1})"
        header = lines[line].strip()
        if not header.isdigit() or int(header) < 1:
            raise DataError(f"{where}: expected a number of atoms, got {header[:60]!r}")
        end = line + 2 + int(header)
        found = sum(bool(text.strip()) for text in lines[line + 2 : end])
        if end > len(lines) or found != int(header):
            raise DataError(f"{where} is cut off: expected {header} atoms, got {found}")
        while end < len(lines) and lines[end].lstrip().startswith("VEC"):
            end += 1
        kept.extend(lines[line:end])
        frame, line = frame + 1, end
    if not frame:
        raise DataError(f"{path} is empty: it holds no frame")
    return "".join(kept)


def _parse(path: pathlib.Path, text: str) -> list:
    """Atoms of every frame; a frame that ASE cannot read is named."""
    from ase.io.extxyz import read_xyz as ase_frames

    images = []
    try:
        for image in ase_frames(io.StringIO(text), slice(None)):
            images.append(image)  # one by one: the count so far is in the message
    except (OSError, ValueError, TypeError, KeyError, IndexError, AttributeError) as error:
        raise DataError(
            f"{path}, frame {len(images)}: not readable (an unknown element, a word for a number, or a line "
            f"cut off): {type(error).__name__}: {error}"
        ) from error
    return images
