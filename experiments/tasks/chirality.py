"""Chiral point clouds, to be told from their mirror images: four points each.

- ``frames``: an origin and the tips of three orthogonal unit arms, four types, in right-handed order;
- ``tetris``: the chiral one of the tetris pieces in space (four unit cubes), all of one type;
- ``clouds``: four points of four types at random positions, in right-handed order of their types, any shape.

Every cloud is turned at random, and frames and pieces are shaken a little. Drawn clouds are right-handed; the
mirror image of one is left-handed.
"""

from typing import NamedTuple

import numpy as np
from jaxtyping import Float

from equijax.numerics import check

TASKS = ("frames", "tetris", "clouds")
NUM_POINTS = 4
PIECE = ((0.0, 0.0, 0.0), (0.0, 0.0, 1.0), (1.0, 0.0, 0.0), (1.0, 1.0, 0.0))
SHAKE = 0.05
SMALLEST_VOLUME = 0.5  # of the parallelepiped of a random cloud: flatter ones are hardly chiral


class Clouds(NamedTuple):
    """Right-handed clouds.

    Attributes:
      positions: shape ``(clouds, points, 3)``.
      types: one-hot types of the points, shape ``(clouds, points, types)``.
    """

    positions: Float[np.ndarray, "b n 3"]
    types: Float[np.ndarray, "b n t"]


def draw_clouds(task: str, num_clouds: int, seed: int) -> Clouds:
    """Random right-handed clouds of a task.

    Args:
      task: one of :data:`TASKS`.
      num_clouds: how many.
      seed: of the random numbers.

    Raises:
      ValueError: if the task is unknown, or a number is out of range.
      TypeError: if a number is not an integer.

    Example:
      >>> clouds = draw_clouds("clouds", 5, seed=0)
      >>> bool((signed_volume(clouds.positions) > 0).all())
      True
    """
    check.one_of("task", task, TASKS)
    check.count("num_clouds", num_clouds, 1)
    check.count("seed", seed, 0)
    random = np.random.default_rng([TASKS.index(task), seed])
    types = np.eye(NUM_POINTS)
    if task == "clouds":
        positions = _random_clouds(random, num_clouds)
    else:
        shape = PIECE if task == "tetris" else np.eye(NUM_POINTS)[:, 1:]
        positions = np.asarray(shape) + SHAKE * random.normal(size=(num_clouds, NUM_POINTS, 3))
    if task == "tetris":
        types = np.repeat(types[:1], NUM_POINTS, axis=0)
    positions = positions @ _random_rotations(random, num_clouds)
    return Clouds(positions, np.repeat(types[None], num_clouds, axis=0))


def mirrored(positions: Float[np.ndarray, "... 3"]) -> Float[np.ndarray, "... 3"]:
    """The mirror image in the plane ``x = 0``.

    Example:
      >>> mirrored(np.array([1.0, 2.0, 3.0])).tolist()
      [-1.0, 2.0, 3.0]
    """
    return positions * np.array([-1.0, 1.0, 1.0])


def signed_volume(positions: Float[np.ndarray, "... 4 3"]) -> Float[np.ndarray, "..."]:
    """Determinant of the last three points as seen from the first; its sign is the handedness.

    Example:
      >>> float(signed_volume(np.concatenate([np.zeros((1, 3)), np.eye(3)])))
      1.0
    """
    return np.linalg.det(positions[..., 1:, :] - positions[..., :1, :])


def _random_clouds(random: np.random.Generator, num_clouds: int) -> np.ndarray:
    """Normal points, flat clouds drawn anew, left-handed ones mirrored."""
    kept, count = [], 0
    while count < num_clouds:
        positions = random.normal(size=(num_clouds, NUM_POINTS, 3))
        volume = signed_volume(positions)
        positions = np.where(volume[:, None, None] < 0, mirrored(positions), positions)
        kept.append(positions[np.abs(volume) >= SMALLEST_VOLUME])
        count += len(kept[-1])
    return np.concatenate(kept)[:num_clouds]


def _random_rotations(random: np.random.Generator, count: int) -> np.ndarray:
    """Rotations from the uniform distribution, by the QR decomposition of normal matrices."""
    orthogonal, triangular = np.linalg.qr(random.normal(size=(count, 3, 3)))
    orthogonal *= np.sign(np.diagonal(triangular, axis1=-2, axis2=-1))[:, None, :]
    return orthogonal * np.sign(np.linalg.det(orthogonal))[:, None, None]
