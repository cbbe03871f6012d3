"""From the leaves that may move to a group and its action on every array.

Leaves become factors of a product group. A leaf that is a family over a frozen leaf becomes a power; one that
is a family over a leaf that moves, too, becomes the fibre of a wreath product.
"""

from typing import NamedTuple

from equijax.groups import Group
from equijax.weights.action import ParameterAction
from equijax.weights.factors import Free
from equijax.weights.nest import Traced
from equijax.weights.occurrences import Key, Occurrences
from equijax.weights.parts import Joined, Part
from equijax.weights.power import Power
from equijax.weights.wreath import Wreath


class Mover(NamedTuple):
    """Something that moves by a group of its own: a leaf, or a component of one that matrices mix.

    Attributes:
      leaf: the leaf.
      group: the group of one member.
      stacks: frozen leaves that it is a family over.
      blocks: moving leaves that it may be a fibre over.
    """

    leaf: int
    group: Group
    stacks: frozenset[int] = frozenset()
    blocks: frozenset[int] = frozenset()


class Home(NamedTuple):
    """Where a mover's piece of an element is.

    Attributes:
      path: the path to the piece.
      over: the leaves whose indices its leading axes have.
    """

    path: tuple[int, ...]
    over: tuple[int, ...]


def arrange(movers: list[Mover], sizes: dict[int, int]) -> tuple[tuple[Group, ...], list[Home]]:
    """The factors of the product, and the home of every mover.

    Args:
      movers: what moves.
      sizes: the sizes of the leaves that stacks are made of.

    Example:
      >>> from equijax.groups import S
      >>> movers = [Mover(0, S(2)), Mover(1, S(3), frozenset({7}), frozenset({0})), Mover(2, S(4))]
      >>> arrange(movers[:1] + movers[2:], {7: 5})[0]
      (S(2), S(4))
      >>> arrange(movers, {7: 5})[0]
      (Wreath(S(2), fibres=(Power(S(3), copies=5),)), S(4))
    """
    of_leaf = {mover.leaf: number for number, mover in enumerate(movers)}
    parents = [_parent(number, movers, of_leaf) for number in range(len(movers))]
    homes: list[Home | None] = [None] * len(movers)
    factors = []

    def build(number: int, path: tuple[int, ...], over: tuple[int, ...]) -> Group:
        mover = movers[number]
        stacks = tuple(sorted(mover.stacks - set(over)))
        children = [child for child, parent in enumerate(parents) if parent == number]
        over = over + stacks
        homes[number] = Home((*path, 0) if children else path, over)
        group = mover.group
        if children:
            inner = (*over, mover.leaf)
            fibres = tuple(build(child, (*path, 1, i), inner) for i, child in enumerate(children))
            group = Wreath(group, fibres)
        for stack in reversed(stacks):
            group = Power(group, sizes[stack])
        return group

    for number, parent in enumerate(parents):
        if parent is None:
            factors.append(build(number, (len(factors),), ()))
    return tuple(factors), homes


def _parent(number: int, movers: list[Mover], of_leaf: dict[int, int]) -> int | None:
    """The innermost mover that one is a fibre over, in families that nest."""
    mover = movers[number]
    options = [of_leaf[leaf] for leaf in mover.blocks if leaf in of_leaf]
    # Of two leaves that are families over each other, the first is the base.
    options = [b for b in options if mover.leaf not in movers[b].blocks or b < number]
    options = [b for b in options if movers[b].stacks <= mover.stacks and b != number]
    return max(options, key=lambda b: (len(movers[b].blocks) + len(movers[b].stacks), -b), default=None)


class Assignment(NamedTuple):
    """How one occurrence moves.

    Attributes:
      mover: the number of the mover.
      scale, sign, dual: as in `Part`.
    """

    mover: int
    scale: tuple = ()
    sign: tuple = ()
    dual: bool | None = None


def action(
    occurrences: Occurrences,
    array: Traced,
    assigned: dict[Key, Assignment],
    homes: list[Home],
    anchor: tuple[tuple[int, ...], int] | None,
) -> ParameterAction:
    """The action on an array.

    Args:
      occurrences: of the finished walk.
      array: the array.
      assigned: the occurrences of the array that move.
      homes: of the movers.
      anchor: as in `ParameterAction`.

    Example:
      >>> from equijax.weights.propagation import Propagation
      >>> walk = Propagation()
      >>> x = walk.data((2, 3))
      >>> action(Occurrences(walk), x, {(1, 0, 1): Assignment(0)}, [Home((0,), ())], ((0,), 1)).axes[1]
      (Part(size=3, label=1, path=(0,), over=(), scale=(), sign=(), dual=None),)
    """

    def describe(axis, number: int, start: int, stride: int):
        parts, inner = [], occurrences.factors.size(axis)
        for root in occurrences.factors.expand(axis):
            size = occurrences.factors.size((root,))
            inner //= size
            segments = occurrences.factors.parts(root)
            if segments is None:
                parts.append(_part(size, root, assigned.get((number, start, stride * inner)), homes))
                continue
            described, offset = [], start
            for segment in segments:
                described.append(describe(segment, number, offset, stride * inner))
                offset += occurrences.factors.size(segment) * stride * inner
            parts.append(Joined(tuple(described)))
        return tuple(parts)

    axes = tuple(
        (Part(axis.size),) if isinstance(axis, Free) else describe(axis, number, 0, 1)
        for number, axis in enumerate(array.axes)
    )
    return ParameterAction(axes, anchor)


def _part(size: int, leaf: int, assignment: Assignment | None, homes: list[Home]) -> Part:
    """One leaf's part."""
    if assignment is None:
        return Part(size, leaf)
    home = homes[assignment.mover]
    return Part(size, leaf, home.path, home.over, assignment.scale, assignment.sign, assignment.dual)
