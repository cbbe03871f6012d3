"""A network of the values of signals at the points of the sphere, the same at every point."""

from collections.abc import Callable, Sequence
from typing import Any

import flax.linen as nn
import jax
from jaxtyping import Array, Float

from equijax.nn.linear import check_signal
from equijax.numerics import check
from equijax.sphere import pointwise
from equijax.sphere.contraction import matrix_product


class PointwiseMLP(nn.Module):
    """Dense layers over the channels at every grid point: evaluated once, projected once.

    The feed-forward part of EquiformerV2 (Liao et al., ICLR 2024, section 4.2) without projections between
    its layers. Equivariant up to the aliasing of the activation, which falls with ``order``: see
    `equijax.sphere.pointwise`, whose documentation says how fast.

    Attributes:
      features: channels of the layers; no activation after the last.
      lmax: largest degree of the result; that of the input if None.
      order: the grid is exact for polynomials of this order.
      activation: smooth ones alias least.
      matmul_dtype: of the way to the grid and back, and of the layers: see `equijax.sphere.gaunt_product`.

    Example:
      >>> import jax.numpy as jnp
      >>> x = jnp.ones((5, 8, 9))
      >>> PointwiseMLP((32, 4)).init_with_output(jax.random.key(0), x)[0].shape
      (5, 4, 9)
    """

    features: Sequence[int]
    lmax: int | None = None
    order: int = 4
    activation: Callable[[Array], Array] = jax.nn.silu
    matmul_dtype: Any = None

    @nn.compact
    def __call__(self, x: Float[Array, "... c k"]) -> Float[Array, "... d k2"]:
        """Apply the layers to signals, shape ``(..., channels, (lmax + 1)²)``.

        Raises:
          ValueError: if there are no layers, ``x`` has no channel axis, its last axis is not a square, or an
            attribute is out of range.
          TypeError: if ``x`` is not a real floating-point array.
        """
        _, channels = check_signal("x", x)
        if len(self.features) == 0:
            raise ValueError("features must hold at least one size, got none")
        kernels = []
        for layer, size in enumerate(self.features):
            check.count(f"features[{layer}]", size, 1)
            kernels.append(self.param(f"kernel_{layer}", nn.initializers.lecun_normal(), (channels, size)))
            channels = size
        biases = [
            self.param(f"bias_{layer}", nn.initializers.zeros, (size, 1))
            for layer, size in enumerate(self.features)
        ]

        def network(values: Array) -> Array:
            for layer, (kernel, bias) in enumerate(zip(kernels, biases)):
                if layer:
                    values = self.activation(values)
                values = matrix_product(kernel.T, values, values.dtype, self.matmul_dtype) + bias
            return values

        return pointwise(network, x, lmax=self.lmax, order=self.order, matmul_dtype=self.matmul_dtype)
