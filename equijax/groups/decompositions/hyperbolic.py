"""Hyperbolic functions of a squared argument: what exponentials and logarithms of symmetric matrices need.

Written in the square they are smooth at 0, where equal eigenvalues meet; see `equijax.numerics.trigonometry`
for the same of rotations.
"""

import math

import jax.numpy as jnp
from jaxtyping import Array, Float

from equijax.numerics import check

_TERMS = 13


def cosh_root(square: Float[Array, "..."]) -> Float[Array, "..."]:
    """``cosh(t)`` as a function of ``t^2``.

    Args:
      square: not negative.

    Raises:
      TypeError: if ``square`` is not real floating-point.

    Example:
      >>> cosh_root(jnp.zeros(1))
      Array([1.], dtype=float32)
    """
    near, small, far = _split(square, 1.0)
    return jnp.where(near, _series(small, 0), jnp.cosh(jnp.sqrt(far)))


def sinhc(square: Float[Array, "..."]) -> Float[Array, "..."]:
    """``sinh(t) / t`` as a function of ``t^2``.

    Args:
      square: not negative.

    Raises:
      TypeError: if ``square`` is not real floating-point.

    Example:
      >>> sinhc(jnp.zeros(1))
      Array([1.], dtype=float32)
    """
    near, small, far = _split(square, 1.0)
    t = jnp.sqrt(far)
    return jnp.where(near, _series(small, 1), jnp.sinh(t) / t)


def log_sinhc(square: Float[Array, "..."]) -> Float[Array, "..."]:
    """``log(sinh(t) / t)`` as a function of ``t^2``; does not overflow.

    Args:
      square: not negative.

    Raises:
      TypeError: if ``square`` is not real floating-point.

    Example:
      >>> round(float(log_sinhc(jnp.array(1e6))), 3)
      992.399
    """
    near, small, far = _split(square, 1.0)
    t = jnp.sqrt(far)
    # sinh(t) / t - 1 = t^2 (1/3! + t^2/5! + ...)
    excess = small * _series(small, 3)
    return jnp.where(near, jnp.log1p(excess), t + jnp.log1p(-jnp.exp(-2 * t)) - jnp.log(2 * t))


def arctanhc(square: Float[Array, "..."]) -> Float[Array, "..."]:
    """``arctanh(t) / t`` as a function of ``t^2``.

    Args:
      square: at least 0 and below 1.

    Raises:
      TypeError: if ``square`` is not real floating-point.

    Example:
      >>> arctanhc(jnp.zeros(1))
      Array([1.], dtype=float32)
    """
    near, small, far = _split(square, 0.05)
    total = jnp.zeros_like(small)
    for k in reversed(range(_TERMS)):  # the first term left out is below 1e-18
        total = 1 / (2 * k + 1) + small * total
    t = jnp.sqrt(jnp.where(near, 0.25, far))
    return jnp.where(near, total, jnp.arctanh(t) / t)


def _split(square: Array, limit: float) -> tuple[Array, Array, Array]:
    """Where the series is used, and the square with harmless values outside and inside of that."""
    check.floating("square", square)
    near = square < limit
    return near, jnp.where(near, square, 0.0), jnp.where(near, 1.0, square)


def _series(x: Array, offset: int) -> Array:
    """``sum_k x^k / (2 k + offset)!`` by Horner's rule, for ``|x| <= 1``."""
    total = jnp.zeros_like(x)
    for k in reversed(range(_TERMS)):
        total = 1 / math.factorial(2 * k + offset) + x * total
    return total
