"""The course of the benchmark: each section measures its rows, and lays out its table."""

import json
import pathlib

from benchmarks.framework.cli import RESULTS, ROOT, Program
from benchmarks.framework.report import aligned
from benchmarks.weights import matching, tracing
from experiments.framework import environment

SECTIONS = (tracing, matching)
"""Modules with a name ``SECTION``, ``measure(quick)`` for rows, and ``table(rows)`` for cells."""


def run(quick: bool, output: pathlib.Path | None) -> list[dict]:
    """Measure all sections, print their tables, and write the files; return the rows."""
    rows = []
    for section in SECTIONS:
        measured = section.measure(quick)
        print(aligned(section.table(measured)), end="\n\n")
        rows += measured
    directory = output or (None if quick else RESULTS)
    if directory is not None:
        directory.mkdir(parents=True, exist_ok=True)
        content = {
            "benchmark": BENCHMARK.name,
            "title": BENCHMARK.title,
            "command": f"python -m benchmarks {BENCHMARK.name}" + (" --quick" if quick else ""),
            "environment": environment.describe(ROOT),
            "rows": rows,
            "slopes": matching.slopes([row for row in rows if row["section"] == matching.SECTION]),
        }
        path = directory / f"{BENCHMARK.name}.json"
        path.write_text(json.dumps(content, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
        print(path)
        print(_figure(rows, directory / f"{BENCHMARK.name}.png"))
    return rows


def _figure(rows: list[dict], path: pathlib.Path) -> pathlib.Path:
    """Time of matching against the width."""
    import matplotlib

    matplotlib.use("Agg")
    import matplotlib.pyplot as plt

    figure, axes = plt.subplots(figsize=(5.5, 3.6), layout="constrained")
    shown = [row for row in rows if row["section"] == matching.SECTION and row["seconds"]]
    for method in dict.fromkeys(row["method"] for row in shown):
        points = [(row["width"], row["seconds"]) for row in shown if row["method"] == method]
        axes.loglog(*zip(*points), "o-", label=method)
    axes.set(xlabel="width of three hidden layers", ylabel="weight matching [s]")
    axes.grid(True, which="both", alpha=0.2)
    axes.legend(frameon=False, fontsize=8)
    figure.savefig(path, dpi=150)
    plt.close(figure)
    return path


BENCHMARK = Program("weights", "Symmetries of weights: tracing, and matching against git-re-basin", run)
