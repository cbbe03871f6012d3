"""An ordinary convolutional classifier of small images."""

import flax.linen as nn
import jax
import jax.numpy as jnp
from jaxtyping import Array, Float

from equijax.numerics import check


class ConvNet(nn.Module):
    """Three convolutions, one of them with a skip, a pooled head: invariant to shifts, up to the border.

    Attributes:
      channels: of the first two convolutions.
      features: of the last one, over which the head sees the largest value and the mean.
      num_classes: size of the output.

    Example:
      >>> images = jnp.ones((2, 20, 20, 1))
      >>> jax.eval_shape(ConvNet(8).init_with_output, jax.random.key(0), images)[0].shape
      (2, 10)
    """

    channels: int
    features: int = 32
    num_classes: int = 10

    @nn.compact
    def __call__(self, x: Float[Array, "b side side c"]) -> Float[Array, "b classes"]:
        """Logits of images.

        Raises:
          TypeError: if ``x`` is not a real floating-point array.
          ValueError: if it has not four axes, or images are smaller than 10 x 10 pixels.
        """
        check.floating("x", x)
        sizes = check.shape("x", x, "b height width c")
        if min(sizes["height"], sizes["width"]) < 10:
            raise ValueError(f"x must have images of at least 10 x 10 pixels, got {x.shape[1:3]}")
        x = jax.nn.gelu(standardized(nn.Conv(self.channels, (5, 5))(x)))
        x = nn.avg_pool(x, (2, 2), (2, 2))
        x = jax.nn.gelu(x + standardized(nn.Conv(self.channels, (5, 5))(x)))
        x = jax.nn.gelu(standardized(nn.Conv(self.features, (5, 5), padding="VALID")(x)))
        return head(x.reshape(x.shape[0], -1, self.features), self.num_classes)


def standardized(x: Float[Array, "b ... c"]) -> Float[Array, "b ... c"]:
    """Each channel of each example with mean zero and variance one over the axes between: nothing is learnt.

    Example:
      >>> standardized(jnp.array([[[1.0], [3.0]]])).round(3)[0, :, 0]
      Array([-1.,  1.], dtype=float32)
    """
    axes = tuple(range(1, x.ndim - 1))
    variance = jnp.var(x, axis=axes, keepdims=True)
    return (x - jnp.mean(x, axis=axes, keepdims=True)) * jax.lax.rsqrt(variance + 1e-6)


def head(x: Float[Array, "b points f"], num_classes: int) -> Float[Array, "b classes"]:
    """Logits from the largest value and the mean of each feature; called inside of a module.

    Example:
      >>> class Pooled(nn.Module):
      ...     @nn.compact
      ...     def __call__(self, x):
      ...         return head(x, 3)
      >>> jax.eval_shape(Pooled().init_with_output, jax.random.key(0), jnp.ones((2, 5, 4)))[0].shape
      (2, 3)
    """
    pooled = jnp.concatenate([jnp.max(x, axis=1), jnp.mean(x, axis=1)], axis=-1)
    hidden = jax.nn.gelu(nn.Dense(64, name="hidden")(pooled))
    return nn.Dense(num_classes, name="logits")(hidden)
