"""The contract of every experiment, by its smoke preset."""

import pytest

from experiments.framework import Report
from experiments.framework.cli import main
from experiments.framework.discovery import discover


@pytest.mark.parametrize("experiment", discover().values(), ids=lambda experiment: experiment.name)
def test_smoke(experiment, tmp_path, monkeypatch):
    assert f"python -m experiments run {experiment.name}" in experiment.doc, "the docstring gives the command"
    workdir = tmp_path / "run"
    command = ["run", experiment.name, "--preset", "smoke", "--workdir", str(workdir)]
    assert main(command) == 0
    written = (workdir / "report.json").read_bytes()
    report = Report.read(workdir / "report.json")
    assert (report.experiment, report.preset) == (experiment.name, "smoke")
    assert any(row.value is not None for row in report.rows)
    assert all(row.value is not None or row.paper is not None for row in report.rows), "a run diverged"
    assert report.claims, "an experiment weighs at least one claim"
    assert all((workdir / name).stat().st_size > 0 for name in report.figures)
    assert report.environment["command"] == f"python -m experiments run {experiment.name} --preset smoke"

    def run_again(config, workdir):
        raise AssertionError("a finished run was run again")

    monkeypatch.setattr(experiment.module(), "run", run_again)
    assert main(command) == 0
    assert (workdir / "report.json").read_bytes() == written
