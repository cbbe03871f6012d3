"""A small network of a distance, zero where its input is zero."""

from collections.abc import Callable, Sequence

import flax.linen as nn
import jax
import jax.numpy as jnp
from jaxtyping import Array, Float, Int

from equijax.numerics import check


class RadialMLP(nn.Module):
    """Dense layers without biases, of a radial basis that vanishes smoothly at the cut-off.

    Without biases and with activations that fix zero, the result vanishes with its input: a neighbour that
    leaves takes its message with it, smoothly.

    Attributes:
      features: sizes of the layers; no activation after the last.
      num_kinds: kinds of edges, for instance ordered pairs of elements. If not 0, each kind scales the first
        layer's outputs by numbers of its own, so that distances mean different things for different kinds.
      activation: must map 0 to 0.

    Example:
      >>> RadialMLP((16, 4)).init_with_output(jax.random.key(0), jnp.zeros((3, 8)))[0].tolist()[0]
      [0.0, 0.0, 0.0, 0.0]
    """

    features: Sequence[int]
    num_kinds: int = 0
    activation: Callable[[Array], Array] = jax.nn.silu

    @nn.compact
    def __call__(
        self, radial: Float[Array, "... b"], kind: Int[Array, "..."] | None = None
    ) -> Float[Array, "... f"]:
        """Apply the layers to the values of a radial basis.

        Args:
          radial: shape ``(..., b)``.
          kind: of each edge, an index below ``num_kinds``; needed if that is not 0.

        Raises:
          ValueError: if there are no layers, or the kinds are missing or of another shape.
          TypeError: if ``radial`` is not a real floating-point array or ``kind`` is not an integer one.
        """
        check.floating("radial", radial)
        check.shape("radial", radial, "... b")
        if len(self.features) == 0:
            raise ValueError("features must hold at least one size, got none")
        if (kind is None) != (self.num_kinds == 0):
            raise ValueError(f"kind must be given if and only if num_kinds is not 0, got {self.num_kinds}")
        x = radial
        for layer, size in enumerate(self.features):
            if layer:
                x = self.activation(x)
            x = nn.Dense(size, use_bias=False, kernel_init=kernel_init_2d, name=f"layer_{layer}")(x)
            if layer == 0 and kind is not None:
                check.integer("kind", kind)
                check.shape("kind", kind, " ".join(map(str, radial.shape[:-1])))
                scale = self.param("kind_scale", _near_one, (self.num_kinds, size))
                x = x * jnp.take(scale, kind, axis=0)
        return x


def _near_one(key, shape, dtype=jnp.float32):
    """Different from kind to kind, but not by much."""
    return 1 + 0.3 * jax.random.normal(key, shape, dtype)


kernel_init_2d = nn.initializers.variance_scaling(1.0, "fan_in", "normal")
"""Unit-variance outputs for unit-variance inputs, of a single matrix."""
