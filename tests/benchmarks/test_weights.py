"""The benchmark of weights: both sides solve the same problem, and a quick run ends with tables."""

import json

import jax
import numpy as np
import pytest

from benchmarks.framework import cli
from benchmarks.weights import matching, rebasin, tracing
from benchmarks.weights.architectures import traced_models


def test_the_peer_finds_what_a_single_assignment_finds():
    random = np.random.default_rng(0)
    a = {"Dense_0/kernel": random.normal(size=(4, 6)), "Dense_0/bias": random.normal(size=6)}
    a["Dense_1/kernel"] = random.normal(size=(6, 2))
    planted = random.permutation(6)
    b = {
        "Dense_0/kernel": a["Dense_0/kernel"][:, planted],
        "Dense_0/bias": a["Dense_0/bias"][planted],
        "Dense_1/kernel": a["Dense_1/kernel"][planted],
    }
    specification = rebasin.perceptron_specification(1)
    found = rebasin.weight_matching(jax.random.key(0), specification, a, b)
    np.testing.assert_array_equal(found["P_0"], np.argsort(planted))
    expected = sum(float((each**2).sum()) for each in a.values())
    assert rebasin.objective(specification, a, b, found) == pytest.approx(expected)


def test_both_sides_reach_objectives_of_the_same_problem():
    methods = matching._methods(16)
    values = {name: run(jax.random.key(0)) for name, run in methods.items()}
    assert values[matching.MORE] >= values[matching.OURS]
    assert values[matching.OURS] > 0.8 * values[matching.PEER] > 0


def test_the_models_are_those_that_they_are_called():
    counts = {
        model.name: sum(leaf.size for leaf in jax.tree.leaves(model.shapes()["params"]))
        for model in traced_models(quick=False)
    }
    assert counts["ResNet-50"] == 25_557_032
    assert 120e6 < counts["transformer, 12 blocks"] < 126e6


def test_tables_tell_what_was_left_out():
    rows = [
        {"method": matching.PEER, "width": 64, "seconds": 2.0, "objective": 1.0},
        {"method": matching.OURS, "width": 64, "seconds": 1.0, "objective": 1.5},
        {"method": matching.OURS, "width": 128, "seconds": None, "why": "would take about 200 s"},
    ]
    _, peer, ours, left = matching.table(rows)
    assert peer[2:] == ["2.000", "1.00", "1.0000"]
    assert ours[2:] == ["1.000", "2.00", "1.5000"]
    assert left[2] == "would take about 200 s"
    row = {
        "method": "m",
        "parameters": 1000,
        "groups": 2,
        "seconds": 0.5,
        "seconds_of_jax": 0.1,
        "target": None,
    }
    assert tracing.table([row])[1] == ["m", "1,000", "2", "0.50", "0.10", ""]


def test_a_quick_run_ends_with_tables(tmp_path, capsys):
    assert cli.main(["weights", "--quick", "--output", str(tmp_path)]) == 0
    printed = capsys.readouterr().out
    assert "U-Net" in printed
    rows = json.loads((tmp_path / "weights.json").read_text())["rows"]
    assert {row["method"] for row in rows} == {"U-Net", matching.OURS, matching.MORE, matching.PEER}
    assert (tmp_path / "weights.png").stat().st_size > 0
