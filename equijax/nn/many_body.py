"""Many-body features: pointwise powers of a signal that already is a sum over neighbours."""

import flax.linen as nn
import jax.numpy as jnp
from jaxtyping import Array, Float, Int

from equijax.nn.linear import check_signal
from equijax.numerics import check
from equijax.sphere import gaunt_powers, per_degree


class ManyBody(nn.Module):
    """``Σ_ν W_ν ∘ P_{≤ lmax}(f^ν)``, with weights per species, channel and degree of the result.

    With ``f`` a sum over neighbours, the ``ν``-th power holds correlations of ``ν`` neighbours: body order
    ``ν + 1`` (Luo, Chen, Krishnapriyan, ICLR 2024, section 3.3; Batatia et al., "MACE", NeurIPS 2022).
    All powers are taken on one exact grid, without projection in between.

    Attributes:
      order: highest power.
      num_species: number of species.
      lmax: largest degree of the result; that of the input if None.

    Example:
      >>> import jax
      >>> x, species = jnp.ones((5, 8, 9)), jnp.array([0, 1, 1, 0, 1])
      >>> ManyBody(order=3, num_species=2).init_with_output(jax.random.key(0), x, species)[0].shape
      (5, 8, 9)
    """

    order: int
    num_species: int
    lmax: int | None = None

    @nn.compact
    def __call__(self, x: Float[Array, "n c k"], species: Int[Array, "n"]) -> Float[Array, "n c k2"]:
        """Apply to signals, with the index of each node's species.

        Raises:
          ValueError: if shapes do not agree, the last axis of ``x`` is not a square, or an attribute is out
            of range.
          TypeError: if ``x`` is not a real floating-point array or ``species`` is not an integer one.
        """
        check.shape("x", x, "n c k")
        degree, channels = check_signal("x", x)
        check.shape("species", species, "n", n=x.shape[0])
        check.integer("species", species)
        check.count("num_species", self.num_species, 1)
        lmax = degree if self.lmax is None else self.lmax
        powers = gaunt_powers(x, self.order, lmax)
        shape = (self.order, self.num_species, channels, lmax + 1)
        weights = self.param("weights", nn.initializers.normal(0.5), shape)
        return jnp.sum(per_degree(jnp.take(weights, species, axis=1), powers), axis=0)
