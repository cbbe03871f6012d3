"""Use a trained force field on molecules in a file."""

import pathlib

import numpy as np

POTENTIAL_FILE = "potential.npz"


def predict(workdir: pathlib.Path, data: pathlib.Path, output: pathlib.Path | None = None) -> None:
    """Energies and forces of the molecules in an extended-XYZ file, and their errors if the file has labels.

    Args:
      workdir: folder of a run of force_field.
      data: extended-XYZ file; labels are not needed.
      output: extended-XYZ file to write predicted energies (eV) and forces (eV/angstrom) to.
    """
    import dataclasses

    import equijax as ej
    from experiments.force_field.evaluation import Evaluator, FrameBatches, rmse
    from experiments.tasks import molecules

    file = workdir / POTENTIAL_FILE
    if not file.exists():
        raise ej.data.DataError(f"{workdir} has no {POTENTIAL_FILE}: the run has not finished")
    try:
        potential = ej.simulation.load_potential(file)
    except ValueError as error:
        raise ej.data.DataError(str(error)) from error
    frames = ej.data.read_xyz(data, require=())
    unlabelled = dataclasses.replace(
        frames, energy=np.zeros(len(frames)), forces=np.zeros_like(frames.positions)
    )
    model = potential.model
    batches = FrameBatches(
        {"data": unlabelled}, potential.atomic_energies, species=model.species, cutoff=model.cutoff
    )
    interaction, forces = Evaluator(model, batches).predict("data", potential.variables["params"])
    references = -molecules.interaction_energies(unlabelled, potential.atomic_energies)
    energies = interaction + references
    print(f"{len(frames)} frames, {len(frames.numbers)} atoms")
    if frames.energy is not None and np.isfinite(frames.energy).all():
        if frames.forces is not None and not np.isfinite(frames.forces).all():
            frames = dataclasses.replace(frames, forces=None)
        for name, error in rmse(energies - frames.energy, frames, forces).items():
            print(f"  {name.replace('_', ' ')} RMSE: {error:.2f} {'meV/Å' if name == 'force' else 'meV'}")
    else:
        for index in range(min(len(frames), 10)):
            print(f"  frame {index}: {energies[index]:.4f} eV")
    if output is not None:
        ej.data.write_xyz(output, dataclasses.replace(frames, energy=energies, forces=forces))
        print(f"  written to {output}")
