"""Energies and forces of a potential on many frames, and their errors."""

import jax
import numpy as np

from equijax.graphs import graph_mask, node_mask, pad_batch, padding_budget
from equijax.nn import InteratomicPotential, energy_and_forces
from experiments.tasks import molecules


class Evaluator:
    """Energies, forces and their errors of a potential on a set of frames, compiled once.

    Args:
      model: the potential.
      frames: what to evaluate.
      atomic_energies: reference of each element, eV.
      batch_size: frames at a time.
    """

    def __init__(self, model: InteratomicPotential, frames, atomic_energies, batch_size: int = 50):
        self.frames = frames
        self.target = molecules.interaction_energies(frames, atomic_energies)
        graphs = molecules.labelled_graphs(
            frames, atomic_energies, species=model.species, cutoff=model.cutoff
        )
        sizes = [(int(graph.n_node[0]), int(graph.n_edge[0])) for graph in graphs]
        budget = padding_budget(*zip(*sizes, strict=True), min(batch_size, len(graphs)))
        self._batches = [
            pad_batch(graphs[start : start + batch_size], budget)
            for start in range(0, len(graphs), batch_size)
        ]
        self._evaluate = jax.jit(
            lambda params, graph: energy_and_forces(lambda g: model.apply({"params": params}, g), graph)
        )

    def predict(self, params) -> tuple[np.ndarray, np.ndarray]:
        """Interaction energies (eV), and forces (eV/angstrom) of all atoms end to end."""
        energies, forces = [], []
        for graph in self._batches:
            output = self._evaluate(params, graph)
            energies.append(np.asarray(output.energy)[np.asarray(graph_mask(graph))])
            forces.append(np.asarray(output.forces)[np.asarray(node_mask(graph))])
        return np.concatenate(energies).astype(np.float64), np.concatenate(forces).astype(np.float64)

    def __call__(self, params) -> dict[str, float]:
        """Root mean square errors: energy (meV), energy per atom (meV), and force (meV/angstrom) if known."""
        energies, forces = self.predict(params)
        return rmse(energies - self.target, self.frames, forces)


def rmse(energy_error: np.ndarray, frames, forces: np.ndarray) -> dict[str, float]:
    """Root mean square errors in meV, meV per atom and meV/angstrom."""
    errors = {"energy": energy_error, "energy_per_atom": energy_error / frames.num_atoms}
    if frames.forces is not None:
        errors["force"] = forces - frames.forces
    return {name: 1000 * float(np.sqrt(np.mean(error**2))) for name, error in errors.items()}
