"""Published results: ``results/*.json``, and the page ``EXPERIMENTS.md`` made from them."""

import dataclasses
import pathlib
import re

from experiments.framework import configuration, tables
from experiments.framework.discovery import Experiment, discover, folder_of
from experiments.framework.errors import UsageError
from experiments.framework.report import FILE, Report

PAGE = "EXPERIMENTS.md"
_ABSOLUTE_PATH = re.compile(r"(?<![\w./:])(?:/[\w.@+-]+)+/?")
_INTRODUCTION = """# Experiments

Measured results of every experiment, and what became of the claims of its paper. This page is made from
`results/` by `python -m experiments report`; each number comes from the command that stands above its table.
"""


def publish(experiment: Experiment, workdir: pathlib.Path, root: pathlib.Path) -> pathlib.Path:
    """Copy the report of a finished run to ``results/`` below ``root``, without any path of this machine.

    Returns:
      ``results/NAME.json`` for the preset ``small``, ``results/NAME.PRESET.json`` for others.

    Raises:
      UsageError: if the folder belongs to another experiment, its run has not finished, or its configuration
        is not the preset's own.
    """
    stored = configuration.read(workdir)
    if stored["experiment"] != experiment.name:
        raise UsageError(f"{workdir} is the folder of a run of {stored['experiment']}, not {experiment.name}")
    try:
        report = Report.read(workdir / FILE)
    except FileNotFoundError:
        raise UsageError(f"the run in {workdir} has not finished: it has no {FILE}") from None
    except ValueError as error:
        raise UsageError(str(error)) from None
    own = configuration.command_line(experiment.name, report.preset, {}, {})
    command = report.environment.get("command")
    if command != own:
        raise UsageError(f"only a preset's own configuration is published; {workdir} was run by: {command}")
    name = experiment.name if report.preset == "small" else f"{experiment.name}.{report.preset}"
    path = root / "results" / f"{name}.json"
    path.parent.mkdir(exist_ok=True)
    dataclasses.replace(
        report,
        notes=tuple(map(without_paths, report.notes)),
        config=without_paths(report.config),
        environment=without_paths(report.environment),
    ).write(path)
    return path


def without_paths(value):
    """Text, or JSON types with text in them, where only the last part of each absolute path is left."""
    if isinstance(value, str):
        return _ABSOLUTE_PATH.sub(lambda match: match[0].rstrip("/").rsplit("/", 1)[1], value)
    if isinstance(value, dict):
        return {key: without_paths(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [without_paths(item) for item in value]
    return value


def page(package: str = "experiments") -> str:
    """The text of ``EXPERIMENTS.md``.

    Raises:
      UsageError: if a result belongs to no experiment, or cannot be read.
    """
    experiments = discover(package)
    results: dict[str, list[Report]] = {}
    for path in sorted((folder_of(package).parent / "results").glob("*.json")):
        try:
            report = Report.read(path)
        except ValueError as error:
            raise UsageError(str(error)) from None
        if report.experiment not in experiments:
            raise UsageError(f"results/{path.name} belongs to no experiment (it says {report.experiment!r})")
        results.setdefault(report.experiment, []).append(report)
    if not results:
        return _INTRODUCTION + "\nNo result has been published yet.\n"
    for reports in results.values():
        reports.sort(key=lambda report: (report.preset != "small", report.preset))
    overview = ["| experiment | what it shows | presets | claims |", "|:--|:--|:--|:--|"]
    for name, reports in sorted(results.items()):
        presets = ", ".join(report.preset for report in reports)
        claims = tables.tally(reports[0].claims)
        overview.append(
            f"| [{name}](#{name}) | {tables.escaped(experiments[name].summary)} | {presets} | {claims} |"
        )
    sections = [_section(experiments[name], reports) for name, reports in sorted(results.items())]
    return "\n".join([_INTRODUCTION, *overview, "", "\n".join(sections)])


def write_page(package: str = "experiments") -> pathlib.Path:
    """Write ``EXPERIMENTS.md`` next to the package."""
    path = folder_of(package).parent / PAGE
    path.write_text(page(package), encoding="utf-8")
    return path


def is_fresh(package: str = "experiments") -> bool:
    """Whether ``EXPERIMENTS.md`` is what the published results give."""
    path = folder_of(package).parent / PAGE
    return path.is_file() and path.read_text(encoding="utf-8") == page(package)


def _section(experiment: Experiment, reports: list[Report]) -> str:
    """The part of the page about one experiment."""
    parts = [f"## {experiment.name}", experiment.summary]
    for report in reports:
        environment = report.environment
        machine = f"{environment['processor']}, {environment['cores']} cores, {environment['devices']}"
        versions = ", ".join(
            f"{name} {environment['packages'][name]}"
            for name in ("equijax", "jax", "flax")
            if name in environment["packages"]
        )
        parts += [
            f"### {experiment.name}, {report.preset}",
            f"```\n{environment['command']}\n```",
            tables.markdown(report),
            f"{machine}; {versions}; commit {environment['commit']}.",
        ]
    return "\n\n".join(parts) + "\n"
