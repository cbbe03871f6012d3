"""The benchmark of bases: what it times is right, and a quick run ends with a table."""

import json

import pytest

from benchmarks import bases
from benchmarks.framework import cli
from benchmarks.peers import emlp


@pytest.mark.parametrize("problem", bases.PROBLEMS, ids=lambda problem: problem.name)
def test_dimensions_are_the_expected_ones(problem):
    seconds, dim = bases.solve_ours(problem)
    assert dim == problem.dim
    assert seconds > 0


def test_quick_run_solves_in_a_process_of_its_own(tmp_path, capsys):
    assert cli.main(["bases", "--quick", "--output", str(tmp_path)]) == 0
    printed = capsys.readouterr().out
    assert "O(3), T(3) to T(1)" in printed
    (row,) = json.loads((tmp_path / "bases.json").read_text())["rows"]
    assert (row["method"], row["dim"]) == ("equijax", 3)
    assert 0 < row["seconds"] < 60


def test_table_shows_ratios_and_reasons():
    rows = [
        {"problem": "a", "method": bases.OURS, "dim": 3, "seconds": 0.5},
        {"problem": "a", "method": emlp.NAME, "dim": 3, "seconds": 10.0},
        {"problem": "b", "method": bases.OURS, "dim": 1, "seconds": 0.25},
        {"problem": "b", "method": emlp.NAME, "why": "over 300 s"},
    ]
    _, first, second = bases.table(rows).splitlines()
    assert first.split() == ["a", "3", "0.50", "10.00", "20"]
    assert second.split() == ["b", "1", "0.25", "over", "300", "s"]


def test_failures_are_told(monkeypatch):
    monkeypatch.setattr(bases, "PROBLEMS", (bases.PROBLEMS[0],))
    monkeypatch.setenv("PYTHONSTARTUP", "")
    monkeypatch.setenv("JAX_PLATFORMS", "no-such-platform")
    assert bases.solve_apart(bases.OURS, bases.PROBLEMS[0]).startswith("no solution: ")
