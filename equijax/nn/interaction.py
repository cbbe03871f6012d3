"""One layer of an equivariant message-passing network: convolve, raise to powers, update."""

import functools
from collections.abc import Callable

import flax.linen as nn
import jax.numpy as jnp
from jaxtyping import Array, Float, Int

from equijax.nn.convolution import GauntConvolution
from equijax.nn.linear import Linear, SpeciesLinear, check_signal
from equijax.nn.many_body import ManyBody
from equijax.numerics import check

integral_convolution = functools.partial(GauntConvolution, normalization="integral")
"""Makes the convolution of functions as they are, which `Interaction` scales by the number of neighbours."""

integral_powers = functools.partial(ManyBody, normalization="integral")
"""Makes the many-body step of functions as they are."""


class Interaction(nn.Module):
    """``h' = W_down ManyBody(W_mix Conv(W_up h)) + W_species h``, every map per degree.

    The layer of MACE (Batatia et al., NeurIPS 2022, equations 6-11) with its two products replaceable.

    Attributes:
      features: channels of the edges and of the result.
      lmax: largest degree of the result.
      num_species: number of species.
      order: highest power of the many-body step.
      many_body_features: channels of the many-body step.
      avg_num_neighbors: typical number of neighbours, by whose root sums are divided.
      residual: add a species-dependent linear map of the input.
      convolution: makes the module that sums messages, from ``lmax`` and ``num_kinds``
        (an edge's kind is its ordered pair of species). By default Gaunt's, of functions as they are.
      many_body: makes the module of powers, from ``order`` and ``num_species``; by default likewise.

    Example:
      >>> import jax
      >>> h, radial, harmonics = jnp.ones((2, 8, 1)), jnp.ones((1, 6)), jnp.ones((1, 9))
      >>> edge, species = (jnp.array([0]), jnp.array([1])), jnp.array([0, 1])
      >>> module = Interaction(features=4, lmax=2, num_species=2)
      >>> module.init_with_output(jax.random.key(0), h, species, radial, harmonics, *edge)[0].shape
      (2, 4, 9)
    """

    features: int
    lmax: int
    num_species: int
    order: int = 3
    many_body_features: int = 16
    avg_num_neighbors: float = 10.0
    residual: bool = True
    convolution: Callable[..., nn.Module] = integral_convolution
    many_body: Callable[..., nn.Module] = integral_powers

    @nn.compact
    def __call__(
        self,
        h: Float[Array, "n c k"],
        species: Int[Array, "n"],
        radial: Float[Array, "e b"],
        harmonics: Float[Array, "e k2"],
        senders: Int[Array, "e"],
        receivers: Int[Array, "e"],
    ) -> Float[Array, "n c2 k3"]:
        """Update the nodes' signals.

        Args:
          h: signals at the nodes, of degrees up to ``lmax``.
          species: of each node, an index below ``num_species``.
          radial, harmonics, senders, receivers: as in `equijax.nn.GauntConvolution`.

        Returns:
          Shape ``(n, features, (lmax + 1)²)``.

        Raises:
          ValueError: if shapes do not agree, ``h`` has degrees above ``lmax``, or an attribute is out of
            range.
          TypeError: if an array has the wrong kind of dtype.
        """
        check.shape("h", h, "n c k")
        degree, _ = check_signal("h", h)
        if degree > self.lmax:
            raise ValueError(f"h must have degrees up to lmax={self.lmax}, got {degree}")
        check.shape("species", species, "n", n=h.shape[0])
        check.integer("species", species)
        check.positive("avg_num_neighbors", self.avg_num_neighbors)
        up = Linear(self.features, name="up")(h)
        pairs = species[receivers] * self.num_species + species[senders]
        convolution = self.convolution(lmax=self.lmax, num_kinds=self.num_species**2, name="convolution")
        messages = convolution(up, radial, harmonics, senders, receivers, pairs)
        messages = messages * (2.0 / self.avg_num_neighbors**0.5)
        mixed = Linear(self.many_body_features, name="mix")(messages)
        powers = self.many_body(order=self.order, num_species=self.num_species, name="many_body")(
            mixed, species
        )
        update = Linear(self.features, name="down")(powers)
        if not self.residual:
            return update
        kept = SpeciesLinear(self.features, self.num_species, name="residual")(h, species)
        return update + jnp.pad(kept, ((0, 0), (0, 0), (0, update.shape[-1] - kept.shape[-1])))
