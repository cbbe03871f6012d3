"""The pictures of a run."""

import pathlib

import matplotlib

matplotlib.use("Agg")
import matplotlib.pyplot as plt
import numpy as np

from experiments.frame_averaging.normals import PROTOCOLS, NormalsResult
from experiments.frame_averaging.particles import ParticlesResult
from experiments.frame_averaging.stability import STEPS, StabilityResult

COLOURS = ("#1b6ca8", "#d1495b", "#66a182", "#edae49", "#5e4fa2", "#8c8c8c", "#333333")


def slopes(path: pathlib.Path, result: StabilityResult) -> str:
    """Slopes of the averages against the size of the step."""
    figure, axes = plt.subplots(figsize=(5.2, 3.6), layout="constrained")
    for number, ((frame, cloud), report) in enumerate(result.reports.items()):
        style = "-" if cloud == "equal variances" else ":"
        axes.loglog(
            STEPS, report.slopes, style, color=COLOURS[number // 2], marker="o", label=f"{frame}, {cloud}"
        )
    axes.invert_xaxis()
    axes.set(xlabel="step, relative to the cloud", ylabel="slope of the average")
    axes.grid(True, alpha=0.25)
    axes.legend(frameon=False, fontsize=8)
    return _saved(figure, path)


def particle_errors(path: pathlib.Path, results: dict[str, ParticlesResult]) -> str:
    """Test error of each method, with the spread of its networks."""
    figure, axes = plt.subplots(figsize=(5.6, 3.4), layout="constrained")
    for number, result in enumerate(results.values()):
        scaled = 1000 * result.errors
        axes.barh(number, scaled.mean(), xerr=scaled.std(), color=COLOURS[number % len(COLOURS)], capsize=3)
        axes.text(scaled.mean(), number, f"  {scaled.mean():.3g}", va="center", fontsize=8)
    axes.set_yticks(range(len(results)), list(results))
    axes.invert_yaxis()
    axes.set(xscale="log", xlabel="test MSE [1e-3]")
    return _saved(figure, path)


def normal_errors(path: pathlib.Path, results: dict[str, NormalsResult]) -> str:
    """Error of each method in each protocol."""
    figure, axes = plt.subplots(figsize=(5.2, 3.4), layout="constrained")
    width = 0.8 / len(results)
    for number, (method, result) in enumerate(results.items()):
        means = [result.errors[protocol].mean() for protocol in PROTOCOLS]
        spreads = [result.errors[protocol].std() for protocol in PROTOCOLS]
        places = np.arange(len(PROTOCOLS)) + width * number
        axes.bar(places, means, width, yerr=spreads, color=COLOURS[number], capsize=3, label=method)
    axes.set_xticks(np.arange(len(PROTOCOLS)) + width * (len(results) - 1) / 2, PROTOCOLS)
    axes.set(ylabel="1 - cos² of the angle to the normal")
    axes.legend(frameon=False, fontsize=8)
    return _saved(figure, path)


def _saved(figure, path: pathlib.Path) -> str:
    """Write a figure, and return its name."""
    figure.savefig(path, dpi=150)
    plt.close(figure)
    return path.name
