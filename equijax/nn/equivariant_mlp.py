"""A multilayer perceptron that commutes with any group, between any representations."""

import functools
import math
import operator
from collections.abc import Callable

import flax.linen as nn
from jaxtyping import Array, Float

from equijax.equivariance import generators
from equijax.groups import (
    Group,
    PermutationTensor,
    Regular,
    Representation,
    S,
    Spinor,
    Trivial,
    UnitQuaternions,
    Vector,
    direct_sum,
    outer_product,
)
from equijax.nn.equivariant_bilinear import EquivariantBilinear
from equijax.nn.equivariant_dense import EquivariantDense
from equijax.nn.equivariant_gate import EquivariantGate, gated
from equijax.numerics import check


def hidden_representation(group: Group, width: int, *, order: int = 2) -> Representation:
    """A representation of about ``width`` numbers, spread evenly over scalars and tensors up to an order.

    Tensors are those of vectors (and covectors, where they differ) for a group that acts on R^n, of spinors
    and vectors for `UnitQuaternions`, of points for S(n), functions on the group for other finite groups, and
    outer products of these for a product group. Tensors larger than an equal share are left out.

    Args:
      group: the group.
      width: how many numbers there should be.
      order: the largest number of axes of a tensor.

    Raises:
      TypeError: if the group acts neither on R^n nor by permutations.
      ValueError: if ``width`` is below 1, or ``order`` is negative.

    Example:
      >>> from equijax.groups import O
      >>> hidden_representation(O(3), 96)
      39 * Trivial() + 10 * Vector() + 3 * (Vector() * Vector())
    """
    check.instance("group", group, Group)
    check.count("width", width, 1)
    check.count("order", order, 0)
    return _spread(group, width, order)


def _spread(group: Group, width: int, order: int) -> Representation:
    """Copies of each tensor, as many as fit into an equal share; the rest are scalars."""
    tensors = [(rep, math.prod(rep.shape(group))) for _, rep in _tensors(group, order)]
    tensors.sort(key=lambda each: each[1])  # stable: the scalar stays the first
    while len(tensors) > 1 and tensors[-1][1] > width / len(tensors):
        tensors.pop()
    parts = [(int(width / len(tensors)) // size, rep, size) for rep, size in tensors[1:]]
    rest = width - sum(count * size for count, _, size in parts)
    return direct_sum(rest * Trivial(), *(count * rep for count, rep, _ in parts))


def _tensors(group: Group, order: int) -> list[tuple[int, Representation]]:
    """Tensors up to an order, with their orders; the scalar first, sorted by order."""
    factors = getattr(group, "factors", None)
    if factors is not None:
        found = [(0, ())]
        for factor in factors:
            found = [
                (a + b, (*parts, rep))
                for a, parts in found
                for b, rep in _tensors(factor, order)
                if a + b <= order
            ]
        joined = [(rank, outer_product(*parts) if rank else Trivial()) for rank, parts in found]
        return sorted(joined, key=lambda each: each[0])
    if isinstance(group, S):
        return [(0, Trivial()), *((k, PermutationTensor(k)) for k in range(1, order + 1))]
    tensors: list[tuple[int, tuple[Representation, ...]]] = [(0, ())]
    level = list(tensors)
    bases = _bases(group)
    for rank in range(1, order + 1):
        # Products in a fixed order: the same factors in another order are the same type.
        level = [
            (rank, (*parts, base))
            for _, parts in level
            for number, base in enumerate(bases)
            if not parts or bases.index(parts[-1]) <= number
        ]
        tensors += level
    return [(rank, functools.reduce(operator.mul, parts or (Trivial(),))) for rank, parts in tensors]


def _bases(group: Group) -> list[Representation]:
    """What tensors of a group are made of."""
    if isinstance(group, UnitQuaternions):
        return [Spinor(), Vector()]
    for base in (Regular(), Vector()) if group.is_finite else (Vector(),):
        try:
            base.shape(group)
        except TypeError:
            continue
        orthogonal = generators.is_orthogonal(group, base)
        return [base] if orthogonal else [base, base.dual()]
    raise TypeError(f"group must act on R^n or by permutations, got {group!r}: give a representation instead")


class EquivariantMLP(nn.Module):
    """Dense layers, products and gated non-linearities that commute with a group.

    Every hidden layer is a dense layer to the features and their gates, to which a bilinear layer adds
    products, and a gated non-linearity; the last layer is dense.

    Attributes:
      group: the group.
      in_rep: how it acts on inputs, a linear representation.
      out_rep: how it acts on outputs.
      features: the hidden representation, or a number for `hidden_representation`.
      num_layers: the number of hidden layers.
      use_bilinear: whether there are products.
      dense: makes the dense layers, called as ``dense(group, in_rep, out_rep)``: `SoftEquivariantDense` or
        `ResidualPathwayDense`, or a function with more of their attributes set, for a network whose symmetry
        is only approximate.
      leak: see `EquivariantGate`; for such a network, too.

    Example:
      >>> import jax
      >>> import jax.numpy as jnp
      >>> from equijax.groups import O
      >>> inertia = EquivariantMLP(O(3), 5 * Trivial() + 5 * Vector(), Vector() * Vector(), features=64)
      >>> inertia.init_with_output(jax.random.key(0), jnp.ones((2, 20)))[0].shape
      (2, 3, 3)
    """

    group: Group
    in_rep: Representation
    out_rep: Representation
    features: int | Representation = 128
    num_layers: int = 3
    use_bilinear: bool = True
    dense: Callable[..., nn.Module] = EquivariantDense
    leak: float | None = None

    @nn.compact
    def __call__(self, x: Float[Array, "..."]) -> Float[Array, "..."]:
        """Apply the network.

        Args:
          x: shape ``(..., *in_rep.shape(group))``.

        Returns:
          Shape ``(..., *out_rep.shape(group))``.

        Raises:
          ValueError: if the trailing axes of ``x`` are not those of ``in_rep``, or a size is not positive.
          TypeError: if ``x`` is not a real floating-point array, or a representation is none of the group's,
            or affine.
        """
        check.count("num_layers", self.num_layers, 0)
        hidden = self.features
        if not isinstance(hidden, Representation):
            hidden = hidden_representation(self.group, hidden)
        wide, rep = gated(self.group, hidden), self.in_rep
        for _ in range(self.num_layers):
            x = self.dense(self.group, rep, wide)(x)
            if self.use_bilinear:
                x = x + EquivariantBilinear(self.group, wide)(x)
            x = EquivariantGate(self.group, hidden, leak=self.leak)(x)
            rep = hidden
        return self.dense(self.group, rep, self.out_rep)(x)
