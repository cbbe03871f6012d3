"""Run one experiment: options to configuration, folder, devices, report."""

import argparse
import contextlib
import dataclasses
import pathlib
import time
import types
from collections.abc import Sequence
from typing import Annotated, NamedTuple

from experiments.framework import configuration, environment, runtime, tables
from experiments.framework.discovery import Experiment, folder_of
from experiments.framework.errors import UsageError
from experiments.framework.publish import publish
from experiments.framework.report import FILE, Report
from experiments.framework.workdir import finished_report, open_workdir


class Request(NamedTuple):
    """A run that was asked for.

    Attributes:
      experiment: which.
      module: the experiment, imported.
      preset: where the configuration comes from.
      config: the configuration, with the user's changes.
      workdir: the folder of the run.
      overwrite: start again in the folder of an earlier run.
      publish: copy the report to ``results/`` at the end.
    """

    experiment: Experiment
    module: types.ModuleType
    preset: str
    config: object
    workdir: pathlib.Path
    overwrite: bool
    publish: bool


def parse(experiment: Experiment, arguments: Sequence[str], *, program: str) -> Request:
    """Read the options of a run: the framework's own, and a field of the configuration each.

    Raises:
      UsageError: if the preset or an option is unknown, or the configuration refuses a value.
    """
    import tyro

    preset = _preset(experiment, arguments)
    runtime.keep_compiled_programs()
    module = experiment.module()
    default = module.PRESETS[preset]
    options = _options_class(module.Config, preset, experiment, default)
    try:
        parsed, unknown = tyro.cli(
            options, args=list(arguments), prog=program, description=experiment.doc, return_unknown_args=True
        )
    except (ValueError, TypeError) as error:  # raised by the configuration itself
        raise UsageError(f"{experiment.name}: {error}") from None
    if unknown:
        fields = ", ".join(field.name for field in dataclasses.fields(module.Config))
        raise UsageError(
            f"{experiment.name} has no option {unknown[0]}; there are --preset, --workdir, --overwrite, "
            f"--publish and the fields of its configuration: {fields}"
        )
    workdir = parsed.workdir or pathlib.Path("runs") / experiment.name / preset
    return Request(experiment, module, preset, parsed.config, workdir, parsed.overwrite, parsed.publish)


def run(request: Request, console) -> Report:
    """Run an experiment, or take it up where it stopped; print and write its report.

    A run that has finished is not repeated: its report is printed again.

    Raises:
      UsageError: if the folder belongs to another run.
    """
    experiment, workdir = request.experiment, request.workdir
    open_workdir(workdir, experiment.name, request.preset, request.config, overwrite=request.overwrite)
    report = finished_report(workdir)
    if report is not None:
        console.print(f"This run has finished; --overwrite starts it again. Its report, from {workdir}:")
    else:
        runtime.provide_host_devices(request.config)
        report = _completed(request)
        report.write(workdir / FILE)
    tables.show(report, console)
    for name in (FILE, *report.figures):
        console.print(f"  {workdir / name}", soft_wrap=True)
    if request.publish:
        path = publish(experiment, workdir, folder_of(experiment.package).parent)
        console.print(f"Published as results/{path.name}; now: python -m experiments report")
    return report


def _completed(request: Request) -> Report:
    """Call the experiment and add to its report what was run, and on what."""
    experiment = request.experiment
    # The preset that the folder was made with: it may differ from the one asked for if the fields agree.
    preset = configuration.read(request.workdir)["preset"]
    config = configuration.to_json(request.config)
    start = time.perf_counter()
    with runtime.compiling_quickly() if preset == "smoke" else contextlib.nullcontext():
        report = request.module.run(request.config, request.workdir)
    if not isinstance(report, Report):
        raise TypeError(f"run of {experiment.name} must return a Report, got {type(report).__name__}")
    missing = report.missing_figures(request.workdir)
    if missing:
        raise ValueError(
            f"run of {experiment.name} reports figures that it did not draw: {', '.join(missing)}"
        )
    preset_config = configuration.to_json(request.module.PRESETS[preset])
    about = {
        "command": configuration.command_line(experiment.name, preset, config, preset_config),
        "seconds": round(time.perf_counter() - start, 1),
        **environment.describe(folder_of(experiment.package).parent),
    }
    return dataclasses.replace(
        report, experiment=experiment.name, preset=preset, config=config, environment=about
    )


def _preset(experiment: Experiment, arguments: Sequence[str]) -> str:
    """The preset that the options name; its fields are the defaults of the others."""
    scan = argparse.ArgumentParser(add_help=False, allow_abbrev=False)
    scan.add_argument("--preset", default=experiment.default_preset)
    preset = scan.parse_known_args(list(arguments))[0].preset
    if preset not in experiment.presets:
        raise UsageError(
            f"{experiment.name} has no preset {preset!r}; there are: {', '.join(experiment.presets)}"
        )
    return preset


def _options_class(config_class: type, preset: str, experiment: Experiment, default) -> type:
    """A dataclass of the framework's options and the configuration, for the parser."""
    import tyro

    own = [
        ("preset", str, preset, f"one of {', '.join(experiment.presets)}"),
        (
            "workdir",
            pathlib.Path | None,
            None,
            f"folder of the run; runs/{experiment.name}/{preset} if not given",
        ),
        ("overwrite", bool, False, "remove what is in the folder of an earlier run, and start again"),
        ("publish", bool, False, "copy the report to results/ at the end"),
    ]
    if not dataclasses.is_dataclass(config_class) or not config_class.__dataclass_params__.frozen:
        raise TypeError(f"Config of {experiment.name} must be a frozen dataclass, got {config_class!r}")
    clashes = {name for name, *_ in own} & {field.name for field in dataclasses.fields(config_class)}
    if clashes:
        raise TypeError(f"Config of {experiment.name} must not have the fields {', '.join(sorted(clashes))}")
    fields = [
        (
            name,
            Annotated[kind, tyro.conf.arg(help=text), tyro.conf.FlagCreatePairsOff],
            dataclasses.field(default=value),
        )
        for name, kind, value, text in own
    ]
    config = ("config", Annotated[config_class, tyro.conf.arg(name="")], dataclasses.field(default=default))
    return dataclasses.make_dataclass("Options", [*fields, config])
