"""Local frames: one frame a point, from its nearest neighbours."""

from typing import NamedTuple

import jax
import jax.numpy as jnp
from jaxtyping import Array, Bool, Float, Int

from equijax.euclid.frames import pca_frame, prepare_cloud
from equijax.groups import Group
from equijax.groups.frame import Frame
from equijax.numerics import check


class LocalFrames(NamedTuple):
    """Frames of the neighbourhoods of points.

    Attributes:
      frame: the frames, with batch axes ``(..., n)``.
      neighbors: the numbers of the points of each neighbourhood, int32, shape ``(..., n, k)``, nearest first.
      mask: True where a neighbour counts, shape ``(..., n, k)``.
    """

    frame: Frame
    neighbors: Int[Array, "... n k"]
    mask: Bool[Array, "... n k"]


def local_frames(
    x: Float[Array, "... n d"],
    mask: Bool[Array, "... n"] | None = None,
    *,
    num_neighbors: int,
    group: Group,
    frame=pca_frame,
) -> LocalFrames:
    """A frame for every point, from the point and those nearest to it.

    A motion of the cloud moves every local frame, and a permutation of the points permutes the frames.
    Averages over them (by `equijax.equivariance.average_over`, which takes the points' axis as the frames'
    batch) describe each point by its surroundings: the local networks of Puny et al., ICLR 2022, section 4.

    Args:
      x: points, shape ``(..., n, d)``.
      mask: True where a point counts, shape ``(..., n)``.
      num_neighbors: the number k of points in a neighbourhood, the point itself included. Points at one
        distance are taken in their order.
      group: the group of the frames.
      frame: what makes a frame of a neighbourhood: a function as `pca_frame`.

    Returns:
      Frames, neighbours and the mask of those that count, which are fewer than k where the cloud is smaller.

    Raises:
      TypeError: if ``x`` is not floating, ``mask`` not boolean, or the frame knows no such ``group``.
      ValueError: if the shapes do not match, or ``num_neighbors`` is not between 1 and n.

    Example:
      >>> from equijax.groups import SE
      >>> found = local_frames(jnp.array([[0.0, 0.0], [1.0, 0.0], [5.0, 0.0]]), num_neighbors=2, group=SE(2))
      >>> found.neighbors.tolist(), found.frame.batch_shape
      ([[0, 1], [1, 0], [2, 1]], (3,))
    """
    x, mask, _ = prepare_cloud(x, mask)
    n = x.shape[-2]
    check.count("num_neighbors", num_neighbors, 1)
    if num_neighbors > n:
        raise ValueError(f"num_neighbors must be at most the number of points {n}, got {num_neighbors}")
    clean = jax.lax.stop_gradient(jnp.where(mask[..., None], x, 0))
    distances = jnp.sum((clean[..., :, None, :] - clean[..., None, :, :]) ** 2, axis=-1)
    # The point itself comes first, also among points at the same place.
    distances = jnp.where(jnp.eye(n, dtype=bool), -1, distances)
    distances = jnp.where(mask[..., None, :], distances, jnp.inf)
    nearest, neighbors = jax.lax.top_k(-distances, num_neighbors)
    counts = (nearest > -jnp.inf) & mask[..., :, None]
    flat = neighbors.reshape(*neighbors.shape[:-2], -1)
    around = jnp.take_along_axis(x, flat[..., None], axis=-2).reshape(*neighbors.shape, x.shape[-1])
    return LocalFrames(frame(around, counts, group=group), neighbors.astype(jnp.int32), counts)
