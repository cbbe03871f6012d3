"""Dropout of whole channels: all components of a signal go or stay together."""

import flax.linen as nn
import jax
import jax.numpy as jnp
from jaxtyping import Array, Float

from equijax.nn.linear import check_signal


class Dropout(nn.Module):
    """Set random channels to zero and scale the others up, so that the mean is kept.

    Dropping single components would break equivariance. Draws from the random stream ``dropout``.

    Attributes:
      rate: probability of dropping a channel, in ``[0, 1)``.

    Example:
      >>> x = jnp.ones((5, 8, 9))
      >>> y = Dropout(0.5).apply({}, x, deterministic=False, rngs={"dropout": jax.random.key(0)})
      >>> sorted(set(y.ravel().tolist()))
      [0.0, 2.0]
    """

    rate: float

    @nn.compact
    def __call__(self, x: Float[Array, "... c k"], *, deterministic: bool) -> Float[Array, "... c k"]:
        """Apply dropout, or nothing if ``deterministic``.

        Raises:
          ValueError: if the rate is not in ``[0, 1)`` or ``x`` is not a batch of signals.
          TypeError: if ``x`` is not a real floating-point array.
        """
        if not 0 <= self.rate < 1:
            raise ValueError(f"rate must be in [0, 1), got {self.rate!r}")
        check_signal("x", x)
        if deterministic or self.rate == 0:
            return x
        keep = jax.random.bernoulli(self.make_rng("dropout"), 1 - self.rate, x.shape[:-1])
        return jnp.where(keep[..., None], x / (1 - self.rate), 0)
