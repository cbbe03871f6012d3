"""Entire functions of a squared angle, for exponential and logarithm maps.

``exp`` of a rotation's generator K with angle t is ``1 + sinc K + cosc K^2``, where the coefficients are
smooth in ``t^2``. Written in the square they have right values and derivatives of every order at 0, where a
formula in the angle itself divides 0 by 0. Near 0 they are Taylor polynomials, so derivatives beyond the
twelfth are zero there.
"""

import math

import jax.numpy as jnp
from jaxtyping import Array, Float

from equijax.numerics import check

_TERMS = 13


def _series(x: Array, offset: int) -> Array:
    """``sum_k (-x)^k / (2 k + offset)!`` by Horner's rule, for ``|x| <= 1``."""
    total = jnp.zeros_like(x)
    for k in reversed(range(_TERMS)):
        total = 1 / math.factorial(2 * k + offset) - x * total
    return total


def sinc(square: Float[Array, "..."]) -> Float[Array, "..."]:
    """``sin(t) / t`` as a function of ``t^2``.

    Args:
      square: the squared angle, not negative, in radians squared.

    Raises:
      TypeError: if ``square`` is not real floating-point.

    Example:
      >>> sinc(jnp.zeros(1)), abs(float(sinc(jnp.array(jnp.pi**2)))) < 1e-6
      (Array([1.], dtype=float32), True)
    """
    near, safe = _split(square)
    t = jnp.sqrt(safe)
    return jnp.where(near, _series(jnp.where(near, square, 0.0), 1), jnp.sin(t) / t)


def cosc(square: Float[Array, "..."]) -> Float[Array, "..."]:
    """``(1 - cos(t)) / t^2`` as a function of ``t^2``.

    Args:
      square: the squared angle, not negative, in radians squared.

    Raises:
      TypeError: if ``square`` is not real floating-point.

    Example:
      >>> cosc(jnp.zeros(1))
      Array([0.5], dtype=float32)
    """
    near, safe = _split(square)
    # 1 - cos t = 2 sin^2(t / 2) does not cancel.
    far = 2 * jnp.sin(jnp.sqrt(safe) / 2) ** 2 / safe
    return jnp.where(near, _series(jnp.where(near, square, 0.0), 2), far)


def sinc_defect(square: Float[Array, "..."]) -> Float[Array, "..."]:
    """``(t - sin(t)) / t^3`` as a function of ``t^2``: what translations of a screw motion need.

    Args:
      square: the squared angle, not negative, in radians squared.

    Raises:
      TypeError: if ``square`` is not real floating-point.

    Example:
      >>> sinc_defect(jnp.zeros(1)) * 6
      Array([1.], dtype=float32)
    """
    near, safe = _split(square)
    t = jnp.sqrt(safe)
    far = (t - jnp.sin(t)) / (safe * t)
    return jnp.where(near, _series(jnp.where(near, square, 0.0), 3), far)


def _split(square: Array) -> tuple[Array, Array]:
    """Where the series is used, and the square with 1 in those places, so that nothing is singular."""
    check.floating("square", square)
    near = square < 1
    return near, jnp.where(near, 1.0, square)
