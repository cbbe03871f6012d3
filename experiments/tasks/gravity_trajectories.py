"""Where will a charged particle go, seen with noise, in a weak field along z?

Six positions of one of five charged particles (`experiments.tasks.charged_particles`), 0.2 units of time
apart and with normal noise, are given, and the next six, without noise, are asked for, all about the mean of
those given. Gravity acts along z. Without it the best answer commutes with O(3); with it, with the turns
about z and the reflections that keep z. It stands in for the trajectories of road users in Kim, Lee, Yang,
Lee, "Regularizing towards soft equivariance under mixed symmetries", ICML 2023, which may not be passed on.
"""

from typing import NamedTuple

import numpy as np
from jaxtyping import Float

from equijax.numerics import check
from experiments.tasks.charged_particles import (
    STEPS_PER_FRAME,
    TIME_STEP,
    draw_initial_state,
    simulate,
)

NUM_PAST = NUM_FUTURE = 6
FRAMES_APART = 2
NOISE = 0.05


class Trajectories(NamedTuple):
    """Past and future positions, about the mean of the past.

    Attributes:
      past: noisy, shape ``(n, 18)``, six vectors in a row.
      future: shape ``(n, 18)``.
    """

    past: Float[np.ndarray, "n 18"]
    future: Float[np.ndarray, "n 18"]


def draw_trajectories(num: int, seed: int, *, gravity: float = 0.5, noise: float = NOISE) -> Trajectories:
    """Trajectories of the first particle of random systems.

    Forces depend on differences of positions, so that a uniform field moves all particles alike, by
    ``-gravity t² / 2`` along z, and need not be simulated.

    Args:
      num: how many.
      seed: of the random numbers.
      gravity: acceleration towards negative z.
      noise: standard deviation of the noise of each coordinate of the past.

    Raises:
      ValueError, TypeError: if a number is out of range.

    Example:
      >>> draw_trajectories(3, seed=0).future.shape
      (3, 18)
    """
    check.count("num", num, 1)
    check.count("seed", seed, 0)
    for name, value in {"gravity": gravity, "noise": noise}.items():
        if not value >= 0:
            raise ValueError(f"{name} must be at least 0, got {value!r}")
    random = np.random.RandomState(seed)
    states = [np.stack(part) for part in zip(*(draw_initial_state(random) for _ in range(num)), strict=True)]
    frames = tuple(FRAMES_APART * number for number in range(NUM_PAST + NUM_FUTURE))
    positions = np.stack([x[:, 0] for x, _ in simulate(*states, frames=frames)], axis=1)
    times = (np.asarray(frames) + 1) * STEPS_PER_FRAME * TIME_STEP
    positions[..., 2] -= gravity * times**2 / 2
    past = positions[:, :NUM_PAST] + noise * random.normal(size=(num, NUM_PAST, 3))
    centre = past.mean(axis=1, keepdims=True)
    return Trajectories((past - centre).reshape(num, -1), (positions[:, NUM_PAST:] - centre).reshape(num, -1))
