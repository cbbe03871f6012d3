"""Operations that read and write at computed places: gather, scatter, dynamic slices, sorting."""

from equijax.weights.factors import Free
from equijax.weights.nest import Place, Traced
from equijax.weights.propagation import Propagation
from equijax.weights.registry import rule
from equijax.weights.rules.pieces import take_piece

_READ = "indexed at places that are computed"


@rule("gather")
def gather(propagation: Propagation, equation, inputs: list[Traced]) -> list[Traced]:
    """Look up: the axes that are indexed are frozen, those that are read whole pass.

    Example:
      >>> import jax, numpy as np
      >>> walk, table, ids = Propagation(), np.ones((7, 4)), np.zeros(3, int)
      >>> jaxpr = jax.make_jaxpr(lambda t, i: t[i])(table, ids)
      >>> w = walk.data((7, 4))
      >>> (y,) = walk.run(jaxpr, [w, walk.data((3,))])
      >>> y.axes[1] == w.axes[1], walk.factors.reason(w.axes[0][0])[:7]
      (True, 'indexed')
    """
    (table, indices), params = inputs, equation.params
    numbers, sizes = params["dimension_numbers"], params["slice_sizes"]
    shape = equation.outvars[0].aval.shape
    indexed = set(numbers.start_index_map)
    table = _narrowed(propagation, table, sizes, indexed | set(numbers.operand_batching_dims))
    for axis in indexed:
        propagation.freeze(table, axis, _READ)
    propagation.freeze(indices, len(indices.axes) - 1, "coordinates of an index")
    axes, groups = [None] * len(shape), []
    dropped = {*numbers.collapsed_slice_dims, *numbers.operand_batching_dims}
    kept = [axis for axis in range(len(table.axes)) if axis not in dropped]
    for axis, out in zip(kept, numbers.offset_dims, strict=True):
        whole = axis not in indexed
        axes[out] = table.axes[axis] if whole else propagation.axis(shape[out], propagation.reason(_READ))
        groups.append((out, (Place(table, axis),) if whole else ()))
    batched = dict(zip(numbers.start_indices_batching_dims, numbers.operand_batching_dims, strict=True))
    outs = [out for out in range(len(shape)) if out not in numbers.offset_dims]
    for axis, out in zip(range(len(indices.axes) - 1), outs, strict=True):
        places = [Place(indices, axis)]
        if axis in batched:
            places.append(Place(table, batched[axis]))
        axes[out] = propagation.tie(*(p.array.axes[p.axis] for p in places))
        groups.append((out, tuple(places)))
    output = propagation.array(axes)
    links = propagation.links(*((*places, Place(output, out)) for out, places in groups))
    return [propagation.record("gather", [table, indices], output, links, params)]


def _narrowed(propagation: Propagation, table: Traced, sizes, indexed: set[int]) -> Traced:
    """Cut the axes that are not indexed, but not read whole either: they are read from the start."""
    ranges = [(0, n if axis in indexed else sizes[axis]) for axis, n in enumerate(propagation.shape(table))]
    return take_piece(propagation, table, ranges)


@rule("dynamic_slice")
def dynamic_slice(propagation: Propagation, equation, inputs: list[Traced]) -> list[Traced]:
    """A slice: where the start is known it cuts, elsewhere the axis is frozen.

    Example:
      >>> import jax, numpy as np
      >>> walk, x = Propagation(), np.ones((4, 3))
      >>> jaxpr = jax.make_jaxpr(lambda x, i: jax.lax.dynamic_slice_in_dim(x, i, 2))(x, 1)
      >>> (y,) = walk.run(jaxpr, [walk.data((4, 3)), walk.data(())])
      >>> walk.factors.reason(y.axes[0][0])[:7], walk.factors.reason(y.axes[1][0])
      ('indexed', None)
    """
    (x, *starts), sizes = inputs, equation.params["slice_sizes"]
    shape = propagation.shape(x)
    known = [start.constant is not None or size == n for start, size, n in zip(starts, sizes, shape)]
    ranges = []
    for start, size, n, fixed in zip(starts, sizes, shape, known, strict=True):
        first = 0 if size == n or not fixed else min(max(int(start.constant), 0), n - size)
        ranges.append((first, first + size) if fixed else (0, n))
    piece = take_piece(propagation, x, ranges)
    if all(known):
        return [piece]
    axes = list(piece.axes)
    for axis, fixed in enumerate(known):
        if not fixed and not isinstance(axes[axis], Free):
            propagation.freeze(piece, axis, _READ)
            axes[axis] = propagation.axis(sizes[axis], propagation.reason(_READ))
        elif not fixed:
            axes[axis] = Free(sizes[axis]) if sizes[axis] != 1 else ()
    output = propagation.array(axes, x.constant)
    groups = [
        (Place(piece, axis), Place(output, axis)) if fixed else (Place(output, axis),)
        for axis, fixed in enumerate(known)
    ]
    return [propagation.move([piece], output, *groups)]


@rule("dynamic_update_slice")
def dynamic_update_slice(propagation: Propagation, equation, inputs: list[Traced]) -> list[Traced]:
    """Overwrite a block: axes that it covers whole are tied, the others are frozen.

    Example:
      >>> import jax, numpy as np
      >>> walk, x, y = Propagation(), np.ones((4, 3)), np.ones((1, 3))
      >>> jaxpr = jax.make_jaxpr(lambda x, y, i: jax.lax.dynamic_update_slice_in_dim(x, y, i, 0))(x, y, 1)
      >>> a, b = walk.data((4, 3)), walk.data((1, 3))
      >>> _ = walk.run(jaxpr, [a, b, walk.data(())])
      >>> walk.factors.expand(a.axes[1]) == walk.factors.expand(b.axes[1])
      True
    """
    x, update = inputs[:2]
    whole = [n == m for n, m in zip(propagation.shape(x), propagation.shape(update), strict=True)]
    return [
        _write(propagation, equation, x, update, [(a, a if w else None) for a, w in enumerate(whole)], [])
    ]


@rule("scatter", "scatter_add", "scatter_mul", "scatter_min", "scatter_max", "scatter_sub")
@rule("scatter-add", "scatter-mul", "scatter-min", "scatter-max", "scatter-sub")
def scatter(propagation: Propagation, equation, inputs: list[Traced]) -> list[Traced]:
    """Write at computed places: the axes that are indexed are frozen, those written whole are tied.

    Example:
      >>> import jax, numpy as np
      >>> walk, y, ids = Propagation(), np.ones((5, 4)), np.zeros(5, int)
      >>> jaxpr = jax.make_jaxpr(lambda y, i: jax.ops.segment_sum(y, i, 3))(y, ids)
      >>> x = walk.data((5, 4))
      >>> (z,) = walk.run(jaxpr, [x, walk.data((5,))])
      >>> walk.factors.expand(z.axes[1]) == walk.factors.expand(x.axes[1])
      True
    """
    (x, indices, update), numbers = inputs, equation.params["dimension_numbers"]
    propagation.freeze(indices, len(indices.axes) - 1, "coordinates of an index")
    dropped = {*numbers.inserted_window_dims, *numbers.operand_batching_dims}
    kept = [axis for axis in range(len(x.axes)) if axis not in dropped]
    pairs = dict.fromkeys(range(len(x.axes)))
    shape, update_shape = propagation.shape(x), propagation.shape(update)
    for axis, place in zip(kept, numbers.update_window_dims, strict=True):
        if axis in numbers.scatter_dims_to_operand_dims or shape[axis] != update_shape[place]:
            propagation.freeze(update, place, _READ)
        else:
            pairs[axis] = place
    rows = [axis for axis in range(len(update.axes)) if axis not in numbers.update_window_dims]
    batched = dict(zip(numbers.scatter_indices_batching_dims, numbers.operand_batching_dims, strict=True))
    shared = []
    for axis, row in zip(range(len(indices.axes) - 1), rows, strict=True):
        if axis in batched:
            pairs[batched[axis]] = row
        places = (Place(indices, axis), Place(update, row))
        propagation.tie(*(place.array.axes[place.axis] for place in places))
        shared.append((axis, row))
    return [_write(propagation, equation, x, update, list(pairs.items()), shared, indices)]


def _write(propagation: Propagation, equation, x, update, pairs, shared, indices=None) -> Traced:
    """The array that is written to: ``pairs`` are its axes with the update's (None where indexed)."""
    axes = []
    for axis, place in pairs:
        if place is not None:
            axes.append(propagation.tie(x.axes[axis], update.axes[place]))
            continue
        propagation.freeze(x, axis, _READ)
        size = propagation.factors.size(x.axes[axis])
        free = isinstance(x.axes[axis], Free)
        axes.append(propagation.axis(size, propagation.reason(_READ)) if free else x.axes[axis])
    output = propagation.array(axes)
    groups, rows = [], dict((row, axis) for axis, row in shared)
    for axis, place in pairs:
        written = () if place is None else (Place(update, place),)
        index = (Place(indices, rows.pop(place)),) if place in rows else ()
        groups.append((Place(x, axis), *written, *index, Place(output, axis)))
    groups += [(Place(update, row), Place(indices, axis)) for row, axis in rows.items()]
    inputs = [x, update] if indices is None else [x, update, indices]
    return propagation.record(
        equation.primitive.name, inputs, output, propagation.links(*groups), equation.params
    )


@rule("sort")
def sort(propagation: Propagation, equation, inputs: list[Traced]) -> list[Traced]:
    """Sort along an axis: what comes out has an order of its own, what goes in may be in any.

    Several operands move together; positions among them (as for ``argsort``) freeze the axis.

    Example:
      >>> import jax, numpy as np
      >>> walk = Propagation()
      >>> (y,) = walk.run(jax.make_jaxpr(jax.numpy.sort)(np.ones(3)), [walk.data((3,))])
      >>> walk.factors.reason(0), walk.factors.reason(y.axes[0][0])
      (None, 'sorted')
    """
    return _ordered(propagation, equation, inputs, equation.params["dimension"])


@rule("top_k", "approx_top_k")
def top_k(propagation: Propagation, equation, inputs: list[Traced]) -> list[Traced]:
    """The largest entries, as `sort`; where their positions are used, the axis is frozen.

    Example:
      >>> import jax, numpy as np
      >>> walk, best = Propagation(), lambda x: jax.lax.top_k(x, 2)[0]
      >>> _ = walk.run(jax.make_jaxpr(best)(np.ones(3)), [walk.data((3,))])
      >>> walk.factors.reason(0) is None
      True
    """
    axis = equation.params.get("reduction_dimension", equation.params.get("axis", -1)) % len(inputs[0].axes)
    if propagation.is_needed(equation.outvars[1]):
        propagation.freeze(inputs[0], axis, "positions of the largest entries")
    return _ordered(propagation, equation, inputs, axis)


def _ordered(propagation: Propagation, equation, inputs: list[Traced], along: int) -> list[Traced]:
    """Outputs whose axis ``along`` is new and frozen; the other axes of all arrays are tied."""
    rank = len(inputs[0].axes)
    tied = [propagation.tie(*(x.axes[axis] for x in inputs)) for axis in range(rank)]
    outputs = []
    for variable in equation.outvars:
        axes = list(tied)
        axes[along] = propagation.axis(variable.aval.shape[along], propagation.reason("sorted"))
        output = propagation.array(axes)
        groups = [(*(Place(x, a) for x in inputs), Place(output, a)) for a in range(rank) if a != along]
        groups += [tuple(Place(x, along) for x in inputs), (Place(output, along),)]
        name = equation.primitive.name
        propagation.record(name, inputs, output, propagation.links(*groups), equation.params)
        outputs.append(output)
    return outputs


@rule("random_bits", "random_seed", "random_wrap", "random_unwrap", "random_fold_in", "random_split")
@rule("random_clone", "random_gamma", "threefry2x32", "rng_uniform", "rng_bit_generator")
def random_numbers(propagation: Propagation, equation, inputs: list[Traced]) -> list[Traced]:
    """Refuse: the symmetry of a function that draws random numbers is not defined.

    Raises:
      ValueError: always.

    Example:
      >>> import jax
      >>> walk, draw = Propagation(), lambda key: jax.random.normal(key, (3,))
      >>> walk.run(jax.make_jaxpr(draw)(jax.random.key(0)), [walk.data(())])
      Traceback (most recent call last):
      ValueError: apply_fn must not draw random numbers, ...
    """
    primitive = propagation.reason(equation.primitive.name)
    raise ValueError(
        f"apply_fn must not draw random numbers, got the primitive {primitive}: "
        "turn dropout and noise off, for instance by deterministic=True or train=False"
    )
