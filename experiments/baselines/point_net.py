"""PointNet for a vector at every point: Qi, Su, Mo, Guibas, CVPR 2017, without its learnt alignments.

A perceptron shared by all points, the maximum over points, and a second perceptron of each point's features
together with the maximum. It does not see the order of the points, and does see how the cloud is turned.
"""

import flax.linen as nn
import jax
import jax.numpy as jnp
from jaxtyping import Array, Float

from equijax.numerics import check


class PointNet(nn.Module):
    """PointNet with one output vector a point.

    Attributes:
      features: widths of the perceptron before the maximum.
      head: widths of the perceptron after it.
      out: components of the output.

    Example:
      >>> net = PointNet((8, 16), (8,))
      >>> net.init_with_output(jax.random.key(0), jnp.ones((2, 5, 3)))[0].shape
      (2, 5, 3)
    """

    features: tuple[int, ...] = (32, 32, 64, 128)
    head: tuple[int, ...] = (64, 64)
    out: int = 3

    @nn.compact
    def __call__(self, x: Float[Array, "... n d"]) -> Float[Array, "... n out"]:
        """Apply the network.

        Raises:
          ValueError: if ``x`` has no axes of points and coordinates.
          TypeError: if it is not real floating-point.
        """
        check.floating("x", x)
        check.shape("x", x, "... n d")
        layers = []
        for width in self.features:
            x = jax.nn.relu(nn.Dense(width)(x))
            layers.append(x)
        largest = jnp.max(x, axis=-2, keepdims=True)
        # A dense layer of local and global features together, the global part once a cloud.
        local = nn.Dense(self.head[0], name="local")(jnp.concatenate(layers[:-1], axis=-1))
        x = jax.nn.relu(local + nn.Dense(self.head[0], use_bias=False, name="global")(largest))
        for width in self.head[1:]:
            x = jax.nn.relu(nn.Dense(width)(x))
        return nn.Dense(self.out, name="out")(x)
