"""Equivariant maps of representations that permute entries: one for each orbit of pairs of entries.

A matrix commutes with permutations iff it is constant on the orbits of (row, column). For S(n) an orbit of
tuples is an equality pattern, so that there are as many as set partitions, at most n parts: 15 for order 2 to
order 2 (Maron et al., "Invariant and equivariant graph networks", ICLR 2019, theorem 1).
"""

import functools
import itertools

import numpy as np

from equijax.equivariance import generators
from equijax.groups import Group, PermutationTensor, Representation, S

MAX_PAIRS = 2**28
"""More pairs of entries than this are refused: their labels alone would take a gigabyte."""


@functools.lru_cache(maxsize=64)
def labels(
    group: Group, out_reps: tuple[Representation, ...], in_reps: tuple[Representation, ...]
) -> np.ndarray:
    """The number of the orbit of every pair of an output's and an input's entry.

    Args:
      group: the group, which acts by permutations.
      out_reps, in_reps: the tensor products of primitives that permute entries.

    Returns:
      int32, shape ``(d_out, d_in)``; orbits are numbered in the order of their first pair. Read-only.

    Raises:
      ValueError: if there are more than 2^28 pairs.

    Example:
      >>> labels(S(2), (PermutationTensor(1),), (PermutationTensor(1),)).tolist()
      [[0, 1], [1, 0]]
    """
    moved = [generators.permutations(group, rep) for rep in (*out_reps, *in_reps)]
    axes = [each.shape[-1] for each in moved]
    pairs = int(np.prod(axes, dtype=np.float64))
    if pairs > MAX_PAIRS:
        raise ValueError(
            f"in_rep and out_rep must have at most {MAX_PAIRS} pairs of entries, got {pairs} for {group!r} "
            f"from {in_reps!r} to {out_reps!r}"
        )
    if isinstance(group, S) and all(isinstance(rep, PermutationTensor) for rep in (*out_reps, *in_reps)):
        found = _equality_patterns(group.n, len(axes))
    else:
        found = _connected(moved, axes)
    rows = int(np.prod(axes[: len(out_reps)], dtype=np.int64))
    found = _in_order(found.ravel()).reshape(rows, -1)
    found.flags.writeable = False
    return found


def _equality_patterns(n: int, order: int) -> np.ndarray:
    """A code of which indices of a tuple are equal, shape ``(n,) * order``."""
    grid = np.ogrid[(slice(n),) * order]
    pairs = list(itertools.combinations(range(order), 2))
    code = np.zeros((n,) * order, np.int32 if len(pairs) < 31 else np.int64)
    for bit, (i, j) in enumerate(pairs):
        code += (grid[i] == grid[j]).astype(code.dtype) << bit
    return code


def _connected(moved: list[np.ndarray], axes: list[int]) -> np.ndarray:
    """Connected components of the tuples that generators send to each other."""
    from scipy.sparse import coo_array
    from scipy.sparse.csgraph import connected_components

    number = np.arange(int(np.prod(axes, dtype=np.int64)))
    if not axes or not len(moved[0]):
        return number
    table, sources, targets = number.reshape(axes), [], []
    for generator in range(len(moved[0])):
        targets.append(table[np.ix_(*(each[generator] for each in moved))].ravel())
        sources.append(number)
    edges = np.concatenate(sources), np.concatenate(targets)
    graph = coo_array((np.ones(len(edges[0]), np.int8), edges), shape=(len(number),) * 2)
    return connected_components(graph, directed=False)[1]


def _in_order(codes: np.ndarray) -> np.ndarray:
    """Codes numbered by first appearance, int32."""
    if codes.max(initial=0) >= 4 * len(codes) + 1000:
        _, codes = np.unique(codes, return_inverse=True)
    first = np.full(codes.max(initial=0) + 1, -1, np.int64)
    first[codes[::-1]] = np.arange(len(codes))[::-1]  # of equal codes, the last assignment stays
    present = np.flatnonzero(first >= 0)
    rank = np.zeros(len(first), np.int32)
    rank[present[np.argsort(first[present])]] = np.arange(len(present))
    return rank[codes]
