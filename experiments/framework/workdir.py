"""The folder of a run: which run it belongs to, when it resumes, when it is refused."""

import pathlib
import shutil

from experiments.framework import configuration
from experiments.framework.errors import UsageError
from experiments.framework.report import FILE, Report


def open_workdir(workdir: pathlib.Path, experiment: str, preset: str, config, *, overwrite: bool) -> None:
    """Make the folder of a run, or take up the one that is there.

    Args:
      workdir: the folder.
      experiment, preset, config: the run.
      overwrite: remove everything in the folder of an earlier run and start again.

    Raises:
      UsageError: if the folder belongs to another run, or to no run and is not empty, or cannot be written.
    """
    if workdir.exists() and not workdir.is_dir():
        raise UsageError(f"workdir must be a folder, got {workdir}, which is a file")
    # A run that stopped before it made anything (say, for want of a data file) binds nobody.
    bare = {configuration.FILE, f"{configuration.FILE}.unfinished"}
    made = {path.name for path in workdir.iterdir()} - bare if workdir.is_dir() else set()
    if made and not (workdir / configuration.FILE).is_file():
        raise UsageError(f"{workdir} is not empty and not the folder of a run; choose another --workdir")
    if made and not overwrite:
        _check_same(workdir, experiment, config)
        return
    for name in sorted(made):
        _remove(workdir / name)
    try:
        workdir.mkdir(parents=True, exist_ok=True)
        configuration.save(workdir, experiment, preset, config)
    except OSError as error:
        raise UsageError(f"workdir must be a folder that can be written, got {workdir}: {error}") from None


def finished_report(workdir: pathlib.Path) -> Report | None:
    """The report of a run that has finished and whose figures are there; None otherwise."""
    path = workdir / FILE
    if not path.is_file():
        return None
    try:
        report = Report.read(path)
    except ValueError:
        return None
    return None if report.missing_figures(workdir) else report


def _remove(path: pathlib.Path) -> None:
    """Remove a file, a link or a whole folder."""
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path)
    else:
        path.unlink()


def _check_same(workdir: pathlib.Path, experiment: str, config) -> None:
    """Refuse a folder that belongs to another run."""
    stored = configuration.read(workdir)
    advice = "choose another --workdir, or --overwrite to start again in this one"
    if stored["experiment"] != experiment:
        raise UsageError(
            f"{workdir} is the folder of a run of {stored['experiment']}, not {experiment}; {advice}"
        )
    changed = configuration.differences(stored["config"], configuration.to_json(config))
    if changed:
        listed = ", ".join(f"{name} was {old}, now {new}" for name, (old, new) in changed.items())
        raise UsageError(f"{workdir} is the folder of a run with another configuration ({listed}); {advice}")
