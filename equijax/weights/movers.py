"""From a walk to everything that moves: permutations, scales, signs and matrices, and how each array does."""

import math
from collections.abc import Sequence
from fractions import Fraction
from typing import NamedTuple

from equijax.groups import GL, Group, O, S
from equijax.weights.assembly import Assignment, Mover
from equijax.weights.families import families
from equijax.weights.forms import Form
from equijax.weights.mixing import Mixing
from equijax.weights.monomial import Diagonal, Monomial
from equijax.weights.nest import Traced
from equijax.weights.occurrences import Key, Occurrences
from equijax.weights.scales import Powers

KINDS = ("permutation", "scale", "sign", "orthogonal", "invertible")
"""The kinds of symmetry that can be looked for."""


class Generators(NamedTuple):
    """Independent scales, or signs, of one leaf: unknowns of `Powers`, each with a multiplier.

    Attributes:
      columns: pairs of an unknown and the number that makes its powers integers.

    Example:
      >>> Generators(((4, 2),)).powers({4: Fraction(1, 2)})
      (1,)
    """

    columns: tuple[tuple[int, int], ...] = ()

    def powers(self, form: Form) -> tuple[int | Fraction, ...]:
        """The powers of an occurrence.

        Example:
          >>> Generators().powers({})
          ()
        """
        return tuple(_plain(form.get(unknown, 0) * multiplier) for unknown, multiplier in self.columns)


def _plain(number: int | Fraction) -> int | Fraction:
    """An integer where it is one."""
    return int(number) if number == int(number) else number


class Movers:
    """What moves in a walk.

    Attributes:
      movers: all of them, in the order of the parameters.

    Args:
      occurrences: of the finished walk.
      parameters: those that the outputs depend on.
      inputs: those that are free.
      kinds: any of `KINDS`.
      heads: ``"product"`` or ``"wreath"``, as for `equijax.weights.symmetry`.

    Example:
      >>> from equijax.weights.propagation import Propagation
      >>> walk = Propagation()
      >>> x = walk.data((3,))
      >>> found = Movers(Occurrences(walk), [x], [], kinds=("permutation",), heads="product")
      >>> found.movers[0].group, found.assigned(x)
      (S(3), {(0, 0, 1): Assignment(mover=0, scale=(), sign=(), dual=None)})
    """

    def __init__(
        self,
        occurrences: Occurrences,
        parameters: list[Traced],
        inputs: list[Traced],
        *,
        kinds: Sequence[str],
        heads: str,
    ):
        self._occurrences, self._kinds = occurrences, kinds
        arrays = parameters + inputs
        mixes = "orthogonal" in kinds or "invertible" in kinds
        self._mixing = Mixing(occurrences, arrays) if mixes else None
        self._powers = {
            name: Powers(occurrences, arrays, signs=name == "sign")
            for name in ("scale", "sign")
            if name in kinds
        }
        self._generators: dict[int, dict[str, Generators]] = {}
        self._number: dict[tuple, int] = {}
        self._turned: dict[int, bool] = {}
        held = [(x, key, each.leaf) for x in parameters for key, each in occurrences.of(x).items()]
        groups: list[tuple[int, Group]] = []
        left: dict[int, list[tuple[Traced, Key]]] = {}
        for x, key, leaf in held:
            mix = self._mix(x, key)
            if mix is None:
                left.setdefault(leaf, []).append((x, key))
                self._enter(("leaf", leaf), leaf, groups)
            else:
                self._turned.setdefault(mix.component, mix.dual)
                self._enter(("mix", mix.component), leaf, groups, self._matrices(leaf, mix.is_orthogonal))
        for leaf, places in left.items():
            groups[self._number["leaf", leaf]] = (leaf, self._own(leaf, places))
        self._keep(groups)
        self.movers = self._with_families(parameters, heads)

    def _enter(self, name: tuple, leaf: int, groups: list, group: Group | None = None) -> None:
        """Number a mover when it is first met."""
        if name not in self._number:
            self._number[name] = len(groups)
            groups.append((leaf, group))

    def _keep(self, groups: list) -> None:
        """Drop the leaves that do not move."""
        kept = [number for number, (_, group) in enumerate(groups) if group is not None]
        renumbered = {number: i for i, number in enumerate(kept)}
        self._number = {name: renumbered[n] for name, n in self._number.items() if n in renumbered}
        self._groups = [groups[number] for number in kept]

    def _mix(self, array: Traced, key: Key):
        """How matrices of the kinds that are asked for act on an occurrence."""
        mix = self._mixing.of(array, key) if self._mixing else None
        if mix is None or (mix.is_orthogonal and "orthogonal" not in self._kinds):
            return None
        return mix

    def _matrices(self, leaf: int, is_orthogonal: bool) -> Group:
        """The group of matrices; where only orthogonal ones are asked for, those."""
        size = self._occurrences.factors.size((leaf,))
        return O(size) if is_orthogonal or "invertible" not in self._kinds else GL(size)

    def _own(self, leaf: int, places: list[tuple[Traced, Key]]) -> Group | None:
        """The group that moves the occurrences of a leaf that no matrix mixes."""
        factors = self._occurrences.factors
        size, found = factors.size((leaf,)), {}
        for name, powers in self._powers.items():
            found[name] = _independent([powers.exponents(x, key) for x, key in places], modulo=name == "sign")
        self._generators[leaf] = found
        counts = [len(found[name].columns) if name in found else 0 for name in ("scale", "sign")]
        permutes = "permutation" in self._kinds and factors.reason(leaf) is None
        if any(counts):
            return (Monomial if permutes else Diagonal)(size, *counts)
        return S(size) if permutes else None

    def _with_families(self, parameters: list[Traced], heads: str) -> list[Mover]:
        """The movers with the leaves that they are families over."""
        bases = families(self._occurrences, parameters, {leaf for leaf, _ in self._groups})
        permuted = {leaf for leaf, group in self._groups if isinstance(group, S) or type(group) is Monomial}
        movers = []
        for leaf, group in self._groups:
            over = bases.get(leaf, set())
            blocks = over & permuted if heads == "wreath" else set()
            movers.append(Mover(leaf, group, frozenset(over - permuted), frozenset(blocks)))
        return movers

    def assigned(self, array: Traced) -> dict[Key, Assignment]:
        """How each occurrence in an array moves; those that do not are left out.

        Example:
          >>> from equijax.weights.propagation import Propagation
          >>> Movers(Occurrences(Propagation()), [], [], kinds=KINDS, heads="product").assigned(Traced(()))
          {}
        """
        moves = {}
        for key, each in self._occurrences.of(array).items():
            mix = self._mix(array, key)
            if mix is not None and ("mix", mix.component) in self._number:
                number = self._number["mix", mix.component]
                dual = mix.dual != self._turned[mix.component]
                is_invertible = isinstance(self._groups[number][1], GL)
                moves[key] = Assignment(number, dual=dual and is_invertible)
            elif ("leaf", each.leaf) in self._number:
                powers = {
                    name: generators.powers(self._powers[name].exponents(array, key))
                    for name, generators in self._generators[each.leaf].items()
                }
                number = self._number["leaf", each.leaf]
                moves[key] = Assignment(number, powers.get("scale", ()), powers.get("sign", ()))
        return moves


def _independent(forms: list[Form], *, modulo: bool) -> Generators:
    """Unknowns whose columns of powers are independent, each with a multiplier that clears fractions.

    The unknowns of the system are independent but for those of arrays that are no parameters; a column that
    depends on earlier ones adds no symmetry of the parameters.
    """
    columns, echelon = [], []
    for unknown in sorted({unknown for form in forms for unknown in form}):
        column = [Fraction(form.get(unknown, 0)) for form in forms]
        reduced = column
        for pivot, row in echelon:
            factor = reduced[pivot]
            reduced = [a - factor * b for a, b in zip(reduced, row, strict=True)]
            reduced = [a % 2 for a in reduced] if modulo else reduced
        pivot = next((i for i, value in enumerate(reduced) if value), None)
        if pivot is None:
            continue
        echelon.append((pivot, [value / reduced[pivot] for value in reduced]))
        first = next(value for value in column if value)
        multiplier = math.lcm(*(value.denominator for value in column))
        columns.append((unknown, multiplier if first > 0 else -multiplier))
    return Generators(tuple(columns))
