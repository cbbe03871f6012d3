import dataclasses

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from experiments.baselines.side_by_side import initial_params
from experiments.nbody import PRESETS, Config, cost, reporting
from experiments.nbody.evaluation import (
    Predictor,
    unlearned_errors,
    with_far_particle,
)
from experiments.nbody.reporting import Outcome
from experiments.nbody.variants import VARIANTS, make_network
from experiments.tasks.charged_particles import ParticleSystems, draw_initial_state, simulate


@pytest.fixture(scope="module")
def systems():
    random = np.random.RandomState(0)
    charges, positions, velocities = (
        np.stack(p) for p in zip(*(draw_initial_state(random) for _ in range(6)))
    )
    ((targets, _),) = simulate(charges, positions, velocities, frames=(9,))
    return ParticleSystems(charges, positions, velocities, targets)


@pytest.fixture(scope="module")
def predictor(systems):
    model = make_network("gaunt", 1, channels=2, num_layers=1)
    example = [jnp.asarray(array[:1], jnp.float32) for array in systems[:3]]
    return Predictor(model), initial_params(model, jax.random.split(jax.random.key(0), 2), *example)


def test_predictions_are_those_of_each_network(predictor, systems):
    predict, params = predictor
    predicted = predict.predict(params, systems)
    assert predicted.shape == (2, 6, 5, 3)
    model = make_network("gaunt", 1, channels=2, num_layers=1)
    second = jax.tree.map(lambda leaf: leaf[1], params)
    alone = jax.jit(model.apply)({"params": second}, *(array[2].astype(np.float32) for array in systems[:3]))
    np.testing.assert_allclose(predicted[1, 2], alone, atol=1e-5)
    np.testing.assert_allclose(
        predict.errors(params, systems)[1, 2], np.mean((alone - systems.targets[2]) ** 2), rtol=1e-4
    )


def test_predictions_commute_with_motions(predictor, systems):
    predict, params = predictor
    errors = predict.symmetry_errors(params, systems)
    assert errors["SE(3)"] < 1e-5
    assert errors["E(3)"] < 1e-5


def test_fitted_speed_is_better_than_straight_motion(systems):
    errors = unlearned_errors(systems, systems)
    assert errors["x + c v, c fitted"].mean() < errors["x + v"].mean()
    perfect = systems._replace(targets=systems.positions + 2 * systems.velocities)
    np.testing.assert_allclose(unlearned_errors(perfect, perfect)["x + c v, c fitted"], 0, atol=1e-20)


def test_a_far_particle_goes_straight_on(systems):
    far = with_far_particle(systems, 1000.0)
    moved = far.targets[:, 0] - far.positions[:, 0]
    np.testing.assert_allclose(moved, systems.velocities[:, 0], atol=1e-4)
    np.testing.assert_array_equal(far.positions[:, 1:], systems.positions[:, 1:])
    near = with_far_particle(systems, 0.0)
    np.testing.assert_allclose(near.targets, systems.targets, atol=1e-12)


@pytest.mark.parametrize("variant", ["gaunt_selfmix", "three_unbounded"])
def test_every_variant_predicts_finite_positions_with_finite_gradients(variant, systems):
    model = make_network(variant, 1, channels=2, num_layers=1)
    inputs = [jnp.asarray(array[:2], jnp.float32) for array in systems[:3]]
    params = jax.tree.map(lambda leaf: leaf[0], initial_params(model, [jax.random.key(0)], *inputs))
    loss = jax.jit(jax.value_and_grad(lambda p: jnp.sum(model.apply({"params": p}, *inputs) ** 2)))
    value, gradient = loss(params)
    assert np.isfinite(value)
    assert all(np.isfinite(leaf).all() for leaf in jax.tree.leaves(gradient))


def test_networks_differ_in_their_weights_only():
    assert [VARIANTS[name].num_paths(2) for name in ("gaunt", "gaunt_bracket")] == [11, 15]
    names = ("gaunt", "clebsch_gordan_even")
    gaunt, cg = (make_network(name, 2, channels=4, num_layers=3).network for name in names)
    same = {field.name for field in dataclasses.fields(gaunt)} - {"message", "parent", "name"}
    assert all(getattr(gaunt, name) == getattr(cg, name) for name in same)
    with pytest.raises(ValueError, match=r"variant must be one of 'gaunt', .*, got 'fast'"):
        make_network("fast", 1, channels=4, num_layers=1)


def test_costs_are_measured_for_each_model(predictor, systems):
    _, params = predictor
    model = make_network("gaunt", 1, channels=2, num_layers=1)
    one = jax.tree.map(lambda leaf: leaf[0], params)
    costs = cost.measure({("gaunt", 1): (model, one)}, systems, samples=2)
    measured = costs["gaunt", 1]
    assert measured.seconds > 0
    assert measured.memory > 1000
    assert measured.operations > 10_000


def outcome(errors, far=1.0):
    errors = np.asarray(errors, float)[:, None] * np.ones((1, 4))
    return Outcome(errors, far * np.ones_like(errors), {"SE(3)": 1e-6}, 10, 1.0)


def test_verdicts_follow_the_numbers():
    close = {("gaunt", 1): outcome([1.0, 1.02, 0.98]), ("clebsch_gordan_even", 1): outcome([1.0, 1.01, 0.99])}
    assert reporting.accuracy_claim(close).verdict == "holds"
    worse = {("gaunt", 2): outcome([2.0, 2.02, 1.98]), ("clebsch_gordan_even", 2): outcome([1.0, 1.01, 0.99])}
    assert reporting.accuracy_claim(worse).verdict == "does not hold here"
    assert reporting.accuracy_claim({**close, **worse}).verdict == "holds if L=1"
    noisy = {("gaunt", 1): outcome([1.0, 2.0, 0.5]), ("clebsch_gordan_even", 1): outcome([1.0, 2.0, 0.4])}
    assert reporting.accuracy_claim(noisy).verdict == "not measured"
    single = {("gaunt", 1): outcome([1.0]), ("clebsch_gordan_even", 1): outcome([1.0])}
    assert reporting.accuracy_claim(single).verdict == "not measured"
    better = {("gaunt_bracket", 1): outcome([0.5, 0.51, 0.49]), ("gaunt", 1): outcome([1.0, 1.01, 0.99])}
    claim = reporting.improvement_claim("t", better, ("gaunt_bracket", "gaunt"))
    assert claim.verdict == "holds"
    assert claim.numbers["with / without - 1, L=1"] == pytest.approx(-0.5)
    assert (
        reporting.improvement_claim("t", better, ("gaunt", "gaunt_bracket")).verdict == "does not hold here"
    )
    far = {("three_bounded", 2): outcome([1.0]), ("three_unbounded", 2): outcome([1.0], far=100.0)}
    assert reporting.radial_claim(far).verdict == "holds"
    assert reporting.radial_claim(close).verdict == "not measured"


def test_costs_are_compared_in_all_and_a_path():
    costs = {
        ("gaunt", 1): cost.Cost(1.0, 0, 0),
        ("clebsch_gordan_even", 1): cost.Cost(2.0, 0, 0),
        ("gaunt_bracket", 1): cost.Cost(4.0, 0, 0),
        ("clebsch_gordan_all", 1): cost.Cost(3.0, 0, 0),
    }
    claim = reporting.cost_claim(costs)
    assert claim.verdict == "holds"
    assert claim.numbers == {"CG even / Gaunt time, L=1": 2.0}
    assert reporting.path_claim(costs).verdict == "does not hold here"


def test_what_is_trained():
    cases = PRESETS["small"].cases
    assert ("gaunt", 1) in cases
    assert ("three_unbounded", 2) in cases
    assert ("three_unbounded", 1) not in cases
    assert len(cases) == 12


@pytest.mark.parametrize(
    ("field", "value", "message"),
    [
        ("variants", (), "variants must be at least one, none twice, got"),
        ("variants", ("gaunt", "gaunt"), "variants must be at least one, none twice"),
        ("variants", ("fast",), "variants must be one of 'gaunt', .*, got 'fast'"),
        ("degrees", (0,), "degrees must be a number of at least 1, got 0"),
        ("batch_size", 25, "batch_size must be a multiple of host_devices=2, got 25"),
        ("batch_size", 4000, "batch_size must be at most num_train=3000, got 4000"),
        ("learning_rate", -1.0, "learning_rate must be a number above 0"),
        ("num_seeds", 0, "num_seeds must be a number of at least 1, got 0"),
    ],
)
def test_configurations_out_of_range_are_refused(field, value, message):
    with pytest.raises(ValueError, match=message):
        dataclasses.replace(Config(), **{field: value})
