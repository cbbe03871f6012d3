"""An ordinary multilayer perceptron."""

import math

import flax.linen as nn
import jax
from jaxtyping import Array, Float

from equijax.numerics import check


class MLP(nn.Module):
    """Dense layers with SiLU in between, on the last axis.

    Attributes:
      width: of the hidden layers.
      num_layers: hidden layers.
      out_axes: axes of the output.

    Example:
      >>> import jax.numpy as jnp
      >>> MLP(16, 2, (3, 3)).init_with_output(jax.random.key(0), jnp.ones((5, 20)))[0].shape
      (5, 3, 3)
    """

    width: int
    num_layers: int
    out_axes: tuple[int, ...]

    @nn.compact
    def __call__(self, x: Float[Array, "... i"]) -> Float[Array, "..."]:
        """Apply the network.

        Raises:
          ValueError: if a size is not positive.
          TypeError: if ``x`` is not a real floating-point array.
        """
        check.floating("x", x)
        check.count("width", self.width, 1)
        check.count("num_layers", self.num_layers, 0)
        for _ in range(self.num_layers):
            x = jax.nn.silu(nn.Dense(self.width)(x))
        y = nn.Dense(math.prod(self.out_axes))(x)
        return y.reshape(*x.shape[:-1], *self.out_axes)
