"""Reductions over the entries that a mask keeps, defined also where it keeps none.

Entries with mask False never change a result or a gradient, whatever they hold, not-a-number included. A
reduction over no entries gives ``empty`` (0 unless told otherwise), and its gradient is 0.
"""

import jax
import jax.numpy as jnp
from jaxtyping import Array, Bool, Float, Shaped

from equijax.numerics import check

Axis = int | tuple[int, ...] | None


def _prepare(x: Array, mask: Array) -> tuple[Array, Array]:
    """The arguments checked, and the mask in the shape of ``x``."""
    x, mask = jnp.asarray(x), jnp.asarray(mask)
    if mask.dtype != bool:
        raise TypeError(f"mask must be a boolean array, got dtype {mask.dtype}")
    try:
        shape = jnp.broadcast_shapes(x.shape, mask.shape)
    except ValueError:
        shape = None
    if shape != x.shape:
        raise ValueError(f"mask must have a shape that broadcasts to that of x, {x.shape}, got {mask.shape}")
    return x, jnp.broadcast_to(mask, x.shape)


def sum(
    x: Shaped[Array, "..."], mask: Bool[Array, "..."], axis: Axis = -1, *, keepdims: bool = False
) -> Shaped[Array, "..."]:
    """Sum of the kept entries; 0 where there are none.

    Args:
      x: the entries.
      mask: True where an entry counts; its shape broadcasts to that of ``x``.
      axis: the axis or axes to sum over; all if None.
      keepdims: keep the summed axes with size 1.

    Raises:
      TypeError: if ``mask`` is not boolean.
      ValueError: if the shape of ``mask`` does not broadcast to that of ``x``.

    Example:
      >>> sum(jnp.array([1.0, 2.0, jnp.nan]), jnp.array([True, True, False]))
      Array(3., dtype=float32)
    """
    x, mask = _prepare(x, mask)
    return jnp.sum(jnp.where(mask, x, jnp.zeros((), x.dtype)), axis=axis, keepdims=keepdims)


def mean(
    x: Float[Array, "..."],
    mask: Bool[Array, "..."],
    axis: Axis = -1,
    *,
    keepdims: bool = False,
    empty: float = 0.0,
) -> Float[Array, "..."]:
    """Mean of the kept entries; ``empty`` where there are none.

    Args:
      x: the entries.
      mask: True where an entry counts; its shape broadcasts to that of ``x``.
      axis: the axis or axes to average over; all if None.
      keepdims: keep the averaged axes with size 1.
      empty: the result where no entry counts.

    Raises:
      TypeError: if ``mask`` is not boolean, or ``x`` is not real floating-point.
      ValueError: if the shape of ``mask`` does not broadcast to that of ``x``.

    Example:
      >>> mean(jnp.array([[1.0, 3.0], [5.0, 7.0]]), jnp.array([[True, True], [False, False]]))
      Array([2., 0.], dtype=float32)
    """
    check.floating("x", x)
    x, mask = _prepare(x, mask)
    count = jnp.sum(mask, axis=axis, keepdims=keepdims)
    total = sum(x, mask, axis, keepdims=keepdims)
    return jnp.where(count > 0, total / jnp.maximum(count, 1).astype(x.dtype), jnp.asarray(empty, x.dtype))


def max(
    x: Float[Array, "..."],
    mask: Bool[Array, "..."],
    axis: Axis = -1,
    *,
    keepdims: bool = False,
    empty: float = 0.0,
) -> Float[Array, "..."]:
    """Largest kept entry; ``empty`` where there are none.

    Args:
      x: the entries.
      mask: True where an entry counts; its shape broadcasts to that of ``x``.
      axis: the axis or axes to reduce; all if None.
      keepdims: keep the reduced axes with size 1.
      empty: the result where no entry counts.

    Raises:
      TypeError: if ``mask`` is not boolean, or ``x`` is not real floating-point.
      ValueError: if the shape of ``mask`` does not broadcast to that of ``x``.

    Example:
      >>> max(jnp.array([[1.0, 9.0], [5.0, 7.0]]), jnp.array([[True, False], [False, False]]))
      Array([1., 0.], dtype=float32)
    """
    check.floating("x", x)
    x, mask = _prepare(x, mask)
    some = jnp.any(mask, axis=axis, keepdims=True)
    # Rows without entries hold the constant already here, so that no gradient flows through infinities.
    filled = jnp.where(mask, x, jnp.where(some, -jnp.inf, empty).astype(x.dtype))
    return jnp.max(filled, axis=axis, keepdims=keepdims, initial=-jnp.inf if x.size else empty)


def min(
    x: Float[Array, "..."],
    mask: Bool[Array, "..."],
    axis: Axis = -1,
    *,
    keepdims: bool = False,
    empty: float = 0.0,
) -> Float[Array, "..."]:
    """Smallest kept entry; ``empty`` where there are none.

    Args:
      x: the entries.
      mask: True where an entry counts; its shape broadcasts to that of ``x``.
      axis: the axis or axes to reduce; all if None.
      keepdims: keep the reduced axes with size 1.
      empty: the result where no entry counts.

    Raises:
      TypeError: if ``mask`` is not boolean, or ``x`` is not real floating-point.
      ValueError: if the shape of ``mask`` does not broadcast to that of ``x``.

    Example:
      >>> min(jnp.array([4.0, -1.0]), jnp.array([True, False]))
      Array(4., dtype=float32)
    """
    return -max(-jnp.asarray(x), mask, axis, keepdims=keepdims, empty=-empty)


def softmax(x: Float[Array, "..."], mask: Bool[Array, "..."], axis: Axis = -1) -> Float[Array, "..."]:
    """Softmax over the kept entries: 0 at the others, and 0 throughout where none is kept.

    Args:
      x: logits; minus infinity is allowed, and gives 0.
      mask: True where an entry counts; its shape broadcasts to that of ``x``.
      axis: the axis or axes to normalise over; all if None.

    Raises:
      TypeError: if ``mask`` is not boolean, or ``x`` is not real floating-point.
      ValueError: if the shape of ``mask`` does not broadcast to that of ``x``.

    Example:
      >>> softmax(jnp.array([[0.0, 0.0], [1.0, 2.0]]), jnp.array([[True, True], [False, False]]))
      Array([[0.5, 0.5],
             [0. , 0. ]], dtype=float32)
    """
    check.floating("x", x)
    x, mask = _prepare(x, mask)
    mask = mask & (x != -jnp.inf)
    largest = jax.lax.stop_gradient(max(x, mask, axis, keepdims=True))
    weights = jnp.where(mask, jnp.exp(jnp.where(mask, x - largest, 0.0)), 0.0)
    total = jnp.sum(weights, axis=axis, keepdims=True)
    return weights / jnp.where(total == 0, 1.0, total)
