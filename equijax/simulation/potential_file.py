"""A trained interatomic potential in one file: what it is made of, its parameters, its references.

The file is a NumPy archive (``.npz``): one array a parameter, and the model's attributes as JSON text.
Nothing in it is executed when it is read.
"""

import json
import pathlib
import zipfile
from collections.abc import Mapping
from typing import Any, NamedTuple

import flax.traverse_util
import jax
import numpy as np

from equijax.nn import InteratomicPotential
from equijax.numerics import check

_HEADER = "equijax_potential"
_FIELDS = (
    "species",
    "cutoff",
    "lmax",
    "features",
    "many_body_features",
    "num_interactions",
    "order",
    "num_radial",
    "avg_num_neighbors",
    "mean_interaction",
    "energy_scale",
)


class SavedPotential(NamedTuple):
    """A potential with all that is needed to use it.

    Attributes:
      model: the module.
      variables: its Flax variables, ``{"params": …}``.
      atomic_energies: energy of an isolated atom of each atomic number, eV; added to the model's energies.
    """

    model: InteratomicPotential
    variables: Mapping[str, Any]
    atomic_energies: Mapping[int, float]


def save_potential(path: str | pathlib.Path, potential: SavedPotential) -> None:
    """Write a potential to a file, which appears only when it is whole.

    Raises:
      ValueError: if the model has products other than the library's own, which a file cannot hold, or lacks
        the energy of one of its species.
      TypeError: if ``potential`` is no `SavedPotential`.

    Example:
      >>> import tempfile, jax.numpy as jnp
      >>> from equijax.graphs import complete_molecular_graph
      >>> model = InteratomicPotential(species=(1,), features=2, many_body_features=2)
      >>> graph = complete_molecular_graph(jnp.eye(3)[:2], jnp.array([0, 0]))
      >>> variables = jax.jit(model.init)(jax.random.key(0), graph)
      >>> path = pathlib.Path(tempfile.mkdtemp()) / "hydrogen.npz"
      >>> save_potential(path, SavedPotential(model, variables, {1: -13.6}))
      >>> load_potential(path).model == model
      True
    """
    check.instance("potential", potential, SavedPotential)
    model = potential.model
    check.instance("potential.model", model, InteratomicPotential)
    own = InteratomicPotential(species=model.species)
    if (model.convolution, model.many_body) != (own.convolution, own.many_body):
        raise ValueError(
            "potential.model must have the default convolution and many_body to be saved, "
            f"got {model.convolution!r} and {model.many_body!r}"
        )
    missing = [number for number in model.species if int(number) not in potential.atomic_energies]
    if missing:
        raise ValueError(f"potential.atomic_energies must have every species of the model, lacks {missing}")
    header = {name: _plain(getattr(model, name)) for name in _FIELDS}
    energies = {str(number): float(energy) for number, energy in potential.atomic_energies.items()}
    arrays = flax.traverse_util.flatten_dict(jax.device_get(dict(potential.variables)), sep="/")
    arrays[_HEADER] = np.asarray(json.dumps({"model": header, "atomic_energies": energies}))
    path = pathlib.Path(path)
    unfinished = path.with_name(path.name + ".unfinished")
    with open(unfinished, "wb") as file:
        np.savez(file, **arrays)
    unfinished.replace(path)


def load_potential(path: str | pathlib.Path) -> SavedPotential:
    """Read a potential from a file made by `save_potential`.

    Raises:
      FileNotFoundError: if there is no such file.
      ValueError: if the file is not a whole potential.
    """
    path = pathlib.Path(path)
    try:
        with np.load(path) as stored:
            arrays = dict(stored)
        header = json.loads(str(arrays.pop(_HEADER)))
    except (zipfile.BadZipFile, ValueError, KeyError, EOFError, OSError) as error:
        if isinstance(error, FileNotFoundError):
            raise FileNotFoundError(
                f"path must be a file written by save_potential, got {path}: no such file"
            ) from error
        raise ValueError(f"path must be a file written by save_potential, got {path}: {error}") from error
    fields = {name: _tuple(value) for name, value in header["model"].items()}
    energies = {int(number): energy for number, energy in header["atomic_energies"].items()}
    variables = flax.traverse_util.unflatten_dict(arrays, sep="/")
    return SavedPotential(InteratomicPotential(**fields), variables, energies)


def _plain(value):
    """A number, or a list of numbers, as JSON has them."""
    if value is None:
        return None
    array = np.asarray(value)
    return array.tolist()


def _tuple(value):
    """Lists become tuples, so that the module is hashable."""
    return tuple(value) if isinstance(value, list) else value
