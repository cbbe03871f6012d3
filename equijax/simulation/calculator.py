"""A potential as a calculator of ASE: energies, forces and stress of any ``Atoms``."""

import functools
import math
import pathlib
from typing import ClassVar

import jax
import numpy as np
from ase.calculators.calculator import Calculator, all_changes
from ase.stress import full_3x3_to_voigt_6_stress

from equijax.graphs import PaddingBudget, molecular_graph, pad_batch
from equijax.nn import energy_and_forces
from equijax.numerics import check
from equijax.simulation.potential_file import SavedPotential, load_potential


class PotentialCalculator(Calculator):
    """Energy (eV), forces (eV/angstrom) and, for periodic cells, stress (eV/angstrom³) of a potential.

    Arrays are padded to sizes that grow in steps of a quarter, so that a simulation compiles a few times at
    most. The energies of isolated atoms are added in double precision.

    Args:
      potential: a trained potential.
      dtype: precision of the evaluation; float64 needs ``jax_enable_x64``.

    Raises:
      TypeError: if ``potential`` is no `SavedPotential`, or ``dtype`` another type.
      ValueError: if an isolated atom's energy is missing, or float64 is not enabled.

    Example:
      >>> import jax.numpy as jnp
      >>> from ase.build import molecule
      >>> from equijax.graphs import complete_molecular_graph
      >>> from equijax.nn import InteratomicPotential
      >>> model = InteratomicPotential(species=(1, 8), features=2, many_body_features=2)
      >>> graph = complete_molecular_graph(jnp.eye(3)[:2], jnp.array([0, 1]))
      >>> variables = jax.jit(model.init)(jax.random.key(0), graph)
      >>> water = molecule("H2O")
      >>> water.calc = PotentialCalculator(SavedPotential(model, variables, {1: -13.6, 8: -2000.0}))
      >>> water.get_forces().shape
      (3, 3)
    """

    implemented_properties: ClassVar = ["energy", "free_energy", "forces", "stress"]

    def __init__(self, potential: SavedPotential, *, dtype=np.float32, **kwargs):
        super().__init__(**kwargs)
        check.instance("potential", potential, SavedPotential)
        missing = [
            number for number in potential.model.species if int(number) not in potential.atomic_energies
        ]
        if missing:
            raise ValueError(
                f"potential.atomic_energies must have every species of the model, lacks {missing}"
            )
        self.potential = potential
        self.dtype = np.dtype(dtype)
        if self.dtype not in (np.float32, np.float64):
            raise TypeError(f"dtype must be float32 or float64, got {self.dtype}")
        if self.dtype == np.float64 and not jax.config.jax_enable_x64:
            raise ValueError("dtype float64 needs jax.config.update('jax_enable_x64', True)")
        cast = functools.partial(np.asarray, dtype=self.dtype)
        self._variables = jax.tree.map(cast, dict(potential.variables))
        self._budget = PaddingBudget(1, 0, 2)
        self._evaluate = jax.jit(self._outputs, static_argnames="stress")

    @classmethod
    def from_file(cls, path: str | pathlib.Path, **kwargs) -> "PotentialCalculator":
        """The calculator of a file written by `equijax.simulation.save_potential`.

        Raises:
          FileNotFoundError: if there is no such file.
          ValueError: if the file is not a whole potential.
        """
        return cls(load_potential(path), **kwargs)

    def calculate(self, atoms=None, properties=("energy",), system_changes=all_changes):
        """Fill ``results``; called by ASE.

        Raises:
          ValueError: if an element is unknown to the potential, or stress is asked of a cell without volume.
        """
        super().calculate(atoms, properties, system_changes)
        model = self.potential.model
        stress = bool(self.atoms.pbc.all())
        if "stress" in properties and not stress:
            raise ValueError(
                f"stress needs a cell that is periodic in all directions, got pbc={self.atoms.pbc}"
            )
        graph = molecular_graph(
            self.atoms.numbers,
            self.atoms.positions,
            model.cutoff,
            species=model.species,
            cell=self.atoms.cell.array,
            pbc=self.atoms.pbc,
            dtype=self.dtype,
        )
        self._budget = PaddingBudget(
            _grown(self._budget.num_nodes, len(self.atoms) + 1),
            _grown(self._budget.num_edges, len(graph.senders)),
            2,
        )
        output = self._evaluate(self._variables, pad_batch([graph], self._budget), stress=stress)
        reference = math.fsum(self.potential.atomic_energies[int(number)] for number in self.atoms.numbers)
        energy = reference + float(output.energy[0])
        forces = np.asarray(output.forces[: len(self.atoms)], np.float64)
        self.results = {"energy": energy, "free_energy": energy, "forces": forces}
        if stress:
            self.results["stress"] = full_3x3_to_voigt_6_stress(np.asarray(output.stress[0], np.float64))

    def _outputs(self, variables, graph, *, stress: bool):
        """Energies and their derivatives for a padded batch."""
        return energy_and_forces(
            functools.partial(self.potential.model.apply, variables), graph, stress=stress
        )


def _grown(size: int, needed: int) -> int:
    """A size that holds what is needed: the present one, or a quarter more than needed."""
    return size if needed <= size else needed + max(needed // 4, 1)
