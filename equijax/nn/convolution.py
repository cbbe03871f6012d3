"""Equivariant convolution over neighbours: filters of the connecting vectors times neighbour features."""

from collections.abc import Sequence

import flax.linen as nn
import jax
from jaxtyping import Array, Float, Int

from equijax.nn.linear import check_signal
from equijax.nn.radial import RadialMLP
from equijax.numerics import check
from equijax.sphere import degree_of, from_grid, per_degree, smallest_grid, to_grid


class GauntConvolution(nn.Module):
    """``A_i = Σ_j filter_ij · h_j``: products of functions on the sphere, summed over neighbours.

    The filter is ``Σ_l R_cl(r_ij) Y_l(r_ij)`` with a radial network ``R``. Filter and features are multiplied
    on one exact grid, and the sum over neighbours is taken there, so that each node is projected once
    instead of each edge (the convolution of Luo, Chen, Krishnapriyan, ICLR 2024, section 3.3, on a grid).

    Attributes:
      lmax: largest degree of the result.
      hidden: sizes of the radial network's hidden layers.
      num_kinds: kinds of edges that the radial network tells apart (see `equijax.nn.RadialMLP`).

    Example:
      >>> import jax.numpy as jnp
      >>> h, radial, harmonics = jnp.ones((2, 8, 9)), jnp.ones((1, 6)), jnp.ones((1, 9))
      >>> edge = jnp.array([0]), jnp.array([1])
      >>> module = GauntConvolution(lmax=2)
      >>> module.init_with_output(jax.random.key(0), h, radial, harmonics, *edge)[0].shape
      (2, 8, 9)
    """

    lmax: int
    hidden: Sequence[int] = (32, 32)
    num_kinds: int = 0

    @nn.compact
    def __call__(
        self,
        features: Float[Array, "n c k"],
        radial: Float[Array, "e b"],
        harmonics: Float[Array, "e k2"],
        senders: Int[Array, "e"],
        receivers: Int[Array, "e"],
        kind: Int[Array, "e"] | None = None,
    ) -> Float[Array, "n c k3"]:
        """Sum messages over the edges that arrive at each node.

        Args:
          features: signals at the nodes.
          radial: values of a radial basis at the edges, zero for padding and at the cut-off.
          harmonics: spherical harmonics of the edges' directions.
          senders, receivers: the edges.
          kind: of each edge, an index below ``num_kinds``; needed if that is not 0.

        Raises:
          ValueError: if shapes do not agree, a last axis of signals is not a square, or ``lmax`` is negative.
          TypeError: if an array has the wrong kind of dtype.
        """
        check.count("lmax", self.lmax, 0)
        check.shape("features", features, "n c k")
        degree, channels = check_signal("features", features)
        num_edges = check.shape("senders", senders, "e")["e"]
        check.shape("receivers", receivers, "e", e=num_edges)
        check.shape("radial", radial, "e b", e=num_edges)
        check.shape("harmonics", harmonics, "e k", e=num_edges)
        check.integer("senders", senders)
        check.integer("receivers", receivers)
        filter_degree = degree_of(harmonics.shape[-1], "harmonics")
        sizes = (*self.hidden, channels * (filter_degree + 1))
        network = RadialMLP(sizes, num_kinds=self.num_kinds, name="radial")
        weights = network(radial, kind).reshape(num_edges, channels, filter_degree + 1)
        filters = per_degree(weights, harmonics[:, None, :])
        num_nodes = features.shape[0]
        if degree == 0 and self.lmax <= filter_degree:
            # A constant function only scales the filter: nothing to multiply on a grid.
            scaled = filters[..., : (self.lmax + 1) ** 2] * features[senders]
            return jax.ops.segment_sum(scaled, receivers, num_nodes)
        grid = smallest_grid(filter_degree + degree + self.lmax)
        values = to_grid(filters, grid) * to_grid(features, grid)[senders]
        return from_grid(jax.ops.segment_sum(values, receivers, num_nodes), grid, self.lmax)
