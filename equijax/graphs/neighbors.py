"""Which points are within a distance of each other, in free space or in a periodic cell.

Runs on the host (the number of edges depends on the data); the search itself is done by ``vesin``.
"""

from typing import NamedTuple

import numpy as np
from jaxtyping import Float, Int

from equijax.numerics import check


class NeighborList(NamedTuple):
    """Directed edges, both directions of each pair, sorted by receiver.

    The vector from the receiver to the sender is ``positions[senders] - positions[receivers] + shifts``.

    Attributes:
      senders: shape ``(e,)``.
      receivers: shape ``(e,)``.
      shifts: lattice translation of the sender's image, shape ``(e, 3)``; zero in free space.
    """

    senders: Int[np.ndarray, "e"]
    receivers: Int[np.ndarray, "e"]
    shifts: Float[np.ndarray, "e 3"]


def neighbor_list(
    positions: Float[np.ndarray, "n 3"],
    cutoff: float,
    *,
    cell: Float[np.ndarray, "3 3"] | None = None,
    pbc: tuple[bool, bool, bool] | bool = False,
) -> NeighborList:
    """All pairs of points closer than a cut-off; a point is its own neighbour only through the lattice.

    Args:
      positions: shape ``(n, 3)``, finite.
      cutoff: largest distance, in the unit of the positions.
      cell: lattice vectors as rows; needed for every periodic direction.
      pbc: which of the lattice directions are periodic.

    Raises:
      ValueError: if shapes are wrong, an entry is not finite, the cut-off is not positive, a periodic
        direction has no lattice vector, or the lattice vectors are linearly dependent.

    Example:
      >>> pairs = neighbor_list(np.array([[0.0, 0, 0], [1.0, 0, 0], [3.0, 0, 0]]), 1.5)
      >>> pairs.senders.tolist(), pairs.receivers.tolist()
      ([1, 0], [0, 1])
    """
    from vesin import NeighborList as Search

    positions = np.ascontiguousarray(positions, np.float64)
    check.shape("positions", positions, "n 3")
    check.positive("cutoff", cutoff)
    if not np.isfinite(cutoff):
        raise ValueError(f"cutoff must be finite, got {cutoff!r}")
    if not np.isfinite(positions).all():
        raise ValueError(f"positions must be finite, got {positions[~np.isfinite(positions).all(1)][0]}")
    if np.shape(pbc) not in ((), (3,)):
        raise ValueError(f"pbc must be one or three booleans, got {pbc!r}")
    periodic = np.broadcast_to(np.asarray(pbc, bool), (3,))
    if len(positions) == 0:
        return NeighborList(np.zeros(0, np.int32), np.zeros(0, np.int32), np.zeros((0, 3)))
    box = _lattice(cell, periodic)
    search = Search(cutoff=float(cutoff), full_list=True)
    receivers, senders, images = search.compute(positions, box, list(map(bool, periodic)), quantities="ijS")
    order = np.lexsort((senders, receivers))
    shifts = images.astype(np.float64) @ box
    return NeighborList(
        senders[order].astype(np.int32), receivers[order].astype(np.int32), shifts[order].reshape(-1, 3)
    )


def _lattice(cell, periodic) -> np.ndarray:
    """Three independent lattice vectors; those of open directions are made up where they are missing."""
    if cell is None:
        cell = np.zeros((3, 3))
    cell = np.array(cell, np.float64)
    check.shape("cell", cell, "3 3")
    if not np.isfinite(cell).all():
        raise ValueError(f"cell must be finite, got {cell.tolist()}")
    missing = ~cell.any(axis=1)
    if (missing & periodic).any():
        raise ValueError(
            f"cell must have a lattice vector for every periodic direction of pbc={periodic.tolist()}, "
            f"got {cell.tolist()}"
        )
    from ase.geometry.cell import complete_cell

    box = complete_cell(cell)
    if abs(np.linalg.det(box)) < 1e-9 * np.prod(np.linalg.norm(box, axis=1)):
        raise ValueError(f"cell must have linearly independent lattice vectors, got {cell.tolist()}")
    return box
