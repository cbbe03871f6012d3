"""How long it takes to find the symmetry of a model."""

import statistics
import time

import jax

from benchmarks.framework.cli import progress
from benchmarks.weights.architectures import traced_models
from equijax.weights import symmetry

SECTION = "tracing"
TARGETS = {"ResNet-50": 1.0, "transformer, 12 blocks": 3.0}
"""Seconds that the symmetry of a model may take."""


def measure(quick: bool) -> list[dict]:
    """Seconds of each model: the first time in this process, then the median of several."""
    rows = []
    for model in traced_models(quick):
        progress(f"{SECTION}: {model.name}")
        shapes = model.shapes()
        times, own = [], []
        for _ in range(2 if quick else 5):
            jax.clear_caches()
            start = time.perf_counter()
            jax.make_jaxpr(model.module.apply)(shapes, *model.inputs)
            own.append(time.perf_counter() - start)
            jax.clear_caches()
            start = time.perf_counter()
            group = symmetry(model.module.apply, shapes, *model.inputs, verify=False)
            times.append(time.perf_counter() - start)
        rows.append(
            {
                "section": SECTION,
                "method": model.name,
                "parameters": sum(leaf.size for leaf in jax.tree.leaves(shapes)),
                "groups": len(group.groups),
                "seconds": statistics.median(times),
                "seconds_of_jax": statistics.median(own),
                "samples": times,
                "target": TARGETS.get(model.name),
            }
        )
    return rows


def table(rows: list[dict]) -> list[list[str]]:
    """Cells of the table of these rows."""
    lines = [["tracing", "parameters", "groups", "seconds", "of which JAX", "target"]]
    for row in rows:
        target = "" if row["target"] is None else f"{row['target']:.0f}"
        numbers = (f"{row['parameters']:,}", str(row["groups"]))
        lines.append(
            [row["method"], *numbers, f"{row['seconds']:.2f}", f"{row['seconds_of_jax']:.2f}", target]
        )
    return lines
