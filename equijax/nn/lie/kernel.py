"""Kernels on ``R^n x| H`` for a linear group H: networks of coordinates that exist on the whole group.

A kernel is a function of ``g^-1 y``, an offset in R^n, and in group convolutions of a relative element
``g^-1 h``, too. Mironenco and Forre, "Lie Group Decompositions for Equivariant Neural Networks", ICLR 2024,
section 4, but for three things: the rotation enters by its cosine and sine (by its matrix for n = 3), not by
an angle with a jump; the window depends on lengths that rotations leave alone (a window on all coordinates
would damp rotations, too); and it goes to zero smoothly.
"""

from collections.abc import Callable, Sequence

import flax.linen as nn
import jax.numpy as jnp
from jaxtyping import Array, Float

from equijax.groups.base import Element
from equijax.groups.decompositions import num_symmetric, polar_features
from equijax.groups.general_linear import GL, SL
from equijax.groups.orthogonal import SO
from equijax.nn.lie.siren import Siren
from equijax.numerics import check


class LieKernel(nn.Module):
    """A learnt kernel: a network of offset and relative element, inside a window.

    Attributes:
      group: H: ``GL(n)``, ``SL(n)`` or ``SO(n)``.
      in_features, out_features: sizes of the matrix at each point.
      hidden, frequency: of the `Siren`.
      stretch_radius: the kernel vanishes where the relative element's stretch has ``|X|`` beyond it; None for
        no such window.
      element_features: ``element_features(group, relative)``, the numbers by which the network knows a
        relative element.

    Example:
      >>> import jax
      >>> kernel = LieKernel(SL(2), in_features=3, out_features=4)
      >>> relative = SL(2).sample(jax.random.key(0), (5, 1))
      >>> kernel.init_with_output(jax.random.key(1), jnp.ones((9, 2)) / 2, relative)[0].shape
      (5, 9, 3, 4)
    """

    group: GL | SL | SO
    in_features: int
    out_features: int
    hidden: Sequence[int] = (32, 32)
    frequency: float = 10.0
    stretch_radius: float | None = None
    element_features: Callable = polar_features

    @nn.compact
    def __call__(
        self, offset: Float[Array, "... n"], relative: Element | None = None
    ) -> Float[Array, "... in out"]:
        """Evaluate the kernel.

        Args:
          offset: ``g^-1 y`` in units of the window's radius, shape ``(..., n)``.
          relative: elements ``g^-1 h`` whose batch axes broadcast with those of the offsets; None for a
            kernel on R^n.

        Returns:
          Matrices of variance ``1 / in_features`` at first, inside of the window.

        Raises:
          TypeError: if the offsets are not real floating-point, or ``relative`` is no element of the group.
          ValueError: if shapes do not match.
        """
        check.floating("offset", offset)
        check.shape("offset", offset, "... n", n=self.group.n)
        inputs = [offset]
        window = bump(jnp.sum(offset**2, axis=-1))
        if relative is not None:
            inputs.append(self.element_features(self.group, relative).astype(offset.dtype))
            if self.stretch_radius is not None:
                stretch = polar_features(self.group, relative)[..., : num_symmetric(self.group)]
                window = window * bump(jnp.sum(stretch**2, axis=-1) / self.stretch_radius**2)
        batch = jnp.broadcast_shapes(*(each.shape[:-1] for each in inputs))
        x = jnp.concatenate([jnp.broadcast_to(each, (*batch, each.shape[-1])) for each in inputs], axis=-1)
        network = Siren(self.in_features * self.out_features, self.hidden, self.frequency, name="siren")
        values = network(x).reshape(*batch, self.in_features, self.out_features)
        return window[..., None, None] * values / jnp.sqrt(jnp.asarray(self.in_features, values.dtype))


class LieLayer(nn.Module):
    """What layers on ``R^n x| H`` have in common: the group, channels, and the kernel's network.

    Attributes:
      group: H: ``GL(n)``, ``SL(n)`` or ``SO(n)``.
      features: channels of the output.
      hidden, frequency, stretch_radius, element_features: of the `LieKernel`.

    Example:
      >>> from equijax.nn import LiftConvolution, PointLift
      >>> issubclass(LiftConvolution, LieLayer) and issubclass(PointLift, LieLayer)
      True
    """

    group: GL | SL | SO
    features: int
    hidden: Sequence[int] = (32, 32)
    frequency: float = 10.0
    stretch_radius: float | None = None
    element_features: Callable = polar_features

    def kernel(self, in_features: int) -> LieKernel:
        """The kernel from a number of channels."""
        return LieKernel(
            self.group,
            in_features,
            self.features,
            hidden=self.hidden,
            frequency=self.frequency,
            stretch_radius=self.stretch_radius,
            element_features=self.element_features,
            name="kernel",
        )


def bump(square: Float[Array, "..."]) -> Float[Array, "..."]:
    """A window of a squared length: 1 at zero, falling to 0 with zero slope at one, 0 beyond.

    Example:
      >>> bump(jnp.array([0.0, 0.5, 1.0, 4.0]))
      Array([1.  , 0.25, 0.  , 0.  ], dtype=float32)
    """
    return jnp.maximum(1 - square, 0.0) ** 2
