"""A non-linearity for any representation of any group: pointwise where entries are permuted, gated elsewhere.

What a group leaves alone or permutes may be transformed entry by entry. Every other tensor is multiplied by a
gate, a number that transforms as what is permuted of it: one for each tensor, or for each node of a graph of
tensors. Weiler et al., "3D Steerable CNNs", NeurIPS 2018; Finzi et al., ICML 2021, section 7. A leak, which
acts entry by entry on tensors, lets a network depart from its symmetry (Finzi, Benton, Wilson, "Residual
pathway priors for soft equivariance constraints", NeurIPS 2021).
"""

import functools
import math
from collections.abc import Callable, Mapping
from typing import Any

import flax.linen as nn
import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float

from equijax.equivariance import generators, tensor_types
from equijax.groups import Group, Representation, Trivial, direct_sum, outer_product, tensor_product
from equijax.nn.equivariant_dense import flattened
from equijax.numerics import check


def gated(group: Group, rep: Representation) -> Representation:
    """A representation together with the gates that `EquivariantGate` needs for it.

    Args:
      group: the group.
      rep: a linear representation.

    Returns:
      ``rep`` if it needs no gates; otherwise its direct sum with them, which has one axis.

    Raises:
      TypeError: if the group does not have the representation, or it is affine.

    Example:
      >>> from equijax.groups import O, PermutationTensor, S, Vector
      >>> gated(O(3), 4 * Trivial() + 2 * Vector())
      4 * Trivial() + 2 * Vector() + 2 * Trivial()
      >>> gated(S(5) * O(3), PermutationTensor(1) @ Vector()).shape(S(5) * O(3))
      (20,)
    """
    tensor_types.check_linear("rep", group, rep)
    gates = [gate for _, gate, _ in _gates(group, rep) if gate is not None]
    return direct_sum(rep, *gates) if gates else rep


@functools.lru_cache(maxsize=256)
def _gates(group: Group, rep: Representation):
    """For each block: the block, the representation of its gates (None if it needs none), and the axes of its
    index that entries are permuted along."""
    groups = tensor_types.factors(group, rep)
    found = []
    for block in tensor_types.split(groups, rep):
        flat = [(place, part) for place, parts in enumerate(block.type) for part in parts]
        permuted = [generators.permutations(groups[place], part) is not None for place, part in flat]
        kept = [each for each, is_permuted in zip(flat, permuted, strict=True) if is_permuted]
        gate = None if all(permuted) else block.copies * _joined(len(groups), kept)
        found.append((block, gate, permuted))
    return found


def _joined(count: int, parts) -> Representation:
    """The representation that is a product of primitives of the factors."""
    by_factor = [[part for place, part in parts if place == factor] for factor in range(count)]
    joined = [tensor_product(*each) if each else Trivial() for each in by_factor]
    return outer_product(*joined) if count > 1 and parts else joined[0]


class EquivariantGate(nn.Module):
    """Act by a non-linearity on what the group permutes or leaves alone, and scale all else by gates.

    Gates are part of the input, as `gated` says. There are parameters only with a leak: arrays ``leak_i``,
    one weight for each entry of the gated tensors of type i, which are multiplied by the activation of the
    entries and added. They break the symmetry, unless they are zero; `leak_penalty` holds them small.

    Attributes:
      group: the group.
      rep: the representation of the result.
      activation: acts on entries that are permuted or left alone.
      gate: acts on gates.
      leak: what the weights of the leak are at first, 1e-3 in the paper; None for no leak.

    Example:
      >>> from equijax.groups import O, Vector
      >>> layer = EquivariantGate(O(3), 4 * Trivial() + 2 * Vector())
      >>> layer.apply({}, jnp.ones((5, 12))).shape
      (5, 10)
    """

    group: Group
    rep: Representation
    activation: Callable[[Array], Array] = jax.nn.silu
    gate: Callable[[Array], Array] = jax.nn.sigmoid
    leak: float | None = None

    @nn.compact
    def __call__(self, x: Float[Array, "..."]) -> Float[Array, "..."]:
        """Apply the non-linearity.

        Args:
          x: shape ``(..., *gated(group, rep).shape(group))``.

        Returns:
          Shape ``(..., *rep.shape(group))``.

        Raises:
          ValueError: if the trailing axes of ``x`` are not those.
          TypeError: if ``x`` is not a real floating-point array, or the group does not have the
            representation.
        """
        x = flattened("x", x, self.group, gated(self.group, self.rep))
        axes, batch = self.rep.shape(self.group), x.shape[:-1]
        start, parts, blocks = math.prod(axes), [], []
        for number, (block, gates, permuted) in enumerate(_gates(self.group, self.rep)):
            blocks.append(block)
            values = tensor_types.taken(x, block.index.ravel(), -1).reshape(*batch, *block.index.shape)
            if gates is None:
                parts.append(self.activation(values).reshape(*batch, -1))
                continue
            sizes = [size if kept else 1 for size, kept in zip(block.index.shape[1:], permuted, strict=True)]
            count = block.copies * math.prod(sizes)
            factor = self.gate(x[..., start : start + count]).reshape(*batch, block.copies, *sizes)
            start += count
            result = values * factor
            if self.leak is not None:
                weight = self.param(f"leak_{number}", nn.initializers.constant(self.leak), block.index.shape)
                result = result + weight.astype(x.dtype) * self.activation(values)
            parts.append(result.reshape(*batch, -1))
        joined = jnp.concatenate(parts, axis=-1) if parts else x[..., :0]
        order = np.argsort(tensor_types.places(tuple(blocks)))
        return tensor_types.taken(joined, order, -1).reshape(*batch, *axes)


def leak_penalty(params: Mapping[str, Any]) -> Float[Array, ""]:
    """Half the sum of squares of all leaks of the gated non-linearities within a network's parameters.

    Args:
      params: nested mappings of arrays; other parameters than leaks do not count.

    Raises:
      TypeError: if ``params`` is no mapping.

    Example:
      >>> from equijax.groups import O, Vector
      >>> layer = EquivariantGate(O(3), 2 * Vector(), leak=0.1)
      >>> leak_penalty(layer.init(jax.random.key(0), jnp.ones(8))["params"])  # six entries
      Array(0.03, dtype=float32)
    """
    check.instance("params", params, Mapping)
    total = jnp.zeros(())
    for name, value in params.items():
        if isinstance(value, Mapping):
            total = total + leak_penalty(value)
        elif name.startswith("leak_"):
            total = total + jnp.sum(value**2) / 2
    return total
