"""Attention over neighbours with messages on the sphere, and weights from their invariant parts."""

from collections.abc import Sequence
from typing import Any

import flax.linen as nn
import jax
import jax.numpy as jnp
from jaxtyping import Array, Bool, Float, Int

from equijax.nn.convolution import check_edges
from equijax.nn.linear import Linear
from equijax.nn.radial import RadialMLP
from equijax.numerics import check, segments
from equijax.sphere import Alignment, degree_of, from_grid, smallest_grid, to_grid, weighted_values
from equijax.sphere.aligned import convolution_paths, path_convolution
from equijax.sphere.convolution import finish_convolution
from equijax.sphere.rotation import check_alignment


class GraphAttention(nn.Module):
    """``x'_i = W Σ_j a_ij g_ij (R(r_ij) Y(r_ij) · (W_s x_j + W_t x_i))`` with invariant weights and gates.

    Equivariant graph attention as in EquiformerV2 (Liao et al., ICLR 2024, section 4): the invariant part of
    a message, through a dense layer, gives the logits of each head and a gate for each channel. Messages are
    products on the sphere; they are summed on the grid, so that each node is projected once.

    Attributes:
      features: channels of messages and result; a multiple of ``heads``.
      lmax: largest degree of the result.
      heads: attention heads; each weighs its share of the channels.
      hidden: size of the layer between invariants and logits.
      radial_hidden: sizes of the radial network's hidden layers.
      num_kinds: kinds of edges that the radial network tells apart.
      parity: of the paths of aligned messages (see `equijax.nn.AlignedConvolution`).
      matmul_dtype: of messages on a grid: see `equijax.sphere.gaunt_product`. Rotations of aligned messages
        are never rounded.

    Example:
      >>> h, radial, harmonics = jnp.ones((2, 8, 9)), jnp.ones((1, 6)), jnp.ones((1, 9))
      >>> edge = jnp.array([0]), jnp.array([1])
      >>> module = GraphAttention(features=8, lmax=2)
      >>> module.init_with_output(jax.random.key(0), h, radial, harmonics, *edge)[0].shape
      (2, 8, 9)
    """

    features: int
    lmax: int
    heads: int = 4
    hidden: int = 32
    radial_hidden: Sequence[int] = (32, 32)
    num_kinds: int = 0
    parity: str = "even"
    matmul_dtype: Any = None

    @nn.compact
    def __call__(
        self,
        features: Float[Array, "n c k"],
        radial: Float[Array, "e b"],
        directions: Float[Array, "e k2"] | Alignment,
        senders: Int[Array, "e"],
        receivers: Int[Array, "e"],
        kind: Int[Array, "e"] | None = None,
        *,
        mask: Bool[Array, "e"] | None = None,
        envelope: Float[Array, "e"] | None = None,
    ) -> Float[Array, "n d k3"]:
        """Attend to the senders of the edges that arrive at each node; zero for nodes without edges.

        Args:
          features: signals at the nodes.
          radial: values of a radial basis at the edges, zero at the cut-off.
          directions: spherical harmonics of the edges' directions, for products on a grid with a radial
            weight a degree; or rotations by `equijax.sphere.align`, for aligned ones with a weight a path.
          senders, receivers: the edges.
          kind: of each edge, an index below ``num_kinds``; needed if that is not 0.
          mask: True for edges that count; all if None. What the others hold has no effect.
          envelope: of each edge, positive and zero at the cut-off (`equijax.euclid.polynomial_cutoff`);
            multiplies the weights before they are normalised, so that the result is smooth when a neighbour
            leaves. Ones if None.

        Raises:
          ValueError: if shapes do not agree, a last axis of signals is not a square, or an attribute is out
            of range.
          TypeError: if an array has the wrong kind of dtype.
        """
        check.count("lmax", self.lmax, 0)
        check.count("heads", self.heads, 1)
        check.count("features", self.features, 1)
        if self.features % self.heads:
            raise ValueError(f"features must be a multiple of heads={self.heads}, got {self.features}")
        _, _, num_edges = check_edges(features, radial, senders, receivers)
        if mask is not None:
            check.shape("mask", mask, "e", e=num_edges)
            radial, directions = jax.tree.map(
                lambda leaf: jnp.where(mask.reshape(-1, *(1,) * (leaf.ndim - 1)), leaf, 0),
                (radial, directions),
            )
        source = Linear(self.features, name="source")(features)
        target = Linear(self.features, name="target")(features)
        make = self._aligned if isinstance(directions, Alignment) else self._on_grid
        messages, invariants, finish = make(source, target, radial, directions, senders, receivers, kind)
        hidden = nn.Dense(self.hidden, name="invariants")(invariants)
        hidden = jax.nn.silu(hidden + nn.Dense(self.hidden, use_bias=False, name="distance")(radial))
        logits = nn.Dense(self.heads, name="logits")(hidden)
        weights = attention_weights(logits, receivers, features.shape[0], mask=mask, envelope=envelope)
        gates = jax.nn.sigmoid(nn.Dense(self.features, name="gates")(hidden))
        scale = gates * jnp.repeat(weights, self.features // self.heads, axis=-1)
        total = segments.sum(scale[..., None] * messages, receivers, features.shape[0], mask)
        return Linear(self.features, name="out")(finish(total))

    def _on_grid(self, source, target, radial, harmonics, senders, receivers, kind):
        """Messages as values on a grid, their invariant parts, and the projection of sums of messages."""
        check.floating("directions", harmonics)
        check.shape("directions", harmonics, "e k", e=len(senders))
        degree, filter_degree = degree_of(source.shape[-1]), degree_of(harmonics.shape[-1], "directions")
        grid = smallest_grid(degree + filter_degree + self.lmax)
        weights = self._radial(radial, kind, filter_degree + 1)
        options = dict(matmul_dtype=self.matmul_dtype)
        nodes = to_grid(source, grid, **options)[senders] + to_grid(target, grid, **options)[receivers]
        values = weighted_values(harmonics, weights, grid, **options) * nodes

        def project(total, lmax=self.lmax):
            z = from_grid(total, grid, lmax, **options)
            return finish_convolution(z, None, degree, filter_degree, "component")

        return values, project(values, 0)[..., 0], project

    def _aligned(self, source, target, radial, alignment, senders, receivers, kind):
        """Messages as coefficients, their invariant parts, and nothing left to do."""
        degree = degree_of(source.shape[-1])
        check_alignment(alignment, max(degree, self.lmax), (len(senders),))
        paths = convolution_paths(degree, self.lmax, self.lmax, parity=self.parity)
        messages = path_convolution(
            source[senders] + target[receivers],
            alignment,
            self.lmax,
            filter_lmax=self.lmax,
            weights=self._radial(radial, kind, len(paths)),
            parity=self.parity,
            normalization="component",
        )
        return messages, messages[..., 0], lambda total: total

    def _radial(self, radial, kind, num: int) -> Array:
        """Radial weights for every channel, shape ``(edges, features, num)``."""
        sizes = (*self.radial_hidden, self.features * num)
        weights = RadialMLP(sizes, num_kinds=self.num_kinds, name="radial")(radial, kind)
        return weights.reshape(len(radial), self.features, num)


def attention_weights(
    logits: Float[Array, "e h"],
    receivers: Int[Array, "e"],
    num_nodes: int,
    *,
    mask: Bool[Array, "e"] | None = None,
    envelope: Float[Array, "e"] | None = None,
) -> Float[Array, "e h"]:
    """Softmax over the edges that arrive at each node, of exponentials times an envelope.

    Args:
      logits: of every edge and head.
      receivers: where each edge arrives.
      num_nodes: how many nodes there are.
      mask: True for edges that count; all if None.
      envelope: not negative; edges where it is zero have no weight. Ones if None.

    Raises:
      ValueError: if shapes do not agree.
      TypeError: if an array has the wrong kind of dtype.

    Example:
      >>> weights = attention_weights(jnp.zeros((2, 1)), jnp.array([0, 0]), 1, envelope=jnp.array([1.0, 3.0]))
      >>> weights.round(4).tolist()
      [[0.25], [0.75]]
    """
    if envelope is None:
        return segments.softmax(logits, receivers, num_nodes, mask)
    check.floating("envelope", envelope)
    check.shape("envelope", envelope, "e", e=logits.shape[0])
    counts = envelope > 0 if mask is None else (envelope > 0) & mask
    logarithm = jnp.log(jnp.where(counts, envelope, 1.0))
    return segments.softmax(logits + logarithm[:, None], receivers, num_nodes, counts)
