"""Networks with sine activations: smooth functions of a few coordinates, of adjustable bandwidth.

Sitzmann et al., "Implicit Neural Representations with Periodic Activation Functions", NeurIPS 2020.
"""

from collections.abc import Sequence

import flax.linen as nn
import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float

from equijax.numerics import check


class Siren(nn.Module):
    """Dense layers with ``sin(frequency (W x + b))`` between them, and a linear last layer.

    Weights are uniform as in section 3.2 of the paper, so that every layer's output has about unit variance;
    the first layer's biases give its waves uniform phases (with zero biases the network would be an odd
    function).

    Attributes:
      features: size of the output.
      hidden: sizes of the layers with sines, at least one.
      frequency: bandwidth: how many radians a unit of input is worth in the first layer.

    Raises:
      ValueError: if there is no hidden layer, a size is below 1, or the frequency is not positive.

    Example:
      >>> y, variables = Siren(4, hidden=(16, 16)).init_with_output(jax.random.key(0), jnp.ones((3, 2)))
      >>> y.shape, sorted(variables["params"])
      ((3, 4), ['layer_0', 'layer_1', 'out'])
    """

    features: int
    hidden: Sequence[int] = (32, 32)
    frequency: float = 10.0

    def __post_init__(self):
        check.count("features", self.features, 1)
        if len(self.hidden) == 0:
            raise ValueError("hidden must hold at least one size, got none")
        for size in self.hidden:
            check.count("hidden", size, 1)
        check.positive("frequency", self.frequency)
        super().__post_init__()

    @nn.compact
    def __call__(self, x: Float[Array, "... d"]) -> Float[Array, "... f"]:
        """Evaluate the network.

        Args:
          x: coordinates of size about one, shape ``(..., d)``.

        Returns:
          Shape ``(..., features)``.

        Raises:
          TypeError: if ``x`` is not real floating-point.
          ValueError: if it has no axis of coordinates.
        """
        check.floating("x", x)
        fan_in = check.shape("x", x, "... d")["d"]
        phases = _uniform(np.pi / self.frequency)
        for layer, size in enumerate(self.hidden):
            bound = 1 / fan_in if layer == 0 else np.sqrt(6 / fan_in) / self.frequency
            dense = nn.Dense(
                size,
                kernel_init=_uniform(bound),
                bias_init=phases if layer == 0 else nn.initializers.zeros,
                name=f"layer_{layer}",
            )
            x = jnp.sin(self.frequency * dense(x))
            fan_in = size
        # A sine of uniform phase has variance 1/2, and the sum of fan_in of them variance one.
        return nn.Dense(self.features, kernel_init=_uniform(np.sqrt(6 / fan_in)), name="out")(x)


def _uniform(bound: float):
    """Initialiser with uniform numbers of both signs."""

    def init(key, shape, dtype=jnp.float32):
        return jax.random.uniform(key, shape, dtype, -bound, bound)

    return init
