"""Where leaves stand in the arrays of a walk, and which loop variables run over them.

An occurrence of a leaf in an array has a key ``(axis, start, stride)``: neuron ``i`` stands at
``start + stride * i`` of that axis. Loop variables of a nest name the same keys, which is how the axes of one
operation's arrays are followed leaf by leaf.
"""

from collections.abc import Iterator
from typing import NamedTuple

from equijax.weights.factors import Factors, Free, Occurrence
from equijax.weights.nest import Nest, Traced
from equijax.weights.propagation import Propagation

Key = tuple[int, int, int]


class Run(NamedTuple):
    """One leaf of one loop variable, with the occurrences that it runs over.

    Attributes:
      leaf: the leaf's number.
      name: what tells it apart from the nest's others.
      places: pairs of an array and a key.
    """

    leaf: int
    name: tuple[int, int, int]
    places: tuple[tuple[Traced, Key], ...]


class Occurrences:
    """The occurrences of a finished walk; factors must not be refined any more.

    Example:
      >>> walk = Propagation()
      >>> x = walk.data((3, 4))
      >>> {key: each.leaf for key, each in Occurrences(walk).of(x).items()}
      {(0, 0, 1): 0, (1, 0, 1): 1}
    """

    def __init__(self, walk: Propagation):
        self.factors: Factors = walk.factors
        self.nests: list[Nest] = walk.nests
        self._of: dict[int, dict[Key, Occurrence]] = {}
        self._leaves: dict[tuple, tuple[Occurrence, ...]] = {}

    def of(self, array: Traced) -> dict[Key, Occurrence]:
        """Every occurrence in an array, those in its loops' axes included, by key.

        Example:
          >>> Occurrences(Propagation()).of(Traced(()))
          {}
        """
        found = self._of.get(id(array))
        if found is None:
            numbers = (*range(-len(array.scope), 0), *range(len(array.axes)))
            axes = ((number, array.axis(number)) for number in numbers)
            self._of[id(array)] = found = {
                (number, each.start, each.stride): each
                for number, axis in axes
                if not isinstance(axis, Free)
                for each in self.leaves(axis)
            }
        return found

    def leaves(self, axis) -> tuple[Occurrence, ...]:
        """The occurrences in one axis.

        Example:
          >>> walk = Propagation()
          >>> Occurrences(walk).leaves(walk.axis(3))[0].leaf
          0
        """
        if axis not in self._leaves:
            self._leaves[axis] = tuple(self.factors.occurrences(axis))
        return self._leaves[axis]

    def runs(self, nest: Nest) -> Iterator[Run]:
        """The loop variables of a nest, leaf by leaf.

        Where a rule tied axes that did not fit, an array has no occurrence of the key, or of another leaf;
        the run then has leaf -1, and whoever reads it must leave all its places alone.

        Example:
          >>> walk = Propagation()
          >>> _ = walk.freeze(walk.data((3,)), 0, "why")
          >>> [run.leaf for run in Occurrences(walk).runs(walk.nests[0])]
          [0]
        """
        for number, link in enumerate(nest.links):
            for each in self.leaves(link.axis):
                places = tuple(
                    (p.array, (p.axis, p.start + p.stride * each.start, p.stride * each.stride))
                    for p in link.places
                )
                held = (self.of(array).get(key) for array, key in places)
                fits = all(occurrence is not None and occurrence.leaf == each.leaf for occurrence in held)
                name = (number, each.start, each.stride)
                if fits:
                    yield Run(each.leaf, name, places)
                else:
                    yield from self._misfits(link, name)

    def _misfits(self, link, name) -> Iterator[Run]:
        """Everything on the axes of a link that does not fit."""
        places = tuple((p.array, key) for p in link.places for key in self.of(p.array) if key[0] == p.axis)
        yield Run(-1, name, places)
