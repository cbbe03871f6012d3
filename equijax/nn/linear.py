"""Linear maps between signals on the sphere.

The features of these modules are signals: shape ``(..., channels, (lmax + 1)²)``, degrees in order (see
`equijax.sphere`). By Schur's lemma an equivariant linear map mixes channels within a degree, with the same
matrix for all components of a degree.
"""

import flax.linen as nn
import jax.numpy as jnp
from jaxtyping import Array, Float

from equijax.numerics import check
from equijax.sphere import degree_index, degree_of

kernel_init = nn.initializers.variance_scaling(1.0, "fan_in", "normal", in_axis=-2, out_axis=-1, batch_axis=0)
"""Unit-variance outputs for unit-variance inputs, of one matrix for each entry of the first axis."""


class Linear(nn.Module):
    """Mix channels, with one matrix a degree; a bias on degree 0 only, where it is equivariant.

    Attributes:
      features: channels of the result.
      use_bias: add a learned constant to the degree-0 part.

    Example:
      >>> import jax
      >>> x = jnp.ones((5, 8, 9))
      >>> y, variables = Linear(features=4).init_with_output(jax.random.key(0), x)
      >>> y.shape, variables["params"]["kernel"].shape
      ((5, 4, 9), (3, 8, 4))
    """

    features: int
    use_bias: bool = False

    @nn.compact
    def __call__(self, x: Float[Array, "... c k"]) -> Float[Array, "... d k"]:
        """Apply the map.

        Args:
          x: shape ``(..., channels, (lmax + 1)²)``.

        Returns:
          Shape ``(..., features, (lmax + 1)²)``.

        Raises:
          ValueError: if ``x`` has no channel axis, its last axis is not a square, or ``features`` is below 1.
          TypeError: if ``x`` is not a real floating-point array.
        """
        lmax, channels = check_signal("x", x)
        check.count("features", self.features, 1)
        kernel = self.param("kernel", kernel_init, (lmax + 1, channels, self.features))
        y = mix_channels(x, kernel)
        if self.use_bias:
            bias = self.param("bias", nn.initializers.zeros, (self.features,))
            y = y.at[..., 0].add(bias)
        return y


class SpeciesLinear(nn.Module):
    """Mix channels with one matrix a degree and species: a linear map that knows the element of each node.

    For inputs of unit variance, outputs have the variance ``1 / (lmax + 1)`` at first.

    Attributes:
      features: channels of the result.
      num_species: number of species.

    Example:
      >>> import jax
      >>> x, species = jnp.ones((5, 8, 9)), jnp.array([0, 1, 1, 0, 1])
      >>> SpeciesLinear(4, num_species=2).init_with_output(jax.random.key(0), x, species)[0].shape
      (5, 4, 9)
    """

    features: int
    num_species: int

    @nn.compact
    def __call__(self, x: Float[Array, "n c k"], species: Array) -> Float[Array, "n d k"]:
        """Apply the map of each node's species, given by its index in ``0 … num_species - 1``.

        Raises:
          ValueError: if shapes do not agree, the last axis of ``x`` is not a square, or ``features`` or
            ``num_species`` is below 1.
          TypeError: if ``x`` is not a real floating-point array or ``species`` is not an integer one.
        """
        check.shape("x", x, "n c k")
        lmax, channels = check_signal("x", x)
        check.shape("species", species, "n", n=x.shape[0])
        check.integer("species", species)
        check.count("features", self.features, 1)
        check.count("num_species", self.num_species, 1)
        shape = (self.num_species, lmax + 1, channels, self.features)
        kernel = jnp.take(self.param("kernel", kernel_init, shape), species, axis=0)
        return jnp.einsum("nck,nkcd->ndk", x, kernel[:, degree_index(lmax)], precision="highest")


def mix_channels(x: Float[Array, "... c k"], kernel: Float[Array, "l c d"]) -> Float[Array, "... d k"]:
    """Multiply the channels by the matrix of their degree.

    Args:
      x: signals, shape ``(..., c, (lmax + 1)²)``.
      kernel: one matrix a degree, shape ``(lmax + 1, c, d)``.

    Raises:
      ValueError: if shapes do not agree.

    Example:
      >>> mix_channels(jnp.ones((1, 4)), jnp.array([[[2.0]], [[3.0]]])).tolist()
      [[2.0, 3.0, 3.0, 3.0]]
    """
    lmax, channels = check_signal("x", x)
    check.shape("kernel", kernel, f"{lmax + 1} {channels} d")
    return jnp.einsum("...ck,kcd->...dk", x, kernel[degree_index(lmax)], precision="highest")


def check_signal(name: str, x: Array) -> tuple[int, int]:
    """Require channels of signals on the sphere; return the largest degree and the number of channels.

    Raises:
      ValueError: if there is no channel axis or the last axis is not a square.
      TypeError: if it is not a real floating-point array.

    Example:
      >>> check_signal("x", jnp.ones((5, 8, 9)))
      (2, 8)
    """
    check.floating(name, x)
    sizes = check.shape(name, x, "... channels k")
    return degree_of(sizes["k"], name), sizes["channels"]
