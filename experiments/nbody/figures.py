"""The pictures of a run."""

import pathlib
from collections.abc import Mapping

import matplotlib

matplotlib.use("Agg")
import matplotlib.pyplot as plt
import numpy as np

from experiments.nbody.cost import Cost
from experiments.nbody.reporting import Outcome, label
from experiments.nbody.variants import VARIANTS

COLOURS = dict(zip(VARIANTS, ("#1b6ca8", "#66a182", "#5e4fa2", "#d1495b", "#edae49", "#8c8c8c", "#333333")))
MARKERS = ("o", "s", "^", "D", "v")


def learning_curves(path: pathlib.Path, curves: Mapping[tuple[str, int], np.ndarray]) -> str:
    """Validation error of each variant against the step; rows are (step, seconds, error)."""
    figure, axes = plt.subplots(figsize=(6.0, 3.8), layout="constrained")
    degrees = sorted({degree for _, degree in curves})
    for (variant, degree), curve in curves.items():
        style = ("-", "--", ":", "-.")[degrees.index(degree) % 4]
        axes.loglog(
            curve[:, 0], curve[:, 2], style, color=COLOURS[variant], marker=".", label=label(variant, degree)
        )
    axes.set(xlabel="step", ylabel="MSE of the validation systems, mean")
    axes.grid(True, which="both", alpha=0.2)
    axes.legend(frameon=False, fontsize=7)
    return _saved(figure, path)


def error_against_cost(
    path: pathlib.Path, outcomes: Mapping[tuple[str, int], Outcome], costs: Mapping[tuple[str, int], Cost]
) -> str:
    """Test error of each variant, with the spread of its seeds, against the time of a step."""
    figure, axes = plt.subplots(figsize=(6.0, 3.8), layout="constrained")
    degrees = sorted({degree for _, degree in outcomes})
    for case, outcome in outcomes.items():
        variant, degree = case
        means = 1000 * outcome.errors.mean(axis=1)
        axes.errorbar(
            1000 * costs[case].seconds,
            means.mean(),
            means.std(),
            fmt=MARKERS[degrees.index(degree) % len(MARKERS)],
            color=COLOURS[variant],
            capsize=2,
            label=label(variant, degree),
        )
    axes.set(xscale="log", xlabel="loss and gradient of a batch [ms]", ylabel="test MSE [1e-3]")
    axes.grid(True, which="both", alpha=0.2)
    axes.legend(frameon=False, fontsize=7)
    return _saved(figure, path)


def _saved(figure, path: pathlib.Path) -> str:
    """Write a figure, and return its name."""
    figure.savefig(path, dpi=150)
    plt.close(figure)
    return path.name
