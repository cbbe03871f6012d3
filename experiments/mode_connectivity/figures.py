"""The pictures of a run."""

import pathlib
from collections.abc import Mapping

import matplotlib

matplotlib.use("Agg")
import matplotlib.pyplot as plt
import numpy as np

from experiments.mode_connectivity.matchers import METHODS

_COLOURS = dict(zip(METHODS, ("#8c8c8c", "#c9b18c", "#1b6ca8", "#66a182", "#3d8b6d", "#d1495b", "#5e4fa2")))


def barriers(path: pathlib.Path, outcomes: Mapping) -> str:
    """Test loss barrier and agreement of singular vectors of each method against the width."""
    figure, panels = plt.subplots(1, 2, figsize=(9.0, 3.6), layout="constrained")
    widths = sorted(size for kind, size in outcomes if kind == "mlp")
    for axes, metric in zip(panels, ("test loss barrier", "R, threshold 0.3")):
        for name, method in METHODS.items():
            shown = [w for w in widths if name in outcomes["mlp", w].methods]
            values = [outcomes["mlp", w].methods[name][metric] for w in shown]
            if shown:
                means = [each.mean() for each in values]
                spread = [each.std() for each in values]
                axes.errorbar(
                    shown, means, spread, color=_COLOURS[name], marker="o", capsize=2, label=method.label
                )
        axes.set_xscale("log", base=2)
        axes.set(xlabel="width", ylabel=metric)
        axes.grid(True, alpha=0.2)
    figure.legend(*panels[0].get_legend_handles_labels(), loc="outside lower center", ncol=4, fontsize=7)
    return _saved(figure, path)


def paths(path: pathlib.Path, outcomes: Mapping) -> str:
    """Test loss along the path between two networks, by method, for each architecture."""
    count = len(outcomes)
    figure, panels = plt.subplots(
        1, count, figsize=(2.8 * count + 0.8, 3.2), layout="constrained", squeeze=False, sharey=True
    )
    for axes, ((kind, size), outcome) in zip(panels[0], outcomes.items()):
        for name, curve in outcome.curves.items():
            axes.plot(np.linspace(0, 1, len(curve)), curve, color=_COLOURS[name], label=METHODS[name].label)
        axes.set(title=f"{kind} {size}", xlabel="from the anchor to the other")
        axes.grid(True, alpha=0.2)
    panels[0, 0].set_ylabel("test loss, mean over seeds")
    figure.legend(*panels[0, 0].get_legend_handles_labels(), loc="outside lower center", ncol=4, fontsize=7)
    return _saved(figure, path)


def planes(path: pathlib.Path, losses: Mapping[str, np.ndarray], offsets: np.ndarray) -> str:
    """Test loss on the plane through three networks, before and after matching two of them to the first."""
    figure, panels = plt.subplots(
        1, max(1, len(losses)), figsize=(3.6 * max(1, len(losses)), 3.2), layout="constrained", squeeze=False
    )
    top = max((np.quantile(each, 0.95) for each in losses.values()), default=1.0)
    for axes, (name, values) in zip(panels[0], losses.items()):
        picture = axes.contourf(offsets, offsets, np.minimum(values, top), levels=np.linspace(0, top, 15))
        axes.plot([0, 1, 0], [0, 0, 1], "k^")
        for label, x, y in (("a", 0, 0), ("b", 1, 0), ("c", 0, 1)):
            axes.annotate(label, (x, y), xytext=(5, 5), textcoords="offset points")
        axes.set(title=METHODS[name].label)
        figure.colorbar(picture, ax=axes)
    return _saved(figure, path)


def _saved(figure, path: pathlib.Path) -> str:
    """Write a figure, and return its name."""
    figure.savefig(path, dpi=150)
    plt.close(figure)
    return path.name
