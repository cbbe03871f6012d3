"""The experiment: train, test, audit, simulate, and say what was found."""

import pathlib
import time

import numpy as np

import equijax as ej
from experiments.force_field import dynamics, figures, symmetry
from experiments.force_field.config import Config
from experiments.force_field.evaluation import FrameBatches, rmse
from experiments.force_field.fitting import Fitted, fit_potential
from experiments.force_field.predict import POTENTIAL_FILE
from experiments.force_field.reporting import build_report
from experiments.framework import Report
from experiments.tasks import molecules


def run(config: Config, workdir: pathlib.Path) -> Report:
    """Train both potentials (or go on where a killed run stopped), and measure everything.

    Raises:
      SystemExit: if a signal ended the training; the checkpoint is written, the same command goes on.
    """
    task = molecules.load_task(config.data, config.test, num_train=config.num_train or None, seed=config.seed)
    if config.num_test:
        task = task._replace(tests={name: frames[: config.num_test] for name, frames in task.tests.items()})
    print(f"{task.name}: {len(task.train)} training and {len(task.valid)} validation frames", flush=True)
    batches = FrameBatches(
        {"validation": task.valid, **task.tests, **task.profiles},
        task.atomic_energies,
        species=task.species,
        cutoff=config.cutoff,
    )
    steps = {"Gaunt": config.num_steps, "Clebsch-Gordan": config.baseline_steps}
    fits: dict[str, Fitted] = {}
    for method, num_steps in steps.items():
        if num_steps == 0:
            continue
        print(f"{method} potential, {num_steps} steps", flush=True)
        fits[method], interrupted = fit_potential(config, task, method, num_steps, batches, workdir)
        if interrupted:
            raise SystemExit(f"stopped by a signal; the checkpoint is in {workdir}; the same command goes on")
    start = time.perf_counter()
    best = fits["Gaunt"]
    saved = ej.simulation.SavedPotential(best.model, best.variables, task.atomic_energies)
    ej.simulation.save_potential(workdir / POTENTIAL_FILE, saved)
    errors = {"mean": _trivial_errors(task)}
    for method, fitted in fits.items():
        errors[method] = {name: fitted.evaluator.errors(name, fitted.params) for name in task.tests}
    parity = {
        name: (frames.forces, best.evaluator.predict(name, best.params)[1])
        for name, frames in task.tests.items()
        if frames.forces is not None
    }
    frame = task.valid[0]
    species = ej.graphs.species_index(frame.numbers, task.species)
    symmetric = symmetry.symmetry_errors(best.model, best.params, frame.positions, species)
    audit = symmetry.audit(best.model, best.params, frame.positions.astype(np.float32), species)
    trajectory = dynamics.constant_energy_run(
        frame.to_ase()[0],
        ej.simulation.PotentialCalculator(saved),
        picoseconds=config.dynamics_ps,
        temperature=300.0,
        seed=config.seed,
    )
    drift = dynamics.drift(trajectory, len(species))
    drawn = [
        figures.learning_curves(workdir / "learning_curves.png", {n: fit.curve for n, fit in fits.items()}),
        figures.force_parity(workdir / "force_parity.png", parity),
        figures.energy_conservation(workdir / "energy_conservation.png", trajectory, len(species), drift),
    ]
    profiles = {name: _profile(name, frames, task, fits) for name, frames in task.profiles.items()}
    if profiles:
        drawn.append(figures.energy_profiles(workdir / "energy_profiles.png", profiles))
    return build_report(
        config,
        task,
        fits,
        errors,
        symmetric,
        audit,
        drift,
        figures=drawn,
        workdir=workdir,
        rest_seconds=time.perf_counter() - start,
    )


def _trivial_errors(task: molecules.MoleculeTask) -> dict[str, dict[str, float]]:
    """Errors of the prediction that every molecule of a composition has its mean energy, and no forces."""
    species = task.species
    energies = molecules.interaction_energies(task.train, task.atomic_energies)
    per_element = np.linalg.lstsq(molecules.composition(task.train, species), energies, rcond=None)[0]
    errors = {}
    for name, frames in task.tests.items():
        target = molecules.interaction_energies(frames, task.atomic_energies)
        predicted = molecules.composition(frames, species) @ per_element
        errors[name] = rmse(predicted - target, frames, np.zeros_like(frames.positions))
    return errors


def _profile(name, frames, task, fits):
    """Coordinate, reference and predicted energies along a path."""
    coordinate = np.arange(len(frames), dtype=float)
    if "dihedral_angle" in frames.info:
        coordinate = np.asarray(frames.info["dihedral_angle"], float)
    order = np.argsort(coordinate)
    reference = molecules.interaction_energies(frames, task.atomic_energies)
    predictions = {
        method: fitted.evaluator.predict(name, fitted.params)[0][order] for method, fitted in fits.items()
    }
    return coordinate[order], reference[order], predictions
