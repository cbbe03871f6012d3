"""Frames of point clouds from their mean and their principal axes, for translations, O, SO, E and SE(d).

Puny et al., "Frame averaging for invariant and equivariant network design", ICLR 2022, section 3.1. The
clouds of a batch are ``(..., n, d)``, with an optional mask ``(..., n)`` of the points that count. Frames
ignore the order of the points, so an average of a permutation-equivariant function stays that.
"""

import functools
import itertools

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Bool, Float

from equijax.groups import SE, SO, E, Group, O, Rigid, Shift, Translation
from equijax.groups.frame import Frame, uniform_frame
from equijax.numerics import check, masked


def translation_frame(x: Float[Array, "... n d"], mask: Bool[Array, "... n"] | None = None) -> Frame:
    """The frame of one translation: the mean of the points. Averaging over it centers clouds.

    Args:
      x: points, shape ``(..., n, d)``.
      mask: True where a point counts, shape ``(..., n)``; the mean of no points is the origin.

    Returns:
      A frame of ``Translation(d)`` with one element, exact for every cloud and differentiable.

    Raises:
      TypeError: if ``x`` is not real floating-point, or ``mask`` not boolean.
      ValueError: if the shapes do not match.

    Example:
      >>> translation_frame(jnp.array([[0.0, 3.0], [2.0, 7.0]])).elements.vector
      Array([[1., 5.]], dtype=float32)
    """
    x, mask, _ = prepare_cloud(x, mask)
    return uniform_frame(Translation(x.shape[-1]), Shift(center(x, mask)[..., None, :]))


def pca_frame(x: Float[Array, "... n d"], mask: Bool[Array, "... n"] | None = None, *, group: Group) -> Frame:
    """The frame of the principal axes of a cloud, with all their signs, at its mean.

    Axes are the eigenvectors of the covariance, by ascending variance, as the columns of the linear parts.
    For O(d) and E(d) the frame has 2^d elements; for SO(d) and SE(d) the 2^(d-1) of determinant 1. O(d) and
    SO(d) leave the origin where it is and use the second moments about it.

    Averages are exact where the non-zero variances are distinct. Where the cloud is flat in several
    directions (collinear, coincident), those axes are arbitrary, but averages of scalars, vectors and points
    stay exact: coordinates along them are zero, and the signs cancel what is put out along them (tensors of
    order 2 and more keep a part that depends on the choice). Where two non-zero variances are equal (a cube,
    a tetrahedron, a regular polygon), every choice of axes has the same right, averages depend on it, and
    they jump when a cloud passes through such a point: `weighted_pair_frame` is exact and continuous there.

    No derivatives go through the axes; they do through the mean. Derivatives of averages are those at fixed
    axes, finite and equivariant for every cloud.

    Args:
      x: points, shape ``(..., n, d)``.
      mask: True where a point counts, shape ``(..., n)``.
      group: O(d), SO(d), E(d) or SE(d).

    Returns:
      A frame of the group with batch axes ``...`` and equal weights.

    Raises:
      TypeError: if ``group`` is another, ``x`` not real floating-point, or ``mask`` not boolean.
      ValueError: if the shapes do not match, or the group acts in another dimension.

    Example:
      >>> from equijax.groups import SO
      >>> frame = pca_frame(jnp.array([[0.0, 1.0], [0.0, -1.0], [3.0, 0.0]]), group=SO(2))
      >>> frame.size, jnp.abs(frame.elements[0])
      (2, Array([[0., 1.],
             [1., 0.]], dtype=float32))
    """
    x, mask, group = prepare_cloud(x, mask, group)
    origin = center(x, mask) if isinstance(group, E | SE) else None
    return assemble(group, principal_axes(x, mask, origin), origin)


def principal_axes(
    x: Float[Array, "... n d"], mask: Bool[Array, "... n"], origin: Float[Array, "... d"] | None
) -> Float[Array, "... d d"]:
    """Eigenvectors of the second moments about an origin, as columns by ascending moment; no derivatives.

    Args:
      x: points.
      mask: True where a point counts.
      origin: what moments are taken about; zero if None.

    Example:
      >>> abs(principal_axes(jnp.array([[0.0, 2.0], [1.0, 0.0]]), jnp.ones(2, bool), None))
      Array([[1., 0.],
             [0., 1.]], dtype=float32)
    """
    relative = x if origin is None else x - origin[..., None, :]
    relative = jax.lax.stop_gradient(jnp.where(mask[..., None], relative, 0))
    # In units of the largest coordinate, squares neither overflow nor underflow.
    scale = jnp.max(jnp.abs(relative), axis=(-2, -1), keepdims=True, initial=0)
    relative = relative / jnp.where(scale > 0, scale, 1)
    moments = jnp.einsum("...ni,...nj->...ij", relative, relative, precision="highest")
    return jnp.linalg.eigh(moments)[1]


def assemble(group: Group, axes: Float[Array, "... d d"], origin: Float[Array, "... d"] | None) -> Frame:
    """The frame of orthonormal axes with all their signs, of determinant 1 for SO and SE.

    Args:
      group: O(d), SO(d), E(d) or SE(d).
      axes: orthogonal matrices whose columns are the axes.
      origin: the translation for E and SE.

    Example:
      >>> assemble(O(2), jnp.eye(2), None).size
      4
    """
    d = axes.shape[-1]
    proper = isinstance(group, SO | SE)
    signs = jnp.asarray(sign_table(d - 1 if proper else d), axes.dtype)
    if proper:
        last = orientation(axes)[..., None] * jnp.prod(signs, axis=-1)
        signs = jnp.broadcast_to(signs, (*last.shape, d - 1))
        signs = jnp.concatenate([signs, last[..., None]], axis=-1)
    linear = axes[..., None, :, :] * signs[..., None, :]
    return uniform_frame(group, linear if origin is None else Rigid(linear, origin[..., None, :]))


def orientation(axes: Float[Array, "... d d"]) -> Float[Array, "..."]:
    """The sign of the determinant, without a derivative, as that of a determinant need not be finite.

    Example:
      >>> orientation(-jnp.eye(3))
      Array(-1., dtype=float32)
    """
    return jnp.sign(jnp.linalg.det(jax.lax.stop_gradient(axes)))


@functools.lru_cache
def sign_table(d: int) -> np.ndarray:
    """All 2^d rows of d signs, float64, read-only; the first row is positive.

    Example:
      >>> sign_table(1).tolist()
      [[1.0], [-1.0]]
    """
    table = np.array(list(itertools.product((1.0, -1.0), repeat=d))).reshape(2**d, d)
    table.flags.writeable = False
    return table


def center(x: Float[Array, "... n d"], mask: Bool[Array, "... n"]) -> Float[Array, "... d"]:
    """The mean of the points that count; the origin if none does.

    Example:
      >>> center(jnp.array([[1.0, 2.0], [9.0, 9.0]]), jnp.array([True, False]))
      Array([1., 2.], dtype=float32)
    """
    return masked.mean(x, mask[..., None], axis=-2)


def prepare_cloud(x, mask, group: Group | None = None) -> tuple[Array, Array, Group | None]:
    """Checked points, the mask (all True if None), and the group, which must act on the points' space.

    Raises:
      TypeError: if ``group`` is none of O, SO, E and SE, ``x`` not floating, or ``mask`` not boolean.
      ValueError: if the shapes do not match, or the group acts in another dimension.

    Example:
      >>> prepare_cloud(jnp.zeros((4, 3)), None, O(2))
      Traceback (most recent call last):
      ValueError: x must have shape (..., n, d), d=2, got (4, 3)
    """
    check.floating("x", x)
    sizes = {}
    if group is not None:
        if not isinstance(group, O | SO | E | SE):
            raise TypeError(f"group must be one of O(d), SO(d), E(d) and SE(d), got {group!r}")
        sizes["d"] = group.n
    check.shape("x", x, "... n d", **sizes)
    x = jnp.asarray(x)
    mask = jnp.ones(x.shape[:-1], bool) if mask is None else jnp.asarray(mask)
    if mask.dtype != bool:
        raise TypeError(f"mask must be a boolean array, got dtype {mask.dtype}")
    if mask.shape != x.shape[:-1]:
        raise ValueError(
            f"mask must have the shape of x without its last axis, {x.shape[:-1]}, got {mask.shape}"
        )
    return x, mask, group
