"""Normals of surfaces from points alone: random boxes, cylinders, cones, tori and superquadrics.

Points are drawn on the surface of a random shape, whose normals are known in closed form; a network predicts
the line along which each normal lies. Shapes stand upright along the third axis (pose "I") or are turned at
random (pose "SO(3)"). The task of Puny et al., ICLR 2022, with exact shapes in the place of scanned meshes.
"""

from collections.abc import Callable
from typing import NamedTuple

import numpy as np
from jaxtyping import Float

from equijax.numerics import check

POSES = ("I", "SO(3)")


class Surfaces(NamedTuple):
    """Points on surfaces, and the unit normals there.

    Attributes:
      points, normals: shape ``(surfaces, points, 3)``; points are centred, the furthest is at distance 1.
    """

    points: Float[np.ndarray, "s n 3"]
    normals: Float[np.ndarray, "s n 3"]


def draw_surfaces(num_surfaces: int, num_points: int, *, seed: int, pose: str = "I") -> Surfaces:
    """Random shapes in turn of the five kinds, each with points of its own.

    Args:
      num_surfaces, num_points: how many.
      seed: of the shapes and points.
      pose: ``"I"`` for upright shapes, turned about the third axis only, or ``"SO(3)"``.

    Raises:
      ValueError: if a number is below 1, or the pose another.

    Example:
      >>> surfaces = draw_surfaces(5, 64, seed=0)
      >>> surfaces.points.shape, np.linalg.norm(surfaces.normals, axis=-1).round(6).min()
      ((5, 64, 3), np.float64(1.0))
    """
    check.count("num_surfaces", num_surfaces, 1)
    check.count("num_points", num_points, 1)
    check.one_of("pose", pose, POSES)
    random = np.random.default_rng(seed)
    kinds = list(SHAPES.values())
    points, normals = np.zeros((2, num_surfaces, num_points, 3))
    for number in range(num_surfaces):
        x, normal = kinds[number % len(kinds)](random, num_points)
        x = x - x.mean(axis=0)
        turn = _turn_about_axis(random) if pose == "I" else _random_rotation(random)
        points[number] = x @ turn.T / np.linalg.norm(x, axis=1).max()
        normals[number] = normal @ turn.T
    return Surfaces(points, normals)


def rotated(surfaces: Surfaces, *, seed: int) -> Surfaces:
    """The same surfaces, each turned by a random rotation.

    Example:
      >>> before = draw_surfaces(5, 8, seed=0)
      >>> after = rotated(before, seed=1)
      >>> np.allclose((before.points * before.normals).sum(-1), (after.points * after.normals).sum(-1))
      True
    """
    random = np.random.default_rng(seed)
    turns = np.stack([_random_rotation(random) for _ in surfaces.points])
    return Surfaces(*(np.einsum("sij,snj->sni", turns, array) for array in surfaces))


def _box(random, n: int):
    """A box with sides between 1/2 and 3/2; faces are met by their areas."""
    half = random.uniform(0.25, 0.75, 3)
    areas = np.array([half[1] * half[2], half[0] * half[2], half[0] * half[1]])
    axis, sign = random.choice(3, n, p=areas / areas.sum()), random.choice([-1.0, 1.0], n)
    x = random.uniform(-1, 1, (n, 3)) * half
    normal = np.zeros((n, 3))
    normal[np.arange(n), axis] = sign
    x[np.arange(n), axis] = sign * half[axis]
    return x, normal


def _cylinder(random, n: int):
    """An upright cylinder with its two discs."""
    radius, height = random.uniform(0.3, 0.8), random.uniform(0.5, 2.0)
    side, disc = 2 * np.pi * radius * height, np.pi * radius**2
    part = random.choice(3, n, p=np.array([side, disc, disc]) / (side + 2 * disc))
    angle = random.uniform(0, 2 * np.pi, n)
    around = np.stack([np.cos(angle), np.sin(angle)], axis=1)
    inner = radius * np.where(part == 0, 1.0, np.sqrt(random.random(n)))
    level = np.choose(part, [random.uniform(-0.5, 0.5, n), np.full(n, 0.5), np.full(n, -0.5)])
    x = np.column_stack([inner[:, None] * around, height * level])
    up = np.choose(part, [np.zeros(n), np.ones(n), -np.ones(n)])
    return x, np.column_stack([np.where(part[:, None] == 0, around, 0.0), up])


def _cone(random, n: int):
    """An upright cone with its disc."""
    radius, height = random.uniform(0.4, 0.9), random.uniform(0.6, 1.8)
    slant = np.hypot(radius, height)
    on_side = random.random(n) < slant / (slant + radius)
    angle = random.uniform(0, 2 * np.pi, n)
    around = np.stack([np.cos(angle), np.sin(angle)], axis=1)
    share = np.sqrt(random.random(n))  # of the radius; equal areas on the side and on the disc
    x = np.column_stack([radius * share[:, None] * around, np.where(on_side, height * (1 - share), 0.0)])
    side = np.column_stack([height * around, np.full(n, radius)]) / slant
    return x, np.where(on_side[:, None], side, np.array([0.0, 0.0, -1.0]))


def _torus(random, n: int):
    """An upright torus; angles of the tube are met by their areas, by rejection."""
    large, small = random.uniform(0.5, 0.8), random.uniform(0.12, 0.3)
    tube = np.empty(0)
    while len(tube) < n:
        drawn = random.uniform(0, 2 * np.pi, 4 * n)
        kept = random.random(4 * n) < (large + small * np.cos(drawn)) / (large + small)
        tube = np.concatenate([tube, drawn[kept]])
    tube, angle = tube[:n], random.uniform(0, 2 * np.pi, n)
    around = np.stack([np.cos(angle), np.sin(angle)], axis=1)
    normal = np.column_stack([np.cos(tube)[:, None] * around, np.sin(tube)])
    x = small * normal + np.column_stack([large * around, np.zeros(n)])
    return x, normal


def _superquadric(random, n: int):
    """A superellipsoid ``|x/a|^p + |y/b|^p + |z/c|^p = 1``, seen from its centre in uniform directions."""
    half, power = random.uniform(0.4, 1.0, 3), random.uniform(1.5, 6.0)
    direction = random.standard_normal((n, 3))
    direction /= np.linalg.norm(direction, axis=1, keepdims=True)
    scaled = np.abs(direction / half)
    x = direction / np.sum(scaled**power, axis=1, keepdims=True) ** (1 / power)
    gradient = np.sign(x) * np.abs(x / half) ** (power - 1) / half
    return x, gradient / np.linalg.norm(gradient, axis=1, keepdims=True)


SHAPES: dict[str, Callable] = {
    "box": _box,
    "cylinder": _cylinder,
    "cone": _cone,
    "torus": _torus,
    "superquadric": _superquadric,
}


def _turn_about_axis(random) -> np.ndarray:
    """A rotation about the third axis by a uniform angle."""
    angle = random.uniform(0, 2 * np.pi)
    cosine, sine = np.cos(angle), np.sin(angle)
    return np.array([[cosine, -sine, 0.0], [sine, cosine, 0.0], [0.0, 0.0, 1.0]])


def _random_rotation(random) -> np.ndarray:
    """A rotation from Haar measure."""
    q, r = np.linalg.qr(random.standard_normal((3, 3)))
    q = q * np.sign(np.diag(r))
    return q * np.sign(np.linalg.det(q))
