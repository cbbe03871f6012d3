"""The run: what needs no training, then every method, then the claims."""

import pathlib

import numpy as np

from experiments.affine_images import figures, invariance
from experiments.affine_images.config import Config
from experiments.affine_images.fitting import fit_method
from experiments.affine_images.networks import METHODS
from experiments.affine_images.reporting import Outcome, Untrained, build_report
from experiments.framework import Report
from experiments.tasks.affine_digits import load_affine_digits

RADII = (0.25, 0.5)


def run(config: Config, workdir: pathlib.Path) -> Report:
    """Train all networks (or go on where a killed run stopped), and measure everything.

    Raises:
      SystemExit: if a signal ended the training; the checkpoint is written, the same command goes on.
    """
    augments = any(METHODS[method].training == "warped" for method in config.methods)
    digits = load_affine_digits(
        config.source,
        config.num_train,
        config.num_test,
        coarseness=config.coarseness,
        num_warps=config.num_warps if augments else 0,
    )
    print("without training: errors of invariance, reach of coordinates", flush=True)
    untrained = Untrained(
        config.curve_samples,
        invariance.error_curves(config.curve_samples, config.log_std),
        invariance.network_errors(config.num_samples, config.log_std),
        invariance.coordinate_reach(config.num_samples, config.log_std),
        invariance.haar_sample_sizes(config.log_std, RADII),
    )
    outcomes, curves = {}, {}
    for method in config.methods:
        print(f"{METHODS[method].label}: {config.num_seeds} networks", flush=True)
        fits = []
        for seed in range(config.num_seeds):
            fitted, interrupted = fit_method(config, digits, method, seed, workdir)
            if interrupted:
                raise SystemExit(
                    f"stopped by a signal; the checkpoint is in {workdir}; the same command goes on"
                )
            fits.append(fitted)
        accuracies = {
            name: np.array([100 * fitted.accuracies[name] for fitted in fits]) for name in digits.tests
        }
        seconds = sum(fitted.seconds for fitted in fits)
        outcomes[method] = Outcome(accuracies, fits[0].num_parameters, seconds)
        curves[method] = np.mean([fitted.curve for fitted in fits], axis=0)
    drawn = [
        figures.learning_curves(workdir / "learning_curves.png", curves),
        figures.invariance(workdir / "invariance.png", config.curve_samples, untrained.curves),
    ]
    return build_report(outcomes, untrained, drawn)
