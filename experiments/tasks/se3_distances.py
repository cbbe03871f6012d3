"""Mean distance of three points, less a term that breaks its symmetry to translations or to rotations.

The task of Kim, Lee, Yang, Lee, "Regularizing towards soft equivariance under mixed symmetries", ICML 2023,
on normal points: the mean of the distances ``|x_1 - x_2|``, ``|x_2 - x_3|``, ``|x_3 - x_1|``, from which is
subtracted

- ``ball``: ``|x_1|``: rotations about the origin are left, translations are not;
- ``l1``: the 1-norm of ``x_1 - x_2``: translations are left, rotations are not.
"""

import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float

from equijax.numerics import check, safe

KINDS = ("ball", "l1")


def draw_points(num: int, seed: int) -> Float[np.ndarray, "n 12"]:
    """Triples of normal points in homogeneous coordinates ``(x, y, z, 1)``, in a row.

    Args:
      num: how many.
      seed: of the random numbers.

    Raises:
      ValueError, TypeError: if a number is out of range.

    Example:
      >>> draw_points(2, seed=0)[:, 3::4].tolist()
      [[1.0, 1.0, 1.0], [1.0, 1.0, 1.0]]
    """
    check.count("num", num, 1)
    check.count("seed", seed, 0)
    points = np.random.default_rng(seed).normal(size=(num, 3, 3))
    return np.concatenate([points, np.ones((num, 3, 1))], axis=2).reshape(num, 12)


def distance(points: Float[Array, "... 12"], kind: str, strength: float = 1.0) -> Float[Array, "..."]:
    """Mean distance less what breaks a symmetry.

    Args:
      points: as `draw_points` gives.
      kind: one of :data:`KINDS`.
      strength: of what is subtracted.

    Raises:
      ValueError: if the kind is unknown, or the shape does not match.

    Example:
      >>> line = jnp.array([[1.0, 0, 0, 1], [3.0, 0, 0, 1], [4.0, 0, 0, 1]]).reshape(12)
      >>> [float(distance(line, kind)) for kind in KINDS]  # distances 2, 1, 3
      [1.0, 0.0]
    """
    check.shape("points", points, "... 12")
    check.one_of("kind", kind, KINDS)
    x = jnp.asarray(points)
    x = x.reshape(*x.shape[:-1], 3, 4)[..., :3]
    mean = jnp.mean(safe.norm(x - jnp.roll(x, -1, axis=-2)), axis=-1)
    if kind == "ball":
        return mean - strength * safe.norm(x[..., 0, :])
    return mean - strength * jnp.sum(jnp.abs(x[..., 0, :] - x[..., 1, :]), axis=-1)
