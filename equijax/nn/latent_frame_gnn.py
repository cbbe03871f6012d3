"""A graph network that takes a new frame of its features after every layer: frames in latent space.

The network "FA-GNN" of Puny et al., "Frame averaging for invariant and equivariant network design", ICLR
2022, in their experiment on charged particles, for any width and dimension.
"""

from collections.abc import Callable

import flax.linen as nn
import jax
import jax.numpy as jnp
from jaxtyping import Array, Bool, Float

from equijax.equivariance.frame_averaging import canonicalize, frame_mean
from equijax.euclid.frames import center, pca_frame
from equijax.groups import Group, Point, Vector
from equijax.groups.frame import Frame
from equijax.numerics import check


class LatentFrameGNN(nn.Module):
    """Message passing between all pairs of points, with positions and vectors seen in frames only.

    Each layer sees features h in each element of a frame. Between layers, they are taken as ``width / d``
    vectors of every point, moved back and averaged over the frame: equivariant latent vectors, of which a new
    frame is taken. Messages also see squared distances, between the original points, and attributes of pairs.
    The result is equivariant under motions and permutations of the points.

    Attributes:
      group: E(d) or SE(d).
      width: of the features; divisible by d.
      num_layers: rounds of messages.
      frame: what makes a frame of points, ``frame(x, mask, group=group)``.

    Example:
      >>> from equijax.groups import E
      >>> model = LatentFrameGNN(E(3), width=12, num_layers=2)
      >>> x = jnp.arange(12.0).reshape(4, 3) ** 0.5
      >>> model.init_with_output(jax.random.key(0), x, jnp.sin(x)[:, None])[0].shape
      (4, 3)
    """

    group: Group
    width: int = 60
    num_layers: int = 4
    frame: Callable[..., Frame] = pca_frame

    @nn.compact
    def __call__(
        self,
        positions: Float[Array, "... n d"],
        vectors: Float[Array, "... n k d"],
        pairs: Float[Array, "... n n f"] | None = None,
        mask: Bool[Array, "... n"] | None = None,
    ) -> Float[Array, "... n d"]:
        """Predict a point for every point, such as where it goes.

        Args:
          positions: shape ``(..., n, d)``.
          vectors: k vectors of every point, such as its velocity, shape ``(..., n, k, d)``.
          pairs: attributes of ordered pairs that do not change with motions, shape ``(..., n, n, f)``.
          mask: True where a point exists, shape ``(..., n)``.

        Returns:
          Shape ``(..., n, d)``; zero at masked points.

        Raises:
          TypeError: if an array is not real floating-point, the mask not boolean, or the group another.
          ValueError: if shapes do not match, or the width is not divisible by d.
        """
        d, mask = self._check(positions, vectors, pairs, mask)
        squares = _squared_distances(positions, mask)[..., None]
        pairs = squares if pairs is None else jnp.concatenate([squares, pairs], axis=-1)
        frame = self.frame(positions, mask, group=self.group)
        forms = canonicalize(frame, (Point(), Vector()), (positions[..., None, :], vectors))
        features = jnp.concatenate(forms, axis=-2)
        h = nn.Dense(self.width, name="encoder")(features.reshape(*features.shape[:-2], -1))
        for layer in range(self.num_layers):
            h = MessageLayer(self.width, name=f"layer_{layer}")(h, pairs, mask)
            if layer < self.num_layers - 1:
                frame, h = self._next_frame(frame, h, mask, d)
        hidden = jax.nn.silu(nn.Dense(self.width, name="decoder_hidden")(h))
        out = frame_mean(frame, Vector(), nn.Dense(d, name="decoder")(hidden))
        return jnp.where(mask[..., None], out + center(positions, mask)[..., None, :], 0)

    def _next_frame(self, frame: Frame, h: Array, mask: Array, d: int) -> tuple[Frame, Array]:
        """The frame of the latent vectors, and these in it; their centre is subtracted and not kept."""
        latent = frame_mean(frame, Vector(), h.reshape(*h.shape[:-1], self.width // d, d))
        cloud = latent.reshape(*latent.shape[:-3], -1, d)
        frame = self.frame(cloud, jnp.repeat(mask, self.width // d, axis=-1), group=self.group)
        (forms,) = canonicalize(frame, (Point(),), (latent,))
        return frame, forms.reshape(*forms.shape[:-2], self.width)

    def _check(self, positions, vectors, pairs, mask) -> tuple[int, Array]:
        """The dimension, and the mask."""
        check.floating("positions", positions)
        sizes = check.shape("positions", positions, "... n d")
        n, d = sizes["n"], sizes["d"]
        check.floating("vectors", vectors)
        check.shape("vectors", vectors, "... n k d", n=n, d=d)
        if pairs is not None:
            check.floating("pairs", pairs)
            check.shape("pairs", pairs, "... n n f", n=n)
        check.count("num_layers", self.num_layers, 1)
        check.count("width", self.width, 1)
        if self.width % d:
            raise ValueError(f"width must be divisible by the dimension {d}, got {self.width}")
        mask = jnp.ones(positions.shape[:-1], bool) if mask is None else jnp.asarray(mask)
        check.shape("mask", mask, "... n", n=n)
        return d, mask


class MessageLayer(nn.Module):
    """One round of messages between all pairs of points, and a residual update.

    ``m_ij = MLP([h_i, h_j, e_ij])`` and ``h_i <- h_i + MLP([h_i, sum of m_ij])``.

    Attributes:
      width: of features and messages.

    Example:
      >>> h, pairs = jnp.ones((4, 6)), jnp.ones((4, 4, 2))
      >>> MessageLayer(6).init_with_output(jax.random.key(0), h, pairs, jnp.ones(4, bool))[0].shape
      (4, 6)
    """

    width: int

    @nn.compact
    def __call__(
        self, h: Float[Array, "... n c"], pairs: Float[Array, "... n n f"], mask: Bool[Array, "... n"]
    ) -> Float[Array, "... n c"]:
        """Apply the layer.

        Args:
          h: features, shape ``(..., n, width)``.
          pairs: attributes of pairs; their batch axes broadcast against those of ``h``.
          mask: True where a point exists.

        Raises:
          ValueError: if shapes do not match.
        """
        n = check.shape("h", h, f"... n {self.width}")["n"]
        check.shape("pairs", pairs, "... n n f", n=n)
        # A dense layer of the concatenation, without making it for every pair of points.
        receiver, sender = (nn.Dense(self.width, use_bias=False, name=name)(h) for name in ("to", "from"))
        attributes = nn.Dense(self.width, name="pair")(pairs)
        messages = jax.nn.silu(receiver[..., :, None, :] + sender[..., None, :, :] + attributes)
        messages = jax.nn.silu(nn.Dense(self.width, name="message")(messages))
        counts = mask[..., :, None] & mask[..., None, :] & ~jnp.eye(n, dtype=bool)
        total = jnp.sum(jnp.where(counts[..., None], messages, 0), axis=-2)
        hidden = jax.nn.silu(nn.Dense(self.width, name="hidden")(jnp.concatenate([h, total], axis=-1)))
        return h + nn.Dense(self.width, name="update")(hidden)


def _squared_distances(positions: Array, mask: Array) -> Array:
    """Squared distances of all pairs of points; those of masked points mean nothing."""
    positions = jnp.where(mask[..., None], positions, 0)
    return jnp.sum((positions[..., :, None, :] - positions[..., None, :, :]) ** 2, axis=-1)
