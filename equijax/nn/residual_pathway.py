"""Residual pathway priors: an equivariant layer, and beside it a freer one that starts and is held small.

The weights are ``W = A + B`` with A equivariant and B free, or equivariant to a subgroup only. A prior,
narrower for B, prefers the symmetric solution where it fits the data as well. Finzi, Benton, Wilson,
"Residual pathway priors for soft equivariance constraints", NeurIPS 2021; with a subgroup ("mixed") in Kim,
Lee, Yang, Lee, "Regularizing towards soft equivariance under mixed symmetries", ICML 2023.
"""

from collections.abc import Mapping
from typing import Any

import flax.linen as nn
import jax
import jax.numpy as jnp
from jaxtyping import Array, Float

from equijax.groups import Group, Representation
from equijax.nn.equivariant_dense import EquivariantDense, flattened
from equijax.nn.soft_dense import SoftEquivariantDense
from equijax.numerics import check


class ResidualPathwayDense(nn.Module):
    """An equivariant dense layer plus a free one, or one that commutes with a subgroup.

    Parameters are those of an `EquivariantDense` under ``equivariant``, and under ``basic`` those of a
    `SoftEquivariantDense`, or of an `EquivariantDense` of the subgroup.

    Attributes:
      group: the group.
      in_rep: how it acts on inputs, a linear representation of the subgroup, too.
      out_rep: how it acts on outputs.
      subgroup: what the second pathway commutes with; None for free weights.
      scale: size of the outputs of the second pathway at first, relative to those of the first.

    Example:
      >>> from equijax.groups import O, SO, Vector
      >>> layer = ResidualPathwayDense(O(3), 2 * Vector(), Vector(), subgroup=SO(3))
      >>> y, variables = layer.init_with_output(jax.random.key(0), jnp.ones((4, 6)))
      >>> y.shape, sorted(variables["params"])
      ((4, 3), ['basic', 'equivariant'])
    """

    group: Group
    in_rep: Representation
    out_rep: Representation
    subgroup: Group | None = None
    scale: float = 1e-3

    @nn.compact
    def __call__(self, x: Float[Array, "..."]) -> Float[Array, "..."]:
        """Apply the map.

        Args:
          x: shape ``(..., *in_rep.shape(group))``.

        Returns:
          Shape ``(..., *out_rep.shape(group))``.

        Raises:
          ValueError: if the trailing axes of ``x`` are not those of ``in_rep``.
          TypeError: if ``x`` is not a real floating-point array, or a representation is affine, or none of
            the group's or of the subgroup's.
        """
        reps = self.in_rep, self.out_rep
        y = EquivariantDense(self.group, *reps, name="equivariant")(x)
        if self.subgroup is None:
            return y + SoftEquivariantDense(self.group, *reps, scale=self.scale, name="basic")(x)
        shape = flattened("x", x, self.group, self.in_rep).shape[-1:]
        layer = EquivariantDense(self.subgroup, *reps, parent=None)

        def init(key):
            axes = self.in_rep.shape(self.subgroup)
            params = layer.init(key, jnp.zeros(shape).reshape(axes))["params"]
            return jax.tree.map(lambda leaf: self.scale * leaf, params)

        return y + layer.apply({"params": self.param("basic", init)}, x)


def residual_pathway_penalty(
    params: Mapping[str, Any], *, equivariant: float = 1e-5, basic: float = 1.0
) -> Float[Array, ""]:
    """The negative logarithm of the prior: half the squared norms of both pathways, with different weights.

    Args:
      params: parameters with `ResidualPathwayDense` layers anywhere within; other parameters do not count.
      equivariant: the inverse variance of equivariant weights.
      basic: that of the others.

    Raises:
      TypeError: if ``params`` is no mapping.
      ValueError: if there is no such layer.

    Example:
      >>> params = {"layer": {"equivariant": {"a": jnp.ones(2)}, "basic": {"b": jnp.full(3, 2.0)}}}
      >>> residual_pathway_penalty(params, equivariant=1.0, basic=10.0)
      Array(61., dtype=float32)
    """
    check.instance("params", params, Mapping)
    pathways = _pathways(params)
    if not pathways:
        raise ValueError(f"params must hold a ResidualPathwayDense layer, got {sorted(params)} without one")
    weights = {"equivariant": equivariant, "basic": basic}
    return sum(
        weight * jnp.sum(leaf**2) / 2
        for layer in pathways
        for name, weight in weights.items()
        for leaf in jax.tree.leaves(layer[name])
    )


def _pathways(params: Mapping) -> list[Mapping]:
    """The parameters of all layers with two pathways."""
    if set(params) == {"equivariant", "basic"}:
        return [params]
    return [each for value in params.values() if isinstance(value, Mapping) for each in _pathways(value)]
