"""The command line: ``python -m benchmarks list``, ``python -m benchmarks NAME [--quick] [--output DIR]``."""

import argparse
import importlib
import pathlib
import pkgutil
import sys
from collections.abc import Sequence

import benchmarks
from benchmarks.framework import report, timing
from experiments.framework import environment

ROOT = pathlib.Path(__file__).parents[2]
RESULTS = ROOT / "benchmarks" / "results"

_FULL = {"samples": 25, "seconds": 0.02}
_QUICK = {"samples": 3, "seconds": 0.001}


def discover() -> dict[str, timing.Benchmark]:
    """Every benchmark by name: the ``BENCHMARK`` of each file beside this package."""
    found = {}
    for module in pkgutil.iter_modules(benchmarks.__path__):
        if not module.ispkg and not module.name.startswith("_"):
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
        help="folder for NAME.json and NAME.png (default: benchmarks/results; with --quick, none)",
    )
    options = parser.parse_args(arguments)
    if options.name == "list":
        for name, benchmark in known.items():
            print(f"{name:20} {benchmark.title}")
        return 0
    output = options.output or (None if options.quick else RESULTS)
    run(known[options.name], options.quick, output)
    return 0


def run(benchmark: timing.Benchmark, quick: bool, output: pathlib.Path | None) -> list[timing.Timing]:
    """Measure a benchmark, print the table, and write the files if there is a folder for them."""
    print(f"{benchmark.title}\n{benchmark.work}\n")
    timings = timing.measure(
        benchmark.cases(quick),
        progress=lambda text: print(text, file=sys.stderr),
        **(_QUICK if quick else _FULL),
    )
    print(report.table(benchmark, timings))
    if output is not None:
        command = f"python -m benchmarks {benchmark.name}" + (" --quick" if quick else "")
        for path in report.write(benchmark, timings, environment.describe(ROOT), command, output):
            print(path)
    return timings
