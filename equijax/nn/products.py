"""Products of signals on the sphere with learned weights."""

import flax.linen as nn
from jaxtyping import Array, Float

from equijax.nn.linear import check_signal
from equijax.numerics import check
from equijax.sphere import gaunt_product


class GauntProduct(nn.Module):
    """Channel-wise Gaunt product of two signals, with weights per channel and degree of each factor.

    ``z = w3 ∘ ((w1 ∘ x) · (w2 ∘ y))``: the weighted product of Luo, Chen, Krishnapriyan, ICLR 2024, with
    ``w_l1 w_l2 w_l3`` on the path ``l1, l2 → l3``.

    Attributes:
      lmax: largest degree of the result; everything (``l1 + l2``) if None.
      method: see `equijax.sphere.gaunt_product`.

    Example:
      >>> import jax, jax.numpy as jnp
      >>> x = jnp.ones((5, 8, 9))
      >>> GauntProduct(lmax=2).init_with_output(jax.random.key(0), x, x)[0].shape
      (5, 8, 9)
    """

    lmax: int | None = None
    method: str = "auto"

    @nn.compact
    def __call__(self, x: Float[Array, "... c k1"], y: Float[Array, "... c k2"]) -> Float[Array, "... c k3"]:
        """Multiply two signals with the same number of channels.

        Raises:
          ValueError: if an argument is not a batch of signals, their channels differ, ``lmax`` is negative
            or the method is unknown.
          TypeError: if an argument is not a real floating-point array.
        """
        degree_x, channels = check_signal("x", x)
        degree_y, channels_y = check_signal("y", y)
        if channels_y != channels:
            raise ValueError(f"y must have the {channels} channels of x, got {channels_y}")
        lmax = degree_x + degree_y if self.lmax is None else self.lmax
        check.count("lmax", lmax, 0)
        weights = tuple(
            self.param(f"weight_{name}", nn.initializers.ones, (channels, degree + 1))
            for name, degree in (("x", degree_x), ("y", degree_y), ("out", lmax))
        )
        return gaunt_product(x, y, lmax, method=self.method, weights=weights)
