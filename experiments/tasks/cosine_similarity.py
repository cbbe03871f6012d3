"""Cosine similarity of three vectors, plus terms that break its symmetry to rotations or to scalings.

The task of Kim, Lee, Yang, Lee, "Regularizing towards soft equivariance under mixed symmetries", ICML 2023,
on normal vectors: the mean similarity of the pairs (1, 2), (2, 3), (3, 1), from which is subtracted

- ``so3``: the mean length of the vectors: rotations are left, scalings are not;
- ``scale``: the ratio of 1-norms ``|x_1|_1 / (|x_2|_1 + |x_3|_1)``: scalings are left, rotations are not;
- ``none``: the length less the ratio;
- ``so3_scale``: nothing.
"""

import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float

from equijax.numerics import check, safe

KINDS = ("so3_scale", "so3", "scale", "none")


def draw_vectors(num: int, seed: int) -> Float[np.ndarray, "n 9"]:
    """Triples of normal vectors, in a row.

    Args:
      num: how many.
      seed: of the random numbers.

    Raises:
      ValueError, TypeError: if a number is out of range.

    Example:
      >>> draw_vectors(4, seed=0).shape
      (4, 9)
    """
    check.count("num", num, 1)
    check.count("seed", seed, 0)
    return np.random.default_rng(seed).normal(size=(num, 9))


def similarity(vectors: Float[Array, "... 9"], kind: str, strength: float = 1.0) -> Float[Array, "..."]:
    """Mean cosine similarity less what breaks a symmetry.

    Args:
      vectors: as `draw_vectors` gives.
      kind: one of :data:`KINDS`, the symmetry that is left.
      strength: of what is subtracted.

    Raises:
      ValueError: if the kind is unknown, or the shape does not match.

    Example:
      >>> same = jnp.tile(jnp.array([0.0, 0.0, 2.0]), 3)
      >>> [float(similarity(same, kind)) for kind in KINDS]
      [1.0, -1.0, 0.5, -0.5]
    """
    check.shape("vectors", vectors, "... 9")
    check.one_of("kind", kind, KINDS)
    x = jnp.asarray(vectors)
    x = x.reshape(*x.shape[:-1], 3, 3)
    unit = safe.normalize(x)
    cosine = jnp.mean(jnp.sum(unit * jnp.roll(unit, -1, axis=-2), axis=-1), axis=-1)
    length = jnp.mean(safe.norm(x), axis=-1)
    sizes = jnp.sum(jnp.abs(x), axis=-1)
    others = sizes[..., 1] + sizes[..., 2]
    ratio = sizes[..., 0] / jnp.where(others > 0, others, 1)
    broken = {"so3_scale": 0 * length, "so3": length, "scale": ratio, "none": length - ratio}
    return cosine - strength * broken[kind]
