"""Frames of one element from vectors in a given order, by Gram and Schmidt's process.

They canonicalise ordered input with a single call of the backbone: a minimal frame wherever the vectors leave
no symmetry. The order of points matters, unlike for the frames of principal axes.
"""

import math

import jax
import jax.numpy as jnp
from jaxtyping import Array, Bool, Float

from equijax.euclid.frames import center, orientation, prepare_cloud
from equijax.groups import SE, SO, E, Group, Rigid
from equijax.groups.frame import Frame, uniform_frame
from equijax.numerics import check, safe


def gram_schmidt_frame(
    x: Float[Array, "... n d"], mask: Bool[Array, "... n"] | None = None, *, group: Group
) -> Frame:
    """The frame of one element whose axes come from the first points in order.

    The first axis points to the first point, the second to what the second point adds, and so on; the last
    axis of SO(d) and SE(d) is fixed by the determinant. For E and SE the points are taken from their mean,
    for O and SO from the origin. Points that are masked or depend on earlier ones are passed over.

    The frame is exact for clouds of full rank (rank d - 1 for SO and SE) and differentiable. For clouds of
    lower rank the remaining axes are arbitrary: averages are bounded, but exact only as far as the function
    does not look along these axes.

    Args:
      x: points or vectors in a meaningful order, shape ``(..., n, d)``.
      mask: True where a point counts, shape ``(..., n)``.
      group: O(d), SO(d), E(d) or SE(d).

    Returns:
      A frame of the group with batch axes ``...`` and one element.

    Raises:
      TypeError: if ``group`` is another, ``x`` not real floating-point, or ``mask`` not boolean.
      ValueError: if the shapes do not match, or the group acts in another dimension.

    Example:
      >>> from equijax.groups import O
      >>> gram_schmidt_frame(jnp.array([[3.0, 0.0], [5.0, -2.0]]), group=O(2)).elements[0]
      Array([[ 1.,  0.],
             [ 0., -1.]], dtype=float32)
    """
    x, mask, group = prepare_cloud(x, mask, group)
    origin = center(x, mask) if isinstance(group, E | SE) else None
    relative = x if origin is None else x - origin[..., None, :]
    proper = isinstance(group, SO | SE)
    axes, _ = orthonormal_axes(jnp.where(mask[..., None], relative, 0), x.shape[-1] - proper)
    if proper:
        axes = jnp.where(
            jnp.arange(x.shape[-1]) < x.shape[-1] - 1, axes, axes * orientation(axes)[..., None, None]
        )
    linear = axes[..., None, :, :]
    return uniform_frame(group, linear if origin is None else Rigid(linear, origin[..., None, :]))


def orthonormal_axes(
    vectors: Float[Array, "... k d"], rank: int
) -> tuple[Float[Array, "... d d"], Float[Array, "... k"]]:
    """Gram and Schmidt's process on vectors in order, completed to a basis where they do not span one.

    Args:
      vectors: shape ``(..., k, d)``, in the order in which they are used.
      rank: how many axes come from vectors, at most d. The others are completed from the standard basis.

    Returns:
      Orthogonal matrices whose columns are the axes, and for each vector the length of what it adds to the
      axes before it: 0 where it depends on them up to rounding, or where there are ``rank`` axes already.
      Derivatives are exact where the vectors used are independent, and finite everywhere.

    Raises:
      ValueError: if ``rank`` is larger than d.

    Example:
      >>> axes, lengths = orthonormal_axes(jnp.array([[2.0, 0.0], [1.0, 0.0], [1.0, 3.0]]), 2)
      >>> lengths
      Array([2., 0., 3.], dtype=float32)
    """
    d = check.shape("vectors", vectors, "... k d")["d"]
    if not 0 <= rank <= d:
        raise ValueError(f"rank must be at most the dimension {d}, got {rank}")
    batch, dtype = vectors.shape[:-2], vectors.dtype
    axes = jnp.zeros((*batch, d, d), dtype)
    found = jnp.zeros(batch, jnp.int32)
    tolerance = 16 * math.sqrt(d) * float(jnp.finfo(dtype).eps)
    largest = safe.norm(jax.lax.stop_gradient(vectors).reshape(*batch, math.prod(vectors.shape[-2:])))

    def step(carry, vector):
        axes, found = carry
        residual = _reject(axes, vector)
        length = safe.norm(residual)
        used = (length > tolerance * safe.norm(vector)) & (length > tolerance**2 * largest) & (found < rank)
        axes = _append(axes, found, residual, used)
        return (axes, found + used), jnp.where(used, length, 0)

    # A loop in time, because the number of points may be large.
    (axes, found), lengths = jax.lax.scan(step, (axes, found), jnp.moveaxis(vectors, -2, 0))
    axes, _ = jax.lax.fori_loop(0, d, lambda _, carry: _complete(*carry), (axes, found))
    return axes, jnp.moveaxis(lengths, 0, -1)


def _reject(axes: Array, vector: Array) -> Array:
    """What a vector adds to the axes found so far; the columns not yet found are zero."""
    along = jnp.einsum("...ij,...i->...j", axes, vector, precision="highest")
    return vector - jnp.einsum("...ij,...j->...i", axes, along, precision="highest")


def _append(axes: Array, found: Array, residual: Array, used: Array) -> Array:
    """The axes with the normalised residual in the next column, where it is used."""
    d = axes.shape[-1]
    fill = jnp.eye(d, dtype=axes.dtype)[0]
    direction = safe.normalize(jnp.where(used[..., None], residual, fill))
    # Twice is enough: what rounding left of earlier axes in a short residual goes now.
    direction = safe.normalize(_reject(axes, direction))
    column = jax.nn.one_hot(found, d, dtype=axes.dtype) * used[..., None]
    return axes + direction[..., :, None] * column[..., None, :]


def _complete(axes: Array, found: Array) -> tuple[Array, Array]:
    """One more axis, from the standard basis vector that is furthest from the span; none if all are there."""
    d = axes.shape[-1]
    rest = 1 - jnp.sum(jax.lax.stop_gradient(axes) ** 2, axis=-1)
    candidate = jax.nn.one_hot(jnp.argmax(rest, axis=-1), d, dtype=axes.dtype)
    used = found < d
    return _append(axes, found, _reject(axes, candidate), used), found + used
