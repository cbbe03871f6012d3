"""The benchmark of training steps."""

import dataclasses
import json

import jax
import numpy as np
import optax
import pytest

from benchmarks.force_field import parts, potentials, run, steps
from benchmarks.framework.directions import FORWARD, SECOND_ORDER
from benchmarks.framework.timing import Absent, Timing
from experiments.force_field.config import PRESETS

CONFIG = dataclasses.replace(
    PRESETS["smoke"], num_train=8, features=2, many_body_features=2, batch_size=2, num_steps=10
)


@pytest.fixture(scope="module")
def setting():
    return potentials.make_setting(CONFIG)


@pytest.fixture(scope="module")
def made(setting):
    """The potentials without MACE, which is tested where its module is."""

    def absent(**options):
        raise potentials.Unavailable("not for this test")

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(potentials.mace, "make", absent)
        return potentials.make_potentials(setting)


@pytest.fixture
def gaunt(made):
    return made[0][0]


@pytest.fixture(autouse=True)
def quick(monkeypatch):
    """An optimiser that compiles quickly."""
    for module in (steps, parts):
        monkeypatch.setattr(module, "make_optimizer", lambda config, num_steps: (optax.adam(1e-2), None))


def test_potentials_are_ours_and_its_twin(made):
    found, absent = made
    assert [one.name for one in found] == ["Gaunt", "Clebsch-Gordan"]
    assert absent == [Absent("MACE, mlip", None, "", "not for this test")]
    assert 0.8 < found[1].num_parameters / found[0].num_parameters < 1.25


def test_batches_are_one_stacked_graph(setting):
    batch = setting.batches(0)
    assert batch.n_node.shape[0] == 1
    assert setting.graph.nodes["positions"].ndim == 2
    assert int(np.sum(np.asarray(setting.graph.n_node)[:2])) == 30


def test_steps_train_without_tracing_again(setting, gaunt):
    (found,) = steps.time_steps([gaunt], setting, samples=2, steps=steps.BATCHES)
    assert found.steps == 2 + 2 * steps.BATCHES
    assert found.traces == 1
    assert 0 < found.lower <= found.median <= found.upper
    assert found.compilation > found.median
    assert found.losses[1] < found.losses[0]
    assert found.steps_a_second == pytest.approx(1 / found.median)


def test_profile_names_stages_and_parts(setting, gaunt):
    timings = parts.profile(gaunt, setting, samples=1, seconds=0.0)
    stages = [t.method for t in timings if t.section == parts.STAGES]
    assert stages == ["energy", "and forces", "and the loss's gradient", "optimiser alone"]
    of_parts = {t.method: set() for t in timings if t.section == parts.PARTS}
    for t in timings:
        if t.section == parts.PARTS:
            of_parts[t.method].add(t.direction)
    assert {"interaction_0/convolution", "interaction_0/convolution/radial"} <= set(of_parts)
    assert "interaction_0/many_body" in of_parts
    assert all(directions == {FORWARD, SECOND_ORDER} for directions in of_parts.values())


def test_parts_are_run_on_what_they_get_within_the_network(setting, gaunt):
    cases = {case.method: case for case in parts._parts(gaunt, setting)}
    case = cases["interaction_0/many_body"]
    _, state = gaunt.model.apply(
        {"params": gaunt.params},
        jax.tree.map(np.asarray, setting.graph),
        capture_intermediates=lambda module, _: module.name == "many_body",
    )
    expected = state["intermediates"]["interaction_0"]["many_body"]["__call__"][0]
    np.testing.assert_allclose(case.function(*case.arguments)[0], expected, rtol=1e-5, atol=1e-6)


def test_report_compares_times_and_parameters(gaunt, tmp_path):
    timing = steps.StepTiming("Gaunt", 100, 1e-3, 1e-3, 1e-3, 1.0, 1, 10, (2.0, 1.0))
    others = [
        timing._replace(name="twin", median=3e-3, num_parameters=110),
        timing._replace(name="large", num_parameters=200),
    ]
    profile = [
        Timing("energy", 0, FORWARD, 1e-3, 1e-3, 1e-3, 1.0, None, 1, 1, None, parts.STAGES),
        Timing("a/b", 0, FORWARD, 2e-3, 2e-3, 2e-3, 1.0, None, 1, 1, None, parts.PARTS),
        Timing("a/b", 0, SECOND_ORDER, 5e-3, 5e-3, 5e-3, 1.0, None, 1, 1, None, parts.PARTS),
    ]
    absent = [Absent("MACE, mlip", None, "", "not installed")]
    outcome = run.Outcome([timing, *others], {"Gaunt": profile}, absent)
    text = run.describe(outcome, CONFIG)
    assert "twin: 3.00 times the time of Gaunt; 1.10 times its parameters (equal within 20%)" in text
    assert "2.00 times its parameters (NOT equal within 20%)" in text
    assert ["a/b", "2", "5"] in [line.split() for line in text.splitlines()]
    assert "not timed: MACE, mlip: not installed" in text
    content = json.loads(json.dumps(run._content(outcome, quick=True)))
    assert content["steps"][1]["steps_a_second"] == pytest.approx(1 / 3e-3)
    assert content["profiles"]["Gaunt"][2]["direction"] == SECOND_ORDER


def test_quick_run_writes_where_it_is_told(monkeypatch, made, tmp_path, capsys):
    monkeypatch.setitem(PRESETS, "smoke", CONFIG)
    monkeypatch.setattr(run, "make_potentials", lambda setting: made)
    monkeypatch.setattr(run, "profile", lambda *arguments, **options: [])
    outcome = run.run(True, tmp_path)
    assert [one.traces for one in outcome.steps] == [1, 1]
    assert json.loads((tmp_path / "force_field.json").read_text())["benchmark"] == "force_field"
    assert "steps a second" in capsys.readouterr().out
