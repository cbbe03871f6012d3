"""Representations taken apart: sums of tensor types, each with the places of its copies in the flat array.

A tensor type is a product of primitive representations, in a fixed order, for every factor of a product
group. Sums, copies, tensor and outer products, duals, tensors of permutations and irreps are resolved into
types; what acts trivially is counted as copies, and a dual that is the representation itself is dropped. Two
blocks of one type are related by the same equivariant maps, so that these are solved once a pair of types.
"""

import functools
import math
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array

from equijax.equivariance import generators
from equijax.groups import (
    DirectSum,
    Dual,
    Group,
    Irreps,
    Multiple,
    OuterProduct,
    PermutationTensor,
    Pseudoscalar,
    Pseudovector,
    Representation,
    TensorProduct,
    Trivial,
    Vector,
)
from equijax.groups.base import element_template

_MAX_RUNS = 16

Type = tuple[tuple[Representation, ...], ...]
"""For each factor of the group, the primitive representations whose tensor product it acts by."""


class Block(NamedTuple):
    """The copies of one tensor type within a representation.

    Attributes:
      type: the tensor type.
      index: where the copies lie in the flattened array, int32, shape ``(copies, *axes)``; an axis for each
        primitive of the type, those of the first factor first.
    """

    type: Type
    index: np.ndarray

    @property
    def copies(self) -> int:
        """How many copies there are."""
        return self.index.shape[0]

    @property
    def size(self) -> int:
        """The dimension of the type."""
        return math.prod(self.index.shape[1:])


class _Piece(NamedTuple):
    """A block whose primitives, each with the number of its factor, are in the order of the axes of ``index``
    (after the copies)."""

    primitives: tuple[tuple[int, Representation], ...]
    index: np.ndarray


def factors(group: Group, *reps: Representation) -> tuple[Group, ...]:
    """The groups whose representations multiply to all of the given ones: the factors, or the group itself.

    A product group is taken apart only if every representation is made of outer products.

    Example:
      >>> from equijax.groups import SO, Adjoint, S
      >>> group = S(4) * SO(3)
      >>> factors(group, PermutationTensor(2) @ Vector(), Trivial())
      (S(4), SO(3))
      >>> factors(group, Adjoint(group))
      (S(4) * SO(3),)
    """
    parts = getattr(group, "factors", None)
    if parts is None or not all(_is_outer(rep, len(parts)) for rep in reps):
        return (group,)
    return parts


def _is_outer(rep: Representation, count: int) -> bool:
    """Whether a representation is made of outer products with ``count`` parts."""
    match rep:
        case Trivial():
            return True
        case OuterProduct():
            return len(rep.parts) == count
        case DirectSum() | TensorProduct():
            return all(_is_outer(part, count) for part in rep.parts)
        case Multiple() | Dual():
            return _is_outer(rep.part, count)
    return False


@functools.lru_cache(maxsize=1024)
def split(groups: tuple[Group, ...], rep: Representation) -> tuple[Block, ...]:
    """The blocks of a representation, one for each tensor type, in the order of their first places.

    Args:
      groups: what `factors` returned.
      rep: a linear representation.

    Example:
      >>> from equijax.groups import SO
      >>> [(block.type, block.copies) for block in split((SO(3),), 2 * Vector() + Irreps("0e+1o"))]
      [(((Vector(),),), 3), (((),), 1)]
    """
    merged: dict[Type, list[np.ndarray]] = {}
    for piece in _pieces(groups, None if len(groups) > 1 else 0, rep):
        kind, index = _canonical(groups, piece)
        if index.size:
            merged.setdefault(kind, []).append(index)
    blocks = [Block(kind, np.concatenate(parts).astype(np.int32)) for kind, parts in merged.items()]
    return tuple(sorted(blocks, key=lambda block: block.index.min()))


def _pieces(groups, place: int | None, rep: Representation) -> list[_Piece]:
    """Resolve a representation of one factor (``place``), or of the whole product (None)."""
    match rep:
        case Trivial():
            return [_Piece((), np.zeros(1, np.int64))]
        case Multiple():
            size = _size(groups, place, rep.part)
            starts = np.arange(rep.count) * size
            return [_spread(piece, starts) for piece in _pieces(groups, place, rep.part)]
        case DirectSum():
            found, start = [], 0
            for part in rep.parts:
                found += [_spread(piece, np.array([start])) for piece in _pieces(groups, place, part)]
                start += _size(groups, place, part)
            return found
        case TensorProduct():
            return _product(groups, [(place, part) for part in rep.parts])
        case OuterProduct() if place is None:
            return _product(groups, list(enumerate(rep.parts)))
        case Dual():
            return [
                _Piece(tuple((at, _dual(part)) for at, part in piece.primitives), piece.index)
                for piece in _pieces(groups, place, rep.part)
            ]
        case PermutationTensor():
            n = 0 if rep.order == 0 else rep.shape(groups[place])[0]
            index = np.arange(n**rep.order).reshape(1, *[n] * rep.order)
            return [_Piece(((place, PermutationTensor(1)),) * rep.order, index)]
        case Pseudovector():
            return [_Piece(((place, Pseudoscalar()), (place, Vector())), _one(groups, place, rep, (1, -1)))]
        case Irreps():
            return _irreps(place, rep)
    return [_Piece(((place, rep),), _one(groups, place, rep, (-1,)))]


def _one(groups, place, rep, axes: tuple[int, ...]) -> np.ndarray:
    """The places of a representation that stands alone, with the given axes after that of the copies."""
    return np.arange(_size(groups, place, rep)).reshape(1, *axes)


def _size(groups, place, rep: Representation) -> int:
    """The dimension of a representation of one factor, or of the whole product."""
    if isinstance(rep, OuterProduct) and place is None:
        return math.prod(_size(groups, i, part) for i, part in enumerate(rep.parts))
    if isinstance(rep, DirectSum):
        return sum(_size(groups, place, part) for part in rep.parts)
    if isinstance(rep, TensorProduct):
        return math.prod(_size(groups, place, part) for part in rep.parts)
    if isinstance(rep, Multiple):
        return rep.count * _size(groups, place, rep.part)
    if isinstance(rep, Dual):
        return _size(groups, place, rep.part)
    return 1 if isinstance(rep, Trivial) else math.prod(rep.shape(groups[place]))


def _spread(piece: _Piece, starts: np.ndarray) -> _Piece:
    """Copies of a piece at several starts."""
    index = starts.reshape(-1, *[1] * piece.index.ndim) + piece.index
    return _Piece(piece.primitives, index.reshape(-1, *piece.index.shape[1:]))


def _product(groups, parts) -> list[_Piece]:
    """The pieces of a product, whose flat index runs over the parts' flat indices, the last the fastest."""
    found = [_Piece((), np.zeros(1, np.int64))]
    for place, part in parts:
        size = _size(groups, place, part)
        right = _pieces(groups, place, part)
        found = [_outer(a, b, size) for a in found for b in right]
    return found


def _outer(a: _Piece, b: _Piece, size: int) -> _Piece:
    """The product of two pieces: copies with copies, axes after axes."""
    left = a.index.reshape(*a.index.shape[:1], 1, *a.index.shape[1:], *[1] * (b.index.ndim - 1))
    right = b.index.reshape(1, *b.index.shape[:1], *[1] * (a.index.ndim - 1), *b.index.shape[1:])
    index = left * size + right
    return _Piece(a.primitives + b.primitives, index.reshape(-1, *index.shape[2:]))


def _dual(primitive: Representation) -> Representation:
    """The dual of a primitive representation."""
    return primitive.part if isinstance(primitive, Dual) else primitive.dual()


def _irreps(place, rep: Irreps) -> list[_Piece]:
    """Irreps by degree; degree 1 is a vector, and unnatural parity a factor that is a pseudoscalar."""
    found, start = [], 0
    for copies, degree, parity in rep.terms:
        size = 2 * degree + 1
        index = start + np.arange(copies * size).reshape(copies, size)
        start += copies * size
        natural = Vector() if degree == 1 else Irreps(f"{degree}y")
        primitives = ((place, natural),) if degree else ()
        index = index if degree else index[:, 0]
        if parity != (-1) ** degree:
            primitives, index = ((place, Pseudoscalar()), *primitives), index[:, None]
        found.append(_Piece(primitives, index))
    return found


def _canonical(groups, piece: _Piece) -> tuple[Type, np.ndarray]:
    """The tensor type of a piece, with the axes of the index in the type's order."""
    axes, copied, seen = [], [], {}
    for axis, (place, primitive) in enumerate(piece.primitives, start=1):
        if isinstance(primitive, Dual) and generators.is_orthogonal(groups[place], primitive.part):
            primitive = primitive.part
        if generators.is_trivial(groups[place], primitive):
            copied.append(axis)
        elif isinstance(primitive, Pseudoscalar) and place in seen:
            # The square of a sign is one.
            axes.remove(seen[place])
            copied += [seen.pop(place)[-1], axis]
        else:
            entry = (place, repr(primitive), primitive, axis)
            if isinstance(primitive, Pseudoscalar):
                seen[place] = entry
            axes.append(entry)
    axes.sort(key=lambda entry: (entry[0], entry[1], entry[3]))
    index = np.transpose(piece.index, (0, *copied, *(entry[3] for entry in axes)))
    index = index.reshape(-1, *index.shape[1 + len(copied) :])
    kind = tuple(tuple(entry[2] for entry in axes if entry[0] == place) for place in range(len(groups)))
    return kind, index


def places(blocks: tuple[Block, ...]) -> np.ndarray:
    """The places of all entries in the flattened array, block after block.

    Example:
      >>> from equijax.groups import SO
      >>> places(split((SO(2),), Trivial() + Vector() + Trivial()))
      array([0, 3, 1, 2], dtype=int32)
    """
    return np.concatenate([np.zeros(0, np.int32), *(block.index.ravel() for block in blocks)])


def start_of(blocks: tuple[Block, ...], number: int) -> int:
    """The number of entries in the blocks before one.

    Example:
      >>> from equijax.groups import SO
      >>> start_of(split((SO(2),), Trivial() + Vector() + Trivial()), 1)
      2
    """
    return sum(block.index.size for block in blocks[:number])


def taken(array: Array, order: np.ndarray, axis: int) -> Array:
    """The entries along an axis with the given numbers.

    A few runs of consecutive numbers are sliced and joined, which, above all in reverse, is faster than
    gathering.

    Example:
      >>> taken(jnp.array([1.0, 2.0, 3.0]), np.array([1, 2, 0]), -1)
      Array([2., 3., 1.], dtype=float32)
    """
    starts = np.flatnonzero(np.diff(order, prepend=-2) != 1)
    if not 0 < len(starts) <= _MAX_RUNS:
        return jnp.take(array, jnp.asarray(order, jnp.int32), axis=axis)
    runs = [
        jax.lax.slice_in_dim(array, int(run[0]), int(run[-1]) + 1, axis=axis)
        for run in np.split(order, starts[1:])
    ]
    return runs[0] if len(runs) == 1 else jnp.concatenate(runs, axis=axis)


def check_linear(name: str, group: Group, rep: Representation) -> int:
    """Require a linear representation that a group has, and return its dimension.

    Args:
      name: the argument's name, for the message.
      group: the group.
      rep: the representation.

    Raises:
      TypeError: if it is no representation, or affine, or the group does not have it.

    Example:
      >>> from equijax.groups import SO
      >>> check_linear("in_rep", SO(3), 2 * Vector())
      6
    """
    if not isinstance(rep, Representation):
        raise TypeError(f"{name} must be a representation such as Vector(), got {rep!r}")
    if not rep.is_linear:
        raise TypeError(
            f"{name} must be linear, got {rep!r}, which translations move: subtract a reference point, such "
            "as the mean, and use Vector(); or append a one, and use Homogeneous()"
        )
    size = math.prod(rep.shape(group))
    # Some representations learn only from the element itself that they do not have it.
    jax.eval_shape(rep.matrix, element_template(group))
    return size
