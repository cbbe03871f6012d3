import dataclasses

import jax
import numpy as np
import pytest

from experiments import chirality
from experiments.baselines.side_by_side import initial_params
from experiments.chirality import Config, make_network
from experiments.tasks.chirality import TASKS, draw_clouds, mirrored, signed_volume

CONFIG = Config(lmax=1, channels=3, num_train=40, num_test=16, num_steps=3, batch_size=8, num_seeds=2)


@pytest.mark.parametrize("task", TASKS)
def test_clouds_are_right_handed_and_turned_at_random(task):
    clouds = draw_clouds(task, 200, seed=0)
    assert clouds.positions.shape == (200, 4, 3)
    np.testing.assert_array_equal(clouds.types.sum(axis=-1), 1)
    handedness = np.sign(signed_volume(clouds.positions))
    assert np.all(handedness == handedness[0])
    np.testing.assert_allclose(signed_volume(mirrored(clouds.positions)), -signed_volume(clouds.positions))
    arms = clouds.positions[:, 1] - clouds.positions[:, 0]
    assert np.abs(arms.mean(axis=0)).max() < 0.3  # in every direction
    again, other = draw_clouds(task, 200, seed=0), draw_clouds(task, 200, seed=1)
    np.testing.assert_array_equal(clouds.positions, again.positions)
    assert not np.array_equal(clouds.positions, other.positions)


def test_distances_do_not_tell_mirror_images_apart():
    positions = draw_clouds("tetris", 5, seed=0).positions
    distances = [
        np.linalg.norm(x[:, :, None] - x[:, None], axis=-1) for x in (positions, mirrored(positions))
    ]
    np.testing.assert_allclose(*distances, atol=1e-12)


@pytest.mark.parametrize("product", ["gaunt", "clebsch_gordan_all"])
def test_only_odd_paths_see_mirror_images(product):
    model = make_network(CONFIG, product)
    test = [draw_clouds(task, 8, seed=1) for task in TASKS]
    example = jax.tree.map(lambda array: array[:1].astype(np.float32), test[0])
    params = initial_params(model, jax.random.split(jax.random.key(0), len(TASKS)), *example)
    right, left = chirality._logits(model, params, test, 1)
    assert right.shape == (3, 1, 8)
    difference = np.abs(right - left).max()
    assert difference < 1e-13 if product == "gaunt" else difference > 1e-8


def test_claims_rest_on_every_task():
    half, all_right = np.array([0.5, 0.5]), np.array([1.0, 1.0])
    blind = {"gaunt": dict.fromkeys(TASKS, half)}
    assert chirality._blind_claim("t", "gaunt", blind, {"gaunt": 1e-16}).verdict == "holds"
    assert chirality._blind_claim("t", "gaunt", blind, {"gaunt": 0.1}).verdict == "does not hold here"
    assert chirality._blind_claim("t", "gaunt_bracket", blind, {}).verdict == "not measured"
    sees = {"gaunt_bracket": {"frames": all_right, "tetris": half, "clouds": all_right}}
    verdict = chirality._seeing_claim("t", "gaunt_bracket", sees).verdict
    assert verdict == "holds if shown frames, clouds"
    assert chirality._seeing_claim("t", "gaunt", blind).verdict == "does not hold here"


def test_a_run_that_was_killed_goes_on(tmp_path):
    config = dataclasses.replace(CONFIG, products=("gaunt",))
    first = chirality.run(config, tmp_path)
    before = (tmp_path / "gaunt" / "metrics.jsonl").read_bytes()
    again = chirality.run(config, tmp_path)
    assert (tmp_path / "gaunt" / "metrics.jsonl").read_bytes() == before, "nothing was trained again"
    values = [{(row.method, row.metric): row.value for row in report.rows} for report in (first, again)]
    assert values[0] == values[1]
    assert values[0]["Gaunt", "accuracy, clouds"] == 50.0


@pytest.mark.parametrize(
    ("field", "value", "message"),
    [
        ("products", (), "products must be at least one, got none"),
        ("products", ("cross",), "products must be one of 'gaunt', .*, got 'cross'"),
        ("lmax", 0, "lmax must be a number of at least 1, got 0"),
        ("batch_size", 100, "batch_size must be at most num_train=40, got 100"),
        ("learning_rate", 0.0, r"learning_rate must be a number above 0, got 0\.0"),
    ],
)
def test_configurations_out_of_range_are_refused(field, value, message):
    with pytest.raises(ValueError, match=message):
        dataclasses.replace(CONFIG, **{field: value})


def test_unknown_tasks_are_refused():
    with pytest.raises(ValueError, match="task must be one of 'frames', 'tetris', 'clouds', got 'hands'"):
        draw_clouds("hands", 1, seed=0)
    with pytest.raises(ValueError, match="num_clouds must be a number of at least 1"):
        draw_clouds("frames", 0, seed=0)
