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
        assert isinstance(benchmark, timing.Benchmark | cli.Program)
        assert f"{name:20} {benchmark.title}" in printed


def test_unknown_names_are_refused_with_the_known_ones(capsys):
    with pytest.raises(SystemExit):
        cli.main(["speed"])
    assert "tensor_products" in capsys.readouterr().err


def test_run_prints_and_writes(tmp_path, capsys):
    def cases(quick):
        for size in (1, 2) if quick else (1, 2, 3):
            yield timing.Case("sine", size, jnp.sin, (jnp.ones(size),))

    def conclude(measurement, quick):
        return [timing.Conclusion("In the end", f"{len(measurement.timings)} timings", quick)]

    benchmark = timing.Benchmark("sines", "Sines", "Elements.", "n", float, "n", 1, cases, conclude=conclude)
    found = cli.run(benchmark, True, tmp_path)
    assert [t.size for t in found.timings] == [1, 1, 2, 2]
    content = json.loads((tmp_path / "sines.json").read_text())
    assert content["command"] == "python -m benchmarks sines --quick"
    assert content["environment"]["packages"]["jax"]
    printed = capsys.readouterr().out
    assert content["conclusions"] == {"In the end": True}
    assert "Elements." in printed
    assert "In the end\n4 timings" in printed
    assert str(tmp_path / "sines.png") in printed


def test_quick_look_writes_nothing_unless_told(monkeypatch):
    seen = []
    monkeypatch.setattr(
        cli, "run", lambda benchmark, quick, output: seen.append((benchmark.name, quick, output))
    )
    cli.main(["tensor_products", "--quick"])
    cli.main(["tensor_products"])
    assert seen == [("tensor_products", True, None), ("tensor_products", False, cli.RESULTS)]


def test_programs_get_the_options_as_they_are(monkeypatch, tmp_path):
    seen = []
    program = cli.Program("other", "Something else", lambda *options: seen.append(options))
    monkeypatch.setattr(cli, "discover", lambda: {"other": program})
    cli.main(["other"])
    cli.main(["other", "--quick", "--output", str(tmp_path)])
    assert seen == [(False, None), (True, tmp_path)]
