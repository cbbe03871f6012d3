"""The command line: ``list``, ``run``, ``report``, ``publish``, and the experiments' own commands."""

import argparse
import functools
import pathlib
import sys
from collections.abc import Callable, Sequence
from typing import Annotated

from experiments.framework import configuration
from experiments.framework.discovery import discover, find, folder_of
from experiments.framework.errors import UsageError

_PROGRAM = "python -m experiments"


def main(arguments: Sequence[str] | None = None, *, package: str = "experiments") -> int:
    """Carry out one command.

    Args:
      arguments: the command line after ``python -m experiments``; that of the process by default.
      package: where the experiments are.

    Returns:
      The exit status: 0, or 1 if the check or the data failed, 2 for a wrong command, 130 if interrupted.
    """
    from equijax.data.errors import DataError

    arguments = list(sys.argv[1:] if arguments is None else arguments)
    try:
        return _dispatch(arguments, package)
    except UsageError as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    except DataError as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("interrupted; the same command takes the run up again", file=sys.stderr)
        return 130


def _dispatch(arguments: list[str], package: str) -> int:
    """Call the command that the first argument names."""
    if not arguments or arguments[0] in ("-h", "--help"):
        _show_help(package)
        return 0 if arguments else 2
    command, *rest = arguments
    if command in _COMMANDS:
        return _COMMANDS[command](rest, package)
    return _own_command(command, rest, package)


def _list(arguments: list[str], package: str) -> int:
    """List the experiments, what each shows, and its presets"""
    from rich.box import SIMPLE_HEAD
    from rich.markup import escape
    from rich.table import Table

    if arguments:
        raise UsageError(f"list takes no arguments, got {' '.join(arguments)}")
    experiments = discover(package)
    if not experiments:
        print(f"There is no experiment in {package}/ yet.")
        return 0
    table = Table(box=SIMPLE_HEAD, header_style="bold", pad_edge=False)
    for title in ("experiment", "what it shows", "presets"):
        table.add_column(title, overflow="fold")
    for experiment in experiments.values():
        table.add_row(
            f"[cyan]{experiment.name}[/cyan]", escape(experiment.summary), " ".join(experiment.presets)
        )
    console = _console()
    console.print(table)
    console.print(
        f"Run one:  {_PROGRAM} run NAME --preset PRESET     Its options:  {_PROGRAM} run NAME --help"
    )
    return 0


def _run(arguments: list[str], package: str) -> int:
    """Run an experiment, or resume it, and print its report"""
    from experiments.framework import running

    if not arguments or arguments[0] in ("-h", "--help"):
        print(
            f"usage: {_PROGRAM} run NAME [--preset PRESET] [--workdir DIR] [--overwrite] [--publish] [FIELDS]"
        )
        print(f"       {_PROGRAM} run NAME --help     (all options of an experiment)\n")
        _list([], package)
        return 0 if arguments else 2
    if arguments[0].startswith("-"):
        names = ", ".join(discover(package)) or "none"
        raise UsageError(f"run takes the name of an experiment first, got {arguments[0]}; there are: {names}")
    request = running.parse(
        find(arguments[0], package), arguments[1:], program=f"{_PROGRAM} run {arguments[0]}"
    )
    running.run(request, _console())
    return 0


def _report(arguments: list[str], package: str) -> int:
    """Make EXPERIMENTS.md from results/*.json, or --check that it is fresh"""
    from experiments.framework.publish import PAGE, is_fresh, write_page

    def report(check: bool = False) -> int:
        """Make EXPERIMENTS.md from the published results.

        Args:
          check: write nothing; fail if the page is not what the results give.
        """
        if not check:
            print(f"wrote {write_page(package).name}")
            return 0
        if is_fresh(package):
            return 0
        print(f"{PAGE} is stale; make it with: {_PROGRAM} report", file=sys.stderr)
        return 1

    return _call(report, arguments, "report")


def _publish(arguments: list[str], package: str) -> int:
    """Copy the report of a finished run to results/: publish NAME WORKDIR"""
    import tyro

    from experiments.framework.publish import publish

    def publish_run(
        name: Annotated[str, tyro.conf.Positional], workdir: Annotated[pathlib.Path, tyro.conf.Positional]
    ) -> int:
        """Copy the report of a finished run to results/, without any path of this machine.

        Args:
          name: the experiment.
          workdir: the folder of the run.
        """
        root = folder_of(package).parent
        path = publish(find(name, package), workdir, root)
        print(f"wrote {path.relative_to(root)}; now: {_PROGRAM} report")
        return 0

    return _call(publish_run, arguments, "publish")


def _own_command(command: str, arguments: list[str], package: str) -> int:
    """Call a command of the experiment that the folder given by ``--workdir`` belongs to."""
    from experiments.framework import runtime

    experiments = discover(package)
    owners = [experiment for experiment in experiments.values() if command in experiment.commands]
    if not owners:
        names = [*_COMMANDS, *sorted({name for owner in experiments.values() for name in owner.commands})]
        hint = f" (did you mean: run {command}?)" if command in experiments else ""
        raise UsageError(f"no command {command!r}{hint}; there are: {', '.join(names)}")
    scan = argparse.ArgumentParser(prog=f"{_PROGRAM} {command}", add_help=False, allow_abbrev=False)
    scan.add_argument("--workdir", type=pathlib.Path)
    workdir = scan.parse_known_args(arguments)[0].workdir
    if workdir is not None:
        name = configuration.read(workdir)["experiment"]
        owners = [owner for owner in owners if owner.name == name]
        if not owners:
            raise UsageError(f"{workdir} is the folder of a run of {name}, which has no command {command!r}")
    elif not {"-h", "--help"} & set(arguments):
        raise UsageError(f"{command} needs --workdir DIR, the folder of a run")
    runtime.keep_compiled_programs()
    return _call(owners[0].module().COMMANDS[command], arguments, command)


def _call(function: Callable, arguments: list[str], command: str) -> int:
    """Parse the options of a function or dataclass, call it, and return its status."""
    import tyro

    parser = function if isinstance(function, type) else _deferred(function)
    call, unknown = tyro.cli(parser, args=arguments, prog=f"{_PROGRAM} {command}", return_unknown_args=True)
    if unknown:
        raise UsageError(f"{command} has no option {unknown[0]}; see {_PROGRAM} {command} --help")
    result = call()
    return result if isinstance(result, int) else 0


def _deferred(function: Callable) -> Callable:
    """A function of the same options that only binds them, so that nothing is done before all are known."""

    @functools.wraps(function)
    def bind(*args, **kwargs):
        return functools.partial(function, *args, **kwargs)

    return bind


def _show_help(package: str) -> None:
    """Print the commands."""
    print(f"usage: {_PROGRAM} COMMAND [OPTIONS]\n")
    lines = {name: function.__doc__ for name, function in _COMMANDS.items()}
    for experiment in discover(package).values():
        lines |= {
            name: f"a command of {experiment.name}: {name} --workdir DIR" for name in experiment.commands
        }
    width = max(map(len, lines))
    for name, text in lines.items():
        print(f"  {name:<{width}}  {text}")
    print(f"\n{_PROGRAM} COMMAND --help says more.")


def _console():
    """The terminal."""
    from rich.console import Console

    return Console(highlight=False)


_COMMANDS = {"list": _list, "run": _run, "report": _report, "publish": _publish}
