"""The pictures of a run."""

import pathlib
from collections.abc import Mapping

import matplotlib

matplotlib.use("Agg")
import matplotlib.pyplot as plt
import numpy as np

COLOURS = ("#1b6ca8", "#d1495b", "#66a182", "#edae49")


def learning_curves(path: pathlib.Path, curves: Mapping[str, np.ndarray]) -> str:
    """Validation force error of each method against wall time; rows are (step, seconds, meV/angstrom)."""
    figure, axes = plt.subplots(figsize=(5.2, 3.6), layout="constrained")
    for (name, curve), colour in zip(curves.items(), COLOURS, strict=False):
        axes.loglog(curve[:, 1], curve[:, 2], "o-", color=colour, markersize=3, label=name)
    axes.set(
        xlabel="wall time of training [s], compilation included", ylabel="force RMSE, validation [meV/Å]"
    )
    axes.grid(True, which="both", alpha=0.2)
    axes.legend(frameon=False)
    return _saved(figure, path)


def force_parity(path: pathlib.Path, tests: Mapping[str, tuple[np.ndarray, np.ndarray]]) -> str:
    """Predicted against reference force components (eV/angstrom) of each test set."""
    figure, all_axes = plt.subplots(
        1, len(tests), figsize=(3.6 * len(tests), 3.6), layout="constrained", squeeze=False
    )
    for axes, (name, (reference, predicted)) in zip(all_axes[0], tests.items(), strict=True):
        reference, predicted = np.ravel(reference), np.ravel(predicted)
        limit = 1.05 * np.abs(reference).max()
        axes.plot([-limit, limit], [-limit, limit], color="#999999", linewidth=0.8)
        axes.plot(reference, predicted, ".", color=COLOURS[0], markersize=1.5, alpha=0.4, rasterized=True)
        error = 1000 * np.sqrt(np.mean((reference - predicted) ** 2))
        axes.set(
            title=f"{name}: RMSE {error:.0f} meV/Å",
            xlabel="reference force [eV/Å]",
            ylabel="predicted [eV/Å]",
        )
        axes.set_aspect("equal")
    return _saved(figure, path)


def energy_profiles(
    path: pathlib.Path, profiles: Mapping[str, tuple[np.ndarray, np.ndarray, Mapping[str, np.ndarray]]]
) -> str:
    """Energies along each path, from its minimum: coordinate, reference (eV), and predictions by method."""
    figure, all_axes = plt.subplots(
        1, len(profiles), figsize=(4.2 * len(profiles), 3.4), layout="constrained", squeeze=False
    )
    for axes, (name, (coordinate, reference, predictions)) in zip(all_axes[0], profiles.items(), strict=True):
        lowest = reference.min()
        axes.plot(coordinate, 1000 * (reference - lowest), "k.", label="reference")
        for (method, energies), colour in zip(predictions.items(), COLOURS, strict=False):
            axes.plot(coordinate, 1000 * (energies - lowest), "-", color=colour, label=method)
        axes.set(title=name, ylabel="energy [meV]")
        axes.set_xlabel("dihedral angle [degrees]" if "dihedral" in name else "image along the path")
        axes.legend(frameon=False)
    return _saved(figure, path)


def energy_conservation(path: pathlib.Path, trajectory: np.ndarray, num_atoms: int, drift: float) -> str:
    """Total and potential energy of a run at constant energy, meV an atom from the start."""
    figure, axes = plt.subplots(figsize=(5.2, 3.2), layout="constrained")
    for column, name, colour in ((2, "potential", "#bbbbbb"), (1, "total", COLOURS[0])):
        energy = 1000 * (trajectory[:, column] - trajectory[0, column]) / num_atoms
        axes.plot(trajectory[:, 0], energy, color=colour, linewidth=1, label=name)
    axes.set(
        xlabel="time [ps]", ylabel="energy from the start [meV/atom]", title=f"drift {drift:.2g} meV/atom/ps"
    )
    axes.legend(frameon=False)
    return _saved(figure, path)


def _saved(figure, path: pathlib.Path) -> str:
    """Write a figure, and return its name."""
    figure.savefig(path, dpi=150)
    plt.close(figure)
    return path.name
