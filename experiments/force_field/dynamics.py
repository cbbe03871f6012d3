"""Molecular dynamics at constant energy: does the trained force field conserve what it should?"""

import numpy as np
from ase import Atoms, units
from ase.md.velocitydistribution import Stationary, thermalize_momenta
from ase.md.verlet import VelocityVerlet

from equijax.simulation import PotentialCalculator

STEP_FS = 0.5
STEPS_PER_ROW = 10


def constant_energy_run(
    atoms: Atoms, calculator: PotentialCalculator, *, picoseconds: float, temperature: float, seed: int
) -> np.ndarray:
    """Velocity Verlet from a thermal start, without a thermostat.

    Args:
      atoms: where to start.
      calculator: the force field.
      picoseconds: how long.
      temperature: of the initial velocities, kelvin.
      seed: of the initial velocities.

    Returns:
      Rows ``(picoseconds, total energy in eV, potential energy in eV, temperature in kelvin)``.
    """
    atoms = atoms.copy()
    atoms.calc = calculator
    thermalize_momenta(atoms, temperature, rng=np.random.RandomState(seed))
    Stationary(atoms)
    dynamics = VelocityVerlet(atoms, STEP_FS * units.fs)
    rows = []

    def record():
        total = atoms.get_total_energy()
        time = dynamics.get_time() / (1000 * units.fs)
        rows.append((time, total, atoms.get_potential_energy(), atoms.get_temperature()))

    dynamics.attach(record, interval=STEPS_PER_ROW)
    dynamics.run(round(1000 * picoseconds / STEP_FS))
    return np.asarray(rows)


def drift(trajectory: np.ndarray, num_atoms: int) -> float:
    """Slope of the total energy by least squares, in meV per atom and picosecond."""
    time, total = trajectory[:, 0], trajectory[:, 1]
    return 1000 * float(np.polyfit(time, total - total[0], 1)[0]) / num_atoms
