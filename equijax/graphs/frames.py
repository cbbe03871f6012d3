"""Frames of graphs: the orders of the nodes that sort an invariant key of each.

Puny et al., "Frame averaging for invariant and equivariant network design", ICLR 2022, section 3.3. A frame
of a graph of n nodes consists of elements of S(n); as an array, an element lists the nodes in sorted order,
and the canonical form of node features x is ``x[element]``. Nodes with equal keys may stand in any order, so
a frame has as many elements as the tied blocks have permutations; `minimal_frame` has the fewest possible.
"""

import itertools
import math

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Bool, Float

from equijax.groups import S
from equijax.groups.frame import Frame, uniform_frame
from equijax.numerics import check


def spectral_key(
    adjacency: Float[Array, "... n n"],
    mask: Bool[Array, "... n"] | None = None,
    *,
    tolerance: float | None = None,
) -> Float[Array, "... n n"]:
    """A key of every node, from the eigenspaces of the Laplacian, that permutations of the nodes permute.

    Column k is the diagonal of the projection to the k-th distinct eigenvalue of ``L = D - A``, in ascending
    order: the sum of the squared entries of its eigenvectors. Columns beyond the last distinct eigenvalue are
    zero. Eigenvalues count as one where the gap to the next is below the tolerance, and so do the entries of
    a column: rounding never decides which nodes are tied, as it does where floating-point numbers are
    compared for equality.

    Args:
      adjacency: symmetric matrices, possibly weighted.
      mask: True where a node exists. Rows of the others are infinite, and so sort last.
      tolerance: relative to the largest eigenvalue for eigenvalues, absolute for the entries, which lie in
        [0, 1]; 1e-6 in double precision and 1e-3 in single precision if None. Compute keys of graphs with
        more than a few dozen nodes in double precision.

    Returns:
      Keys, one row a node, without derivatives.

    Raises:
      TypeError: if ``adjacency`` is not real floating-point, or ``mask`` not boolean.
      ValueError: if the shapes do not match, or ``tolerance`` is not positive.

    Example:
      >>> path = jnp.array([[0.0, 1.0, 0.0], [1.0, 0.0, 1.0], [0.0, 1.0, 0.0]])
      >>> (6 * spectral_key(path)).round()
      Array([[2., 3., 1.],
             [2., 0., 4.],
             [2., 3., 1.]], dtype=float32)
    """
    check.floating("adjacency", adjacency)
    n = check.shape("adjacency", adjacency, "... n n")["n"]
    adjacency = jax.lax.stop_gradient(jnp.asarray(adjacency))
    mask = jnp.ones(adjacency.shape[:-1], bool) if mask is None else jnp.asarray(mask)
    if mask.dtype != bool:
        raise TypeError(f"mask must be a boolean array, got dtype {mask.dtype}")
    check.shape("mask", mask, "... n", n=n)
    if tolerance is None:
        tolerance = 1e-6 if adjacency.dtype == jnp.float64 else 1e-3
    check.positive("tolerance", tolerance)
    if n == 0:
        return adjacency
    adjacency = jnp.where(mask[..., :, None] & mask[..., None, :], adjacency, 0)
    degrees = jnp.sum(adjacency, axis=-1)
    # No eigenvalue of the rest exceeds this one, so that missing nodes come last, each alone.
    bound = 1 + 4 * jnp.max(jnp.sum(jnp.abs(adjacency), axis=-1), axis=-1, keepdims=True)
    diagonal = jnp.where(mask, degrees, bound)
    values, vectors = jnp.linalg.eigh(diagonal[..., :, None] * jnp.eye(n, dtype=adjacency.dtype) - adjacency)
    gaps = jnp.diff(values, axis=-1) > tolerance * (bound - 1)
    space = jnp.cumsum(jnp.concatenate([jnp.zeros((*gaps.shape[:-1], 1), bool), gaps], axis=-1), axis=-1)
    real = values < bound - 0.5
    member = jax.nn.one_hot(jnp.where(real, space, -1), n, dtype=adjacency.dtype)
    keys = jnp.einsum("...ik,...kc->...ic", vectors**2, member, precision="highest")
    return jnp.where(mask[..., None], _merge_close(keys, tolerance), jnp.inf)


def sorting_frame(keys: Float[Array, "n k"], *, max_size: int = 5040) -> Frame:
    """All orders of the nodes in which their keys are sorted lexicographically.

    Rows with an infinite first entry, which are no nodes, keep their order at the end. Runs on the host, as
    the number of elements depends on the values.

    Args:
      keys: one row a node; rows are tied where they are equal, as those of `spectral_key` are.
      max_size: the largest number of elements to list.

    Returns:
      The frame of S(n), with equal weights. It is equivariant where the keys are.

    Raises:
      TypeError: if ``keys`` is no array of numbers that are known, as under ``jit``.
      ValueError: if ``keys`` is not a matrix, or there are more elements than ``max_size``.

    Example:
      >>> sorting_frame(jnp.array([[1.0], [0.0], [1.0]])).elements
      Array([[1, 0, 2],
             [1, 2, 0]], dtype=int32)
    """
    size = sorting_frame_size(keys)
    if size > max_size:
        raise ValueError(f"keys must have at most {max_size} sorted orders to list them, got {size:.3g}")
    blocks = _tied_blocks(np.asarray(keys))
    orders = [
        np.concatenate(parts) for parts in itertools.product(*(itertools.permutations(b) for b in blocks))
    ]
    n = len(keys)
    return uniform_frame(S(n), jnp.asarray(np.reshape(orders, (size, n)), jnp.int32))


def sorting_frame_size(keys: Float[Array, "n k"]) -> int:
    """The number of elements of `sorting_frame`: the product of the factorials of the tied blocks.

    Raises:
      TypeError: if ``keys`` is no array of numbers that are known, as under ``jit``.
      ValueError: if ``keys`` is not a matrix with at least one row.

    Example:
      >>> sorting_frame_size(jnp.zeros((30, 1)))
      265252859812191058636308480000000
    """
    if isinstance(keys, jax.core.Tracer):
        raise TypeError("keys must be known numbers, as the number of elements depends on them, got a tracer")
    if check.shape("keys", keys, "n k")["n"] == 0:
        raise ValueError(f"keys must have at least one row, got {np.shape(keys)}")
    return math.prod(math.factorial(len(block)) for block in _tied_blocks(np.asarray(keys)))


def sampled_sorting_frame(key: Array, keys: Float[Array, "... n k"], *, num_samples: int) -> Frame:
    """Random orders of the nodes in which their keys are sorted: an unbiased part of `sorting_frame`.

    Tied nodes are shuffled uniformly. Averages over such a frame are equivariant in expectation only; for
    graphs whose nodes are not tied they are exact, with one sample. Under one key, they are deterministic
    functions of the graph as it is numbered.

    Args:
      key: a JAX random key.
      keys: one row a node, as from `spectral_key`; rows with an infinite first entry stay last, in order.
      num_samples: how many orders to draw, independently.

    Returns:
      A frame of S(n) with batch axes ``...`` and equal weights.

    Raises:
      TypeError: if ``key`` is no random key, or ``keys`` is not real floating-point.
      ValueError: if ``keys`` is no matrix of keys, or ``num_samples`` is below 1.

    Example:
      >>> keys = jnp.array([[1.0], [0.0], [2.0]])
      >>> sampled_sorting_frame(jax.random.key(0), keys, num_samples=2).elements
      Array([[1, 0, 2],
             [1, 0, 2]], dtype=int32)
    """
    check.key("key", key)
    check.floating("keys", keys)
    check.count("num_samples", num_samples, 1)
    n = check.shape("keys", keys, "... n k")["n"]
    keys = jax.lax.stop_gradient(jnp.asarray(keys))
    batch = (*keys.shape[:-2], num_samples)
    random = jax.random.uniform(key, (*batch, n), keys.dtype)
    missing = jnp.isinf(keys[..., 0])[..., None, :] if keys.shape[-1] else jnp.zeros(n, bool)
    ties = jnp.where(missing, jnp.arange(n, dtype=keys.dtype), random)
    columns = jnp.broadcast_to(jnp.moveaxis(keys, -1, 0)[..., None, :], (keys.shape[-1], *batch, n))
    order = jnp.lexsort((ties, *columns[::-1]), axis=-1).astype(jnp.int32)
    return uniform_frame(S(n), order, dtype=keys.dtype)


def _tied_blocks(keys: np.ndarray) -> list[list[int]]:
    """Nodes in sorted order, in blocks of equal keys; missing nodes are blocks of their own, at the end."""
    n = len(keys)
    missing = np.isinf(keys[:, 0]) if keys.shape[1] else np.zeros(n, bool)
    order = np.lexsort((np.where(missing, np.arange(n), 0), *keys.T[::-1]))
    blocks: list[list[int]] = []
    for place, node in enumerate(order):
        tied = place > 0 and not missing[node] and np.array_equal(keys[node], keys[order[place - 1]])
        if tied:
            blocks[-1].append(int(node))
        else:
            blocks.append([int(node)])
    return blocks


def _merge_close(values: Array, tolerance: float) -> Array:
    """In every column, runs of values with gaps below the tolerance become the smallest value of the run."""
    order = jnp.argsort(values, axis=-2)
    ascending = jnp.take_along_axis(values, order, axis=-2)
    starts = jnp.diff(ascending, axis=-2, prepend=-jnp.inf) > tolerance
    merged = jax.lax.cummax(jnp.where(starts, ascending, -jnp.inf), axis=values.ndim - 2)
    return jnp.take_along_axis(merged, jnp.argsort(order, axis=-2), axis=-2)
