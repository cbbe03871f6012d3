"""A steerable message-passing network on small point clouds, with any product of signals in its messages.

The architecture of SEGNN (Brandstetter et al., "Geometric and Physical Quantities Improve E(3) Equivariant
Message Passing", ICLR 2022) in the form that Luo, Chen, Krishnapriyan, "Enabling Efficient Equivariant
Operations in the Fourier Basis via Gaunt Tensor Products", ICLR 2024, test products in: signals of degrees up
to ``lmax`` at the points, messages from all other points with weights of a network of invariants, channels
mixed degree by degree, gated non-linearities, and residual layers. Networks that differ only in ``message``
differ only in the product.
"""

from typing import Protocol

import flax.linen as nn
import jax
import jax.numpy as jnp
from jaxtyping import Array, Float

from equijax.nn import Gate, Linear, Selfmix
from equijax.nn.linear import check_signal
from equijax.numerics import check
from experiments.baselines.pair_messages import Pairs, others, pairs_of

BASES = ("saturating", "raw")
WIDTHS = (0.25, 0.5, 1.0, 2.0, 4.0)


def saturating_basis(distance: Float[Array, "..."]) -> Float[Array, "... 5"]:
    """Functions ``1 / (1 + (r/a)²)`` of a distance: smooth, between 0 and 1, zero far away.

    Example:
      >>> [f"{value:.2f}" for value in saturating_basis(jnp.array(1.0))]
      ['0.06', '0.20', '0.50', '0.80', '0.94']
    """
    return 1 / (1 + (distance[..., None] / jnp.asarray(WIDTHS, distance.dtype)) ** 2)


def raw_basis(distance: Float[Array, "..."]) -> Float[Array, "... 2"]:
    """``r`` and ``1/r`` (finite at 0): unbounded, so that a network extrapolates them to far particles.

    Example:
      >>> print(raw_basis(jnp.array(2.0)).round(3))
      [2.  0.5]
    """
    return jnp.stack([distance, distance / (distance**2 + 1e-4)], axis=-1)


class Message(Protocol):
    """Products of the senders' signals and the directions to them, summed at each point."""

    def num_weights(self, degree: int) -> int:
        """Weights a channel and pair that the sum takes, for signals of a degree."""

    def __call__(
        self, x: Float[Array, "... n c k"], pairs: Pairs, weights: Float[Array, "... s n c w"]
    ) -> Float[Array, "... n c k2"]:
        """The sum over the other points."""


class SteerableLayer(nn.Module):
    """One round of messages.

    Attributes:
      message: the product, see `experiments.baselines.pair_messages`.
      selfmix: add the learned product of the summed message with itself.
      basis: of the distances that the message's weights see, ``"saturating"`` or ``"raw"``; with the first
        the weights are bounded.
      hidden: size of the two hidden layers of the weights' network.
      invariants: how many invariants of each of the two points that network sees.
    """

    message: Message
    selfmix: bool = False
    basis: str = "saturating"
    hidden: int = 32
    invariants: int = 8

    @nn.compact
    def __call__(self, h, pairs: Pairs, pair_scalars):
        """Update signals ``(..., n, c, k)``."""
        degree, channels = check_signal("h", h)
        weights = self._weights(h[..., 0], pairs, pair_scalars, channels * self.message.num_weights(degree))
        weights = weights.reshape(*weights.shape[:-1], channels, -1) / (h.shape[-3] - 1) ** 0.5
        m = self.message(Linear(channels, name="senders")(h), pairs, weights)
        if self.selfmix:
            m = Selfmix(name="selfmix")(m)
        m = Linear(channels, name="received")(m) + Linear(channels, use_bias=True, name="own")(h)
        return h + Linear(channels, name="update")(Gate(name="gate")(m))

    def _weights(self, scalars, pairs: Pairs, pair_scalars, count: int):
        """A network of the distance, the given scalars of the pair, and invariants of both points."""
        squash = jnp.tanh if self.basis == "saturating" else lambda x: x
        own = squash(nn.Dense(self.invariants, name="invariants")(scalars))
        shape = (*pairs.distance.shape, self.invariants)
        basis = saturating_basis if self.basis == "saturating" else raw_basis
        both = [jnp.broadcast_to(own[..., None, :, :], shape), others(own, -2)]
        x = jnp.concatenate([basis(pairs.distance), pair_scalars, *both], axis=-1)
        for index in range(2):
            x = jax.nn.silu(nn.Dense(self.hidden, name=f"weights_{index}")(x))
        return nn.Dense(count, name="weights_out")(x)


class SteerableNetwork(nn.Module):
    """Signals at the points of a cloud, from signals given there and the positions.

    Attributes:
      message: the product, see `experiments.baselines.pair_messages`, for instance ``GauntMessage(lmax=2)``.
      lmax: largest degree of the signals.
      channels: of the signals.
      num_layers: rounds of messages.
      selfmix, basis: see `SteerableLayer`.

    Example:
      >>> from experiments.baselines.pair_messages import GauntMessage
      >>> network = SteerableNetwork(GauntMessage(lmax=1), lmax=1, channels=4)
      >>> cloud = jnp.ones((5, 3)), jnp.ones((5, 2, 1))
      >>> variables = jax.eval_shape(network.init, jax.random.key(0), *cloud)
      >>> jax.eval_shape(network.apply, variables, *cloud).shape
      (5, 4, 4)
    """

    message: Message
    lmax: int
    channels: int
    num_layers: int = 3
    selfmix: bool = False
    basis: str = "saturating"

    @nn.compact
    def __call__(
        self,
        positions: Float[Array, "... n 3"],
        signals: Float[Array, "... n c k"],
        pair_scalars: Float[Array, "... s n a"] | None = None,
    ) -> Float[Array, "... n d k2"]:
        """Apply the network.

        Args:
          positions: of the points.
          signals: what is given at the points, of degrees up to ``lmax``.
          pair_scalars: what is given of the pairs, invariant, in the order of `others`.

        Returns:
          Shape ``(..., n, channels, (lmax + 1)²)``.

        Raises:
          ValueError: if shapes do not agree, the signals' degree is above ``lmax``, or an attribute is out of
            range.
          TypeError: if an array is not a real floating-point array.
        """
        check.one_of("basis", self.basis, BASES)
        for name in ("lmax", "channels", "num_layers"):
            check.count(name, getattr(self, name), 0 if name == "lmax" else 1)
        degree, _ = check_signal("signals", signals)
        if degree > self.lmax:
            raise ValueError(f"signals must be of degrees up to lmax={self.lmax}, got degree {degree}")
        pairs = pairs_of(positions)
        check.shape("signals", signals, "... n c k", n=positions.shape[-2])
        if pair_scalars is None:
            pair_scalars = jnp.zeros((*pairs.distance.shape, 0), positions.dtype)
        h = Linear(self.channels, use_bias=True, name="embedding")(signals)
        missing = (self.lmax + 1) ** 2 - h.shape[-1]
        h = jnp.pad(h, [(0, 0)] * (h.ndim - 1) + [(0, missing)])
        for index in range(self.num_layers):
            layer = SteerableLayer(
                self.message, selfmix=self.selfmix, basis=self.basis, name=f"layer_{index}"
            )
            h = layer(h, pairs, pair_scalars)
        return h
