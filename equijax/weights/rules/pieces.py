"""Operations that cut axes and join them: slices, concatenation, padding."""

import itertools

import numpy as np

from equijax.weights.factors import Free
from equijax.weights.nest import Link, Place, Traced
from equijax.weights.propagation import Propagation, source
from equijax.weights.registry import rule


def take_piece(
    propagation: Propagation, x: Traced, ranges, reason: str = "cut across its structure"
) -> Traced:
    """The part of an array between a start and a stop on every axis.

    Example:
      >>> walk = Propagation()
      >>> piece = take_piece(walk, walk.data((3, 5)), [(0, 3), (2, 5)])
      >>> walk.shape(piece)
      (3, 3)
    """
    factors, axes, cuts = propagation.factors, [], []
    for number, (axis, (start, stop)) in enumerate(zip(x.axes, ranges, strict=True)):
        if stop - start == 1 and not isinstance(axis, Free):
            propagation.picked.update(factors.expand(axis))
        if (start, stop) == (0, factors.size(axis)):
            axes.append(axis)
            cuts.append((axis, number, 0))
        elif isinstance(axis, Free) or stop <= start:
            axes.append(() if stop - start == 1 else Free(max(stop - start, 0)))
        else:
            pieces = factors.cut(axis, (start, stop), propagation.reason(reason))
            edges = np.cumsum([0, *map(factors.size, pieces)])
            axes.append(pieces[int(np.searchsorted(edges, start))])
            cuts.append((axes[-1], number, start))
    output = propagation.array(axes, x.constant)
    links = [
        Link(axis, (Place(x, number, start), Place(output, number)))
        for axis, number, start in cuts
        if axis and not isinstance(axis, Free)
    ]
    return propagation.record("move", [x], output, links)


@rule("slice")
def cut_slice(propagation: Propagation, equation, inputs: list[Traced]) -> list[Traced]:
    """Cut axes into segments; a slice with a stride freezes its axis.

    Example:
      >>> import jax, numpy as np
      >>> walk, x = Propagation(), np.ones(5)
      >>> walk.shape(walk.run(jax.make_jaxpr(lambda x: x[1:4])(x), [walk.data((5,))])[0])
      (3,)
    """
    (x,), params = inputs, equation.params
    strides = params["strides"] or (1,) * len(x.axes)
    starts, stops = params["start_indices"], params["limit_indices"]
    if all(stride == 1 for stride in strides):
        return [take_piece(propagation, x, list(zip(starts, stops, strict=True)))]
    ranges = [
        (start, stop) if stride == 1 else (0, propagation.factors.size(axis))
        for axis, start, stop, stride in zip(x.axes, starts, stops, strides, strict=True)
    ]
    piece = take_piece(propagation, x, ranges)
    axes, shape = list(piece.axes), equation.outvars[0].aval.shape
    stepped = [axis for axis, stride in enumerate(strides) if stride != 1]
    for axis in stepped:
        propagation.freeze(piece, axis, "slice with a stride")
        if not isinstance(axes[axis], Free):
            axes[axis] = propagation.axis(shape[axis], propagation.reason("slice with a stride"))
        else:
            axes[axis] = Free(shape[axis]) if shape[axis] != 1 else ()
    output = propagation.array(axes, x.constant)
    groups = [
        (Place(output, axis),) if axis in stepped else (Place(piece, axis), Place(output, axis))
        for axis in range(len(axes))
    ]
    return [propagation.move([piece], output, *groups)]


@rule("split")
def split(propagation: Propagation, equation, inputs: list[Traced]) -> list[Traced]:
    """Cut one axis into pieces.

    Example:
      >>> import jax, numpy as np
      >>> walk, x = Propagation(), np.ones(6)
      >>> len(walk.run(jax.make_jaxpr(lambda x: jax.numpy.split(x, 3))(x), [walk.data((6,))]))
      3
    """
    (x,), number = inputs, equation.params["axis"]
    edges = np.cumsum([0, *equation.params["sizes"]]).tolist()
    whole = [(0, size) for size in propagation.shape(x)]
    return [
        take_piece(propagation, x, [*whole[:number], (start, stop), *whole[number + 1 :]])
        for start, stop in itertools.pairwise(edges)
    ]


@rule("unstack")
def unstack(propagation: Propagation, equation, inputs: list[Traced]) -> list[Traced]:
    """Cut one axis into single entries, and drop it.

    Example:
      >>> import jax, numpy as np
      >>> walk, x = Propagation(), np.ones((3, 4))
      >>> jaxpr = jax.make_jaxpr(lambda x: tuple(jax.numpy.unstack(x)))(x)
      >>> [walk.shape(piece) for piece in walk.run(jaxpr, [walk.data((3, 4))])]
      [(4,), (4,), (4,)]
    """
    (x,), number = inputs, equation.params["axis"]
    whole = [(0, size) for size in propagation.shape(x)]
    outputs = []
    for index in range(len(equation.outvars)):
        piece = take_piece(propagation, x, [*whole[:number], (index, index + 1), *whole[number + 1 :]])
        output = propagation.array(piece.axes[:number] + piece.axes[number + 1 :], x.constant)
        kept = [axis for axis in range(len(x.axes)) if axis != number]
        groups = [(Place(piece, a), Place(output, b)) for b, a in enumerate(kept)]
        outputs.append(propagation.move([piece], output, *groups))
    return outputs


@rule("concatenate")
def concatenate(propagation: Propagation, equation, inputs: list[Traced]) -> list[Traced]:
    """Join axes into a sum of segments.

    Example:
      >>> import jax, numpy as np
      >>> walk, x = Propagation(), np.ones(2)
      >>> jaxpr = jax.make_jaxpr(lambda x, y: jax.numpy.concatenate([x, y]))(x, x)
      >>> (z,) = walk.run(jaxpr, [walk.data((2,)), walk.data((2,))])
      >>> walk.factors.parts(z.axes[0][0])
      ((0,), (1,))
    """
    return [join_pieces(propagation, inputs, equation.params["dimension"])]


def join_pieces(propagation: Propagation, pieces: list[Traced], number: int) -> Traced:
    """Arrays joined along an axis.

    Example:
      >>> walk = Propagation()
      >>> walk.shape(join_pieces(walk, [walk.data((2, 3)), walk.data((4, 3))], 0))
      (6, 3)
    """
    factors = propagation.factors
    pieces = [piece for piece in pieces if factors.size(piece.axes[number])] or pieces[:1]
    rank = len(pieces[0].axes)
    axes = [() if a == number else propagation.tie(*(p.axes[a] for p in pieces)) for a in range(rank)]
    along = [piece.axes[number] for piece in pieces]
    if all(piece.is_data for piece in pieces) and not all(isinstance(axis, Free) for axis in along):
        # No parameter is in it: pieces would only cut the axes that it meets.
        axes[number] = propagation.axis(sum(map(factors.size, along)), propagation.reason("joined data"))
        return source(propagation, axes)
    if all(isinstance(axis, Free) for axis in along) and len({id(piece) for piece in pieces}) == 1:
        axes[number] = Free(sum(axis.size for axis in along))
    else:
        along = [factors.new(axis.size) if isinstance(axis, Free) else axis for axis in along]
        axes[number] = factors.join(along)
    constants = {piece.constant for piece in pieces}
    output = propagation.array(axes, constants.pop() if len(constants) == 1 else None)
    start = 0
    for piece, axis in zip(pieces, along, strict=True):
        groups = [(Place(piece, a), Place(output, a)) for a in range(rank) if a != number]
        links = list(propagation.links(*groups))
        if axis and not isinstance(axis, Free):
            places = (Place(output, number, start),)
            if not isinstance(piece.axes[number], Free):
                places = (Place(piece, number), *places)
            links.append(Link(axis, places))
        propagation.record("move", [piece], output, links)
        start += factors.size(piece.axes[number])
    return output


@rule("stack")
def stack(propagation: Propagation, equation, inputs: list[Traced]) -> list[Traced]:
    """Join arrays along a new axis, each of whose entries is a segment of its own.

    Example:
      >>> import jax, numpy as np
      >>> walk, x = Propagation(), np.ones(4)
      >>> jaxpr = jax.make_jaxpr(lambda x, y: jax.numpy.stack([x, y]))(x, x)
      >>> walk.shape(walk.run(jaxpr, [walk.data((4,)), walk.data((4,))])[0])
      (2, 4)
    """
    number, pieces = equation.params["axis"], []
    for x in inputs:
        piece = propagation.array([*x.axes[:number], (), *x.axes[number:]], x.constant)
        pairs = [(Place(x, a), Place(piece, a + (a >= number))) for a in range(len(x.axes))]
        pieces.append(propagation.move([x], piece, *pairs))
    return [join_pieces(propagation, pieces, number)]


@rule("tile")
def tile(propagation: Propagation, equation, inputs: list[Traced]) -> list[Traced]:
    """Repeat whole axes: a tiled axis is a product, along whose first factor the array is constant.

    Example:
      >>> import jax, numpy as np
      >>> walk = Propagation()
      >>> (y,) = walk.run(jax.make_jaxpr(lambda x: jax.numpy.tile(x, 2))(np.ones(3)), [walk.data((3,))])
      >>> walk.shape(y), len(y.axes[0])
      ((6,), 2)
    """
    (x,), factors, axes = inputs, propagation.factors, []
    for axis, count in zip(x.axes, equation.params["reps"], strict=True):
        size = factors.size(axis)
        if count == 1:
            axes.append(axis)
        elif isinstance(axis, Free) or size == 1:
            axes.append(Free(count * size))
        else:
            axes.append(factors.new(count) + axis)
    output = propagation.array(axes, x.constant)
    links = [
        Link(axis, (Place(x, number), Place(output, number)))
        for number, axis in enumerate(x.axes)
        if axis and not isinstance(axis, Free)
    ]
    return [propagation.record("move", [x], output, links)]


@rule("pad")
def pad(propagation: Propagation, equation, inputs: list[Traced]) -> list[Traced]:
    """Add segments of a constant, or cut some off; interior padding freezes its axis.

    Example:
      >>> import jax, numpy as np
      >>> walk, x = Propagation(), np.ones(2)
      >>> (y,) = walk.run(jax.make_jaxpr(lambda x: jax.numpy.pad(x, (1, 2)))(x), [walk.data((2,))])
      >>> [walk.factors.size(part) for part in walk.factors.parts(y.axes[0][0])]
      [1, 2, 2]
    """
    (x, filler), config = inputs, equation.params["padding_config"]
    ranges = [
        (max(0, -low), size - max(0, -high)) if inside == 0 else (0, size)
        for size, (low, high, inside) in zip(propagation.shape(x), config, strict=True)
    ]
    x = take_piece(propagation, x, ranges)
    for number, (low, high, inside) in enumerate(config):
        if inside:
            x = _spread(propagation, x, number, equation.outvars[0].aval.shape[number])
            continue
        before, after = (_block(propagation, x, number, size, filler) for size in (low, high))
        pieces = [*before, x, *after]
        if len(pieces) > 1:
            x = join_pieces(propagation, pieces, number)
    return [x]


def _block(propagation: Propagation, x: Traced, number: int, size: int, filler: Traced) -> list[Traced]:
    """Padding of a width along one axis, as a list of one block; no block where there is none."""
    if size <= 0:
        return []
    shape = list(propagation.shape(x))
    shape[number] = size
    return [propagation.array([Free(n) if n != 1 else () for n in shape], filler.constant)]


def _spread(propagation: Propagation, x: Traced, number: int, size: int) -> Traced:
    """Padding between entries: the axis is frozen."""
    why = "padded between its entries"
    propagation.freeze(x, number, why)
    axes = list(x.axes)
    axes[number] = propagation.axis(size, propagation.reason(why))
    output = propagation.array(axes)
    groups = [
        (Place(output, axis),) if axis == number else (Place(x, axis), Place(output, axis))
        for axis in range(len(axes))
    ]
    return propagation.move([x], output, *groups)
