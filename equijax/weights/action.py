"""How an element of a symmetry of weights acts on one parameter: entries are mixed, scaled and moved.

An entry at position ``i`` of a permuted axis is multiplied by the scales and signs of neuron ``i`` and goes
to position ``g[i]``, the convention of `equijax.groups.PermutationTensor`. Positions on an axis are computed
once for each axis, so a large parameter is moved by one gather an axis.
"""

import dataclasses
import math
from typing import Any

import jax
import jax.numpy as jnp

from equijax.groups import Representation, actions
from equijax.weights.parts import Joined, Part, parts_in, size_of

Axis = tuple[Part | Joined, ...]


@dataclasses.dataclass(frozen=True, repr=False)
class ParameterAction(Representation):
    """The action of a symmetry of weights on one array.

    Attributes:
      axes: the parts of each axis.
      anchor: the path of a piece of the element and how many trailing axes it has, from which the batch axes
        of elements are known; None if the group is trivial.

    Example:
      >>> from equijax.weights.parts import Part
      >>> action = ParameterAction(((Part(2),), (Part(3, path=(0,)),)), anchor=((0,), 1))
      >>> action.act((jnp.array([1, 2, 0]),), jnp.array([[0, 1, 2], [3, 4, 5]]))
      Array([[2, 0, 1],
             [5, 3, 4]], dtype=int32)
    """

    axes: tuple[Axis, ...]
    anchor: tuple[tuple[int, ...], int] | None = None

    def __repr__(self):
        moved = sum(any(part.path is not None for part in parts_in(axis)) for axis in self.axes)
        return f"ParameterAction({', '.join(str(size_of(axis)) for axis in self.axes)}; {moved} axes move)"

    @property
    def ndim(self):
        """The number of axes of the array."""
        return len(self.axes)

    @property
    def is_orthogonal(self):
        """Whether entries are only moved, or change sign."""
        return all(not part.is_mixed and not any(part.scale) for axis in self.axes for part in parts_in(axis))

    def _shape(self, g):
        return tuple(size_of(axis) for axis in self.axes)

    def _act(self, g, x):
        if self.anchor is None:
            return x
        path, trailing = self.anchor
        piece = jax.tree.leaves(_piece(g, path))[0]
        batch = piece.shape[: piece.ndim - trailing]
        if not batch:
            return _act_once(self.axes, g, x)
        batch = jnp.broadcast_shapes(batch, x.shape[: x.ndim - self.ndim])
        count, own = math.prod(batch), piece.ndim - trailing

        def flat(leaf, shape):
            return jnp.broadcast_to(leaf, (*batch, *shape)).reshape(count, *shape)

        spread = jax.tree.map(lambda leaf: flat(leaf[(None,) * (len(batch) - own)], leaf.shape[own:]), g)
        moved = jax.vmap(lambda g, x: _act_once(self.axes, g, x))(spread, flat(x, self._shape(g)))
        return moved.reshape(*batch, *moved.shape[1:])

    def _matrix(self, g):
        size = math.prod(self._shape(g))
        basis = jnp.eye(size).reshape(size, *self._shape(g))
        path, trailing = self.anchor or ((), 0)
        count = jax.tree.leaves(_piece(g, path))[0].ndim - trailing if self.anchor else 0
        expanded = jax.tree.map(lambda leaf: jnp.expand_dims(leaf, count), g)
        columns = self._act(expanded, basis)
        return jnp.swapaxes(columns.reshape(*columns.shape[: columns.ndim - self.ndim], size), -1, -2)


def _piece(g, path: tuple[int, ...]) -> Any:
    """The piece of an element at a path."""
    for index in path:
        g = g[index]
    return g


def _act_once(axes: tuple[Axis, ...], g, x):
    """Act with one element on the last axes of an array."""
    lead = x.ndim - len(axes)
    for numbers in _coupled(axes):
        chain = tuple(part for number in numbers for part in axes[number])
        if all(part.path is None for part in parts_in(chain)):
            continue
        places, ends = [lead + number for number in numbers], range(x.ndim - len(numbers), x.ndim)
        moved = jnp.moveaxis(x, places, ends)
        shape = moved.shape
        moved = moved.reshape(*shape[: x.ndim - len(numbers)], size_of(chain))
        if any(part.is_mixed for part in parts_in(chain)):
            moved = _mix(moved, chain, g)
        moved = _move(moved, chain, g)
        x = jnp.moveaxis(moved.reshape(shape), ends, places)
    return x


def _coupled(axes: tuple[Axis, ...]) -> list[list[int]]:
    """Groups of axes that have to be moved together, because a family on one is over a part of another."""
    group = list(range(len(axes)))
    homes = {part.label: n for n, axis in enumerate(axes) for part in axis if part_label(part) >= 0}
    for number, axis in enumerate(axes):
        for part in parts_in(axis):
            for label in part.over:
                old, new = group[homes.get(label, number)], group[number]
                group = [new if each == old else each for each in group]
    return [[n for n in range(len(axes)) if group[n] == each] for each in dict.fromkeys(group)]


def part_label(part: Part | Joined) -> int:
    """The label of a part; -1 for joined ones, which have none.

    Example:
      >>> part_label(Joined(((Part(2),), (Part(3),))))
      -1
    """
    return part.label if isinstance(part, Part) else -1


def _move(x, chain: Axis, g):
    """Scale and permute the last axis, which the chain describes."""
    image, factor = _image(chain, {}, (), g)
    if factor is not None:
        x = x * jnp.broadcast_to(factor, image.shape).astype(jnp.result_type(x, jnp.bfloat16))
    if image is None:
        return x
    source = jnp.zeros_like(image).at[image].set(jnp.arange(image.shape[-1], dtype=image.dtype))
    return jnp.take(x, source, axis=-1)


def _image(chain: Axis, known: dict, around: tuple[int, ...], g):
    """Where each position of a chain goes, and what its entry is multiplied by (None for 1).

    Args:
      chain: the parts.
      known: from labels of parts around the chain to their index arrays.
      around: the shape that those arrays broadcast to; the results' leading axes.
      g: the element.
    """
    depth, count = len(around), len(chain)
    index = []
    for i, part in enumerate(chain):
        shape = [1] * (depth + count)
        shape[depth + i] = part.size
        index.append(jnp.arange(part.size, dtype=jnp.int32).reshape(shape))
    known = {label: each.reshape(*each.shape, *(1,) * count) for label, each in known.items()}
    known |= {part_label(part): index[i] for i, part in enumerate(chain) if part_label(part) >= 0}
    grid = (*around, *(part.size for part in chain))
    total, factor, stride = jnp.zeros((), jnp.int32), None, 1
    for i in reversed(range(count)):
        part = chain[i]
        if isinstance(part, Joined):
            inner = (*grid[: depth + i], 1, *grid[depth + i + 1 :])
            here, times = _joined_image(part, known, inner, depth + i, g)
        else:
            here, times = _part_image(part, index[i], known, g)
        total = total + here * stride
        factor = times if factor is None else factor if times is None else factor * times
        stride *= part.size
    flat = (*around, stride)
    total = jnp.broadcast_to(total, grid).reshape(flat)
    return total, None if factor is None else jnp.broadcast_to(factor, grid).reshape(flat)


def _joined_image(part: Joined, known: dict, around: tuple[int, ...], axis: int, g):
    """The images of the segments, one after the other, along the axis of the part."""
    images, factors, start = [], [], 0
    for segment in part.segments:
        image, factor = _image(segment, known, around, g)
        images.append(jnp.swapaxes(image + start, axis, -1)[..., 0])
        factor = jnp.ones(image.shape) if factor is None else factor
        factors.append((jnp.swapaxes(factor, axis, -1)[..., 0], any(_scales(p) for p in parts_in(segment))))
        start += image.shape[-1]
    scaled = any(each for _, each in factors)
    return (
        jnp.concatenate(images, axis),
        jnp.concatenate([each for each, _ in factors], axis) if scaled else None,
    )


def _scales(part: Part) -> bool:
    """Whether entries are multiplied by something."""
    return any(part.scale) or any(part.sign)


def _part_image(part: Part, index, known: dict, g):
    """The image of a part and its factor."""
    if part.path is None or part.is_mixed:
        return index, None
    piece = _piece(g, part.path)
    member = tuple(known[label] for label in part.over)
    image = jnp.asarray(actions.permutation(piece))[(*member, index)]
    if not _scales(part):
        return image, None
    factor = jnp.ones(())
    for number, power in enumerate(part.scale):
        if power:
            factor = factor * piece.scale[(*member, number, index)] ** float(power)
    for number, power in enumerate(part.sign):
        if power % 2:
            factor = factor * piece.sign[(*member, number, index)]
    return image, factor


def _mix(x, chain: Axis, g):
    """Multiply by matrices along the parts of the last axis that they act on."""
    lead = x.ndim - 1
    x = x.reshape(*x.shape[:-1], *(part.size for part in chain))
    x = _mix_parts(x, chain, set(range(len(chain))), lead, g)
    return x.reshape(*x.shape[:lead], size_of(chain))


def _mix_parts(x, chain: Axis, todo: set[int], lead: int, g):
    """Multiply along some parts of a chain; joined parts are taken apart and put together again."""
    for i in sorted(todo):
        if isinstance(chain[i], Part) and chain[i].is_mixed:
            x = _multiply(x, chain, i, lead, g)
    for i in sorted(todo):
        part = chain[i]
        if not isinstance(part, Joined) or not any(each.is_mixed for each in parts_in((part,))):
            continue
        pieces, start = [], 0
        for segment in part.segments:
            size = size_of(segment)
            piece = jax.lax.slice_in_dim(x, start, start + size, axis=lead + i)
            shape = piece.shape
            sizes = tuple(each.size for each in segment)
            piece = piece.reshape(*shape[: lead + i], *sizes, *shape[lead + i + 1 :])
            inner = (*chain[:i], *segment, *chain[i + 1 :])
            piece = _mix_parts(piece, inner, set(range(i, i + len(segment))), lead, g)
            pieces.append(piece.reshape(shape))
            start += size
        x = jnp.concatenate(pieces, axis=lead + i)
    return x


def _multiply(x, chain: Axis, i: int, lead: int, g):
    """Multiply by a matrix, or by the family's matrices, along part ``i``."""
    part = chain[i]
    matrix = jnp.asarray(actions.linear_part(_piece(g, part.path)))
    if part.dual:
        matrix = jnp.swapaxes(jnp.linalg.inv(matrix), -1, -2)
    bases = [lead + next(j for j, each in enumerate(chain) if part_label(each) == b) for b in part.over]
    axes = list(range(x.ndim))
    out = [x.ndim if axis == lead + i else axis for axis in axes]
    return jnp.einsum(x, axes, matrix, [*bases, x.ndim, lead + i], out, precision="highest")
