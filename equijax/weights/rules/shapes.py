"""Operations that only give axes a new place: transpositions, broadcasting, reshaping."""

from equijax.weights.factors import Axis, Free
from equijax.weights.nest import Link, Place, Traced
from equijax.weights.propagation import Propagation
from equijax.weights.registry import rule
from equijax.weights.rules.stacks import split_apart


@rule("transpose")
def transpose(propagation: Propagation, equation, inputs: list[Traced]) -> list[Traced]:
    """Reorder axes.

    Example:
      >>> import jax, numpy as np
      >>> walk = Propagation()
      >>> x = walk.data((2, 3))
      >>> walk.run(jax.make_jaxpr(np.transpose)(np.ones((2, 3))), [x])[0].axes == x.axes[::-1]
      True
    """
    (x,), order = inputs, equation.params["permutation"]
    output = propagation.array([x.axes[axis] for axis in order], x.constant)
    return [propagation.move([x], output, *((Place(x, a), Place(output, b)) for b, a in enumerate(order)))]


@rule("squeeze")
def squeeze(propagation: Propagation, equation, inputs: list[Traced]) -> list[Traced]:
    """Drop axes of size 1.

    Example:
      >>> import jax, numpy as np
      >>> walk = Propagation()
      >>> walk.run(jax.make_jaxpr(jax.numpy.squeeze)(np.ones((2, 1))), [walk.data((2, 1))])[0].axes
      ((0,),)
    """
    (x,) = inputs
    dropped = {axis % len(x.axes) for axis in equation.params["dimensions"]}
    kept = [axis for axis in range(len(x.axes)) if axis not in dropped]
    output = propagation.array([x.axes[axis] for axis in kept], x.constant)
    return [propagation.move([x], output, *((Place(x, a), Place(output, b)) for b, a in enumerate(kept)))]


@rule("broadcast_in_dim")
def broadcast(propagation: Propagation, equation, inputs: list[Traced]) -> list[Traced]:
    """Place axes in a larger shape; along the new ones the array is constant.

    Example:
      >>> import jax, numpy as np
      >>> walk, repeat = Propagation(), lambda x: jax.numpy.broadcast_to(x, (2, 3))
      >>> walk.run(jax.make_jaxpr(repeat)(np.ones(3)), [walk.data((3,))])[0].axes
      (Free(size=2), (0,))
    """
    x, shape = inputs[0], equation.params["shape"]
    axes = [Free(size) if size != 1 else () for size in shape]
    pairs = []
    for a, b in enumerate(equation.params["broadcast_dimensions"]):
        if propagation.factors.size(x.axes[a]) == shape[b]:
            axes[b] = x.axes[a]
            pairs.append((a, b))
    output = propagation.array(axes, x.constant)
    return [propagation.move([x], output, *((Place(x, a), Place(output, b)) for a, b in pairs))]


@rule("reshape")
def reshape(propagation: Propagation, equation, inputs: list[Traced]) -> list[Traced]:
    """Regroup factors: a boundary inside a factor refines it into a product.

    Example:
      >>> import jax, numpy as np
      >>> walk = Propagation()
      >>> x, split = walk.data((12,)), lambda x: x.reshape(3, 4)
      >>> (y,) = walk.run(jax.make_jaxpr(split)(np.ones(12)), [x])
      >>> walk.shape(y), walk.factors.expand(x.axes[0]) == walk.factors.expand(y.axes[0] + y.axes[1])
      ((3, 4), True)
    """
    x, shape = inputs[0], equation.params["new_sizes"]
    if id(equation) in propagation.apart:
        stacked = split_apart(propagation, x, shape, propagation.apart[id(equation)])
        if stacked is not None:
            return [stacked]
    if 0 in shape:
        return [propagation.array([propagation.axis(size) for size in shape], x.constant)]
    axes: list[Axis | Free] = []
    places: list[tuple[Axis, tuple[int, int] | None, tuple[int, int]]] = []
    for old, new in _blocks(propagation.shape(x), shape):
        regrouped = _regroup(propagation, x, old, [shape[axis] for axis in new])
        for number, atoms in zip(new, regrouped or (), strict=False):
            # Remember where an axis comes from, should its entries turn out to be read one by one.
            if len(atoms) == 1 and not isinstance(atoms[0][0], Free) and len(atoms[0][0]) == 1:
                propagation.origins.setdefault(atoms[0][0][0], (id(equation), number))
        if regrouped is None:
            for axis in old:
                propagation.freeze(x, axis, "reshaped across its structure")
            reason = propagation.reason("reshaped across its structure")
            regrouped = [[(propagation.axis(shape[axis], reason), None)] for axis in new]
        for number, atoms in zip(new, regrouped, strict=True):
            stride = 1
            for axis, place in reversed(atoms):
                places.append((axis, place, (number, stride)))
                stride *= propagation.factors.size(axis)
            axes.append(_product(atoms))
    output = propagation.array(axes, x.constant)
    links = []
    for axis, before, (number, stride) in places:
        if not isinstance(axis, Free) and not isinstance(axes[number], Free) and axis:
            after = (Place(output, number, 0, stride),)
            links.append(Link(axis, after if before is None else (Place(x, before[0], 0, before[1]), *after)))
    return [propagation.record("move", [x], output, links)]


def _blocks(old: tuple[int, ...], new: tuple[int, ...]) -> list[tuple[list[int], list[int]]]:
    """The smallest runs of old and new axes of equal size; trailing axes of size 1 join the last run."""
    blocks, i, j = [], 0, 0
    while i < len(old) or j < len(new):
        run = ([i], []) if i < len(old) else ([], [j])
        left = old[i] if i < len(old) else 1
        right = 1 if i < len(old) else new[j]
        i, j = (i + 1, j) if i < len(old) else (i, j + 1)
        while left != right:
            if left < right:
                run[0].append(i)
                left, i = left * old[i], i + 1
            else:
                run[1].append(j)
                right, j = right * new[j], j + 1
        blocks.append(run)
    return blocks


def _regroup(propagation: Propagation, x: Traced, old: list[int], sizes: list[int]) -> list | None:
    """For each new axis its factors with their place in the old axes; None if a factor cannot be split."""
    factors, atoms = propagation.factors, []
    if all(isinstance(x.axes[number], Free) for number in old):
        return [[(Free(size), None)] if size > 1 else [] for size in sizes]
    for number in old:
        axis = x.axes[number]
        if isinstance(axis, Free):
            atoms.append((axis, None))
            continue
        stride, held = 1, []
        for factor in reversed(factors.expand(axis)):
            held.append(((factor,), (number, stride)))
            stride *= factors.size((factor,))
        atoms.extend(reversed(held))
    groups = []
    for size in sizes:
        group = []
        while size > 1:
            axis, place = atoms.pop(0)
            n = factors.size(axis)
            if n > size:
                if n % size:
                    return None
                outer, inner = _split(propagation, axis, size)
                atoms.insert(0, (inner, place))
                axis, place = outer, place and (place[0], place[1] * (n // size))
            elif size % n:
                return None
            group.append((axis, place))
            size //= factors.size(axis)
        if any(not isinstance(axis, Free) for axis, _ in group):
            group = [
                (factors.new(axis.size), None) if isinstance(axis, Free) else (axis, place)
                for axis, place in group
            ]
        groups.append(group)
    return groups


def _split(propagation: Propagation, axis: Axis | Free, outer: int):
    """An axis of one factor as a product."""
    inner = propagation.factors.size(axis) // outer
    if isinstance(axis, Free):
        return Free(outer), Free(inner)
    pair = propagation.factors.new(outer), propagation.factors.new(inner)
    propagation.factors.unify(axis, pair[0] + pair[1])
    return pair


def _product(atoms) -> Axis | Free:
    """The axis made of atoms, which are all free or all factored."""
    if atoms and isinstance(atoms[0][0], Free):
        size = 1
        for axis, _ in atoms:
            size *= axis.size
        return Free(size)
    return tuple(factor for axis, _ in atoms for factor in axis)
