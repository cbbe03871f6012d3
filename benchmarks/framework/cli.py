"""The command line: ``python -m benchmarks list``, ``python -m benchmarks NAME [--quick] [--output DIR]``."""

import argparse
import importlib
import pathlib
import pkgutil
import sys
from collections.abc import Callable, Sequence
from typing import NamedTuple

import benchmarks
from benchmarks.framework import report, timing
from experiments.framework import environment

ROOT = pathlib.Path(__file__).parents[2]
RESULTS = ROOT / "benchmarks" / "results"

_FULL = {"samples": 13, "seconds": 0.015, "seconds_in_all": 0.7}
_QUICK = {"samples": 3, "seconds": 0.001}
_SHARED = ("framework", "peers")


class Program(NamedTuple):
    """A benchmark with a course of its own, beside those that sweep a size (`timing.Benchmark`).

    Attributes:
      name: what the command line calls it.
      title: one line.
      run: runs it: whether a quick look is enough, and the path to write to, or None for the usual one.
    """

    name: str
    title: str
    run: Callable[[bool, pathlib.Path | None], object]


def discover() -> dict[str, timing.Benchmark | Program]:
    """Every benchmark by name: the ``BENCHMARK`` of each module and package beside this one."""
    found = {}
    for module in pkgutil.iter_modules(benchmarks.__path__):
        if module.name not in _SHARED and not module.name.startswith("_"):
            found[module.name] = importlib.import_module(f"benchmarks.{module.name}").BENCHMARK
    return found


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line, and return the exit status."""
    known = discover()
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=benchmarks.__doc__)
    parser.add_argument("name", choices=["list", *known], help="a benchmark, or list")
    parser.add_argument("--quick", action="store_true", help="few sizes and samples: does it run?")
    parser.add_argument(
        "--output",
        type=pathlib.Path,
        help="folder for NAME.json and NAME.png (default: benchmarks/results; with --quick, none); "
        "for crossovers, the file of the table",
    )
    options = parser.parse_args(arguments)
    if options.name == "list":
        for name, benchmark in known.items():
            print(f"{name:20} {benchmark.title}")
        return 0
    benchmark = known[options.name]
    if isinstance(benchmark, Program):
        print(f"{benchmark.title}\n")
        benchmark.run(options.quick, options.output)
    else:
        run(benchmark, options.quick, options.output or (None if options.quick else RESULTS))
    return 0


def run(benchmark: timing.Benchmark, quick: bool, output: pathlib.Path | None) -> timing.Measurement:
    """Measure a benchmark, print the table, and write the files if there is a folder for them."""
    print(f"{benchmark.title}\n{benchmark.work}\n")
    measurement = timing.measure(
        benchmark.cases(quick), limits=benchmark.limits, progress=progress, **(_QUICK if quick else _FULL)
    )
    print(report.table(benchmark, measurement.timings))
    if measurement.left_out:
        print("\n" + report.absences(measurement.left_out, benchmark.size))
    conclusions = [] if benchmark.conclude is None else benchmark.conclude(measurement, quick)
    for conclusion in conclusions:
        print(f"\n{conclusion.title}\n{conclusion.text}")
    if output is not None:
        command = f"python -m benchmarks {benchmark.name}" + (" --quick" if quick else "")
        described = environment.describe(ROOT)
        for path in report.write(benchmark, measurement, conclusions, described, command, output):
            print(path)
    return measurement


def progress(text: str) -> None:
    """Say on standard error what is being timed."""
    print(text, file=sys.stderr, flush=True)
