"""The command line of benchmarks."""

import json

import jax.numpy as jnp
import pytest

from benchmarks.framework import cli, timing


def test_list_names_every_benchmark(capsys):
    assert cli.main(["list"]) == 0
    printed = capsys.readouterr().out
    for name, benchmark in cli.discover().items():
        assert name == benchmark.name
        assert f"{name:20} {benchmark.title}" in printed


def test_unknown_names_are_refused_with_the_known_ones(capsys):
    with pytest.raises(SystemExit):
        cli.main(["speed"])
    assert "gaunt_product" in capsys.readouterr().err


def test_run_prints_and_writes(tmp_path, capsys):
    def cases(quick):
        for size in (1, 2) if quick else (1, 2, 3):
            yield timing.Case("sine", size, jnp.sin, (jnp.ones(size),))

    benchmark = timing.Benchmark("sines", "Sines", "Elements.", "n", float, "n", 1, cases)
    found = cli.run(benchmark, True, tmp_path)
    assert [t.size for t in found] == [1, 1, 2, 2]
    content = json.loads((tmp_path / "sines.json").read_text())
    assert content["command"] == "python -m benchmarks sines --quick"
    assert content["environment"]["packages"]["jax"]
    printed = capsys.readouterr().out
    assert "Elements." in printed
    assert str(tmp_path / "sines.png") in printed


def test_quick_look_writes_nothing_unless_told(monkeypatch):
    seen = []
    monkeypatch.setattr(
        cli, "run", lambda benchmark, quick, output: seen.append((benchmark.name, quick, output))
    )
    cli.main(["gaunt_product", "--quick"])
    cli.main(["gaunt_product"])
    assert seen == [("gaunt_product", True, None), ("gaunt_product", False, cli.RESULTS)]
