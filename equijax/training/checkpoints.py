"""One checkpoint: a folder that is either whole or not there, and that knows when it was damaged.

Inside lie ``arrays/`` (written by orbax, one OCDBT store, leaves in a tree of dictionaries by their names),
``info.json`` (the leaves' shapes and dtypes, and what the caller adds) and ``manifest.json``: the size and
SHA-256 of every other file, written last. The folder is made under another name and renamed at the end, so a
process that is killed at any moment leaves the earlier checkpoints as they were; a file that was cut short or
changed later no longer matches the manifest.
"""

import hashlib
import json
import os
import pathlib
import shutil
from collections.abc import Mapping

import jax
import jax.numpy as jnp
import numpy as np

from equijax.training.trees import leaf_names, like, to_host

_UNFINISHED = ".unfinished-"
_DISCARDED = ".discarded-"
_FORMAT = 1


class CorruptCheckpointError(Exception):
    """A checkpoint whose files are not those that were written."""


def save_checkpoint(path, tree, info: Mapping | None = None) -> pathlib.Path:
    """Write a checkpoint; one that is already at the path is replaced in one move.

    Args:
      path: folder of the checkpoint.
      tree: pytree of arrays of any shapes and dtypes; typed random keys are kept as their data.
      info: JSON-compatible dictionary to keep with them.

    Returns:
      The path.

    Raises:
      ValueError: if two leaves have one name, or one lies inside another; or if the path is taken by
        something that is no checkpoint, which is left alone.

    Example:
      >>> import tempfile
      >>> folder = pathlib.Path(tempfile.mkdtemp()) / "model"
      >>> _ = save_checkpoint(folder, {"w": np.arange(3.0)}, {"step": 7})
      >>> restore_checkpoint(folder)
      ({'w': array([0., 1., 2.])}, {'step': 7})
    """
    path = pathlib.Path(path).absolute()
    if not _may_be_replaced(path):
        raise ValueError(
            f"path must be new or the folder of a checkpoint, got {str(path)!r}, which is neither"
        )
    path.parent.mkdir(parents=True, exist_ok=True)
    host_tree = to_host(tree)
    named = dict(zip(leaf_names(tree), jax.tree.leaves(host_tree)))
    if len(named) != len(jax.tree.leaves(host_tree)):
        raise ValueError(f"tree must have a name of its own for every leaf, got {leaf_names(tree)}")
    fresh = path.with_name(_UNFINISHED + path.name)
    shutil.rmtree(fresh, ignore_errors=True)
    fresh.mkdir()
    # Orbax refuses arrays without elements; their shapes in info.json are all there is to them.
    _orbax().save(fresh / "arrays", _nested({name: leaf for name, leaf in named.items() if leaf.size}))
    leaves = {name: [list(leaf.shape), leaf.dtype.name] for name, leaf in named.items()}
    (fresh / "info.json").write_text(
        json.dumps({"format": _FORMAT, "leaves": leaves, "info": dict(info or {})})
    )
    (fresh / "manifest.json").write_text(json.dumps(_file_hashes(fresh)))
    discard(path)
    os.rename(fresh, path)
    return path


def _may_be_replaced(path: pathlib.Path) -> bool:
    """Whether a path holds nothing, or a checkpoint, whole or broken."""
    if not path.exists():
        return True
    names = {entry.name for entry in path.iterdir()} if path.is_dir() else {path.name}
    return not names or bool(names & {"arrays", "info.json", "manifest.json"})


def _orbax():
    """An orbax checkpointer for this process alone, however many the run has. Imported here: it is slow."""
    import orbax.checkpoint as ocp

    alone = ocp.options.MultiprocessingOptions(
        primary_host=jax.process_index(),
        active_processes={jax.process_index()},
        barrier_sync_key_prefix=f"equijax-{jax.process_index()}",
    )
    handler = ocp.PyTreeCheckpointHandler(use_ocdbt=True, multiprocessing_options=alone)
    return ocp.Checkpointer(handler, multiprocessing_options=alone)


def _nested(named: Mapping[str, np.ndarray]) -> dict:
    """Dictionaries in dictionaries from names with slashes."""
    tree: dict = {}
    for name, leaf in named.items():
        *folders, last = name.split("/")
        place = tree
        for folder in folders:
            place = place.setdefault(folder, {})
            if not isinstance(place, dict):
                raise ValueError(f"tree must not have a leaf inside a leaf, got {name!r}")
        place[last] = leaf
    return tree


def _file_hashes(folder: pathlib.Path) -> dict[str, list]:
    """Size and SHA-256 of every file below a folder, by its relative path."""
    hashes = {}
    for file in sorted(file for file in folder.rglob("*") if file.is_file()):
        with file.open("rb") as stream:
            digest = hashlib.file_digest(stream, "sha256").hexdigest()
        hashes[file.relative_to(folder).as_posix()] = [file.stat().st_size, digest]
    return hashes


def discard(path: pathlib.Path) -> None:
    """Delete a checkpoint so that no half of it is ever seen under its name.

    Args:
      path: its folder; nothing happens if it does not exist.

    Example:
      >>> discard(pathlib.Path("no-such-checkpoint"))
    """
    if not path.exists():
        return
    dying = path.with_name(_DISCARDED + path.name)
    shutil.rmtree(dying, ignore_errors=True)
    os.rename(path, dying)
    shutil.rmtree(dying, ignore_errors=True)


def sweep(folder: pathlib.Path) -> None:
    """Delete what a killed process left: checkpoints half written or half deleted.

    Args:
      folder: the folder that holds the checkpoints.

    Example:
      >>> sweep(pathlib.Path("no-such-folder"))
    """
    for prefix in (_UNFINISHED, _DISCARDED):
        for leftover in folder.glob(prefix + "*"):
            shutil.rmtree(leftover, ignore_errors=True)


def restore_checkpoint(path, template=None) -> tuple:
    """Read a checkpoint, after checking that every file is as it was written.

    Args:
      path: folder of the checkpoint.
      template: pytree with the structure, shapes and dtypes to be restored. Without one the arrays come as a
        tree of dictionaries, which for parameters of Flax modules is the same tree.

    Returns:
      ``(tree, info)``, the leaves as numpy arrays (typed random keys as such, where the template has them).

    Raises:
      FileNotFoundError: if there is no such folder.
      CorruptCheckpointError: if a file is missing, was cut short or changed.
      ValueError: if the checkpoint does not fit the template; the message says what differs.

    Example:
      >>> import tempfile
      >>> folder = pathlib.Path(tempfile.mkdtemp()) / "model"
      >>> _ = save_checkpoint(folder, (np.float32(1), np.float32(2)))
      >>> restore_checkpoint(folder, template=(0.0, 0.0))[0]
      (array(1., dtype=float32), array(2., dtype=float32))
    """
    path = pathlib.Path(path).absolute()
    if not path.is_dir():
        raise FileNotFoundError(
            f"path must be the folder of a checkpoint, got {str(path)!r}, which does not exist"
        )
    verify(path)
    content = json.loads((path / "info.json").read_text())
    tree = _read_arrays(path, content["leaves"])
    return (tree if template is None else conform(path, tree, template)), content["info"]


def read_info(path: pathlib.Path) -> dict:
    """The ``info`` of a checkpoint, without its arrays and without checking them.

    Args:
      path: folder of the checkpoint.

    Example:
      >>> import tempfile
      >>> read_info(save_checkpoint(pathlib.Path(tempfile.mkdtemp()) / "model", {"w": 1.0}, {"step": 2}))
      {'step': 2}
    """
    return json.loads((path / "info.json").read_text())["info"]


def verify(path: pathlib.Path) -> None:
    """Compare the files of a checkpoint with its manifest.

    Args:
      path: folder of the checkpoint.

    Raises:
      CorruptCheckpointError: naming the checkpoint and the first file that is not as it was written.

    Example:
      >>> import tempfile
      >>> verify(save_checkpoint(pathlib.Path(tempfile.mkdtemp()) / "model", {"w": 1.0}))
    """
    try:
        manifest = json.loads((path / "manifest.json").read_bytes())
        expected = {name: (size, digest) for name, (size, digest) in manifest.items()}
    except (OSError, ValueError, AttributeError, TypeError) as error:
        raise CorruptCheckpointError(
            f"checkpoint {path} is damaged: manifest.json cannot be read ({error})"
        ) from error
    found = _file_hashes(path)
    expected.setdefault("info.json", (0, ""))
    for name, (size, digest) in expected.items():
        if name not in found:
            raise CorruptCheckpointError(f"checkpoint {path} is damaged: {name} is missing")
        if found[name][0] != size:
            raise CorruptCheckpointError(
                f"checkpoint {path} is damaged: {name} has {found[name][0]} bytes, {size} were written"
            )
        if found[name][1] != digest:
            raise CorruptCheckpointError(f"checkpoint {path} is damaged: the content of {name} has changed")


def _read_arrays(path: pathlib.Path, leaves: Mapping[str, list]) -> dict:
    """The tree of dictionaries with all arrays."""
    import orbax.checkpoint as ocp

    arrays = {name: np.zeros(shape, jnp.dtype(dtype)) for name, (shape, dtype) in leaves.items()}
    filled = [name for name, leaf in arrays.items() if leaf.size]
    as_numpy = _nested({name: ocp.RestoreArgs(restore_type=np.ndarray) for name in filled})
    stored = _orbax().restore(path / "arrays", restore_args=as_numpy)
    arrays |= dict(zip(leaf_names(stored), map(np.asarray, jax.tree.leaves(stored))))
    return _nested(arrays)


def conform(path: pathlib.Path, tree, template):
    """Give a tree of dictionaries the structure of a template.

    Args:
      path: where the tree came from, for the message.
      tree: arrays in a tree of dictionaries, as :func:`restore_checkpoint` returns it without a template.
      template: pytree whose leaves have the same names.

    Returns:
      The template's structure with the arrays of the tree.

    Raises:
      ValueError: if leaves are missing or superfluous, or have another shape or dtype.

    Example:
      >>> conform(pathlib.Path("model"), {"0": np.float32(1), "1": np.float32(2)}, template=(0.0, 0.0))
      (np.float32(1.0), np.float32(2.0))
    """
    stored = dict(zip(leaf_names(tree), jax.tree.leaves(tree)))
    expected = dict(zip(leaf_names(template), jax.tree.leaves(to_host(template))))
    differences = [f"{name} is not in the checkpoint" for name in expected if name not in stored]
    differences += [f"{name} is only in the checkpoint" for name in stored if name not in expected]
    for name, leaf in expected.items():
        if name in stored and (stored[name].shape, stored[name].dtype) != (leaf.shape, leaf.dtype):
            then = f"shape {stored[name].shape} ({stored[name].dtype}) in the checkpoint"
            differences.append(f"{name} has {then} and {leaf.shape} ({leaf.dtype}) here")
    if differences:
        more = f"; and {len(differences) - 5} more differences" if len(differences) > 5 else ""
        raise ValueError(
            f"checkpoint {path} is of another model or optimizer: {'; '.join(differences[:5])}{more}. "
            "Give the configuration that it was made with, or another folder, or delete it to start again"
        )
    return like(template, [stored[name] for name in expected])
