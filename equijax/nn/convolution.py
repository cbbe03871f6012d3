"""Equivariant convolution over neighbours: filters of the connecting vectors times neighbour features."""

from collections.abc import Sequence
from typing import Any

import flax.linen as nn
import jax
import numpy as np
from jaxtyping import Array, Float, Int

from equijax.nn.irreps import is_irreps_array, stack_parities, unstack_parities
from equijax.nn.linear import check_signal
from equijax.nn.radial import RadialMLP
from equijax.numerics import check
from equijax.sphere import degree_of, from_grid, per_degree, smallest_grid, to_grid, weighted_values
from equijax.sphere.aligned import convolution_paths, path_convolution
from equijax.sphere.convolution import finish_convolution
from equijax.sphere.moments import NORMALIZATIONS
from equijax.sphere.rotation import Alignment, check_alignment


class GauntConvolution(nn.Module):
    """``A_i = Σ_j filter_ij · h_j``: products of functions on the sphere, summed over neighbours.

    The filter is ``Σ_l R_cl(r_ij) Y_l(r_ij)`` with a radial network ``R``. Filter and features are multiplied
    on one exact grid, and the sum over neighbours is taken there, so that each node is projected once
    instead of each edge (the convolution of Luo, Chen, Krishnapriyan, ICLR 2024, section 3.3, on a grid).

    Attributes:
      lmax: largest degree of the result.
      hidden: sizes of the radial network's hidden layers.
      num_kinds: kinds of edges that the radial network tells apart (see `equijax.nn.RadialMLP`).
      normalization: ``"component"``: for features of independent unit-variance components, random directions
        and radial weights of unit variance, each message has unit component variance. ``"integral"``: the
        product of functions, but for features of degree 0 the filter times the feature's coefficient.
      matmul_dtype: round the operands of matrix products to this dtype; sums stay in float32.

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
    normalization: str = "component"
    matmul_dtype: Any = None

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
          features: signals at the nodes; or an ``e3nn_jax.IrrepsArray``, shape ``(n, dim)``, with equal
            multiplicities, and then so is the result. Signals of pseudo parity stay so.
          radial: values of a radial basis at the edges, zero for padding and at the cut-off.
          harmonics: spherical harmonics of the edges' directions (``integral``), as an array or with irreps.
          senders, receivers: the edges.
          kind: of each edge, an index below ``num_kinds``; needed if that is not 0.

        Raises:
          ValueError: if shapes do not agree, a last axis of signals is not a square, ``lmax`` is negative or
            the normalisation is unknown.
          TypeError: if an array has the wrong kind of dtype.
        """
        check.count("lmax", self.lmax, 0)
        check.one_of("normalization", self.normalization, NORMALIZATIONS)
        harmonics = harmonics.array if is_irreps_array(harmonics) else harmonics
        if is_irreps_array(features):
            signals, present = stack_parities("features", features)
            return unstack_parities(
                self._convolve(signals, radial, harmonics, senders, receivers, kind), present
            )
        return self._convolve(features, radial, harmonics, senders, receivers, kind)

    def _convolve(self, features, radial, harmonics, senders, receivers, kind) -> Array:
        """The convolution of arrays of signals."""
        degree, channels, num_edges = check_edges(features, radial, senders, receivers)
        check.shape("harmonics", harmonics, "e k", e=num_edges)
        filter_degree = degree_of(harmonics.shape[-1], "harmonics")
        sizes = (*self.hidden, channels * (filter_degree + 1))
        network = RadialMLP(sizes, num_kinds=self.num_kinds, name="radial")
        weights = network(radial, kind).reshape(num_edges, channels, filter_degree + 1)
        num_nodes = features.shape[0]
        if degree == 0 and self.lmax <= filter_degree:
            # A constant function only scales the filter: nothing to multiply on a grid.
            unit = 1.0 if self.normalization == "integral" else (4 * np.pi) ** 0.5
            scaled = scale_filter(weights * unit, harmonics, self.lmax) * features[senders]
            return jax.ops.segment_sum(scaled, receivers, num_nodes)
        grid = smallest_grid(filter_degree + degree + self.lmax)
        options = dict(matmul_dtype=self.matmul_dtype)
        filters = weighted_values(harmonics, weights, grid, **options)
        values = filters * to_grid(features, grid, **options)[senders]
        sums = jax.ops.segment_sum(values, receivers, num_nodes)
        z = from_grid(sums, grid, self.lmax, **options)
        return finish_convolution(z, None, degree, filter_degree, self.normalization)


class AlignedConvolution(nn.Module):
    """``A_i = Σ_j Σ_paths R_cp(r_ij) (Y(r_ij) ⊗ h_j)_p``: one radial weight for every coupling path.

    Computed in frames whose pole is the edge's direction, where each path is sparse (Passaro, Zitnick,
    "Reducing SO(3) convolutions to SO(2)", ICML 2023). On CPU `GauntConvolution`, which has a weight a
    degree instead of a path, is faster; this one can have the odd paths.

    Attributes:
      lmax: largest degree of the result.
      filter_lmax: largest degree of the harmonics; ``lmax`` if None.
      hidden: sizes of the radial network's hidden layers.
      num_kinds: kinds of edges that the radial network tells apart (see `equijax.nn.RadialMLP`).
      parity: paths with ``l1 + l2 + l3`` ``"even"``, ``"odd"`` or ``"all"``. With odd paths the result is
        equivariant under rotations but not under reflections, for features of natural parity.
      normalization: ``"component"``, so that each message has unit component variance, or ``"integral"``: see
        `equijax.sphere.path_convolution`.

    Example:
      >>> import jax.numpy as jnp
      >>> from equijax.sphere import align
      >>> h, radial, rotations = jnp.ones((2, 8, 9)), jnp.ones((1, 6)), align(jnp.ones((1, 3)), 2)
      >>> edge = jnp.array([0]), jnp.array([1])
      >>> module = AlignedConvolution(lmax=2)
      >>> module.init_with_output(jax.random.key(0), h, radial, rotations, *edge)[0].shape
      (2, 8, 9)
    """

    lmax: int
    filter_lmax: int | None = None
    hidden: Sequence[int] = (32, 32)
    num_kinds: int = 0
    parity: str = "even"
    normalization: str = "component"

    @nn.compact
    def __call__(
        self,
        features: Float[Array, "n c k"],
        radial: Float[Array, "e b"],
        alignment: Alignment,
        senders: Int[Array, "e"],
        receivers: Int[Array, "e"],
        kind: Int[Array, "e"] | None = None,
    ) -> Float[Array, "n c k3"]:
        """Sum messages over the edges that arrive at each node.

        Args:
          features, radial, senders, receivers, kind: as in `GauntConvolution`.
          alignment: rotations of the edges' directions to the pole, of degree at least that of ``features``
            and ``lmax``: made once by `equijax.sphere.align` for all layers.

        Raises:
          ValueError: if shapes do not agree, the alignment's degree is too low, a last axis of signals is not
            a square, or an attribute is out of range.
          TypeError: if an array has the wrong kind of dtype or ``alignment`` is none.
        """
        check.count("lmax", self.lmax, 0)
        degree, channels, num_edges = check_edges(features, radial, senders, receivers)
        check_alignment(alignment, max(degree, self.lmax), (num_edges,))
        filter_lmax = self.lmax if self.filter_lmax is None else self.filter_lmax
        paths = convolution_paths(degree, filter_lmax, self.lmax, parity=self.parity)
        network = RadialMLP((*self.hidden, channels * len(paths)), num_kinds=self.num_kinds, name="radial")
        messages = path_convolution(
            features[senders],
            alignment,
            self.lmax,
            filter_lmax=filter_lmax,
            weights=network(radial, kind).reshape(num_edges, channels, len(paths)),
            parity=self.parity,
            normalization=self.normalization,
        )
        return jax.ops.segment_sum(messages, receivers, features.shape[0])


def scale_filter(
    weights: Float[Array, "e c l"], harmonics: Float[Array, "e k"], lmax: int
) -> Float[Array, "e c k2"]:
    """Harmonics up to a degree with a weight for every channel and degree.

    Example:
      >>> import jax.numpy as jnp
      >>> scale_filter(jnp.ones((1, 8, 3)), jnp.ones((1, 9)), 1).shape
      (1, 8, 4)
    """
    return per_degree(weights[..., : lmax + 1], harmonics[:, None, : (lmax + 1) ** 2])


def check_edges(features: Array, radial: Array, senders: Array, receivers: Array) -> tuple[int, int, int]:
    """Require features at nodes and radial values at edges; return degree, channels and number of edges.

    Raises:
      ValueError: if shapes do not agree or the last axis of ``features`` is not a square.
      TypeError: if an array has the wrong kind of dtype.

    Example:
      >>> import jax.numpy as jnp
      >>> check_edges(jnp.ones((2, 8, 9)), jnp.ones((1, 6)), jnp.array([0]), jnp.array([1]))
      (2, 8, 1)
    """
    check.shape("features", features, "n c k")
    degree, channels = check_signal("features", features)
    num_edges = check.shape("senders", senders, "e")["e"]
    check.shape("receivers", receivers, "e", e=num_edges)
    check.shape("radial", radial, "e b", e=num_edges)
    check.integer("senders", senders)
    check.integer("receivers", receivers)
    return degree, channels, num_edges
