"""Functions of a distance: radial bases, and cut-offs that go to zero smoothly.

Invariant under every isometry, because a distance is. All are zero at and beyond the cut-off, with the
stated number of zero derivatives there, so that energies built on them are smooth when a neighbour leaves.
"""

import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float

from equijax.numerics import check


def polynomial_cutoff(distance: Float[Array, "..."], cutoff: float, order: int = 6) -> Float[Array, "..."]:
    """Envelope ``1 - (p+1)(p+2)/2 u^p + p(p+2) u^{p+1} - p(p+1)/2 u^{p+2}`` with ``u = distance / cutoff``.

    Two derivatives vanish at the cut-off (Gasteiger, Groß, Günnemann, ICLR 2020, equation 8).

    Args:
      distance: non-negative, any shape, in the unit of the cut-off.
      cutoff: where it reaches zero.
      order: ``p``, at least 2; larger stays near one for longer.

    Raises:
      ValueError: if ``cutoff`` is not positive or ``order`` is below 2.
      TypeError: if ``distance`` is not a real floating-point array.

    Example:
      >>> print(np.asarray(polynomial_cutoff(jnp.array([0.0, 2.0, 4.0, 5.0]), 4.0)).round(3))
      [1.    0.855 0.    0.   ]
    """
    check.floating("distance", distance)
    check.positive("cutoff", cutoff)
    check.count("order", order, 2)
    p = order
    u = jnp.minimum(jnp.asarray(distance) / cutoff, 1.0)
    return jnp.where(
        u < 1, 1 - u**p * ((p + 1) * (p + 2) / 2 - u * (p * (p + 2) - u * (p * (p + 1) / 2))), 0.0
    )


def smooth_cutoff(distance: Float[Array, "..."], cutoff: float) -> Float[Array, "..."]:
    """Envelope ``exp(1 - 1 / (1 - u²))`` with ``u = distance / cutoff``: smooth also at the end.

    All derivatives vanish at the cut-off.

    Args:
      distance: non-negative, any shape, in the unit of the cut-off.
      cutoff: where it reaches zero.

    Raises:
      ValueError: if ``cutoff`` is not positive.
      TypeError: if ``distance`` is not a real floating-point array.

    Example:
      >>> print(np.asarray(smooth_cutoff(jnp.array([0.0, 2.0, 4.0, 5.0]), 4.0)).round(3))
      [1.    0.717 0.    0.   ]
    """
    check.floating("distance", distance)
    check.positive("cutoff", cutoff)
    gap = 1 - (jnp.asarray(distance) / cutoff) ** 2
    inside = gap > 1e-3  # below, the value is under exp(-999): zero, and the division stays finite
    return jnp.where(inside, jnp.exp(1 - 1 / jnp.where(inside, gap, 1.0)), 0.0)


def bessel_basis(distance: Float[Array, "..."], num: int, cutoff: float) -> Float[Array, "... num"]:
    """Spherical Bessel functions of order 0, ``√(2/c) sin(nπr/c) / r`` for ``n = 1 … num``, without envelope.

    Orthonormal on the ball of radius ``c`` (Gasteiger, Groß, Günnemann, ICLR 2020, equation 7). Smooth at
    distance 0, where the value is ``√(2/c) nπ/c``.

    Args:
      distance: non-negative, any shape, in the unit of the cut-off.
      num: number of functions.
      cutoff: ``c``; each function is zero there, its derivative is not: multiply by an envelope.

    Raises:
      ValueError: if ``num`` is below 1 or ``cutoff`` is not positive.
      TypeError: if ``distance`` is not a real floating-point array.

    Example:
      >>> print(np.asarray(bessel_basis(jnp.array([0.0, 1.0]), 2, 4.0)).round(3))
      [[0.555 1.111]
       [0.5   0.707]]
    """
    check.floating("distance", distance)
    check.count("num", num, 1)
    check.positive("cutoff", cutoff)
    distance = jnp.asarray(distance)[..., None]
    frequency = np.pi * np.arange(1, num + 1) / cutoff
    # jnp.sinc(x) = sin(πx)/(πx) is smooth at 0, so no distance needs to be kept away from it.
    return (np.sqrt(2 / cutoff) * frequency).astype(distance.dtype) * jnp.sinc(
        distance * (frequency / np.pi).astype(distance.dtype)
    )


def gaussian_basis(distance: Float[Array, "..."], num: int, cutoff: float) -> Float[Array, "... num"]:
    """Gaussians with centres spread evenly over ``[0, cutoff]`` and that spacing as their width.

    Args:
      distance: non-negative, any shape, in the unit of the cut-off.
      num: number of functions, at least 2.
      cutoff: the last centre; multiply by an envelope.

    Raises:
      ValueError: if ``num`` is below 2 or ``cutoff`` is not positive.
      TypeError: if ``distance`` is not a real floating-point array.

    Example:
      >>> print(np.asarray(gaussian_basis(jnp.array([0.0, 4.0]), 2, 4.0)).round(3))
      [[1.    0.607]
       [0.607 1.   ]]
    """
    check.floating("distance", distance)
    check.count("num", num, 2)
    check.positive("cutoff", cutoff)
    distance = jnp.asarray(distance)[..., None]
    centers = jnp.asarray(np.linspace(0, cutoff, num), distance.dtype)
    width = cutoff / (num - 1)
    return jnp.exp(-0.5 * ((distance - centers) / width) ** 2)
