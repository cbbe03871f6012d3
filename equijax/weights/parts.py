"""What the axes of a parameter consist of, as static values that an action can be built from.

An axis is a tuple of parts, row-major. A part stands still or moves by a piece of a group element, which a
path through the element's tuples leads to. A part that belongs to a family moves by the member that the
indices of other parts of the same array choose.
"""

import dataclasses
import math
from fractions import Fraction

import numpy as np


@dataclasses.dataclass(frozen=True)
class Part:
    """One factor of an axis.

    Attributes:
      size: how many values it has.
      label: a number that tells parts apart, by which families name the parts that they are over.
      path: where in the group element its own piece is; None if it stands still.
      over: labels of the parts whose indices choose the member of the family, in the order of the leading
        axes of the element's piece.
      scale, sign: the powers of the element's scales and signs that its entries are multiplied by.
      dual: for a part that matrices mix: whether by the inverse transpose; None if it is permuted.

    Example:
      >>> Part(3).path is None
      True
    """

    size: int
    label: int = -1
    path: tuple[int, ...] | None = None
    over: tuple[int, ...] = ()
    scale: tuple[int | Fraction, ...] = ()
    sign: tuple[int, ...] = ()
    dual: bool | None = None

    @property
    def is_mixed(self) -> bool:
        """Whether matrices act on it."""
        return self.path is not None and self.dual is not None


@dataclasses.dataclass(frozen=True)
class Joined:
    """A factor whose values are those of several axes, one after the other.

    Attributes:
      segments: the axes.

    Example:
      >>> Joined(((Part(2),), (Part(3), Part(4)))).size
      14
    """

    segments: tuple[tuple["Part | Joined", ...], ...]

    @property
    def size(self) -> int:
        """The sum of the sizes of the segments."""
        return sum(size_of(segment) for segment in self.segments)


def size_of(axis: tuple[Part | Joined, ...]) -> int:
    """The size of an axis.

    Example:
      >>> size_of((Part(2), Part(3)))
      6
    """
    return math.prod(part.size for part in axis)


def parts_in(axis: tuple[Part | Joined, ...]):
    """Every part of an axis, those in segments included.

    Example:
      >>> [part.size for part in parts_in((Part(2), Joined(((Part(3),), (Part(4),)))))]
      [2, 3, 4]
    """
    for part in axis:
        if isinstance(part, Joined):
            for segment in part.segments:
                yield from parts_in(segment)
        else:
            yield part


def positions(axis: tuple[Part | Joined, ...], path: tuple[int, ...]) -> np.ndarray:
    """Where the neurons of one piece of the element stand on an axis.

    Args:
      axis: the parts of the axis.
      path: the piece.

    Returns:
      Shape ``(neurons, places)``, int64: row ``i`` holds the positions that belong to neuron ``i``.

    Example:
      >>> positions((Part(2), Part(3, path=(0,))), (0,)).tolist()
      [[0, 3], [1, 4], [2, 5]]
    """
    rows = _positions(axis, path, np.zeros(1, np.int64), 1)
    return np.concatenate(rows, axis=1) if rows else np.zeros((0, 0), np.int64)


def _positions(axis, path, before: np.ndarray, stride: int) -> list[np.ndarray]:
    """One block of columns for each occurrence; ``before`` holds the offsets of everything around it."""
    found, inner = [], size_of(axis)
    for i, part in enumerate(axis):
        inner //= part.size
        around = before
        steps = size_of(axis)
        for j, other in enumerate(axis):
            steps //= other.size
            if j != i:
                around = (around[:, None] + np.arange(other.size) * steps * stride).reshape(-1)
        if isinstance(part, Joined):
            start = 0
            for segment in part.segments:
                found += _positions(segment, path, around + start * inner * stride, stride * inner)
                start += size_of(segment)
        elif part.path == path:
            found.append(np.arange(part.size)[:, None] * inner * stride + around)
    return found
