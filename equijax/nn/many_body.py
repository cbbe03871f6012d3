"""Many-body features: pointwise powers of a signal that already is a sum over neighbours."""

from typing import Any

import flax.linen as nn
import jax.numpy as jnp
from jaxtyping import Array, Float, Int

from equijax.nn.irreps import is_irreps_array
from equijax.nn.linear import check_signal
from equijax.numerics import check
from equijax.sphere import ParitySignals, gaunt_powers, irreps_from_signals, per_degree, signals_from_irreps


class ManyBody(nn.Module):
    """``Σ_ν W_ν ∘ P_{≤ lmax}(f^ν)``, with weights per species, channel and degree of the result.

    With ``f`` a sum over neighbours, the ``ν``-th power holds correlations of ``ν`` neighbours: body order
    ``ν + 1`` (Luo, Chen, Krishnapriyan, ICLR 2024, section 3.3; Batatia et al., "MACE", NeurIPS 2022).
    All powers are taken on one exact grid, without projection in between.

    Attributes:
      order: highest power.
      num_species: number of species.
      lmax: largest degree of the result; that of the input if None.
      normalization: ``"component"``: each power is scaled so that its components have mean square 1 for a
        Gaussian signal of unit variance, and weights start such that their sum has, too; ``"integral"``: the
        powers of functions.
      matmul_dtype: round the operands of matrix products to this dtype; sums stay in float32.

    Example:
      >>> import jax
      >>> x, species = jnp.ones((5, 8, 9)), jnp.array([0, 1, 1, 0, 1])
      >>> ManyBody(order=3, num_species=2).init_with_output(jax.random.key(0), x, species)[0].shape
      (5, 8, 9)
    """

    order: int
    num_species: int
    lmax: int | None = None
    normalization: str = "component"
    matmul_dtype: Any = None

    @nn.compact
    def __call__(self, x: Float[Array, "n c k"], species: Int[Array, "n"]) -> Float[Array, "n c k2"]:
        """Apply to signals, with the index of each node's species.

        Args:
          x: signals; or an ``e3nn_jax.IrrepsArray`` of natural parity, such as ``8x0e+8x1o+8x2e``, shape
            ``(n, dim)``, and then so is the result.
          species: an index below ``num_species``.

        Raises:
          ValueError: if shapes do not agree, the last axis of ``x`` is not a square, its parity is not
            natural, or an attribute is out of range.
          TypeError: if ``x`` is not a real floating-point array or ``species`` is not an integer one.
        """
        if not is_irreps_array(x):
            return self._powers(x, species)
        natural, pseudo = signals_from_irreps(x)
        if pseudo is not None:
            raise ValueError(f"x must have irreps of natural parity such as 0e+1o+2e, got {x.irreps}")
        return irreps_from_signals(ParitySignals(self._powers(natural, species), None))

    def _powers(self, x: Array, species: Array) -> Array:
        """The weighted powers of arrays of signals."""
        check.shape("x", x, "n c k")
        degree, channels = check_signal("x", x)
        check.shape("species", species, "n", n=x.shape[0])
        check.integer("species", species)
        check.count("num_species", self.num_species, 1)
        lmax = degree if self.lmax is None else self.lmax
        powers = gaunt_powers(
            x, self.order, lmax, normalization=self.normalization, matmul_dtype=self.matmul_dtype
        )
        shape = (self.order, self.num_species, channels, lmax + 1)
        size = 0.5 if self.normalization == "integral" else self.order**-0.5
        weights = self.param("weights", nn.initializers.normal(size), shape)
        return jnp.sum(per_degree(jnp.take(weights, species, axis=1), powers), axis=0)
