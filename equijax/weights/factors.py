"""Axes as products and sums of factors, and the union-find that ties factors together.

An axis of a neural network's array is more than its size: 12 channels may be 3 heads of 4 features (a
product, row-major), or 5 channels joined to 7 others (a sum, in segments). An axis is therefore a tuple of
*factors*, and a factor is a leaf, or has been refined into a product or a sum of others. A permutation of
neurons is a permutation of a leaf; leaves that must move together are united, and a leaf that must not move
at all is frozen, with the reason.
"""

import dataclasses
import itertools
import math
from collections.abc import Iterable, Iterator
from typing import NamedTuple

Axis = tuple[int, ...]
"""Factors of one axis in row-major order; the empty tuple is an axis of size 1."""


@dataclasses.dataclass(frozen=True)
class Free:
    """An axis along which an array is constant, so that every permutation leaves it alone.

    Attributes:
      size: the number of equal entries.

    Example:
      >>> Free(3)
      Free(size=3)
    """

    size: int


class Occurrence(NamedTuple):
    """Where a leaf stands in an axis: neuron ``i`` at positions ``start + stride * i`` and others.

    Attributes:
      leaf: the leaf's number.
      start: the first position of the segment that the leaf belongs to.
      stride: the distance of neighbouring neurons.
      siblings: the factors that vary with it, in the same products: pairs (factor, path) as in `path`.
      path: the way from the axis to the leaf, which tells apart equal leaves in different segments.
    """

    leaf: int
    start: int
    stride: int
    siblings: tuple[tuple[int, tuple], ...]
    path: tuple


class Factors:
    """The factors of all axes of a traced function.

    Example:
      >>> factors = Factors()
      >>> hidden, heads, features = factors.new(12), factors.new(3), factors.new(4)
      >>> factors.unify(hidden, heads + features)
      True
      >>> factors.expand(hidden) == factors.expand(heads + features)
      True
    """

    def __init__(self):
        self._parent: list[int] = []
        self._size: list[int] = []
        self._product: list[Axis | None] = []
        self._sum: list[tuple[Axis, ...] | None] = []
        self._reason: list[str | None] = []

    def __len__(self) -> int:
        return len(self._parent)

    def new(self, size: int, reason: str | None = None) -> Axis:
        """A new axis of one leaf; frozen if a reason is given.

        Example:
          >>> Factors().new(4), Factors().new(1)
          ((0,), ())
        """
        if size == 1:
            return ()
        self._parent.append(len(self._parent))
        self._size.append(int(size))
        self._product.append(None)
        self._sum.append(None)
        self._reason.append(reason)
        return (len(self._parent) - 1,)

    def size(self, axis: Axis | Free) -> int:
        """The size of an axis.

        Example:
          >>> Factors().size(Free(3))
          3
        """
        return axis.size if isinstance(axis, Free) else math.prod(self._size[f] for f in axis)

    def root(self, factor: int) -> int:
        """The factor that stands for all those united with the given one.

        Example:
          >>> factors = Factors()
          >>> a, b = factors.new(3), factors.new(3)
          >>> factors.unify(a, b) and factors.root(b[0]) == factors.root(a[0])
          True
        """
        parent = self._parent
        while parent[factor] != factor:
            parent[factor] = parent[parent[factor]]
            factor = parent[factor]
        return factor

    def expand(self, axis: Axis) -> Axis:
        """The factors of an axis, products replaced by their factors: leaves and sums only.

        Example:
          >>> factors = Factors()
          >>> factors.expand(factors.new(5))
          (0,)
        """
        expanded = []
        for factor in axis:
            root = self.root(factor)
            product = self._product[root]
            expanded.extend((root,) if product is None else self.expand(product))
        return tuple(expanded)

    def parts(self, root: int) -> tuple[Axis, ...] | None:
        """The segments of a factor that is a sum, else None.

        Example:
          >>> factors = Factors()
          >>> factors.parts(factors.join([factors.new(2), factors.new(3)])[0])
          ((0,), (1,))
        """
        return self._sum[root]

    def reason(self, root: int) -> str | None:
        """Why a leaf is frozen; None if it is not.

        Example:
          >>> Factors().new(3, "input axis")
          (0,)
        """
        return self._reason[root]

    def occurrences(self, axis: Axis, start: int = 0, stride: int = 1) -> Iterator[Occurrence]:
        """Every leaf of an axis.

        Args:
          axis: the axis.
          start, stride: where its first entry stands, and how far its entries are apart.

        Example:
          >>> factors = Factors()
          >>> axis = factors.join([factors.new(2), factors.new(3)])
          >>> [(each.leaf, each.start) for each in factors.occurrences(axis)]
          [(0, 0), (1, 2)]
        """
        yield from self._occurrences(axis, start, stride, (), ())

    def _occurrences(self, axis, start, stride, siblings, path):
        """Walk down products and sums."""
        expanded = self.expand(axis)
        inner = [stride * math.prod(self._size[f] for f in expanded[i + 1 :]) for i in range(len(expanded))]
        places = tuple((root, (*path, i)) for i, root in enumerate(expanded))
        for i, root in enumerate(expanded):
            around = siblings + places[:i] + places[i + 1 :]
            if self._sum[root] is None:
                yield Occurrence(root, start, inner[i], around, (*path, i))
                continue
            offset = start
            for j, part in enumerate(self._sum[root]):
                yield from self._occurrences(part, offset, inner[i], around, (*path, i, j))
                offset += inner[i] * self.size(part)

    def freeze(self, axis: Axis | Free, reason: str) -> None:
        """Freeze every leaf of an axis; the first reason stays.

        Example:
          >>> factors = Factors()
          >>> axis = factors.new(3)
          >>> factors.freeze(axis, "indexed")
          >>> factors.reason(axis[0])
          'indexed'
        """
        if isinstance(axis, Free):
            return
        for root in self.expand(axis):
            parts = self._sum[root]
            if parts is None:
                self._reason[root] = self._reason[root] or reason
            else:
                for part in parts:
                    self.freeze(part, reason)

    def join(self, parts: Iterable[Axis]) -> Axis:
        """The axis whose segments are the given axes, one after the other.

        Example:
          >>> factors = Factors()
          >>> factors.size(factors.join([factors.new(2), factors.new(3)]))
          5
        """
        parts = tuple(parts)
        if len(parts) == 1:
            return parts[0]
        joined = self.new(sum(self.size(part) for part in parts))
        if joined:
            self._sum[joined[0]] = parts
        return joined

    def cut(self, axis: Axis, positions: Iterable[int], reason: str) -> list[Axis]:
        """Cut an axis at positions.

        A leaf that is cut becomes a sum. Where a cut falls inside a product in a way that no sum of products
        has, the axis is frozen, and so are the pieces.

        Args:
          axis: the axis.
          positions: where to cut, increasing.
          reason: why the axis is frozen, if it has to be.

        Returns:
          The pieces in order, one more than there are positions strictly inside the axis.

        Example:
          >>> factors = Factors()
          >>> [factors.size(piece) for piece in factors.cut(factors.new(5), [2], "cut")]
          [2, 3]
        """
        size = self.size(axis)
        edges = [0, *sorted({p for p in positions if 0 < p < size}), size]
        segments = self._cut_segments(self._segments(axis), edges)
        if segments is None:
            self.freeze(axis, reason)
            return [self.new(b - a, reason) for a, b in itertools.pairwise(edges)]
        pieces, held, start = [], [], 0
        remaining = iter(edges[1:])
        edge = next(remaining)
        for segment in segments:
            held.append(segment)
            start += self.size(segment)
            if start == edge:
                pieces.append(axis if len(edges) == 2 else self.join(held))
                held, edge = [], next(remaining, None)
        return pieces

    def _segments(self, axis: Axis) -> list[Axis]:
        """The axis as a list of segments: sums in front distribute over the factors behind them."""
        expanded = self.expand(axis)
        if not expanded or self._sum[expanded[0]] is None:
            return [expanded]
        return [segment for part in self._sum[expanded[0]] for segment in self._segments(part + expanded[1:])]

    def _cut_segments(self, segments: list[Axis], edges: list[int]) -> list[Axis] | None:
        """The segments cut further, so that each edge is a boundary; None if that cannot be."""
        result, start = [], 0
        for segment in segments:
            # A leaf may stand in several segments, and the cut of one of them cuts the others.
            for fresh in self._segments(segment):
                stop = start + self.size(fresh)
                pieces = self._cut_product(fresh, [edge - start for edge in edges if start < edge < stop])
                if pieces is None:
                    return None
                result.extend(pieces)
                start = stop
        return result

    def _cut_product(self, segment: Axis, positions: list[int]) -> list[Axis] | None:
        """A product cut along its first factor, which is a leaf."""
        if not positions:
            return [segment]
        first, rest = segment[0], segment[1:]
        stride = self.size(rest)
        if any(position % stride for position in positions):
            return None
        edges = [0, *(position // stride for position in positions), self._size[first]]
        pieces = tuple(self.new(b - a, self._reason[first]) for a, b in itertools.pairwise(edges))
        self._sum[first] = pieces
        return [piece + rest for piece in pieces]

    def unify(self, a: Axis | Free, b: Axis | Free, reason: str = "axes of different structure") -> bool:
        """Make two axes of equal size move together.

        Leaves are united; a leaf that meets a product or a sum is refined like it. Where the structures do
        not fit, both axes are frozen.

        Args:
          a, b: axes of equal size; an axis that is `Free` asks for nothing.
          reason: why the axes are frozen, if they have to be.

        Returns:
          Whether the structures fitted.

        Example:
          >>> factors = Factors()
          >>> factors.unify(factors.new(4) + factors.new(3), factors.new(6) + factors.new(2))
          False
        """
        if isinstance(a, Free) or isinstance(b, Free):
            return True
        if self._align(a, b, reason):
            return True
        self.freeze(a, reason)
        self.freeze(b, reason)
        return False

    def _align(self, a: Axis, b: Axis, reason: str) -> bool:
        """Walk along two products from the front."""
        a, b = self.expand(a), self.expand(b)
        while a and b:
            x, y = a[0], b[0]
            if x == y or self._size[x] == self._size[y]:
                if x != y and not self._merge(x, y, reason):
                    return False
                a, b = self.expand(a[1:]), self.expand(b[1:])
                continue
            if self._size[x] < self._size[y]:
                a, b, x, y = b, a, y, x
            if self._sum[x] is not None or (self._sum[y] is not None and self._size[x] % self._size[y]):
                return self._align_segments(self._segments(a), self._segments(b), reason)
            if self._size[x] % self._size[y]:
                return False
            self.refine(x, self._size[y])
            a, b = self.expand(a), self.expand(b)
        return True

    def refine(self, leaf: int, outer: int) -> None:
        """Make a leaf a product of an outer factor of a given size and an inner one.

        Example:
          >>> factors = Factors()
          >>> axis = factors.new(6)
          >>> factors.refine(axis[0], 2)
          >>> factors.expand(axis)
          (1, 2)
        """
        why = self._reason[leaf]
        self._product[leaf] = self.new(outer, why) + self.new(self._size[leaf] // outer, why)

    def _merge(self, x: int, y: int, reason: str) -> bool:
        """Unite two roots of equal size, leaves or sums."""
        if self._sum[x] is None and self._sum[y] is not None:
            x, y = y, x
        parts = self._sum[y]
        self._parent[y] = x
        if self._sum[x] is None:
            self._reason[x] = self._reason[x] or self._reason[y]
            return True
        if parts is None:
            if self._reason[y]:
                self.freeze((x,), self._reason[y])
            return True
        ours = [segment for part in self._sum[x] for segment in self._segments(part)]
        theirs = [segment for part in parts for segment in self._segments(part)]
        return self._align_segments(ours, theirs, reason)

    def _align_segments(self, a: list[Axis], b: list[Axis], reason: str) -> bool:
        """Cut two lists of segments at each other's boundaries, and tie them piece by piece."""
        edges = set()
        for segments in (a, b):
            position = 0
            for segment in segments:
                position += self.size(segment)
                edges.add(position)
        edges = sorted(edges)
        whole = a + b
        a, b = self._cut_segments(a, edges), self._cut_segments(b, edges)
        if a is None or b is None:
            for segment in whole:
                self.freeze(segment, reason)
            return False
        # All pairs, also after one that does not fit: its axes are frozen, the others still move together.
        fitted = [self.unify(x, y, reason) for x, y in _common_pieces(self, a, b)]
        return all(fitted)


def _common_pieces(factors: Factors, a: list[Axis], b: list[Axis]) -> list[tuple[Axis, Axis]]:
    """Pairs of equal size from two lists of segments; neighbours are joined where one is cut more finely."""
    pairs, i, j = [], 0, 0
    while i < len(a):
        x, y = [a[i]], [b[j]]
        i, j = i + 1, j + 1
        size_x, size_y = factors.size(x[0]), factors.size(y[0])
        while size_x != size_y:
            if size_x < size_y:
                x.append(a[i])
                size_x, i = size_x + factors.size(a[i]), i + 1
            else:
                y.append(b[j])
                size_y, j = size_y + factors.size(b[j]), j + 1
        pairs.append((factors.join(x), factors.join(y)))
    return pairs
