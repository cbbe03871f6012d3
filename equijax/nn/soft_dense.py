"""A dense layer that may, but need not, commute with groups: free weights with declared representations.

To know how symmetric a network's weights are, one has to say how its hidden features would transform. A soft
layer says it for the largest of the candidate groups; `layer_representations` collects what all layers of a
network say, for `equijax.equivariance.projection_residuals` and the regularizers made of it. Kim, Lee, Yang,
Lee, "Regularizing towards soft equivariance under mixed symmetries", ICML 2023.
"""

import math

import flax.linen as nn
import jax
import jax.numpy as jnp
from jaxtyping import Array, Float

from equijax.groups import Group, Representation
from equijax.nn.equivariant_dense import EquivariantDense, flattened


class SoftEquivariantDense(nn.Module):
    """A dense layer between representations that a penalty may draw to equivariance.

    Parameters are a free ``kernel``, shape ``(n_in, n_out)``, and a free ``bias``, zero at first. For inputs
    of unit variance, outputs have variance ``scale²`` at first, of which the share ``1 - softness²`` comes
    from a random equivariant kernel and ``softness²`` from a free one.

    Attributes:
      group: the largest group that the layer may commute with.
      in_rep: how it acts on inputs, a linear representation.
      out_rep: how it acts on outputs.
      use_bias: whether there is a bias.
      softness: between 0 (equivariant at first, as `EquivariantDense` is) and 1 (as any dense layer).
      scale: standard deviation of the outputs at first.

    Example:
      >>> from equijax.groups import O, Trivial, Vector
      >>> layer = SoftEquivariantDense(O(3), 5 * Trivial() + 5 * Vector(), Vector() * Vector())
      >>> y, variables = layer.init_with_output(jax.random.key(0), jnp.ones((2, 20)))
      >>> y.shape, variables["params"]["kernel"].shape
      ((2, 3, 3), (20, 9))
    """

    group: Group
    in_rep: Representation
    out_rep: Representation
    use_bias: bool = True
    softness: float = 1.0
    scale: float = 1.0

    @nn.compact
    def __call__(self, x: Float[Array, "..."]) -> Float[Array, "..."]:
        """Apply the map.

        Args:
          x: shape ``(..., *in_rep.shape(group))``.

        Returns:
          Shape ``(..., *out_rep.shape(group))``.

        Raises:
          ValueError: if the trailing axes of ``x`` are not those of ``in_rep``, ``softness`` is not between 0
            and 1, or ``scale`` is negative.
          TypeError: if ``x`` is not a real floating-point array, or a representation is none of the group's,
            or affine.
        """
        if not 0 <= self.softness <= 1:
            raise ValueError(f"softness must be between 0 and 1, got {self.softness!r}")
        if not self.scale >= 0:
            raise ValueError(f"scale must be at least 0, got {self.scale!r}")
        x = flattened("x", x, self.group, self.in_rep)
        axes = self.out_rep.shape(self.group)
        kernel = self.param("kernel", self._kernel_init, (x.shape[-1], math.prod(axes)))
        dtype = jnp.result_type(x, kernel)
        y = jnp.matmul(x.astype(dtype), kernel.astype(dtype), precision="highest")
        if self.use_bias:
            y = y + self.param("bias", nn.initializers.zeros, kernel.shape[1:]).astype(dtype)
        return y.reshape(*x.shape[:-1], *axes)

    def _kernel_init(self, key: Array, shape: tuple[int, int]) -> Float[Array, "i o"]:
        """An equivariant kernel and a free one, mixed."""
        first, second = jax.random.split(key)
        kernel = self.softness * nn.initializers.lecun_normal()(first, shape)
        if self.softness < 1:
            symmetric = EquivariantDense(self.group, self.in_rep, self.out_rep, use_bias=False, parent=None)
            unit = jnp.eye(shape[0]).reshape(shape[0], *self.in_rep.shape(self.group))
            own, _ = symmetric.init_with_output(second, unit)
            kernel = kernel + math.sqrt(1 - self.softness**2) * own.reshape(shape)
        return self.scale * kernel


def layer_representations(
    module: nn.Module, *args, **kwargs
) -> dict[str, tuple[Representation, Representation]]:
    """The representations that the soft layers of a module declare, by their paths in the parameters.

    Args:
      module: a Flax module that is not bound.
      *args, **kwargs: what it is called with; only shapes and dtypes matter.

    Returns:
      For each `SoftEquivariantDense` within, the pair of the representations of its input and output: what
      `equijax.equivariance.projection_residuals` and `discover` take as ``layer_reps``.

    Raises:
      TypeError: if ``module`` is no module.
      ValueError: if no layer is soft.

    Example:
      >>> from equijax.groups import O, Trivial, Vector
      >>> from equijax.nn import EquivariantMLP
      >>> net = EquivariantMLP(O(3), 2 * Vector(), Vector(), features=2 * Trivial() + Vector(), num_layers=1,
      ...                      dense=SoftEquivariantDense)
      >>> for path, (in_rep, out_rep) in layer_representations(net, jnp.ones(6)).items():
      ...     print(f"{path}: {in_rep} -> {out_rep}")
      SoftEquivariantDense_0: 2 * Vector() -> 2 * Trivial() + Vector() + 1 * Trivial()
      SoftEquivariantDense_1: 2 * Trivial() + Vector() -> Vector()
    """
    if not isinstance(module, nn.Module):
        raise TypeError(f"module must be a Flax module, got {type(module).__name__}")
    found = {}

    def record(call, args, kwargs, context):
        layer = context.module
        if isinstance(layer, SoftEquivariantDense) and context.method_name == "__call__":
            found["/".join(layer.path)] = (layer.in_rep, layer.out_rep)
        return call(*args, **kwargs)

    def init():
        return module.init(jax.random.key(0), *args, **kwargs)

    with nn.intercept_methods(record):
        jax.eval_shape(init)
    if not found:
        raise ValueError(f"module must hold a SoftEquivariantDense, got {type(module).__name__} without one")
    return found
