"""Using a trained potential: kept in one file, and as a calculator of ASE."""

from equijax.simulation.calculator import PotentialCalculator
from equijax.simulation.potential_file import SavedPotential, load_potential, save_potential

__all__ = ["PotentialCalculator", "SavedPotential", "load_potential", "save_potential"]
