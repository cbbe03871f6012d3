import dataclasses

import numpy as np
import pytest
import scipy.integrate

from experiments.tasks import charged_particles
from experiments.tasks.charged_particles import draw_initial_state, load_splits, simulate


@pytest.fixture(autouse=True)
def cache(tmp_path, monkeypatch):
    monkeypatch.setenv("EQUIJAX_CACHE", str(tmp_path))
    return tmp_path


@dataclasses.dataclass
class Original:
    """The published program, one system at a time, written as it describes itself."""

    random: np.random.RandomState

    def trajectory(self, steps):
        charges = self.random.choice([-1.0, 0.0, 1.0], size=(5, 1), p=[0.5, 0, 0.5])
        x = self.random.randn(3, 5)
        v = self.random.randn(3, 5)
        v = v * 0.5 / np.sqrt((v**2).sum(axis=0)).reshape(1, -1)
        over = x > 5.0
        x[over], v[over] = 10.0 - x[over], -np.abs(v[over])
        under = x < -5.0
        x[under], v[under] = -10.0 - x[under], np.abs(v[under])
        start = charges[:, 0], x.T.copy(), v.T.copy()
        frames = []
        v = v + 0.001 * self.force(charges, x)
        for step in range(1, steps + 1):
            x = x + 0.001 * v
            if step % 100 == 0:
                frames.append((x.T.copy(), v.T.copy()))
            v = v + 0.001 * self.force(charges, x)
        self.random.randn(49, 3, 5)
        self.random.randn(49, 3, 5)
        return start, frames

    def force(self, charges, x):
        squares = (x.T**2).sum(axis=1)
        squared = squares[:, None] + squares[None, :] - 2 * x.T @ x
        with np.errstate(divide="ignore", invalid="ignore"):
            size = (charges @ charges.T) / np.power(squared, 1.5)
        np.fill_diagonal(size, 0.0)
        pairs = np.stack([np.subtract.outer(row, row) for row in x])
        return np.clip((size[None] * pairs).sum(axis=-1), -100.0, 100.0)


def test_random_numbers_are_drawn_as_by_the_original():
    original, random = Original(np.random.RandomState(43)), np.random.RandomState(43)
    for _ in range(3):
        start, _ = original.trajectory(0)
        for ours, theirs in zip(draw_initial_state(random), start, strict=True):
            np.testing.assert_array_equal(ours, theirs)


def test_trajectories_are_those_of_the_original():
    original = Original(np.random.RandomState(43))
    runs = [original.trajectory(4100) for _ in range(2)]
    start = [np.stack(parts) for parts in zip(*(start for start, _ in runs), strict=True)]
    frames = simulate(*start, frames=(0, 30, 40))
    for frame, (positions, velocities) in zip((0, 30, 40), frames, strict=True):
        for system, (_, theirs) in enumerate(runs):
            np.testing.assert_allclose(positions[system], theirs[frame][0], atol=1e-7)
            np.testing.assert_allclose(velocities[system], theirs[frame][1], atol=1e-7)
    splits = load_splits(2, 1, 1)
    np.testing.assert_allclose(splits.train.positions, frames[1][0], atol=1e-12)
    np.testing.assert_allclose(splits.train.targets, frames[2][0], atol=1e-12)


def test_two_charges_fall_apart_as_the_differential_equation_says():
    positions = np.array([[[0.0, 0, 0], [0.0, 1.0, 0]]])
    ((ours, _),) = simulate(np.ones((1, 2)), positions, np.zeros((1, 2, 3)), frames=(9,))
    # The distance r obeys r'' = 2 / r², from rest at 1.
    solution = scipy.integrate.solve_ivp(
        lambda t, y: [y[1], 2 / y[0] ** 2], (0, 1), [1.0, 0.0], rtol=1e-10, atol=1e-12
    )
    assert ours[0, 1, 1] - ours[0, 0, 1] == pytest.approx(solution.y[0, -1], abs=2e-3)
    np.testing.assert_allclose(ours[0].mean(axis=0), [0, 0.5, 0], atol=1e-12)


def test_motion_commutes_with_rotations_and_reflections():
    random = np.random.RandomState(0)
    charges, positions, velocities = (
        np.stack(p) for p in zip(*(draw_initial_state(random) for _ in range(3)))
    )
    turn = np.linalg.qr(random.randn(3, 3))[0]
    ((plain, _),) = simulate(charges, positions, velocities, frames=(1,))
    ((moved, _),) = simulate(charges, positions @ turn + 1, velocities @ turn, frames=(1,))
    np.testing.assert_allclose(moved, plain @ turn + 1, atol=1e-9)


def test_forces_are_clipped_by_component():
    positions = np.array([[[0.0, 0, 0], [0.01, 0, 0]]])
    ((_, velocities),) = simulate(np.ones((1, 2)), positions, np.zeros((1, 2, 3)), frames=(0,))
    assert np.all(np.abs(velocities) <= 100 * 0.1 + 1e-12)
    assert velocities[0, 1, 0] > 0.1


def test_splits_are_the_first_systems_and_are_kept(cache):
    small, large = load_splits(3, 2, 2), load_splits(300, 2, 2)
    for ours, theirs in zip(small.train, large.train, strict=True):
        np.testing.assert_array_equal(ours, theirs[:3])
    np.testing.assert_array_equal(small.test.targets, large.test.targets)
    moved = large.train.targets - large.train.positions
    assert np.mean(moved**2) == pytest.approx(0.27, rel=0.2)
    assert np.mean((moved - large.train.velocities) ** 2) == pytest.approx(0.11, rel=0.3)
    (file,) = cache.glob("generated/*-3-2-2.npz")
    before = file.read_bytes()
    again = load_splits(3, 2, 2)
    np.testing.assert_array_equal(again.valid.positions, small.valid.positions)
    file.write_bytes(before[: len(before) // 2])
    np.testing.assert_array_equal(load_splits(3, 2, 2).test.velocities, small.test.velocities)
    assert len(list(cache.glob("generated/*"))) == 2


def test_chunks_do_not_matter(monkeypatch):
    random = np.random.RandomState(1)
    state = [np.stack(parts) for parts in zip(*(draw_initial_state(random) for _ in range(5)))]
    ((whole, _),) = simulate(*state, frames=(0,))
    monkeypatch.setattr(charged_particles, "_CHUNK", 2)
    ((parts, _),) = simulate(*state, frames=(0,))
    np.testing.assert_allclose(parts, whole, atol=1e-14)


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (lambda: load_splits(0, 1, 1), ValueError, "num_train must be a number of at least 1, got 0"),
        (lambda: load_splits(1, 1, 2001), ValueError, "num_test must be at most 2000, the systems of that"),
        (lambda: load_splits(1, 1, 1, seed=-1), ValueError, "seed must be a number of at least 0"),
        (
            lambda: simulate(np.ones((1, 2)), np.ones((1, 3, 3)), np.ones((1, 2, 3)), frames=(0,)),
            ValueError,
            r"positions must have shape \(s, n, 3\)",
        ),
        (
            lambda: simulate(np.ones((1, 2), int), np.ones((1, 2, 3)), np.ones((1, 2, 3)), frames=(0,)),
            TypeError,
            "charges must be a real floating-point array",
        ),
        (
            lambda: simulate(np.ones((1, 2)), np.ones((1, 2, 3)), np.ones((1, 2, 3)), frames=(-1,)),
            ValueError,
            "frames must be a number of at least 0",
        ),
    ],
)
def test_errors(call, error, message):
    with pytest.raises(error, match=message):
        call()
