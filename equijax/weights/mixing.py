"""Matrices that commute with a network: invertible ones between linear maps, orthogonal ones under norms.

An occurrence is mixed by a matrix, or by its inverse transpose. Linear operations that keep an axis pass the
matrix on, a contraction pairs a matrix with its inverse transpose, and a sum of squares pairs it with itself,
which only orthogonal matrices allow. Anything else forbids mixing. The queries and keys of attention without
rotary positions, its values and outputs, and residual streams under RMSNorm without a gain are such axes:
Theus et al., "Generalized linear mode connectivity for transformers", NeurIPS 2025.
"""

from typing import NamedTuple

from equijax.weights.nest import Nest, Traced
from equijax.weights.occurrences import Key, Occurrences, Run
from equijax.weights.scales import CONTROL, LINEAR, is_linear, sides

_PASS = LINEAR - {"complex", "real", "imag"}
Place = tuple[int, Key]


class Mix(NamedTuple):
    """How matrices act on an occurrence.

    Attributes:
      component: the number that tells which matrix.
      dual: whether by its inverse transpose.
      is_orthogonal: whether the matrix has to be orthogonal.

    Example:
      >>> Mix(0, False, True).is_orthogonal
      True
    """

    component: int
    dual: bool
    is_orthogonal: bool


class Mixing:
    """The occurrences that matrices may act on, in components that one matrix acts on.

    Args:
      occurrences: of the finished walk.
      arrays: parameters, and inputs that are free.

    Example:
      >>> import jax, numpy as np
      >>> from equijax.weights.propagation import Propagation
      >>> walk, values = Propagation(), (np.ones((2, 3)), np.ones((3, 4)), np.ones(2))
      >>> w, v, x = (walk.data(each.shape) for each in values)
      >>> (y,) = walk.run(jax.make_jaxpr(lambda w, v, x: x @ w @ v)(*values), [w, v, x])
      >>> walk.freeze_all([x, y], "outside")
      >>> mixing = Mixing(Occurrences(walk), [w, v])
      >>> mixing.of(w, (1, 0, 1)).dual != mixing.of(v, (0, 0, 1)).dual, mixing.of(v, (1, 0, 1))
      (True, None)
    """

    def __init__(self, occurrences: Occurrences, arrays: list[Traced]):
        self._parent: dict[Place, Place] = {}
        self._flip: dict[Place, bool] = {}
        self._numbers: dict[Place, int] = {}
        self._dead: set[Place] = set()
        self._square: set[Place] = set()
        self._pairs: dict[Place, list[tuple[Place, Place]]] = {}
        for array in arrays:
            for key in occurrences.of(array):
                self._new((id(array), key))
        for nest in occurrences.nests:
            for run in occurrences.runs(nest):
                self._follow(nest, run)
        self._close(occurrences, arrays)

    def of(self, array: Traced, key: Key) -> Mix | None:
        """How matrices act on an occurrence; None if they may not.

        Example:
          >>> from equijax.weights.propagation import Propagation
          >>> Mixing(Occurrences(Propagation()), []).of(Traced(()), (0, 0, 1)) is None
          True
        """
        place = (id(array), key)
        if place not in self._parent:
            return None
        root, flip = self._root(place)
        if root in self._dead:
            return None
        return Mix(self._numbers.setdefault(root, len(self._numbers)), flip, root in self._square)

    def _new(self, place: Place) -> Place:
        """A component of one occurrence."""
        self._parent[place], self._flip[place] = place, False
        return place

    def _root(self, place: Place) -> tuple[Place, bool]:
        """The component's representative, and whether the place is dual to it."""
        flip = False
        while self._parent[place] != place:
            flip ^= self._flip[place]
            place = self._parent[place]
        return place, flip

    def _unite(self, a: Place, b: Place, opposite: bool) -> None:
        """One matrix for two occurrences, the same or the inverse transpose."""
        (x, flip_x), (y, flip_y) = self._root(a), self._root(b)
        flip = flip_x ^ flip_y ^ opposite
        if x == y:
            if flip:
                self._square.add(x)
            return
        self._parent[y], self._flip[y] = x, flip
        for marks in (self._dead, self._square):
            if y in marks:
                marks.add(x)

    def _kill(self, places: list[Place]) -> None:
        """Forbid mixing, also of the factors of products."""
        for place in places:
            if place in self._pairs:
                for pair in self._pairs.pop(place):
                    self._kill(list(pair))
                self._dead.add(self._new(place))
            elif place in self._parent:
                self._dead.add(self._root(place)[0])

    def _close(self, occurrences: Occurrences, arrays: list[Traced]) -> None:
        """Give up the leaves of which some output was never accounted for."""
        made = {id(nest.output): nest.output for nest in occurrences.nests if nest.output is not None}
        lost = {
            each.leaf
            for array in made.values()
            for key, each in occurrences.of(array).items()
            if (id(array), key) not in self._parent and (id(array), key) not in self._pairs
        }
        self._kill([(id(x), k) for x in arrays for k, each in occurrences.of(x).items() if each.leaf in lost])

    def _follow(self, nest: Nest, run: Run) -> None:
        """What one loop variable of an operation asks for."""
        split = sides(nest, run)
        carriers = {slot: (id(array), key) for slot, array, key in split.carriers}
        output = next(((id(a), key) for a, key in run.places if a is nest.output), None)
        known = all(place in self._parent or place in self._pairs for place in carriers.values())
        result = None
        if known and run.leaf != -1:
            result = self._result(nest, carriers, split.lacking, output is not None)
        if result is None:
            self._kill(list(carriers.values()))
            if output is not None:
                self._kill([output if output in self._parent else self._new(output)])
            return
        if output is not None:
            self._define(output, result)

    def _define(self, output: Place, result: Place | list[tuple[Place, Place]]) -> None:
        """Give an output its component, or tie it to the one that it has."""
        if isinstance(result, list):
            if output in self._parent:
                self._kill([output, *(place for pair in result for place in pair)])
            else:
                self._pairs.setdefault(output, []).extend(result)
        elif output in self._pairs:
            self._kill([output, result])
        else:
            self._unite(result, output if output in self._parent else self._new(output), opposite=False)

    def _result(self, nest: Nest, carriers: dict[int, Place], lacking: list[Traced], survives: bool):
        """The output's component (or pairs, for a product along the axis); None if mixing is forbidden."""
        name, places = nest.operation, list(carriers.values())
        products = [place for place in places if place in self._pairs]
        if not places:
            is_zero = lacking and all(x.constant == 0 for x in lacking)
            return self._fresh() if is_zero and name in _PASS else None
        if name in ("dot_general", "conv_general_dilated"):
            if products or len(places) != (1 if survives else 2):
                return None
            if not survives:
                self._unite(*places, opposite=True)
            return places[0]
        if name == "div":
            return self._pass(places) if 1 not in carriers else None
        if name == "mul":
            if len(places) == 1:
                return self._pass(places)
            return None if products else [tuple(places)]
        if name == "square" or (name == "integer_pow" and nest.params["y"] == 2):
            return None if products else [(places[0], places[0])]
        if name not in _PASS or any(slot in carriers for slot in CONTROL.get(name, ())):
            return None
        if not is_linear(nest):
            return None
        chooses = [nest.inputs[slot] for slot in CONTROL.get(name, ())]
        if any(x.constant != 0 and not any(x is each for each in chooses) for x in lacking):
            return None
        if not survives:
            return self._contract(name, places)
        return self._pass(places)

    def _pass(self, places: list[Place]):
        """One component, or the pairs, of all operands of a linear operation."""
        products = [place for place in places if place in self._pairs]
        if not products:
            for place in places[1:]:
                self._unite(places[0], place, opposite=False)
            return places[0]
        if len(products) < len(places):
            return None
        return [pair for place in products for pair in self._pairs[place]]

    def _contract(self, name: str, places: list[Place]):
        """A sum over products pairs a matrix with its inverse transpose; any other sum forbids mixing."""
        if name != "reduce_sum" or any(place not in self._pairs for place in places):
            return None
        for place in places:
            for a, b in self._pairs[place]:
                self._unite(a, b, opposite=True)
        return places[0]

    def _fresh(self) -> Place:
        """A component for an array of zeros, which any matrix leaves alone."""
        return self._new((-len(self._parent) - 1, (0, 0, 1)))
