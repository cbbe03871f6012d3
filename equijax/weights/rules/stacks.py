"""Axes whose entries are read one by one, kept apart: queries, keys and values that one layer computes.

If a layer's outputs are reshaped to ``(..., 3, heads, features)`` and then taken apart along the axis of size
3, its neurons are three segments with permutations of their own. Reshaped as a whole they would be a product,
with one permutation for all three. A first walk finds such axes (`Propagation.split_apart`); in a second one
the reshape gives `Stacked` pieces, and the rules here pass them on until they are read.
"""

import math
from types import SimpleNamespace

from equijax.weights.factors import Free
from equijax.weights.nest import Link, Place, Stacked, Traced
from equijax.weights.propagation import Propagation
from equijax.weights.registry import RULES, STACK_RULES, rule
from equijax.weights.rules.pieces import take_piece
from equijax.weights.rules.pointwise import NAMES


def split_apart(propagation: Propagation, x: Traced, shape, axis: int) -> Stacked | None:
    """Reshape an array, with the entries of one new axis apart.

    Args:
      x: the array.
      shape: its new shape. All axes but one must stay as they are; that one is split.
      axis: the number of the new axis.

    Returns:
      The pieces; None if the reshape is of another kind.

    Example:
      >>> walk = Propagation()
      >>> x = walk.data((5, 12))
      >>> stacked = split_apart(walk, x, (5, 3, 4), 1)
      >>> [walk.shape(piece) for piece in stacked.pieces], len(list(walk.factors.occurrences(x.axes[1])))
      ([(5, 1, 4), (5, 1, 4), (5, 1, 4)], 3)
    """
    factors, old = propagation.factors, propagation.shape(x)
    first = next((n for n, (a, b) in enumerate(zip(old, shape)) if a != b), len(old) - 1)
    grown = len(shape) - len(old)
    split = range(first, first + grown + 1)
    rest = [*range(first), *range(first + 1, len(old))]
    after = [*range(first), *range(first + grown + 1, len(shape))]
    fits = axis in split and [old[n] for n in rest] == [shape[n] for n in after]
    if not fits or isinstance(x.axes[first], Free) or 0 in shape:
        return None
    outer = {n: factors.new(shape[n]) for n in split if n < axis}
    inner = [{n: factors.new(shape[n]) for n in split if n > axis} for _ in range(shape[axis])]
    joined = factors.join([sum(each.values(), ()) for each in inner])
    factors.unify(x.axes[first], sum(outer.values(), ()) + joined)
    size, pieces = math.prod(shape[n] for n in split if n > axis), []
    for index, each in enumerate(inner):
        axes = {**dict(zip(after, (x.axes[n] for n in rest))), axis: (), **outer, **each}
        piece = propagation.array([axes[n] for n in range(len(shape))], x.constant)
        links = list(propagation.links(*((Place(x, a), Place(piece, b)) for a, b in zip(rest, after))))
        for n, leaf in (*outer.items(), *each.items()):
            stride = math.prod(shape[m] for m in split if m > n)
            start = index * size if n > axis else 0
            if leaf:
                links.append(Link(leaf, (Place(x, first, start, stride), Place(piece, n))))
        pieces.append(propagation.record("move", [x], piece, links))
    return Stacked(tuple(pieces), axis)


def _piecewise(
    propagation: Propagation, equation, inputs: list, index: int, axis: int, params=None
) -> Traced:
    """Use the primitive's own rule on one piece of each input; the output has size 1 along an axis."""
    shape = list(equation.outvars[0].aval.shape)
    shape[axis] = 1
    single = SimpleNamespace(
        primitive=equation.primitive,
        params=equation.params,
        outvars=[SimpleNamespace(aval=SimpleNamespace(shape=tuple(shape)))],
    )
    pieces = [x.pieces[index] if isinstance(x, Stacked) else x for x in inputs]
    return RULES[equation.primitive.name](propagation, single, pieces)[0]


@rule(*NAMES, table=STACK_RULES)
def pointwise(propagation: Propagation, equation, inputs: list) -> list | None:
    """Treat the pieces one by one; arrays that are not stacked are cut along the axis.

    Example:
      >>> pointwise(Propagation(), None, [Stacked((), 0), Stacked((), 1)]) is None
      True
    """
    axes = {x.axis for x in inputs if isinstance(x, Stacked)}
    if len(axes) > 1:
        return None
    (axis,) = axes
    shape = equation.outvars[0].aval.shape
    inputs = [_apart(propagation, x, axis, shape) for x in inputs]
    pieces = [_piecewise(propagation, equation, inputs, index, axis) for index in range(shape[axis])]
    return [Stacked(tuple(pieces), axis)]


def _apart(propagation: Propagation, x, axis: int, shape) -> Traced | Stacked:
    """An array cut along an axis on which it varies."""
    if isinstance(x, Stacked) or len(x.axes) != len(shape) or propagation.shape(x)[axis] != shape[axis]:
        return x
    ranges = [(0, size) for size in propagation.shape(x)]
    return Stacked(
        tuple(
            take_piece(propagation, x, [*ranges[:axis], (index, index + 1), *ranges[axis + 1 :]])
            for index in range(shape[axis])
        ),
        axis,
    )


@rule("transpose", table=STACK_RULES)
def transpose(propagation: Propagation, equation, inputs: list) -> list | None:
    """Transpose the pieces.

    Example:
      >>> "transpose" in STACK_RULES
      True
    """
    (x,) = inputs
    axis = equation.params["permutation"].index(x.axis)
    pieces = [_piecewise(propagation, equation, inputs, i, axis) for i in range(len(x.pieces))]
    return [Stacked(tuple(pieces), axis)]


@rule("slice", table=STACK_RULES)
def cut_slice(propagation: Propagation, equation, inputs: list) -> list | None:
    """Choose pieces; all other axes must be read whole.

    Example:
      >>> "slice" in STACK_RULES
      True
    """
    (x,), params = inputs, equation.params
    if any(stride != 1 for stride in params["strides"] or ()):
        return None
    starts, stops = params["start_indices"], params["limit_indices"]
    for number, size in enumerate(propagation.shape(x.pieces[0])):
        if number != x.axis and (starts[number], stops[number]) != (0, size):
            return None
    return [_chosen(x, starts[x.axis], stops[x.axis])]


def _chosen(x: Stacked, start: int, stop: int) -> Traced | Stacked:
    """Some of the pieces."""
    return x.pieces[start] if stop - start == 1 else Stacked(x.pieces[start:stop], x.axis)


@rule("split", table=STACK_RULES)
def split(propagation: Propagation, equation, inputs: list) -> list | None:
    """Choose pieces for each output.

    Example:
      >>> "split" in STACK_RULES
      True
    """
    (x,), start, outputs = inputs, 0, []
    if equation.params["axis"] != x.axis:
        return None
    for size in equation.params["sizes"]:
        outputs.append(_chosen(x, start, start + size))
        start += size
    return outputs


@rule("unstack", table=STACK_RULES)
def unstack(propagation: Propagation, equation, inputs: list) -> list | None:
    """Give the pieces without their axis.

    Example:
      >>> "unstack" in STACK_RULES
      True
    """
    (x,) = inputs
    if equation.params["axis"] != x.axis:
        return None
    outputs = []
    for piece in x.pieces:
        output = propagation.array(piece.axes[: x.axis] + piece.axes[x.axis + 1 :], piece.constant)
        kept = [axis for axis in range(len(piece.axes)) if axis != x.axis]
        pairs = [(Place(piece, a), Place(output, b)) for b, a in enumerate(kept)]
        outputs.append(propagation.move([piece], output, *pairs))
    return outputs


@rule("dynamic_slice", table=STACK_RULES)
def dynamic_slice(propagation: Propagation, equation, inputs: list) -> list | None:
    """Choose pieces where the start is known.

    Example:
      >>> "dynamic_slice" in STACK_RULES
      True
    """
    x, *starts = inputs
    sizes, shape = equation.params["slice_sizes"], propagation.shape(x.pieces[0])
    start = starts[x.axis].constant
    if start is None or any(n != m for a, (n, m) in enumerate(zip(sizes, shape)) if a != x.axis):
        return None
    first = min(max(int(start), 0), len(x.pieces) - sizes[x.axis])
    return [_chosen(x, first, first + sizes[x.axis])]
