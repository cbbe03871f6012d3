"""Representations made of others: sums, copies, tensor products, outer products, duals."""

import dataclasses
import functools
import math

import jax
import jax.numpy as jnp

from equijax.groups.base import check_size
from equijax.groups.blocks import block_diagonal, kronecker
from equijax.groups.representation import Representation


def _flatten_operands(kind: type, operands: tuple[Representation, ...]) -> tuple[Representation, ...]:
    """The operands, with those of the same kind replaced by their own parts."""
    parts = []
    for operand in operands:
        parts.extend(operand.parts if isinstance(operand, kind) else (operand,))
    return tuple(parts)


def direct_sum(*operands: Representation) -> "DirectSum":
    """The direct sum ``A + B + ...``.

    Example:
      >>> from equijax.groups import Trivial, Vector
      >>> direct_sum(Trivial(), Vector())
      Trivial() + Vector()
    """
    return DirectSum(_flatten_operands(DirectSum, operands))


def tensor_product(*operands: Representation) -> "TensorProduct":
    """The tensor product ``A * B * ...`` of representations of one group.

    Example:
      >>> from equijax.groups import SO, Vector
      >>> tensor_product(Vector(), Vector()).shape(SO(3))
      (3, 3)
    """
    return TensorProduct(_flatten_operands(TensorProduct, operands))


def outer_product(*operands: Representation) -> "OuterProduct":
    """The outer product ``A @ B @ ...``, a representation of a product group.

    Example:
      >>> from equijax.groups import E, PermutationTensor, Point, S
      >>> outer_product(PermutationTensor(1), Point()).shape(S(8) * E(3))
      (8, 3)
    """
    return OuterProduct(_flatten_operands(OuterProduct, operands))


def _parenthesised(parts: tuple[Representation, ...], kinds: tuple[type, ...]) -> list[str]:
    """The printed parts, in parentheses where they are of the given kinds."""
    return [f"({part!r})" if isinstance(part, kinds) else repr(part) for part in parts]


class _Compound(Representation):
    """Several representations joined."""

    parts: tuple[Representation, ...]

    def __post_init__(self):
        for part in self.parts:
            if not isinstance(part, Representation):
                raise TypeError(f"parts must be representations, got {part!r}")

    @property
    def is_linear(self):
        """Whether every part is linear."""
        return all(part.is_linear for part in self.parts)

    @property
    def is_orthogonal(self):
        """Whether every part is orthogonal."""
        return all(part.is_orthogonal for part in self.parts)


@dataclasses.dataclass(frozen=True, repr=False)
class DirectSum(_Compound):
    """The direct sum: one axis, the flattened axes of the parts one after the other.

    Attributes:
      parts: the summands in order.

    Example:
      >>> from equijax.groups import Trivial, Vector
      >>> (Trivial() + Vector()).act(-jnp.eye(2), jnp.array([1.0, 2.0, 3.0]))
      Array([ 1., -2., -3.], dtype=float32)
    """

    parts: tuple[Representation, ...]
    ndim = 1

    def __repr__(self):
        return " + ".join(map(repr, self.parts))

    def _shape(self, g):
        return (sum(math.prod(part._shape(g)) for part in self.parts),)

    def _act(self, g, x):
        moved, start = [], 0
        for part in self.parts:
            shape = part._shape(g)
            size = math.prod(shape)
            piece = part._act(g, x[..., start : start + size].reshape(*x.shape[:-1], *shape))
            moved.append(piece.reshape(*piece.shape[: piece.ndim - len(shape)], size))
            start += size
        batch = jnp.broadcast_shapes(*(piece.shape[:-1] for piece in moved))
        return jnp.concatenate([jnp.broadcast_to(each, (*batch, each.shape[-1])) for each in moved], axis=-1)

    def _matrix(self, g):
        return block_diagonal([part.matrix(g) for part in self.parts])

    def dual(self):
        """The sum of the duals."""
        return DirectSum(tuple(part.dual() for part in self.parts))


@dataclasses.dataclass(frozen=True, repr=False)
class Multiple(Representation):
    """Copies of one representation: one axis ``count * size``, the copies one after the other.

    Attributes:
      count: the number of copies.
      part: the representation that is copied.

    Raises:
      TypeError: if ``count`` is not an integer.
      ValueError: if ``count`` is negative.

    Example:
      >>> from equijax.groups import Vector
      >>> (2 * Vector()).act(-jnp.eye(2), jnp.array([1.0, 2.0, 3.0, 4.0]))
      Array([-1., -2., -3., -4.], dtype=float32)
    """

    count: int
    part: Representation
    ndim = 1

    def __post_init__(self):
        check_size("count", self.count, 0)

    def __repr__(self):
        inner = _parenthesised((self.part,), (DirectSum, Multiple, TensorProduct, OuterProduct))[0]
        return f"{self.count} * {inner}"

    @property
    def is_linear(self):
        """Whether the part is linear."""
        return self.part.is_linear

    @property
    def is_orthogonal(self):
        """Whether the part is orthogonal."""
        return self.part.is_orthogonal

    def _shape(self, g):
        return (self.count * math.prod(self.part._shape(g)),)

    def _act(self, g, x):
        shape = self.part._shape(g)
        copies = x.reshape(*x.shape[:-1], self.count, *shape)
        moved = _act_over(self.part, g, copies, kept=1)
        return moved.reshape(*moved.shape[: moved.ndim - 1 - len(shape)], x.shape[-1])

    def _matrix(self, g):
        return kronecker(jnp.eye(self.count), self.part.matrix(g))

    def dual(self):
        """Copies of the dual."""
        return Multiple(self.count, self.part.dual())


def _act_over(part: Representation, g, x, kept: int):
    """Act on the last axes, the same on each index of the ``kept`` axes before them."""
    batch = x.ndim - kept - part.ndim
    lead = x.shape[batch : batch + kept]
    rolled = jnp.moveaxis(x, range(batch, batch + kept), range(kept))
    rolled = rolled.reshape(math.prod(lead), *rolled.shape[kept:])
    moved = jax.vmap(lambda y: part._act(g, y), out_axes=-1 - part.ndim)(rolled)
    end = moved.ndim - part.ndim
    return moved.reshape(*moved.shape[: end - 1], *lead, *moved.shape[end:])


def _act_on_axes(parts: tuple[Representation, ...], elements: tuple, x):
    """Act with one element a part, on consecutive groups of trailing axes."""
    total = sum(part.ndim for part in parts)
    before = 0
    for part, element in zip(parts, elements, strict=True):
        # Axes of this part to the end, act over the others, and back.
        start = x.ndim - total + before
        source, target = range(start, start + part.ndim), range(x.ndim - part.ndim, x.ndim)
        moved = _act_over(part, element, jnp.moveaxis(x, source, target), kept=total - part.ndim)
        grown = moved.ndim - x.ndim
        x = jnp.moveaxis(moved, [axis + grown for axis in target], [axis + grown for axis in source])
        before += part.ndim
    return x


@dataclasses.dataclass(frozen=True, repr=False)
class TensorProduct(_Compound):
    """The tensor product of representations of one group: the axes of the parts, in order.

    Attributes:
      parts: the factors in order.

    Example:
      >>> from equijax.groups import Vector
      >>> turn = jnp.array([[0.0, -1.0], [1.0, 0.0]])
      >>> (Vector() * Vector()).act(turn, jnp.array([[1.0, 0.0], [0.0, 0.0]])) + 0.0
      Array([[0., 0.],
             [0., 1.]], dtype=float32)
    """

    parts: tuple[Representation, ...]

    def __post_init__(self):
        super().__post_init__()
        for part in self.parts:
            if not part.is_linear:
                raise TypeError(f"a tensor product needs linear representations, got {part!r}")

    def __repr__(self):
        return " * ".join(_parenthesised(self.parts, (DirectSum, Multiple, OuterProduct)))

    @property
    def ndim(self):
        """The number of axes of all parts."""
        return sum(part.ndim for part in self.parts)

    def _shape(self, g):
        return sum((part._shape(g) for part in self.parts), ())

    def _act(self, g, x):
        return _act_on_axes(self.parts, (g,) * len(self.parts), x)

    def _matrix(self, g):
        return functools.reduce(kronecker, [part.matrix(g) for part in self.parts])

    def dual(self):
        """The product of the duals."""
        return TensorProduct(tuple(part.dual() for part in self.parts))


@dataclasses.dataclass(frozen=True, repr=False)
class OuterProduct(_Compound):
    """A representation of a product group: one part a factor, the axes of the parts in order.

    ``PermutationTensor(1) @ Point()`` acts on positions ``(n, 3)`` with an element of ``S(n) * E(3)``: points
    are permuted, and each is moved.

    Attributes:
      parts: one representation for each factor of the group, in order.

    Example:
      >>> from equijax.groups import PermutationTensor, Vector
      >>> g = (jnp.array([1, 0]), -jnp.eye(2))
      >>> (PermutationTensor(1) @ Vector()).act(g, jnp.array([[1.0, 2.0], [3.0, 4.0]]))
      Array([[-3., -4.],
             [-1., -2.]], dtype=float32)
    """

    parts: tuple[Representation, ...]

    def __repr__(self):
        return " @ ".join(_parenthesised(self.parts, (DirectSum, Multiple, TensorProduct)))

    @property
    def ndim(self):
        """The number of axes of all parts."""
        return sum(part.ndim for part in self.parts)

    def _elements(self, g) -> tuple:
        """The factors' elements, one a part."""
        if type(g) is not tuple or len(g) != len(self.parts):
            got = f"a tuple of {len(g)}" if type(g) is tuple else type(g).__name__
            raise TypeError(
                f"g must be an element of a product of {len(self.parts)} groups for {self!r}, got {got}"
            )
        return g

    def _shape(self, g):
        return sum((part._shape(each) for part, each in zip(self.parts, self._elements(g), strict=True)), ())

    def _act(self, g, x):
        return _act_on_axes(self.parts, self._elements(g), x)

    def _matrix(self, g):
        pairs = zip(self.parts, self._elements(g), strict=True)
        return functools.reduce(kronecker, [part.matrix(each) for part, each in pairs])

    def dual(self):
        """The outer product of the duals."""
        return OuterProduct(tuple(part.dual() for part in self.parts))


@dataclasses.dataclass(frozen=True, repr=False)
class Dual(Representation):
    """The dual of a representation that is not orthogonal: matrices ``matrix(g)^-T`` on the same axes.

    Attributes:
      part: the representation whose dual it is.

    Example:
      >>> from equijax.groups import Scaling, Vector
      >>> Vector().dual().act(Scaling(1).exp(jnp.array([1.0])), jnp.array([jnp.e]))
      Array([1.], dtype=float32)
    """

    part: Representation

    def __repr__(self):
        inner = _parenthesised((self.part,), (DirectSum, Multiple, TensorProduct, OuterProduct))[0]
        return f"{inner}.dual()"

    @property
    def ndim(self):
        """The number of axes of the part."""
        return self.part.ndim

    def _shape(self, g):
        return self.part._shape(g)

    def _matrix(self, g):
        return jnp.swapaxes(jnp.linalg.inv(self.part.matrix(g)), -1, -2)

    def dual(self):
        """The representation itself."""
        return self.part
