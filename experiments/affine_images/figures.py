"""The pictures of a run."""

import pathlib
from collections.abc import Mapping, Sequence

import matplotlib

matplotlib.use("Agg")
import matplotlib.pyplot as plt
import numpy as np

from experiments.affine_images.networks import METHODS
from experiments.tasks.affine_digits import TEST_SETS

COLOURS = dict(zip(METHODS, plt.get_cmap("tab10").colors))


def learning_curves(path: pathlib.Path, curves: Mapping[str, np.ndarray]) -> str:
    """Accuracy on each test set against the step; rows are (step, accuracies)."""
    figure, axes = plt.subplots(1, len(TEST_SETS), figsize=(9.0, 3.2), layout="constrained", sharey=True)
    for column, (name, axis) in enumerate(zip(TEST_SETS, axes, strict=True)):
        for method, curve in curves.items():
            label = METHODS[method].label
            axis.plot(curve[:, 0], 100 * curve[:, 1 + column], ".-", color=COLOURS[method], label=label)
        axis.set(title=name, xlabel="step")
        axis.grid(True, alpha=0.2)
    axes[0].set_ylabel("accuracy [%]")
    axes[0].legend(frameon=False, fontsize=6)
    return _saved(figure, path)


def invariance(path: pathlib.Path, counts: Sequence[int], curves: Mapping[str, np.ndarray]) -> str:
    """Error of invariance of untrained networks against the number of samples."""
    figure, axes = plt.subplots(figsize=(4.5, 3.4), layout="constrained")
    for group, curve in curves.items():
        axes.loglog(counts, curve, "o-", label=group)
    axes.set(xlabel="group elements", ylabel="change / difference of images")
    axes.grid(True, which="both", alpha=0.2)
    axes.legend(frameon=False)
    return _saved(figure, path)


def _saved(figure, path: pathlib.Path) -> str:
    """Write a figure, and return its name."""
    figure.savefig(path, dpi=150)
    plt.close(figure)
    return path.name
