"""The pictures of a run."""

import pathlib
from collections.abc import Mapping

import matplotlib

matplotlib.use("Agg")
import matplotlib.pyplot as plt
import numpy as np

from experiments.soft_symmetry.convex import METHODS, ConvexOutcome
from experiments.soft_symmetry.reporting import TaskResult

COLORS = ("#8c8c8c", "#edae49", "#66a182", "#1b6ca8", "#d1495b", "#5e4fa2", "#333333", "#76b7b2", "#e07b39")


def convex(path: pathlib.Path, solved: Mapping[tuple[float, int], ConvexOutcome]) -> str:
    """Error of the weights of each method in each case of the convex miniature."""
    figure, axes = plt.subplots(figsize=(7.0, 3.6), layout="constrained")
    width = 0.8 / len(METHODS)
    for index, (method, color) in enumerate(zip(METHODS, COLORS)):
        values = [outcome.errors[index].mean() for outcome in solved.values()]
        axes.bar(np.arange(len(values)) + index * width, values, width, color=color, label=method)
    labels = [f"departure {departure:g}\n{samples} samples" for departure, samples in solved]
    axes.set_xticks(np.arange(len(labels)) + 0.4 - width / 2, labels)
    axes.set(yscale="log", ylabel="squared error of the weights")
    axes.legend(frameon=False, fontsize=8, ncols=3)
    return _saved(figure, path)


def accuracy(path: pathlib.Path, results: Mapping[str, TaskResult]) -> str:
    """Test error of each method on each task, relative to that of the best constant."""
    figure, axes = plt.subplots(figsize=(8.0, 4.2), layout="constrained")
    labels = list(dict.fromkeys(label for result in results.values() for label in result.selected()))
    for index, label in enumerate(labels):
        found = [
            (place, outcome.test / result.variance)
            for place, result in enumerate(results.values())
            for _, outcome in [result.selected().get(label, (0.0, None))]
            if outcome is not None
        ]
        places = np.array([place for place, _ in found]) + (index - len(labels) / 2) * 0.08
        axes.errorbar(
            places,
            [values.mean() for _, values in found],
            [values.std() for _, values in found],
            fmt="o",
            markersize=4,
            color=COLORS[index % len(COLORS)],
            label=label,
        )
    axes.set_xticks(range(len(results)), [name.replace(", ", ",\n") for name in results], fontsize=7)
    axes.set(yscale="log", ylabel="test MSE / that of the best constant")
    axes.grid(True, axis="y", alpha=0.2)
    axes.legend(frameon=False, fontsize=7, ncols=3)
    return _saved(figure, path)


def symmetry(path: pathlib.Path, results: Mapping[str, TaskResult]) -> str:
    """Symmetry error of each group: of the true function, of a constant, and of soft networks."""
    figure, rows = plt.subplots(
        len(results), 1, figsize=(7.0, 1.6 * len(results) + 0.6), layout="constrained", squeeze=False
    )
    for axes, (name, result) in zip(rows[:, 0], results.items(), strict=True):
        shown = dict(result.references)
        shown |= {
            label: outcome.symmetry for label, (_, outcome) in result.selected().items() if outcome.levels
        }
        width = 0.8 / len(shown)
        for index, (label, errors) in enumerate(shown.items()):
            color = COLORS[index % len(COLORS)]
            places = np.arange(len(errors)) + index * width
            axes.bar(places, list(errors.values()), width, color=color, label=label)
        groups = [repr(group) for group in result.family.groups]
        axes.set_xticks(np.arange(len(groups)) + 0.4 - width / 2, groups, fontsize=8)
        axes.set_title(name, fontsize=8, loc="left")
    handles = rows[0, 0].get_legend_handles_labels()
    figure.legend(*handles, loc="outside upper center", frameon=False, fontsize=7, ncols=5)
    figure.supylabel("symmetry error", fontsize=9)
    return _saved(figure, path)


def _saved(figure, path: pathlib.Path) -> str:
    """Write a figure, and return its name."""
    figure.savefig(path, dpi=130)
    plt.close(figure)
    return path.name
