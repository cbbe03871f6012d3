"""Functions with a square root in them, safe to differentiate: finite derivatives of any order everywhere.

Values are the usual ones. Where the usual derivative is infinite or undefined (the norm at 0, the arc cosine
at 1), derivatives of every order are defined as 0. Reverse mode multiplies an unused branch's infinity by 0,
which is not a number, so each function replaces the argument before the singular operation, not only after.
"""

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float

from equijax.numerics import check


def sqrt(x: Float[Array, "..."]) -> Float[Array, "..."]:
    """Square root whose derivatives at 0 are 0; not a number below 0.

    Raises:
      TypeError: if ``x`` is not real floating-point.

    Example:
      >>> jax.grad(sqrt)(0.0), sqrt(4.0)
      (Array(0., dtype=float32, weak_type=True), Array(2., dtype=float32, weak_type=True))
    """
    check.floating("x", x)
    x = jnp.asarray(x)
    zero = x == 0
    return jnp.where(zero, 0.0, jnp.sqrt(jnp.where(zero, 1.0, x)))


def norm(
    x: Float[Array, "..."], axis: int | tuple[int, ...] | None = -1, *, keepdims: bool = False
) -> Float[Array, "..."]:
    """Euclidean norm whose derivatives at 0 are 0; neither overflows nor underflows on the way.

    Args:
      x: any array.
      axis: the axis or axes to sum over; all if None.
      keepdims: keep the summed axes with size 1.

    Raises:
      TypeError: if ``x`` is not real floating-point.

    Example:
      >>> norm(jnp.array([3.0, 4.0])), jax.grad(norm)(jnp.zeros(2))
      (Array(5., dtype=float32), Array([0., 0.], dtype=float32))
    """
    check.floating("x", x)
    x = jnp.asarray(x)
    scale = jax.lax.stop_gradient(jnp.max(jnp.abs(x), axis=axis, keepdims=True, initial=0.0))
    scale = jnp.where((scale > 0) & jnp.isfinite(scale), scale, 1.0)
    length = scale * sqrt(jnp.sum((x / scale) ** 2, axis=axis, keepdims=True))
    return length if keepdims else jnp.squeeze(length, axis=axis)


def normalize(x: Float[Array, "..."], axis: int | tuple[int, ...] | None = -1) -> Float[Array, "..."]:
    """Scale to norm 1; the zero vector stays zero, with derivatives 0.

    Args:
      x: any array.
      axis: the axis or axes that make up a vector; all if None.

    Raises:
      TypeError: if ``x`` is not real floating-point.

    Example:
      >>> normalize(jnp.array([[3.0, 4.0], [0.0, 0.0]]))
      Array([[0.6, 0.8],
             [0. , 0. ]], dtype=float32)
    """
    length = norm(x, axis, keepdims=True)
    zero = length == 0
    return jnp.where(zero, 0.0, x / jnp.where(zero, 1.0, length))


def arccos(x: Float[Array, "..."]) -> Float[Array, "..."]:
    """Arc cosine of the argument clipped to [-1, 1]; derivatives are 0 at and beyond the ends.

    Clipping forgives the rounding of cosines computed as products of unit vectors.

    Returns:
      The angle in radians, in [0, pi].

    Raises:
      TypeError: if ``x`` is not real floating-point.

    Example:
      >>> arccos(jnp.array([1.0 + 1e-6, 0.0])), jax.grad(arccos)(1.0)
      (Array([0.       , 1.5707964], dtype=float32), Array(0., dtype=float32, weak_type=True))
    """
    return _clipped_inverse(x, jnp.arccos, jnp.where(jnp.asarray(x) > 0, 0.0, jnp.pi))


def arcsin(x: Float[Array, "..."]) -> Float[Array, "..."]:
    """Arc sine of the argument clipped to [-1, 1]; derivatives are 0 at and beyond the ends.

    Returns:
      The angle in radians, in [-pi/2, pi/2].

    Raises:
      TypeError: if ``x`` is not real floating-point.

    Example:
      >>> arcsin(jnp.array([2.0, 0.0]))
      Array([1.5707964, 0.       ], dtype=float32)
    """
    return _clipped_inverse(x, jnp.arcsin, jnp.where(jnp.asarray(x) > 0, jnp.pi / 2, -jnp.pi / 2))


def _clipped_inverse(x: Array, inverse, ends: Array) -> Array:
    """An inverse trigonometric function inside (-1, 1), and constants outside; keeps not-a-number."""
    check.floating("x", x)
    x = jnp.asarray(x)
    outside = jnp.abs(x) >= 1
    return jnp.where(outside, ends.astype(x.dtype), inverse(jnp.where(outside, 0.0, x)))


def arctan2(y: Float[Array, "..."], x: Float[Array, "..."]) -> Float[Array, "..."]:
    """Angle of the point (x, y); 0 at the origin, with derivatives 0.

    Returns:
      The angle in radians, in [-pi, pi].

    Raises:
      TypeError: if an argument is not real floating-point.

    Example:
      >>> jax.grad(arctan2, argnums=(0, 1))(0.0, 0.0)
      (Array(0., dtype=float32, weak_type=True), Array(0., dtype=float32, weak_type=True))
    """
    check.floating("y", y)
    check.floating("x", x)
    origin = (jnp.asarray(y) == 0) & (jnp.asarray(x) == 0)
    return jnp.where(origin, 0.0, jnp.arctan2(jnp.where(origin, 0.0, y), jnp.where(origin, 1.0, x)))
