"""What a representation is: how a group acts on arrays of one kind.

Representations are values that print, compare and combine: ``8 * Vector()`` (eight copies), ``A + B`` (direct
sum), ``A * B`` (tensor product), ``A @ B`` (outer product, of a product group), ``A.dual()``. They act with
an element alone, and know their shape for a group.
"""

import abc
import functools
import math

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float

from equijax.groups import actions
from equijax.groups.base import Element, Group, element_template, print_call


class Representation(abc.ABC):
    """A way for a group to act on arrays: on their last ``ndim`` axes, the leading axes being batch axes."""

    ndim: int = 1
    """How many trailing axes the representation has."""

    is_linear: bool = True
    """Whether the action is linear; otherwise it is affine."""

    is_orthogonal: bool = False
    """Whether the matrices are orthogonal for every group, so that the dual is the representation itself."""

    @abc.abstractmethod
    def _shape(self, g: Element) -> tuple[int, ...]:
        """Trailing axes for the element's group; ``g`` may consist of ``jax.ShapeDtypeStruct``."""

    @abc.abstractmethod
    def _matrix(self, g: Element) -> Array:
        """Matrices on the flattened trailing axes, shape ``(..., d, d)``."""

    def _act(self, g: Element, x: Array) -> Array:
        """Action on one array whose trailing axes are right; by the matrix, unless there is a faster way."""
        shape = self._shape(g)
        matrix = self._matrix(g)
        flat = x.reshape(*x.shape[: x.ndim - self.ndim], math.prod(shape))
        moved = jnp.einsum("...ij,...j->...i", matrix, flat, precision="highest")
        return moved.reshape(*moved.shape[:-1], *shape)

    def shape(self, group: Group) -> tuple[int, ...]:
        """The trailing axes of the arrays that the representation acts on.

        Raises:
          TypeError: if the group has no such representation.

        Example:
          >>> from equijax.groups import SO, Vector
          >>> (8 * Vector()).shape(SO(3))
          (24,)
        """
        if not isinstance(group, Group):
            raise TypeError(f"group must be a Group, got {group!r}")
        try:
            return _shape_for(self, group)
        except TypeError as error:
            raise TypeError(f"{group!r} has no representation {self!r}: {error}") from error

    def act(self, g: Element, x):
        """Act with an element on an array, or on every leaf of a pytree.

        Args:
          g: a group element; its batch axes broadcast against the leading axes of ``x``.
          x: an array ``(..., *shape)``, or a pytree of such arrays (an ``e3nn_jax.IrrepsArray`` is one).

        Returns:
          The transformed array or pytree, of the dtype of ``x`` where that is floating.

        Raises:
          TypeError: if an element of this kind does not act by this representation.
          ValueError: if the trailing axes of ``x`` are not those of the representation.

        Example:
          >>> from equijax.groups import Vector
          >>> Vector().act(-jnp.eye(3), jnp.ones(3))
          Array([-1., -1., -1.], dtype=float32)
        """
        return jax.tree.map(lambda leaf: self._act_on_leaf(g, leaf), x)

    def _act_on_leaf(self, g: Element, x) -> Array:
        """Check the shape, act, and keep the dtype."""
        expected = self._shape(g)
        if np.ndim(x) < self.ndim or np.shape(x)[np.ndim(x) - self.ndim :] != expected:
            axes = ", ".join(["...", *map(str, expected)])
            raise ValueError(f"x must have shape ({axes}) for {self!r} to act on it, got {np.shape(x)}")
        x = jnp.asarray(x)
        moved = self._act(g, x)
        return moved.astype(x.dtype) if jnp.issubdtype(x.dtype, jnp.inexact) else moved

    def matrix(self, g: Element) -> Float[Array, "... d d"]:
        """The matrix of an element on the flattened (row-major) trailing axes.

        Raises:
          TypeError: if the representation is not linear, or an element of this kind does not act by it.

        Example:
          >>> from equijax.groups import Cyclic, Regular
          >>> group = Cyclic(3)
          >>> Regular().matrix(jax.tree.map(lambda leaf: leaf[1], group.elements()))
          Array([[0., 0., 1.],
                 [1., 0., 0.],
                 [0., 1., 0.]], dtype=float32)
        """
        if not self.is_linear:
            raise TypeError(f"{self!r} is affine: it has no matrix")
        return self._matrix(g)

    def dual(self) -> "Representation":
        """The dual representation, with matrices ``matrix(g^-1)^T``.

        Raises:
          TypeError: if the representation is not linear.

        Example:
          >>> from equijax.groups import Irreps, Vector
          >>> Vector().dual(), Irreps("1o").dual()
          (Vector().dual(), Irreps("1x1o"))
        """
        from equijax.groups.combined import Dual  # here, because combinations are representations

        if not self.is_linear:
            raise TypeError(f"{self!r} is affine: it has no dual")
        return self if self.is_orthogonal else Dual(self)

    def __repr__(self) -> str:
        return print_call(self)

    def __add__(self, other: "Representation") -> "Representation":
        """The direct sum: the flattened axes of both, one after the other."""
        from equijax.groups.combined import direct_sum

        return direct_sum(self, other) if isinstance(other, Representation) else NotImplemented

    def __radd__(self, other) -> "Representation":
        """Makes ``sum([A, B])`` work, which starts from zero."""
        return self if isinstance(other, int) and other == 0 else NotImplemented

    def __mul__(self, other: "Representation | int") -> "Representation":
        """The tensor product with another representation of the same group, or copies."""
        from equijax.groups.combined import Multiple, tensor_product

        if isinstance(other, Representation):
            return tensor_product(self, other)
        return Multiple(other, self) if _is_count(other) else NotImplemented

    def __rmul__(self, other: int) -> "Representation":
        """Copies: ``8 * A``."""
        from equijax.groups.combined import Multiple

        return Multiple(other, self) if _is_count(other) else NotImplemented

    def __matmul__(self, other: "Representation") -> "Representation":
        """The outer product, a representation of a product group: one operand a factor, in order."""
        from equijax.groups.combined import outer_product

        return outer_product(self, other) if isinstance(other, Representation) else NotImplemented


def _is_count(value) -> bool:
    """Whether a value is an integer."""
    return isinstance(value, int | np.integer) and not isinstance(value, bool)


@functools.lru_cache(maxsize=1024)
def _shape_for(representation: Representation, group: Group) -> tuple[int, ...]:
    """The trailing axes, from the shapes of the group's identity."""
    return representation._shape(element_template(group))


def act(reps, g: Element, tree):
    """Act on a pytree by a signature: a pytree of representations that is a prefix of the pytree.

    Args:
      reps: a representation, or a pytree of them whose structure is a prefix of ``tree``.
      g: a group element.
      tree: arrays; below each representation any number of leaves.

    Returns:
      The transformed pytree.

    Raises:
      ValueError: if ``reps`` is not a prefix of ``tree``, or a leaf has the wrong shape.
      TypeError: if a leaf of ``reps`` is not a representation.

    Example:
      >>> from equijax.groups import Trivial, Vector
      >>> act((Vector(), Trivial()), -jnp.eye(3), (jnp.ones(3), {"mass": jnp.float32(2.0)}))
      (Array([-1., -1., -1.], dtype=float32), {'mass': Array(2., dtype=float32)})
    """
    leaves, structure = jax.tree.flatten(reps)
    for leaf in leaves:
        if not isinstance(leaf, Representation):
            raise TypeError(f"reps must be a pytree of representations, got {leaf!r}")
    try:
        parts = structure.flatten_up_to(tree)
    except ValueError as error:
        shapes = jax.tree.map(np.shape, tree)
        message = f"reps must be a prefix of the arguments, got {reps!r} for arguments of shapes {shapes}"
        raise ValueError(message) from error
    return structure.unflatten([rep.act(g, part) for rep, part in zip(leaves, parts, strict=True)])


def linear_shape(g: Element) -> tuple[int]:
    """The dimension of the space that an element acts on linearly, as a shape.

    Example:
      >>> linear_shape(jnp.eye(3))
      (3,)
    """
    return jax.eval_shape(actions.linear_part, g).shape[-1:]
