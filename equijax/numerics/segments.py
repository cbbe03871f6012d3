"""Reductions over segments of an axis, such as the edges that end at each node of a padded graph.

``segment_ids[e]`` is the segment of row ``e``; ids need not be sorted. Rows with mask False, and rows whose
id is outside ``[0, num_segments)``, never change a result or a gradient, whatever they hold. Segments without
rows are
defined: 0, unless told otherwise.
"""

import jax
import jax.numpy as jnp
from jaxtyping import Array, Bool, Float, Int, Shaped

from equijax.numerics import check


def _prepare(
    data: Array, segment_ids: Array, num_segments: int, mask: Array | None
) -> tuple[Array, Array, Array]:
    """The arguments checked, rows that do not count sent to id ``num_segments``, and where rows count."""
    data, ids = jnp.asarray(data), jnp.asarray(segment_ids)
    rows = check.shape("segment_ids", ids, "rows")["rows"]
    check.integer("segment_ids", ids)
    check.count("num_segments", num_segments, 0)
    if data.ndim == 0 or data.shape[0] != rows:
        raise ValueError(f"data must have shape (rows, ...), rows={rows} as in segment_ids, got {data.shape}")
    counts = (ids >= 0) & (ids < num_segments)
    if mask is not None:
        check.shape("mask", mask, "rows", rows=rows)
        mask = jnp.asarray(mask)
        if mask.dtype != bool:
            raise TypeError(f"mask must be a boolean array, got dtype {mask.dtype}")
        counts = counts & mask
    return data, jnp.where(counts, ids, num_segments), counts


def _rows(counts: Array, data: Array) -> Array:
    """Where rows count, with axes that broadcast against the data."""
    return counts.reshape(-1, *(1,) * (data.ndim - 1))


def _spread(values: Array, ids: Array) -> Array:
    """Each row's segment value; 0 for rows that do not count."""
    return jnp.take(values, ids, axis=0, mode="fill", fill_value=0)


def sum(
    data: Shaped[Array, "rows ..."],
    segment_ids: Int[Array, "rows"],
    num_segments: int,
    mask: Bool[Array, "rows"] | None = None,
) -> Shaped[Array, "segments ..."]:
    """Sum of the rows of each segment; 0 where there are none.

    Args:
      data: rows, shape ``(rows, ...)``.
      segment_ids: the segment of each row, shape ``(rows,)``.
      num_segments: how many segments there are; static.
      mask: True where a row counts, shape ``(rows,)``; all rows if None.

    Returns:
      Shape ``(num_segments, ...)``.

    Raises:
      TypeError: if ``segment_ids`` are not integers, or ``mask`` is not boolean.
      ValueError: if shapes do not match.

    Example:
      >>> sum(jnp.array([1.0, 2.0, jnp.nan]), jnp.array([1, 1, 0]), 3, jnp.array([True, True, False]))
      Array([0., 3., 0.], dtype=float32)
    """
    data, ids, counts = _prepare(data, segment_ids, num_segments, mask)
    return jax.ops.segment_sum(jnp.where(_rows(counts, data), data, 0), ids, num_segments)


def count(
    segment_ids: Int[Array, "rows"], num_segments: int, mask: Bool[Array, "rows"] | None = None
) -> Int[Array, "segments"]:
    """The number of rows of each segment.

    Args:
      segment_ids: the segment of each row, shape ``(rows,)``.
      num_segments: how many segments there are; static.
      mask: True where a row counts, shape ``(rows,)``; all rows if None.

    Raises:
      TypeError: if ``segment_ids`` are not integers, or ``mask`` is not boolean.
      ValueError: if shapes do not match.

    Example:
      >>> count(jnp.array([1, 1, 0]), 3)
      Array([1, 2, 0], dtype=int32)
    """
    return sum(jnp.ones(jnp.shape(segment_ids), jnp.int32), segment_ids, num_segments, mask)


def mean(
    data: Float[Array, "rows ..."],
    segment_ids: Int[Array, "rows"],
    num_segments: int,
    mask: Bool[Array, "rows"] | None = None,
) -> Float[Array, "segments ..."]:
    """Mean of the rows of each segment; 0 where there are none.

    Args:
      data: rows, shape ``(rows, ...)``.
      segment_ids: the segment of each row, shape ``(rows,)``.
      num_segments: how many segments there are; static.
      mask: True where a row counts, shape ``(rows,)``; all rows if None.

    Raises:
      TypeError: if ``data`` is not real floating-point, ``segment_ids`` are not integers, or ``mask`` is not
        boolean.
      ValueError: if shapes do not match.

    Example:
      >>> mean(jnp.array([[1.0], [2.0], [9.0]]), jnp.array([1, 1, 0]), 3)[:, 0]
      Array([9. , 1.5, 0. ], dtype=float32)
    """
    check.floating("data", data)
    total = sum(data, segment_ids, num_segments, mask)
    rows = jnp.maximum(count(segment_ids, num_segments, mask), 1)
    return total / _rows(rows, total).astype(total.dtype)


def max(
    data: Float[Array, "rows ..."],
    segment_ids: Int[Array, "rows"],
    num_segments: int,
    mask: Bool[Array, "rows"] | None = None,
    *,
    empty: float = 0.0,
) -> Float[Array, "segments ..."]:
    """Largest entry of each segment; ``empty`` where there are no rows.

    Args:
      data: rows, shape ``(rows, ...)``.
      segment_ids: the segment of each row, shape ``(rows,)``.
      num_segments: how many segments there are; static.
      mask: True where a row counts, shape ``(rows,)``; all rows if None.
      empty: the result for segments without rows.

    Raises:
      TypeError: if ``data`` is not real floating-point, ``segment_ids`` are not integers, or ``mask`` is not
        boolean.
      ValueError: if shapes do not match.

    Example:
      >>> max(jnp.array([-1.0, -2.0, 9.0]), jnp.array([1, 1, 0]), 3)
      Array([ 9., -1.,  0.], dtype=float32)
    """
    check.floating("data", data)
    data, ids, counts = _prepare(data, segment_ids, num_segments, mask)
    largest = jax.ops.segment_max(jnp.where(_rows(counts, data), data, 0), ids, num_segments)
    some = jax.ops.segment_sum(counts.astype(jnp.int32), ids, num_segments) > 0
    return jnp.where(_rows(some, largest), largest, jnp.asarray(empty, largest.dtype))


def min(
    data: Float[Array, "rows ..."],
    segment_ids: Int[Array, "rows"],
    num_segments: int,
    mask: Bool[Array, "rows"] | None = None,
    *,
    empty: float = 0.0,
) -> Float[Array, "segments ..."]:
    """Smallest entry of each segment; ``empty`` where there are no rows.

    Args:
      data: rows, shape ``(rows, ...)``.
      segment_ids: the segment of each row, shape ``(rows,)``.
      num_segments: how many segments there are; static.
      mask: True where a row counts, shape ``(rows,)``; all rows if None.
      empty: the result for segments without rows.

    Raises:
      TypeError: if ``data`` is not real floating-point, ``segment_ids`` are not integers, or ``mask`` is not
        boolean.
      ValueError: if shapes do not match.

    Example:
      >>> min(jnp.array([-1.0, -2.0, 9.0]), jnp.array([1, 1, 0]), 3)
      Array([ 9., -2.,  0.], dtype=float32)
    """
    return -max(-jnp.asarray(data), segment_ids, num_segments, mask, empty=-empty)


def softmax(
    logits: Float[Array, "rows ..."],
    segment_ids: Int[Array, "rows"],
    num_segments: int,
    mask: Bool[Array, "rows"] | None = None,
) -> Float[Array, "rows ..."]:
    """Softmax over the rows of each segment, each trailing entry apart; 0 at rows that do not count.

    Args:
      logits: rows, shape ``(rows, ...)``; minus infinity is allowed, and gives 0.
      segment_ids: the segment of each row, shape ``(rows,)``.
      num_segments: how many segments there are; static.
      mask: True where a row counts, shape ``(rows,)``; all rows if None.

    Returns:
      Weights of the shape of ``logits``, which sum to 1 over each segment that has rows.

    Raises:
      TypeError: if ``logits`` are not real floating-point, ``segment_ids`` are not integers, or ``mask`` is
        not
        boolean.
      ValueError: if shapes do not match.

    Example:
      >>> softmax(jnp.array([0.0, 0.0, 5.0]), jnp.array([1, 1, 0]), 2, jnp.array([True, True, False]))
      Array([0.5, 0.5, 0. ], dtype=float32)
    """
    check.floating("logits", logits)
    logits, ids, counts = _prepare(logits, segment_ids, num_segments, mask)
    kept = _rows(counts, logits) & (logits != -jnp.inf)
    largest = jax.ops.segment_max(jnp.where(kept, logits, -jnp.inf), ids, num_segments)
    largest = jax.lax.stop_gradient(jnp.where(largest == -jnp.inf, 0.0, largest))
    weights = jnp.where(kept, jnp.exp(jnp.where(kept, logits - _spread(largest, ids), 0.0)), 0.0)
    total = _spread(jax.ops.segment_sum(weights, ids, num_segments), ids)
    return weights / jnp.where(total == 0, 1.0, total)
