"""How long weight matching takes, and how good it is, against git-re-basin's algorithm."""

import functools
import math
import statistics
import time

import jax
import jax.numpy as jnp
import numpy as np

from benchmarks.framework.cli import progress
from benchmarks.framework.timing import extrapolate
from benchmarks.weights import rebasin
from benchmarks.weights.architectures import Perceptron
from equijax.weights import symmetry
from equijax.weights.matching import weight_matching

SECTION = "weight matching"
WIDTHS = (64, 128, 256, 512, 1024, 2048, 4096)
LIMIT = 120.0
"""Seconds that one matching may take."""
OURS, MORE, PEER = "equijax, 1 start", "equijax, 4 starts", "git-re-basin's algorithm"
_HIDDEN, _INPUTS = 3, 64


def measure(quick: bool) -> list[dict]:
    """Seconds and objectives of each method at each width, in turns."""
    rows = []
    for width in WIDTHS[:1] if quick else WIDTHS:
        methods = _methods(width)
        runs = {}
        for method, run in methods.items():
            known = {row["width"]: row["seconds"] for row in rows if row["method"] == method}
            if None in known.values():
                why = "left out at a smaller width"
            else:
                expected = extrapolate(known, width)
                why = f"would take about {expected:.0f} s" if expected > LIMIT else None
            if why is None:
                runs[method] = run
            else:
                left = {"section": SECTION, "method": method, "width": width, "seconds": None, "why": why}
                rows.append(left)
        rows += _timed(width, runs, repetitions=1 if quick or width > 512 else 3)
    return rows


def _methods(width: int) -> dict:
    """A function for each method, which matches and gives the objective."""
    model, x = Perceptron(width), jnp.ones((1, _INPUTS))
    a, b = (jax.tree.map(np.asarray, model.init(jax.random.key(seed), x)) for seed in range(2))
    specification = rebasin.perceptron_specification(_HIDDEN)
    group = symmetry(model.apply, a, x, verify=False)
    flat = [
        {
            jax.tree_util.keystr(path[1:], simple=True, separator="/"): jnp.asarray(leaf)
            for path, leaf in jax.tree_util.tree_flatten_with_path(each)[0]
        }
        for each in (a, b)
    ]

    def ours(num_starts, key):
        return weight_matching(key, group, a, b, num_starts=num_starts).objective

    def peer(key):
        return rebasin.objective(specification, *flat, rebasin.weight_matching(key, specification, *flat))

    return {OURS: functools.partial(ours, 1), MORE: functools.partial(ours, 4), PEER: peer}


def _timed(width: int, runs: dict, repetitions: int) -> list[dict]:
    """Medians over repetitions, the methods in turns, after one call of each to warm up where it is short."""
    if width <= 512:
        for run in runs.values():
            run(jax.random.key(100))
    times, objectives = ({method: [] for method in runs} for _ in range(2))
    for repetition in range(repetitions):
        for method, run in runs.items():
            progress(f"{SECTION}, width {width}: {method}")
            start = time.perf_counter()
            objectives[method].append(run(jax.random.key(repetition)))
            times[method].append(time.perf_counter() - start)
    return [
        {
            "section": SECTION,
            "method": method,
            "width": width,
            "seconds": statistics.median(times[method]),
            "objective": statistics.mean(objectives[method]),
            "samples": times[method],
        }
        for method in runs
    ]


def slopes(rows: list[dict]) -> dict[str, float]:
    """Exponents of the time in the width, from 256 on, by least squares of the logarithms.

    Example:
      >>> rows = [{"method": "m", "width": w, "seconds": w**3 / 1e6} for w in (256, 512)]
      >>> round(slopes(rows)["m"], 6)
      3.0
    """
    found = {}
    for method in dict.fromkeys(row["method"] for row in rows):
        points = [(r["width"], r["seconds"]) for r in rows if r["method"] == method and r["seconds"]]
        points = [(math.log(width), math.log(seconds)) for width, seconds in points if width >= 256]
        if len(points) >= 2:
            found[method] = float(np.polyfit(*np.array(points).T, 1)[0])
    return found


def table(rows: list[dict]) -> list[list[str]]:
    """Cells of the table of these rows: time, time of the peer over it, objective over the peer's."""
    lines = [["weight matching", "width", "seconds", "peer / time", "objective / peer's"]]
    for row in rows:
        peer = next(
            (r for r in rows if r["method"] == PEER and r["width"] == row["width"] and r["seconds"]), None
        )
        cells = [row["method"], str(row["width"])]
        if row["seconds"] is None:
            lines.append([*cells, row["why"], "", ""])
            continue
        cells.append(f"{row['seconds']:.3f}")
        if peer is None:
            lines.append([*cells, "", ""])
            continue
        ratio, better = peer["seconds"] / row["seconds"], row["objective"] / peer["objective"]
        lines.append([*cells, f"{ratio:.2f}", f"{better:.4f}"])
    for method, slope in slopes(rows).items():
        lines.append([method, "slope", f"{slope:.2f}", "", ""])
    return lines
