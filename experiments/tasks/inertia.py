"""Tensors of inertia of five point masses, with columns that are scaled: a symmetry that can be broken.

The task of Kim, Lee, Yang, Lee, "Regularizing towards soft equivariance under mixed symmetries", ICML 2023:
masses ``softplus(N(0, 1))`` at positions ``N(0, 1)``, ``I = Σ m (|r|² - r rᵀ)``, and the target is ``I`` with
column a multiplied by ``1 + eps_a``. As it is, the function commutes with O(3); without one column, with the
rotations about that axis and the reflections that keep it; with columns scaled differently, with none of
them.
"""

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float

from equijax.numerics import check

NUM_BODIES = 5


def draw_bodies(num: int, seed: int) -> Float[np.ndarray, "n 20"]:
    """Random masses and positions: five numbers and five vectors in a row.

    Args:
      num: how many sets of five bodies.
      seed: of the random numbers.

    Raises:
      ValueError, TypeError: if a number is out of range.

    Example:
      >>> draw_bodies(4, seed=0).shape
      (4, 20)
    """
    check.count("num", num, 1)
    check.count("seed", seed, 0)
    random = np.random.default_rng(seed)
    masses = np.logaddexp(0, random.normal(size=(num, NUM_BODIES)))
    positions = random.normal(size=(num, NUM_BODIES * 3))
    return np.concatenate([masses, positions], axis=1)


def scaled_inertia(
    bodies: Float[Array, "... 20"], column_factors: tuple[float, float, float] = (1.0, 1.0, 1.0)
) -> Float[Array, "... 3 3"]:
    """Tensors of inertia about the origin, with scaled columns.

    Args:
      bodies: as `draw_bodies` gives.
      column_factors: ``1 + eps`` of each column.

    Raises:
      ValueError: if shapes do not match.

    Example:
      >>> unit = jnp.zeros(20).at[0].set(1.0).at[5].set(2.0)  # one mass, 2 from the origin along x
      >>> scaled_inertia(unit, (1.0, 1.0, 0.0))
      Array([[0., 0., 0.],
             [0., 4., 0.],
             [0., 0., 0.]], dtype=float32)
    """
    check.shape("bodies", bodies, "... 20")
    check.shape("column_factors", column_factors, "3")
    bodies = jnp.asarray(bodies)
    masses, places = bodies[..., :NUM_BODIES], bodies[..., NUM_BODIES:]
    places = places.reshape(*places.shape[:-1], NUM_BODIES, 3)
    moments = jnp.einsum(
        "...k,...ki,...kj->...ij", masses, places, places, precision=jax.lax.Precision.HIGHEST
    )
    trace = jnp.trace(moments, axis1=-2, axis2=-1)[..., None, None]
    tensor = trace * jnp.eye(3, dtype=bodies.dtype) - moments
    return tensor * jnp.asarray(column_factors, bodies.dtype)
