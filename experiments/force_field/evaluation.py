"""Energies and forces of a potential on many frames, and their errors."""

from collections.abc import Mapping

import jax
import numpy as np

from equijax.data import MolecularFrames
from equijax.graphs import graph_mask, node_mask, pad_batch, padding_budget
from equijax.nn import InteratomicPotential, energy_and_forces
from experiments.tasks import molecules

BATCH_SIZE = 20


class FrameBatches:
    """Sets of frames as padded batches of one shape, so that a potential is compiled once for all of them.

    Args:
      sets: frames by name.
      atomic_energies: reference of each element, eV.
      species: the model's table of elements.
      cutoff: angstrom.
    """

    def __init__(self, sets: Mapping[str, MolecularFrames], atomic_energies, *, species, cutoff):
        self.frames = dict(sets)
        self.targets = {
            name: molecules.interaction_energies(frames, atomic_energies) for name, frames in sets.items()
        }
        graphs = {
            name: molecules.labelled_graphs(frames, atomic_energies, species=species, cutoff=cutoff)
            for name, frames in sets.items()
        }
        every = [graph for of_set in graphs.values() for graph in of_set]
        sizes = [(int(graph.n_node[0]), int(graph.n_edge[0])) for graph in every]
        budget = padding_budget(*zip(*sizes, strict=True), min(BATCH_SIZE, max(map(len, graphs.values()))))
        # Labels stay behind: sets with and without forces make batches of the same structure.
        for graph in every:
            graph.nodes.pop("forces", None)
        self.batches = {
            name: [
                pad_batch(of_set[start : start + BATCH_SIZE], budget)
                for start in range(0, len(of_set), BATCH_SIZE)
            ]
            for name, of_set in graphs.items()
        }


class Evaluator:
    """Predictions of a potential on sets of frames, and their errors.

    Args:
      model: the potential.
      batches: the frames.
    """

    def __init__(self, model: InteratomicPotential, batches: FrameBatches):
        self.batches = batches
        self._evaluate = jax.jit(
            lambda params, graph: energy_and_forces(lambda g: model.apply({"params": params}, g), graph)
        )

    def predict(self, name: str, params) -> tuple[np.ndarray, np.ndarray]:
        """Interaction energies (eV), and forces (eV/angstrom) of all atoms of a set end to end."""
        energies, forces = [], []
        for graph in self.batches.batches[name]:
            output = self._evaluate(params, graph)
            energies.append(np.asarray(output.energy)[np.asarray(graph_mask(graph))])
            forces.append(np.asarray(output.forces)[np.asarray(node_mask(graph))])
        return np.concatenate(energies).astype(np.float64), np.concatenate(forces).astype(np.float64)

    def errors(self, name: str, params) -> dict[str, float]:
        """Errors on a set, see `rmse`."""
        energies, forces = self.predict(name, params)
        return rmse(energies - self.batches.targets[name], self.batches.frames[name], forces)


def rmse(energy_error: np.ndarray, frames: MolecularFrames, forces: np.ndarray) -> dict[str, float]:
    """Root mean square errors: energy (meV), energy per atom (meV), and force (meV/angstrom) if known."""
    errors = {"energy": energy_error, "energy_per_atom": energy_error / frames.num_atoms}
    if frames.forces is not None:
        errors["force"] = forces - frames.forces
    return {name: 1000 * float(np.sqrt(np.mean(error**2))) for name, error in errors.items()}
