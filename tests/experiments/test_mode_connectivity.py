import dataclasses

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from experiments.baselines.side_by_side import total_loss
from experiments.mode_connectivity import PRESETS, Config, measures, reporting
from experiments.mode_connectivity.matchers import METHODS, make_problem
from experiments.mode_connectivity.networks import cross_entropy, make_network, quality
from experiments.mode_connectivity.reporting import Outcome
from experiments.mode_connectivity.training import _one_by_one
from experiments.tasks.digits import load_digits

DIGITS = load_digits("scikit-learn", 360)
SMALL = dataclasses.replace(PRESETS["smoke"], matching_steps=3, matching_batch=64)


def drawn(kind, seed, size=8):
    return jax.tree.map(np.asarray, make_network(kind, size).init(jax.random.key(seed), DIGITS.test[:1]))


@pytest.fixture(scope="module", params=["mlp", "cnn"])
def problem(request):
    model = make_network(request.param, 8)
    return request.param, make_problem(model, drawn(request.param, 0), DIGITS)


@pytest.mark.parametrize("method", METHODS)
def test_every_method_finds_an_element_that_leaves_the_function_alone(method, problem):
    kind, task = problem
    a, b = drawn(kind, 0), drawn(kind, 1)
    element = METHODS[method].match(SMALL, jax.random.key(0), task, a, b)
    moved = task.group.act(element, b)
    images = DIGITS.test[:5]
    np.testing.assert_allclose(task.model.apply(moved, images), task.model.apply(b, images), atol=1e-5)


def test_planted_permutations_are_found_by_weights_and_activations(problem):
    kind, task = problem
    b = drawn(kind, 1)
    planted = task.group.sample(jax.random.key(3))
    copy = jax.tree.map(np.asarray, task.group.act(planted, b))
    # Untrained convolutions have dead channels, whose activations do not tell them apart.
    for method in ("weights", "activations", "correlations") if kind == "mlp" else ("weights",):
        element = METHODS[method].match(SMALL, jax.random.key(0), task, copy, b)
        back = task.group.act(element, b)
        assert float(measures.distance(back, copy)) < 1e-6


def test_pairs_are_measured_as_defined():
    task = make_problem(make_network("mlp", 8), drawn("mlp", 0), DIGITS)
    a, b = drawn("mlp", 0), drawn("mlp", 1)
    found = measures.pair_measure(task, 5)(a, b, b)
    assert found["L2 reduction"] == pytest.approx(0, abs=1e-6)
    losses = np.asarray(found["curve"])
    line = np.linspace(losses[0], losses[-1], 5)
    assert found["test loss barrier"] == pytest.approx(max(0, (losses - line).max()), abs=1e-5)
    middle = jax.tree.map(lambda x, y: (x + y) / 2, a, b)
    accuracy = quality(task.model, DIGITS)(middle)["test"]["accuracy"]
    assert found["midpoint test accuracy"] == pytest.approx(float(accuracy))
    same = measures.pair_measure(task, 5)(a, b, a)
    assert same["R, threshold 0"] == pytest.approx(1, abs=1e-4)
    assert same["L2 reduction"] == 1
    assert same["train loss barrier"] < 1e-6


def test_temperatures_repair_small_logits():
    task = make_problem(make_network("mlp", 8), drawn("mlp", 0), DIGITS)
    network = drawn("mlp", 0)
    parents = jax.tree.map(lambda leaf: np.stack([leaf, leaf]), network)
    weak = jax.tree.map(np.copy, network)
    weak["params"]["Dense_3"]["kernel"] /= 8
    found = measures.merge_measure(task)(weak, parents)
    assert found["mean of three: calibrated test loss above the parents"] < 0.01


def test_planes_go_through_the_three_networks():
    task = make_problem(make_network("mlp", 8), drawn("mlp", 0), DIGITS)
    networks = [drawn("mlp", seed) for seed in range(3)]
    losses = measures.plane_losses(task, *networks, np.array([0.0, 1.0]))
    corners = [float(cross_entropy(task.model)(each, DIGITS[2:])) for each in networks]
    np.testing.assert_allclose([losses[0, 0], losses[0, 1], losses[1, 0]], corners, rtol=1e-4)


def test_losses_one_by_one_are_those_side_by_side():
    model = make_network("cnn", 2)
    stacked = jax.tree.map(lambda *leaves: jnp.stack(leaves), *(drawn("cnn", i, 2) for i in range(2)))
    batch = (np.stack([DIGITS.test[:4]] * 2, 1), np.stack([DIGITS.test_labels[:4]] * 2, 1))
    loss = cross_entropy(model)
    ours, theirs = (make(loss)(stacked, batch, None) for make in (_one_by_one, total_loss))
    np.testing.assert_allclose(ours[0], theirs[0], rtol=1e-5)
    np.testing.assert_allclose(ours[1]["mean_loss"], theirs[1]["mean_loss"], rtol=1e-5)


def outcome(**metrics):
    barrier, side, large = "test loss barrier", "third side: test loss barrier", "R, threshold 0.3"
    methods = {
        "weights": {barrier: 0.2, side: 0.5, "L2 reduction": 0.1, large: 0.3, "R, threshold 0": 0.2},
        "none": {barrier: 1.0, large: 0.0},
        "sinkhorn": {barrier: 0.1, large: 0.01, side: 2.0},
    }
    methods["weights"] |= metrics
    arrays = {m: {k: np.array([v]) for k, v in each.items()} for m, each in methods.items()}
    return Outcome({}, arrays, {}, {}, 1, 1.0)


def test_claims_are_judged_by_numbers():
    cases = {("mlp", 32): outcome(), ("mlp", 64): outcome(**{"L2 reduction": 0.4, "test loss barrier": 0.1})}
    assert reporting.distance_claim(cases).verdict == "holds if MLP 32"
    assert reporting.alignment_claim(cases).verdict == "holds"
    assert reporting.learned_claim(cases, "sinkhorn").verdict == "holds"
    assert reporting.learned_claim(cases, "straight_through").verdict == "not measured"
    assert reporting.width_claim(cases).verdict == "holds"
    assert reporting.width_claim({("mlp", 32): outcome()}).verdict == "not measured"
    assert reporting.input_claim(cases).verdict == "not measured"
    rising = {("mlp", 32): outcome(), ("mlp", 64): outcome(**{"test loss barrier": 0.3})}
    assert reporting.width_claim(rising).verdict == "does not hold here"


def test_configurations_are_checked():
    with pytest.raises(ValueError, match="num_points must be odd"):
        Config(num_points=10)
    with pytest.raises(ValueError, match="methods must be one of"):
        Config(methods=("hungarian",))
    with pytest.raises(ValueError, match="widths must hold none twice"):
        Config(widths=(32, 32))
    with pytest.raises(ValueError, match="there must be a method"):
        Config(widths=(), channels=())
