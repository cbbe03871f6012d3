"""The run: train every variant at every degree, test all, and weigh the claims."""

import pathlib

import jax
import numpy as np

from experiments.framework import Report
from experiments.nbody import cost, figures
from experiments.nbody.config import Config
from experiments.nbody.evaluation import unlearned_errors, with_far_particle
from experiments.nbody.fitting import fit_variant
from experiments.nbody.reporting import Outcome, build_report
from experiments.nbody.variants import VARIANTS
from experiments.tasks.charged_particles import load_splits

FAR = 30.0
SYMMETRY_SYSTEMS = 100


def run(config: Config, workdir: pathlib.Path) -> Report:
    """Train all networks (or go on where a killed run stopped), and measure everything.

    Raises:
      SystemExit: if a signal ended the training; the checkpoint is written, the same command goes on.
    """
    splits = load_splits(config.num_train, config.num_valid, config.num_test)
    far = with_far_particle(splits.test, FAR)
    some = jax.tree.map(lambda array: array[:SYMMETRY_SYSTEMS], splits.test)
    fits, outcomes = {}, {}
    for variant, degree in config.cases:
        print(f"{VARIANTS[variant].label}, L={degree}: {config.num_seeds} networks", flush=True)
        fitted, interrupted = fit_variant(config, splits, variant, degree, workdir)
        if interrupted:
            raise SystemExit(f"stopped by a signal; the checkpoint is in {workdir}; the same command goes on")
        fits[variant, degree] = fitted
        outcomes[variant, degree] = Outcome(
            errors=fitted.predictor.errors(fitted.params, splits.test),
            far_errors=fitted.predictor.errors(fitted.params, far),
            symmetry=fitted.predictor.symmetry_errors(fitted.params, some),
            num_parameters=fitted.num_parameters,
            seconds=fitted.seconds,
        )
    models = {
        case: (fitted.model, jax.tree.map(lambda leaf: leaf[0], fitted.params))
        for case, fitted in fits.items()
    }
    batch = jax.tree.map(lambda array: np.resize(array, (config.batch_size, *array.shape[1:])), splits.train)
    costs = cost.measure(models, batch, samples=30)
    drawn = [
        figures.learning_curves(workdir / "learning_curves.png", {c: f.curve for c, f in fits.items()}),
        figures.error_against_cost(workdir / "error_against_cost.png", outcomes, costs),
    ]
    return build_report(
        outcomes,
        costs,
        unlearned=unlearned_errors(splits.train, splits.test),
        unlearned_far=unlearned_errors(splits.train, far),
        figures=drawn,
    )
