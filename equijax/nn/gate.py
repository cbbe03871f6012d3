"""Gated non-linearity: an activation on the invariant part, invariant gates on the rest."""

from collections.abc import Callable

import flax.linen as nn
import jax
import jax.numpy as jnp
from jaxtyping import Array, Float

from equijax.nn.linear import check_signal
from equijax.sphere import degree_index


class Gate(nn.Module):
    """Act on degree 0 by a non-linearity, and scale every higher degree by a gate computed from degree 0.

    A component-wise non-linearity on degrees above 0 would not be equivariant; multiplying by an invariant
    is (Weiler et al., "3D Steerable CNNs", NeurIPS 2018).

    Attributes:
      activation: applied to the degree-0 channels.
      gate: applied to the gates, which are a dense layer of the degree-0 channels.

    Example:
      >>> x = jnp.ones((5, 8, 9))
      >>> Gate().init_with_output(jax.random.key(0), x)[0].shape
      (5, 8, 9)
    """

    activation: Callable[[Array], Array] = jax.nn.silu
    gate: Callable[[Array], Array] = jax.nn.sigmoid

    @nn.compact
    def __call__(self, x: Float[Array, "... c k"]) -> Float[Array, "... c k"]:
        """Apply the gate to signals, shape ``(..., channels, (lmax + 1)²)``.

        Raises:
          ValueError: if ``x`` has no channel axis or its last axis is not a square.
          TypeError: if ``x`` is not a real floating-point array.
        """
        lmax, channels = check_signal("x", x)
        scalars = x[..., 0]
        activated = self.activation(scalars)[..., None]
        if lmax == 0:
            return activated
        gates = self.gate(nn.Dense(channels * lmax, name="gates")(scalars))
        gates = gates.reshape(*scalars.shape, lmax)
        return jnp.concatenate([activated, x[..., 1:] * gates[..., degree_index(lmax)[1:] - 1]], axis=-1)
