"""The dense layer that commutes with a group: any group, any representations.

Its weights are coefficients in an orthonormal basis of all equivariant linear maps, which is solved for when
the layer is traced (see `equijax.equivariance.projector`). Finzi, Welling, Wilson, "A practical method for
constructing equivariant multilayer perceptrons for arbitrary matrix groups", ICML 2021.
"""

import math

import flax.linen as nn
import jax.numpy as jnp
from jaxtyping import Array, Float

from equijax.equivariance import Projector, projector
from equijax.groups import Group, Representation, Trivial
from equijax.numerics import check


class EquivariantDense(nn.Module):
    """All linear maps of two representations that commute with the group, and all invariant biases.

    For inputs of unit variance, outputs have unit variance at first, wherever there is a map to them.
    Parameters are one array for each pair of tensor types: ``kernel_i_j``, shape ``(copies of the output's
    type i, copies of the input's type j, number of maps)``, and ``bias_i``, shape ``(copies, 1, number)``.

    Attributes:
      group: the group.
      in_rep: how it acts on inputs, a linear representation.
      out_rep: how it acts on outputs.
      use_bias: add the invariant vectors of the output, with learned coefficients, zero at first.

    Example:
      >>> import jax
      >>> from equijax.groups import O, Trivial, Vector
      >>> layer = EquivariantDense(O(3), 5 * Trivial() + 5 * Vector(), Vector() * Vector())
      >>> y, variables = layer.init_with_output(jax.random.key(0), jnp.ones((2, 20)))
      >>> y.shape, {name: value.shape for name, value in variables["params"].items()}
      ((2, 3, 3), {'kernel_0_0': (1, 5, 1), 'bias_0': (1, 1, 1)})
    """

    group: Group
    in_rep: Representation
    out_rep: Representation
    use_bias: bool = True

    @nn.compact
    def __call__(self, x: Float[Array, "..."]) -> Float[Array, "..."]:
        """Apply the map.

        Args:
          x: shape ``(..., *in_rep.shape(group))``.

        Returns:
          Shape ``(..., *out_rep.shape(group))``.

        Raises:
          ValueError: if the trailing axes of ``x`` are not those of ``in_rep``.
          TypeError: if ``x`` is not a real floating-point array, or a representation is none of the group's,
            or affine.
        """
        space = projector(self.group, self.in_rep, self.out_rep)
        x = flattened("x", x, self.group, self.in_rep)
        kernels = self._coefficients("kernel", space, _kernel_init)
        dtype = jnp.result_type(x, *kernels.values())
        y = space.apply({pair: kernel.astype(dtype) for pair, kernel in kernels.items()}, x.astype(dtype))
        if self.use_bias:
            constants = projector(self.group, Trivial(), self.out_rep)
            biases = self._coefficients("bias", constants, lambda *_: nn.initializers.zeros)
            if biases:
                y = y + constants.combine(biases)[..., 0].astype(dtype)
        return y.reshape(*x.shape[:-1], *self.out_rep.shape(self.group))

    def _coefficients(self, name: str, space: Projector, init) -> dict[tuple[int, int], Array]:
        """One parameter for each pair of blocks; biases have one input."""
        found = {}
        for (row, column), shape in space.coefficient_shapes.items():
            label = f"{name}_{row}_{column}" if name == "kernel" else f"{name}_{row}"
            found[row, column] = self.param(label, init(space, row), shape)
        return found


def _kernel_init(space: Projector, row: int):
    """Normal, with the deviation that gives the block's outputs unit variance."""
    # Basis elements have norm 1: each map adds its coefficient's square over d_out to the mean variance.
    maps = sum(shape[1] * shape[2] for (other, _), shape in space.coefficient_shapes.items() if other == row)
    return nn.initializers.normal(math.sqrt(space.out_blocks[row].size / maps))


def flattened(name: str, x: Float[Array, "..."], group: Group, rep: Representation) -> Float[Array, "... d"]:
    """An array with the axes of a representation joined to one.

    Raises:
      ValueError: if the trailing axes are not those of the representation.
      TypeError: if the array is not a real floating-point one.

    Example:
      >>> from equijax.groups import SO, Vector
      >>> flattened("x", jnp.ones((5, 3, 3)), SO(3), Vector() * Vector()).shape
      (5, 9)
    """
    check.floating(name, x)
    axes = rep.shape(group)
    batch = x.shape[: x.ndim - len(axes)] if len(axes) <= x.ndim else None
    if batch is None or x.shape[len(batch) :] != axes:
        expected = ", ".join(["...", *map(str, axes)])
        raise ValueError(
            f"{name} must have shape ({expected}) to transform by {rep!r} under {group!r}, got {x.shape}"
        )
    return x.reshape(*batch, math.prod(axes))
