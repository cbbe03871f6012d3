"""Normalisation that commutes with rotations: by invariant sizes only."""

import flax.linen as nn
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float

from equijax.nn.linear import check_signal
from equijax.numerics import check
from equijax.sphere import degree_index, per_degree


class Norm(nn.Module):
    """Layer norm of signals: each degree is divided by its root mean square over channels and components.

    The degree-0 part is centred first and may have a bias, as in an ordinary layer norm; a mean or a bias
    over the components of a higher degree would not be equivariant.

    Attributes:
      epsilon: added to the mean square, so that a zero signal stays zero with finite gradients.
      statistics: ``"degree"``: every degree by its own size; ``"separable"``: degree 0 by its own, all higher
        ones by their common size (the mean over degrees of their mean squares), which keeps their ratios
        (Liao et al., "EquiformerV2", ICLR 2024, section 4.3).

    Example:
      >>> import jax
      >>> x = jnp.ones((5, 8, 9))
      >>> Norm().init_with_output(jax.random.key(0), x)[0].shape
      (5, 8, 9)
    """

    epsilon: float = 1e-6
    statistics: str = "degree"

    @nn.compact
    def __call__(self, x: Float[Array, "... c k"]) -> Float[Array, "... c k"]:
        """Normalise signals, shape ``(..., channels, (lmax + 1)²)``.

        Raises:
          ValueError: if ``x`` has no channel axis, its last axis is not a square, ``epsilon`` is not
            positive or the statistics are unknown.
          TypeError: if ``x`` is not a real floating-point array.
        """
        lmax, channels = check_signal("x", x)
        check.positive("epsilon", self.epsilon)
        check.one_of("statistics", self.statistics, ("degree", "separable"))
        scale = self.param("scale", nn.initializers.ones, (channels, lmax + 1))
        bias = self.param("bias", nn.initializers.zeros, (channels,))
        x = x.at[..., 0].add(-jnp.mean(x[..., 0], axis=-1, keepdims=True))
        # The mean over components of a degree, as one product with a constant matrix.
        average = (degree_index(lmax)[:, None] == np.arange(lmax + 1)) / (2 * np.arange(lmax + 1) + 1)
        if self.statistics == "separable" and lmax:
            average[:, 1:] = np.mean(average[:, 1:], axis=1, keepdims=True)
        mean_square = jnp.mean(x**2 @ jnp.asarray(average, x.dtype), axis=-2, keepdims=True)
        y = per_degree(scale / jnp.sqrt(mean_square + self.epsilon), x)
        return y.at[..., 0].add(bias)
