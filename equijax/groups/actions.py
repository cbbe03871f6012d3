"""What an element does, asked of the element alone: its linear part, its shift, its permutation of points.

Each function dispatches on the element's type, so that ``representation.act(g, x)`` needs no group, and a new
group registers its element type here from its own file. A plain array of reals ``(..., n, n)`` is a linear
map of R^n; a plain array of integers ``(..., n)`` is a permutation, ``i -> g[i]``.
"""

import functools

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float, Int

ARRAY_TYPES = (jax.Array, jax.core.Tracer, np.ndarray, jax.ShapeDtypeStruct)


def _is_permutation(g) -> bool:
    """Whether a plain array is a permutation rather than a matrix."""
    return jnp.issubdtype(g.dtype, jnp.integer)


def _refuse(g, part: str, advice: str):
    """Raise the error for an element that lacks a part."""
    if type(g) is tuple:
        advice = "an element of a product group acts by one representation a factor, as in A @ B"
    got = f"an array of shape {g.shape} and dtype {g.dtype}" if hasattr(g, "shape") else type(g).__name__
    raise TypeError(f"g must be a group element with {part}, got {got}: {advice}")


@functools.singledispatch
def linear_part(g) -> Float[Array, "... n n"]:
    """The linear map of R^n that an element acts by, apart from a shift.

    Raises:
      TypeError: if the element does not act on R^n.

    Example:
      >>> from equijax.groups import E
      >>> linear_part(E(2).identity())
      Array([[1., 0.],
             [0., 1.]], dtype=float32)
    """
    return _refuse(g, "a linear part", "Vector, Point, Irreps and their kin need a group that acts on R^n")


@functools.singledispatch
def orthogonal_part(g) -> Float[Array, "... n n"]:
    """The linear part of an element that preserves lengths.

    Raises:
      TypeError: if the element's type does not act on R^n by isometries.

    Example:
      >>> from equijax.groups import E
      >>> orthogonal_part(E(3).identity()).shape
      (3, 3)
    """
    return linear_part(g)


@functools.singledispatch
def translation_part(g) -> Float[Array, "... n"]:
    """The shift of an element that acts on points of R^n by ``x -> linear_part(g) x + translation_part(g)``.

    Elements without a shift return zeros.

    Raises:
      TypeError: if the element does not act on R^n.

    Example:
      >>> from equijax.groups import SO
      >>> translation_part(SO(3).identity())
      Array([0., 0., 0.], dtype=float32)
    """
    linear = linear_part(g)
    return jnp.zeros(linear.shape[:-1], linear.dtype)


@functools.singledispatch
def parity(g) -> Float[Array, "..."]:
    """The sign of the determinant of the linear part: 1 or -1.

    Raises:
      TypeError: if the element does not act on R^n.

    Example:
      >>> parity(-jnp.eye(3))
      Array(-1., dtype=float32)
    """
    return jnp.sign(jnp.linalg.det(linear_part(g)))


@functools.singledispatch
def permutation(g) -> Int[Array, "... n"]:
    """The permutation of n points that an element acts by: point ``i`` goes to ``permutation(g)[i]``.

    Raises:
      TypeError: if the element does not permute points.

    Example:
      >>> from equijax.groups import S
      >>> permutation(S(3).identity())
      Array([0, 1, 2], dtype=int32)
    """
    return _refuse(g, "a permutation", "PermutationTensor needs a group that permutes points")


@functools.singledispatch
def regular_permutation(g) -> Int[Array, "... order"]:
    """Left multiplication in a finite group: element ``j`` goes to element ``regular_permutation(g)[j]``.

    Elements are numbered as in ``group.elements()``.

    Raises:
      TypeError: if the element is not of a finite group.

    Example:
      >>> from equijax.groups import Cyclic
      >>> regular_permutation(Cyclic(3).identity())
      Array([0, 1, 2], dtype=int32)
    """
    return _refuse(g, "a place in a finite group", "Regular needs a finite group")


@functools.singledispatch
def batch_shape(g) -> tuple[int, ...]:
    """The batch axes of an element.

    Raises:
      TypeError: if ``g`` is not a group element.

    Example:
      >>> from equijax.groups import S
      >>> batch_shape(S(3).identity((5, 2)))
      (5, 2)
    """
    return _refuse(g, "batch axes", "its type is not registered with equijax.groups.actions")


def _array_linear_part(g):
    """A plain array of reals is its own linear part."""
    if _is_permutation(g):
        return _refuse(g, "a linear part", "a permutation acts by PermutationTensor(order)")
    if len(g.shape) < 2 or g.shape[-1] != g.shape[-2]:
        return _refuse(g, "a linear part", "a linear map of R^n is an array (..., n, n)")
    return g


def _array_permutation(g):
    """A plain array of integers is its own permutation."""
    if not _is_permutation(g):
        return _refuse(g, "a permutation", "a matrix acts by Vector, Point, Irreps and their kin")
    return g


def _array_batch_shape(g):
    """The axes before those of a matrix or a permutation."""
    return g.shape[:-1] if _is_permutation(g) else g.shape[:-2]


for _type in ARRAY_TYPES:
    linear_part.register(_type, _array_linear_part)
    permutation.register(_type, _array_permutation)
    batch_shape.register(_type, _array_batch_shape)


@batch_shape.register(tuple)
def _(g):
    return jnp.broadcast_shapes(*map(batch_shape, g))
