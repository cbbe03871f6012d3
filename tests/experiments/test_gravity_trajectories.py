import numpy as np
import pytest

from experiments.tasks.charged_particles import draw_initial_state, simulate
from experiments.tasks.gravity_trajectories import draw_trajectories


def test_a_field_is_a_parabola_on_top_of_what_the_charges_do():
    still, falling = (draw_trajectories(4, seed=0, gravity=gravity, noise=0.0) for gravity in (0.0, 2.0))
    times = 0.1 * (1 + 2 * np.arange(12))
    fall = -(times**2) - np.mean(-(times[:6] ** 2))
    for before, after, part in (
        (still.past, falling.past, fall[:6]),
        (still.future, falling.future, fall[6:]),
    ):
        moved = (after - before).reshape(4, 6, 3)
        np.testing.assert_allclose(moved[..., 2], np.tile(part, (4, 1)), atol=1e-12)
        np.testing.assert_allclose(moved[..., :2], 0, atol=1e-12)


def test_without_field_and_noise_they_are_the_simulated_ones():
    found = draw_trajectories(2, seed=3, gravity=0.0, noise=0.0)
    random = np.random.RandomState(3)
    states = [np.stack(part) for part in zip(*(draw_initial_state(random) for _ in range(2)))]
    (first, _), (last, _) = simulate(*states, frames=(0, 22))
    whole = np.concatenate([found.past, found.future], axis=1).reshape(2, 12, 3)
    np.testing.assert_allclose(whole[:, -1] - whole[:, 0], last[:, 0] - first[:, 0], atol=1e-12)
    np.testing.assert_allclose(whole[:, :6].mean(axis=1), 0, atol=1e-12)


def test_noise_is_on_the_past_alone():
    clean, noisy = (draw_trajectories(100, seed=0, noise=noise) for noise in (0.0, 0.1))
    difference = (noisy.past - clean.past).reshape(100, 6, 3)
    assert abs(difference.std() - 0.1 * np.sqrt(5 / 6)) < 0.01
    # The future is off by the mean that was subtracted, the same for all six positions.
    shift = (noisy.future - clean.future).reshape(100, 6, 3)
    np.testing.assert_allclose(shift, np.broadcast_to(shift[:, :1], shift.shape), atol=1e-12)


def test_wrong_calls_name_the_argument():
    with pytest.raises(ValueError, match="gravity must be at least 0, got -1"):
        draw_trajectories(1, seed=0, gravity=-1)
    with pytest.raises(ValueError, match="num must be a number of at least 1"):
        draw_trajectories(0, seed=0)
