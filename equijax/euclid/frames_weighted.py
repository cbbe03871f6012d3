"""Weighted frames of point clouds: averages over them are continuous, and exact for every cloud.

No frame of finitely many elements of equal weights makes averages continuous for rotations (Dym, Lawrence,
Siegel, "Equivariant frames and the impossibility of continuous canonicalization", ICML 2024): principal axes
jump where variances cross. Here every tuple of points has its own axes, with a weight that vanishes where
these are not defined.
"""

import itertools
import math

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Bool, Float

from equijax.euclid.frames import assemble, center, prepare_cloud, principal_axes
from equijax.euclid.frames_gram_schmidt import orthonormal_axes
from equijax.groups import SE, E, Group
from equijax.groups.frame import Frame

_ROUNDING = 32
"""Areas of up to so many times the machine precision, relative to the cloud's size, count as zero."""


def weighted_pair_frame(
    x: Float[Array, "... n d"], mask: Bool[Array, "... n"] | None = None, *, group: Group
) -> Frame:
    """The frame of the axes of all ordered pairs of points, weighted by the area that the two span.

    In space, the first axis of the pair (i, j) points to i, the second is orthogonal to it and points to the
    side of j, and the third is orthogonal to both; the weight is the share of ``|x_i × x_j|`` in the sum over
    all pairs. Every axis comes with both its signs (of determinant 1 for SO and SE). In d dimensions, tuples
    of d - 1 points take the place of pairs: single points in the plane. For E and SE points are taken from
    their mean, for O and SO from the origin.

    Averages of scalars, vectors and points are exact and continuous for every cloud, symmetric (cube,
    tetrahedron, polygon), planar, collinear and coincident ones included, and differentiable wherever no
    weight vanishes; derivatives are finite everywhere. Without the signs they would jump at collinear clouds.
    Clouds of rank below d - 1, where all weights vanish, have the principal axes, which is the limit.

    There are ``n (n - 1) 2^2 + 2^2`` elements for SO(3) and twice as many for O(3): average over a few of
    them by `equijax.equivariance.stochastic_frame_average`, which is unbiased.

    Args:
      x: points, shape ``(..., n, d)``.
      mask: True where a point counts, shape ``(..., n)``; other points have no weight.
      group: O(d), SO(d), E(d) or SE(d).

    Returns:
      A frame of the group with batch axes ``...``.

    Raises:
      TypeError: if ``group`` is another, ``x`` not real floating-point, or ``mask`` not boolean.
      ValueError: if the shapes do not match, or the group acts in another dimension.

    Example:
      >>> from equijax.groups import SO
      >>> frame = weighted_pair_frame(jnp.array([[1.0, 0.0], [0.0, 3.0]]), group=SO(2))
      >>> frame.size, (8 * frame.weights).round()
      (6, Array([1., 1., 3., 3., 0., 0.], dtype=float32))
    """
    x, mask, group = prepare_cloud(x, mask, group)
    d = x.shape[-1]
    origin = center(x, mask) if isinstance(group, E | SE) else None
    relative = jnp.where(mask[..., None], x if origin is None else x - origin[..., None, :], 0)
    # In units of the largest coordinate, areas neither overflow nor underflow.
    scale = jax.lax.stop_gradient(jnp.max(jnp.abs(relative), axis=(-2, -1), keepdims=True, initial=0))
    relative = relative / jnp.where(scale > 0, scale, 1)
    axes, lengths = orthonormal_axes(relative[..., _tuples(x.shape[-2], d - 1), :], d - 1)
    # Areas as small as the rounding of the points, which grows with their distance from the origin, are none:
    # shares of nothing but rounding would be arbitrary. Subtracting it keeps weights continuous.
    largest = jnp.max(jnp.abs(jnp.where(mask[..., None], x, 0)), axis=(-2, -1), keepdims=True, initial=0)
    rounding = jnp.where(scale > 0, largest / jnp.where(scale > 0, scale, 1), 1)[..., 0]
    rounding = _ROUNDING * jnp.finfo(x.dtype).eps * jax.lax.stop_gradient(rounding)
    volumes = jnp.maximum(jnp.prod(lengths, axis=-1) - rounding, 0)
    total = jnp.sum(volumes, axis=-1, keepdims=True)
    weights = jnp.where(total > 0, volumes / jnp.where(total > 0, total, 1), 0)
    principal = principal_axes(x, mask, origin)[..., None, :, :]
    axes = jnp.concatenate([axes, principal], axis=-3)
    weights = jnp.concatenate([weights, jnp.where(total > 0, 0, 1).astype(weights.dtype)], axis=-1)
    return _flatten(assemble(group, axes, None if origin is None else origin[..., None, :]), weights)


def _tuples(n: int, length: int) -> np.ndarray:
    """All ordered tuples of different points, shape ``(count, length)``."""
    count = math.perm(n, length)
    flat = itertools.chain.from_iterable(itertools.permutations(range(n), length))
    return np.fromiter(flat, np.int32, count * length).reshape(count, length)


def _flatten(frames: Frame, weights: Array) -> Frame:
    """One frame of a weighted batch of frames along the last batch axis."""
    batch, inner = frames.batch_shape[:-1], frames.batch_shape[-1] * frames.size
    axis = len(batch)
    elements = jax.tree.map(
        lambda leaf: leaf.reshape(*batch, inner, *leaf.shape[axis + 2 :]), frames.elements
    )
    return Frame(frames.group, elements, (weights[..., None] * frames.weights).reshape(*batch, inner))
