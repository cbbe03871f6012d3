"""Measures which method of the Gaunt product is fastest where, and writes the table that ``auto`` reads.

    python -m benchmarks crossovers                  # minutes; rewrites equijax/sphere/crossovers.json
    python -m benchmarks crossovers --output FILE    # writes another file
    python -m benchmarks crossovers --quick          # does it run? writes nothing unless told

Only the entry of the back end at hand is replaced. Times are those of the product with its gradients.
"""

import json
import math
import pathlib
import re
from collections.abc import Iterator, Mapping, Sequence

import jax
import jax.numpy as jnp

from benchmarks.framework.cli import ROOT, Program, progress
from benchmarks.framework.directions import GRADIENT
from benchmarks.framework.report import aligned
from benchmarks.framework.timing import Case, measure
from benchmarks.peers.contender import Work
from benchmarks.tensor_products import ours
from benchmarks.tensor_products.sections import draw
from equijax.sphere import crossovers
from experiments.framework import environment

CANDIDATES = ("direct", "grid", "gauss_legendre", "antipodal", "separable")
DIRECT_UP_TO_TOTAL = 12
DEGREES = (*((l, l) for l in (1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 12, 16)), (1, 2), (2, 4), (4, 8))
"""Degrees of the factors and of the result."""
QUICK_DEGREES = ((1, 1), (2, 2))

SWITCH = 0.05
"""A change of the method must save this share of the time at one size, or in all, to enter the table."""

_FULL = {"samples": 25, "seconds": 0.02, "seconds_in_all": 1.5}
_QUICK = {"samples": 2, "seconds": 0.0}


def run(quick: bool, output: pathlib.Path | None) -> list[dict]:
    """Measure, print, and write the table; return the back end's list of methods.

    Args:
      quick: two sizes and few samples; writes nothing unless there is an output.
      output: the file; the library's own by default.
    """
    timings = measure(
        _cases(QUICK_DEGREES if quick else DEGREES), progress=progress, **(_QUICK if quick else _FULL)
    ).timings
    seconds: dict[int, dict[str, float]] = {}
    for timing in timings:
        of_total = seconds.setdefault(timing.size, {})
        of_total[timing.method] = min(timing.median, of_total.get(timing.method, math.inf))
    methods = intervals(dict(sorted(seconds.items())))
    print(_table(seconds, methods))
    path = output or (None if quick else crossovers.TABLE_PATH)
    if path is not None:
        source = path if path.exists() else crossovers.TABLE_PATH
        table = json.loads(source.read_text(encoding="utf-8"))
        backend = jax.default_backend()
        table = {backend: {"measured": _about(seconds), "methods": methods}} | {
            name: entry for name, entry in table.items() if name != backend
        }
        path.write_text(formatted(table), encoding="utf-8")
        crossovers.crossover_table.cache_clear()
        print(path)
    return methods


BENCHMARK = Program("crossovers", "Which method of the Gaunt product is fastest where", run)


def _cases(degrees: Sequence[tuple[int, int]]) -> Iterator[Case]:
    """Every candidate at every size; the size is the degree to which a quadrature must be exact."""
    for lmax, lmax_out in degrees:
        work = Work(lmax, lmax_out)
        x, y = (jnp.asarray(signal) for signal in draw(work))
        total = 2 * lmax + lmax_out
        for method in CANDIDATES:
            if method == "direct" and total > DIRECT_UP_TO_TOTAL:
                continue
            contender = ours.gaunt(method)(work)
            weights = jax.tree.map(jnp.asarray, contender.weights)
            section = f"degrees {lmax}, {lmax} to {lmax_out}"
            yield Case(method, total, contender.function, (x, y, weights), section, (GRADIENT,))


def intervals(seconds: Mapping[int, Mapping[str, float]]) -> list[dict]:
    """The methods to take, by intervals of the total degree, as few as the times justify.

    Minimises the sum over sizes of the logarithm of the time over the fastest one's, plus a price for every
    change of the method (dynamic programming). Between two sizes, a change lies in the middle.

    Args:
      seconds: of each method, by total degree, ascending.

    Returns:
      Entries as in `equijax.sphere.crossovers`.

    Example:
      >>> intervals({3: {"a": 1.0, "b": 2.0}, 6: {"a": 3.0, "b": 2.0}, 9: {"a": 9.0, "b": 4.0}})
      [{'up_to': 4, 'method': 'a'}, {'up_to': None, 'method': 'b'}]
    """
    totals = list(seconds)
    best: dict[str, tuple[float, list[str]]] = {}
    for index, total in enumerate(totals):
        times = seconds[total]
        fastest = min(times.values())
        reached = {}
        for method, time in times.items():
            price = math.log(time / fastest)
            before = [
                (cost + (0.0 if chosen[-1] == method else SWITCH), chosen) for cost, chosen in best.values()
            ]
            cost, chosen = min(before, key=lambda pair: pair[0]) if index else (0.0, [])
            reached[method] = (cost + price, [*chosen, method])
        best = reached
    _, chosen = min(best.values(), key=lambda pair: pair[0])
    entries = [
        {"up_to": (totals[index] + totals[index + 1]) // 2, "method": method}
        for index, method in enumerate(chosen[:-1])
        if chosen[index + 1] != method
    ]
    return [*entries, {"up_to": None, "method": chosen[-1]}]


def formatted(table: Mapping) -> str:
    """The table as JSON, with a line for each method.

    Example:
      >>> print(formatted({"cpu": {"methods": [{"up_to": None, "method": "grid"}]}}), end="")
      {
        "cpu": {
          "methods": [
            {"up_to": null, "method": "grid"}
          ]
        }
      }
    """
    text = json.dumps(table, indent=2, ensure_ascii=False)
    return re.sub(r'\{\s+("up_to": \w+), \s*("method": "\w+")\s+\}', r"{\1, \2}", _one_space(text)) + "\n"


def _one_space(text: str) -> str:
    """The two lines of a method on one."""
    return re.sub(r'("up_to": \w+),\s+', r"\1, ", text)


def _about(seconds: Mapping[int, Mapping[str, float]]) -> dict:
    """What the entry says of its measurement."""
    machine = environment.describe(ROOT)
    device = f"{machine['cores']} cores of {machine['processor']}"
    if jax.default_backend() != "cpu":
        device = machine["devices"]
    totals = ", ".join(str(total) for total in sorted(seconds))
    return {
        "device": device,
        "jax": machine["packages"].get("jax", "unknown"),
        "rows": Work(1, 1).batch * Work(1, 1).channels,
        "dtype": "float32",
        "quantity": f"forward and backward, with weights by degree, l1 + l2 + lmax = {totals}",
    }


def _table(seconds: Mapping[int, Mapping[str, float]], methods: Sequence[Mapping]) -> str:
    """Milliseconds of each method, and the one that the table takes."""
    lines = [["l1 + l2 + lmax", *(f"{name}, ms" for name in CANDIDATES), "table takes", "its time / fastest"]]
    for total, times in sorted(seconds.items()):
        taken = next(row["method"] for row in methods if row["up_to"] is None or total <= row["up_to"])
        cells = [f"{1e3 * times[name]:.3g}" if name in times else "" for name in CANDIDATES]
        ratio = times[taken] / min(times.values())
        lines.append([str(total), *cells, taken, f"{ratio:.2f}"])
    return aligned(lines)
