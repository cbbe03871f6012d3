"""From measurements to rows: every number with its spread over seeds and the published one."""

import numpy as np

from experiments.frame_averaging.classification import Accuracy
from experiments.frame_averaging.normals import NormalsResult
from experiments.frame_averaging.particles import PAPER as PARTICLES_PAPER
from experiments.frame_averaging.particles import ParticlesResult
from experiments.frame_averaging.separation import SeparationResult
from experiments.frame_averaging.stability import STEPS, StabilityResult
from experiments.framework import Row

ORDERS = {
    "file order": "",
    "random": ", random order",
    "spectral": ", spectral frame",
    "minimal": ", minimal frame",
}
NOT_SEPARATED = "pairs not separated"
GIN_OF_PAPER = 386
"""Pairs of GRAPH8C that the published GIN does not separate."""


def separation_rows(result: SeparationResult, num_nodes: int) -> list[Row]:
    """Pairs that are not separated, and the control: copies that are."""
    rows = [Row(f"{num_nodes} nodes: 1-WL, exact", NOT_SEPARATED, result.weisfeiler_leman)]
    groups = {f"{num_nodes} nodes": result.connected, f"{result.num_pairs} hard pairs": result.pairs}
    for name, by_case in groups.items():
        for (network, kind), found in by_case.items():
            method = f"{name}: {network}{ORDERS[kind]}"
            paper = None
            if num_nodes == 8 and by_case is result.connected and kind != "minimal":
                paper = GIN_OF_PAPER if kind == "file order" else 0
            rows += [
                Row(method, NOT_SEPARATED, found.similar, paper=paper),
                Row(method, "copies told apart", 100 * found.copies / found.num_graphs, "%"),
            ]
            if found.num_complete:
                share = 100 * found.complete_copies / found.num_complete
                rows.append(Row(method, "copies told apart, complete frames", share, "%"))
    return rows


def classification_rows(result: dict[str, Accuracy]) -> list[Row]:
    """Accuracies on relabelled test graphs."""
    rows = []
    for name, accuracy in result.items():
        paper = None
        if name.startswith("GIN+ID"):
            paper = 50.0 if "random" in name else 100.0
        percent = 100 * accuracy.values
        rows.append(
            Row(
                name,
                "accuracy",
                float(percent.mean()),
                "%",
                _spread(percent),
                paper,
                seconds=accuracy.seconds,
            )
        )
    return rows


def normals_rows(results: dict[str, NormalsResult]) -> list[Row]:
    """Errors by protocol."""
    rows = []
    for method, result in results.items():
        for protocol, errors in result.errors.items():
            fitted = result.fits[protocol.split("/", 1)[0]]
            rows.append(
                Row(
                    f"normals {protocol}: {method}",
                    "1 - cos²",
                    float(errors.mean()),
                    spread=_spread(errors),
                    parameters=fitted.num_parameters,
                    seconds=fitted.seconds,
                )
            )
    return rows


def particles_rows(results: dict[str, ParticlesResult]) -> list[Row]:
    """Test errors and symmetry errors."""
    rows = []
    for method, result in results.items():
        scaled = 1000 * result.errors
        about = {}
        if result.fitted is not None:
            about = {"parameters": result.fitted.num_parameters, "seconds": result.fitted.seconds}
        paper = PARTICLES_PAPER.get(method)
        rows.append(
            Row(
                f"particles: {method}",
                "test MSE",
                float(scaled.mean()),
                "1e-3",
                _spread(scaled),
                paper,
                **about,
            )
        )
        rows.append(Row(f"particles: {method}", "equivariance error", result.symmetry))
    return rows


def stability_rows(result: StabilityResult) -> list[Row]:
    """Equivariance errors, and slopes at shrinking steps."""
    rows = [Row("average: none", "equivariance error", result.plain.error)]
    for (frame, cloud), report in result.reports.items():
        method = f"average: {frame}, {cloud}"
        rows.append(Row(method, "equivariance error", report.error))
        rows += [
            Row(method, f"slope at step {STEPS[number]:g}", float(report.slopes[number]))
            for number in (0, -1)
        ]
    rows += [
        Row(f"average: {count} drawn of 4 principal", "equivariance error", value)
        for count, value in result.stochastic.items()
    ]
    return rows


def _spread(values: np.ndarray) -> float | None:
    """Standard deviation over seeds."""
    return float(np.std(values, ddof=1)) if len(values) > 1 else None
