import dataclasses

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from equijax.equivariance import basis, error
from equijax.groups import O, Vector
from experiments.soft_symmetry import PRESETS, Config, convex, reporting
from experiments.soft_symmetry.evaluation import Outcome, motions, references
from experiments.soft_symmetry.families import FAMILIES
from experiments.soft_symmetry.fitting import Variant
from experiments.soft_symmetry.groups import PLANES, plane_group
from experiments.soft_symmetry.networks import METHODS, make_network, penalty
from experiments.soft_symmetry.reporting import TaskResult
from experiments.soft_symmetry.run import _run_family, _trainings

NO_COLUMN = "inertia, no column z"


def test_plane_groups_have_the_dimensions_of_the_card_and_generate_all():
    rep = Vector() * Vector()
    bases = [basis(plane_group(plane), rep, rep).reshape(-1, 81) for plane in PLANES]
    assert [len(each) for each in bases] == [10, 10, 10]
    shared = sum(each.T @ each for each in bases) / 3
    assert np.sum(np.linalg.eigvalsh(shared) > 1 - 1e-9) == len(basis(O(3), rep, rep)) == 3


def test_the_convex_miniature_agrees_with_the_card():
    outcome = convex.run_case(0.0, 6, num_trials=8, num_strengths=9, seed=0)
    errors = dict(zip(convex.METHODS, outcome.errors.mean(axis=1)))
    earlier = dict(zip(convex.METHODS, convex.CARD[0.0, 6]))
    for method in ("true group", "hard", "once", "repeated"):
        assert errors[method] == pytest.approx(earlier[method], rel=0.6)
    assert errors["repeated"] < 1.05 * errors["true group"]
    assert errors["repeated"] < 0.5 * errors["once"] < 0.5 * errors["equal"] < 0.5 * errors["ridge"]
    assert outcome.found == 1


@pytest.mark.parametrize("family", FAMILIES)
def test_tasks_have_the_symmetries_that_they_claim(family):
    own = FAMILIES[family]
    for name, task in own.tasks.items():
        x, y = task.draw(40, 0)
        assert x.shape == (40, *own.in_rep.shape(own.whole))
        assert y.shape[0] == 40
        assert x.dtype == y.dtype == np.float32
        assert own.points(x).shape[-1] == 3
        if task.truth is None:
            continue
        np.testing.assert_allclose(task.truth(jnp.asarray(x)), y, rtol=1e-4, atol=1e-5)
        found = references(own, name, (x, y), motions(own, x))["true function"]
        for group in own.groups:
            holds = group == task.holds or task.holds == own.whole == O(3)
            assert found[group] < 1e-4 if holds else found[group] > 0.02, (name, group)


@pytest.mark.parametrize("method", ["frames", "mixed_rpp"])
def test_networks_have_the_symmetry_that_they_are_built_for(method):
    family = FAMILIES["inertia"]
    subgroup = plane_group("xy") if METHODS[method].needs_subgroup else None
    model = make_network(family, method, subgroup, sizes=(2, 2, 1), num_layers=1)
    x = jnp.asarray(family.tasks[NO_COLUMN].draw(8, 0)[0])
    params = jax.jit(model.init)(jax.random.key(0), x)["params"]
    assert float(penalty(method, params, 1e-3)) > 0
    apply = jax.jit(lambda x: model.apply({"params": params}, x))
    assert apply(x).shape == (8, 9)

    def broken(group):
        return error(
            lambda x: apply(x).reshape(-1, 3, 3),
            group,
            (family.in_rep,),
            family.out_rep,
            (x,),
            key=jax.random.key(2),
            num_samples=4,
        )

    whole, part = broken(family.whole), broken(plane_group("xy"))
    if method == "frames":
        assert max(whole, part) < 1e-3
    else:
        # The leak is all that breaks the part; the second pathway breaks the whole.
        assert part < 0.05


TINY = dataclasses.replace(
    PRESETS["smoke"], num_steps=6, num_train=40, num_valid=10, num_test=10, batch_size=10
)


def test_a_run_that_was_killed_goes_on(tmp_path):
    first = _run_family(TINY, "inertia", tmp_path)
    log = tmp_path / "inertia" / "soft" / "metrics.jsonl"
    before = log.read_bytes()
    again = _run_family(TINY, "inertia", tmp_path)
    assert log.read_bytes() == before, "nothing was trained again"
    assert list(first) == list(FAMILIES["inertia"].tasks)
    for name, result in first.items():
        assert list(result.selected()) == ["soft network, no penalty", "PER, once", "PER, repeated"]
        for case, outcome in result.outcomes.items():
            np.testing.assert_array_equal(outcome.test, again[name].outcomes[case].test)
            assert outcome.strengths == again[name].outcomes[case].strengths


def test_subgroups_are_trained_where_there_are_some():
    inertia, cosine = FAMILIES["inertia"], FAMILIES["cosine"]
    assert _trainings(inertia, "emlp_oracle") == {plane_group("xy"): [NO_COLUMN]}
    assert list(_trainings(inertia, "soft")) == [None]
    assert _trainings(cosine, "mixed_rpp") == {}


def outcome(label, test, symmetry, levels=None):
    family = FAMILIES["inertia"]
    weights = dict(zip(family.parts, levels or ()))
    by_group = dict(zip(family.groups, symmetry))
    return Outcome(label, np.array([test]), np.array([test]), by_group, weights, weights, 10, 1.0)


def results(once, repeated, rpp=1.0):
    family = FAMILIES["inertia"]
    truth = (0.4, 0.0, 0.3, 0.3)
    outcomes = {
        ("rpp", Variant("none", 0.0)): outcome("RPP", rpp, truth),
        ("soft", Variant("none", 0.0)): outcome("soft network", 3.0, truth, (1.0, 1.0, 1.0)),
        ("soft", Variant("once", 1.0)): outcome("soft network", once, (0.4, 0.02, 0.3, 0.3), (0.1, 0.4, 0.4)),
        ("soft", Variant("once", 9.0)): outcome("soft network", 5.0, truth, (0.1, 0.4, 0.4)),
        ("soft", Variant("repeated", 1.0)): outcome("soft network", repeated, truth, (0.01, 0.4, 0.4)),
    }
    known = {"true function": truth, "best constant": (0.5, 0.1, 0.2, 0.3)}
    known = {label: dict(zip(family.groups, values)) for label, values in known.items()}
    return {NO_COLUMN: TaskResult(family, plane_group("xy"), 7.6, known, outcomes)}


def test_claims_rest_on_the_strength_that_validation_chose():
    good, bad = results(0.8, 0.7), results(1.2, 1.5)
    strength, best = good[NO_COLUMN].selected()["PER, once"]
    assert (strength, best.test[0]) == (1.0, 0.8)
    for claim, verdicts in {
        reporting.accuracy_claim: ("holds", "does not hold here"),
        reporting.repetition_claim: ("holds", "does not hold here"),
        reporting.symmetry_claim: ("holds", "holds"),
        reporting.weights_claim: ("holds", "holds"),
    }.items():
        assert (claim(good).verdict, claim(bad).verdict) == verdicts
        assert claim({}).verdict == "not measured"
    assert reporting.accuracy_claim(good).numbers == {f"{NO_COLUMN}: PER / best other": 0.8}


def test_convex_claims_compare_with_the_known_group():
    def solved(once, repeated, found):
        errors = np.array([9.0, 5.0, 1.0, 1.0, once, repeated])[:, None]
        return {(0.0, 6): convex.ConvexOutcome(errors, found)}

    assert reporting.oracle_claim(solved(2.0, 1.0, 1.0)).verdict == "holds"
    assert reporting.oracle_claim(solved(2.0, 1.2, 1.0)).verdict == "does not hold here"
    assert reporting.found_claim(solved(2.0, 1.0, 0.5)).verdict == "does not hold here"


@pytest.mark.parametrize(
    ("field", "value", "message"),
    [
        ("families", ("cubes",), "families must be one of 'inertia', .*, got 'cubes'"),
        ("methods", ("mlp", "mlp"), "methods must hold none twice"),
        ("strengths", (), "strengths must be at least one, none twice, got"),
        ("strengths", (0.0,), "strengths must be a number above 0"),
        ("adjust_at", 1.0, "adjust_at must be between 0 and 1"),
        ("power", -1.0, "power must be at least 0"),
        ("batch_size", 2000, "batch_size must be at most num_train=1000, got 2000"),
        ("num_seeds", 0, "num_seeds must be a number of at least 1"),
    ],
)
def test_configurations_out_of_range_are_refused(field, value, message):
    with pytest.raises(ValueError, match=message):
        dataclasses.replace(Config(), **{field: value})
