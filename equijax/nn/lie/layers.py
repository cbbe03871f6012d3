"""Lifting, group convolution and projection on ``R^n x| H`` for images (n = 2) and volumes (n = 3).

The component i of a vector of R^n runs along the i-th axis of space, in pixels. Integrals are sums over the
pixels under a kernel and over sampled elements of H; see `equijax.nn.lie.relative` for the formulas.
Translations by whole pixels are exact where there is no padding ("VALID"); with padding the border is not
equivariant.
"""

import functools

import flax.linen as nn
import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float

from equijax.groups.haar_sampling import WeightedSamples
from equijax.nn.lie.kernel import LieLayer
from equijax.nn.lie.relative import (
    check_samples,
    haar_weights,
    inverse_determinants,
    pulled_back,
    relative_elements,
)
from equijax.numerics import check


class _GridLayer(LieLayer):
    """What the layers on grids have in common.

    Attributes:
      kernel_size: pixels of the kernel along each axis, odd.
      padding: ``"VALID"`` or ``"SAME"``.
    """

    kernel_size: int = 5
    padding: str = "VALID"

    def __post_init__(self):
        check.one_of("group.n", self.group.n, (2, 3))
        check.count("features", self.features, 1)
        check.count("kernel_size", self.kernel_size, 1)
        if self.kernel_size % 2 == 0:
            raise ValueError(f"kernel_size must be odd, got {self.kernel_size}")
        check.one_of("padding", self.padding, ("VALID", "SAME"))
        super().__post_init__()

    def seen(self, samples: WeightedSamples, dtype) -> Float[Array, "count k n"]:
        """Kernel pixels as each sample sees them, in units of half the kernel's side."""
        offsets = jnp.asarray(grid_offsets(self.kernel_size, self.group.n), dtype)
        return pulled_back(samples, offsets / (self.kernel_size / 2)).astype(dtype)

    @property
    def cell(self) -> float:
        """Volume of a pixel in these units."""
        return (2 / self.kernel_size) ** self.group.n

    def correlated(self, x: Array, kernels: Array) -> Array:
        """``sum_y x(. + y) kernels(y)``, channels last, with any leading axes."""
        sides = (self.kernel_size,) * self.group.n
        return correlate(x, kernels.reshape(*sides, *kernels.shape[1:]).astype(x.dtype), self.padding)


class LiftConvolution(_GridLayer):
    """From functions on R^n to functions on ``R^n x| H``.

    Attributes: see `LieConvolution`.

    Example:
      >>> from equijax.groups import SL, SamplePolicy
      >>> samples = SamplePolicy(SL(2), 6)(jax.random.key(0))
      >>> layer = LiftConvolution(SL(2), 4)
      >>> layer.init_with_output(jax.random.key(1), jnp.ones((2, 12, 12, 1)), samples)[0].shape
      (2, 8, 8, 6, 4)
    """

    @nn.compact
    def __call__(self, x: Float[Array, "... c"], samples: WeightedSamples) -> Float[Array, "... count f"]:
        """Lift images or volumes.

        Args:
          x: shape ``(..., *space, c)``.
          samples: the elements of H that the output is evaluated at.

        Returns:
          Shape ``(..., *space', count, features)``.

        Raises:
          TypeError: if ``x`` is not real floating-point, or the samples are none of the group.
          ValueError: if shapes do not match.
        """
        check_grid("x", x, self.group.n, 1)
        count = check_samples("samples", samples, self.group)
        values = self.kernel(x.shape[-1])(self.seen(samples, x.dtype))
        values = self.cell * inverse_determinants(samples)[:, None, None, None] * values
        out = self.correlated(x, jnp.moveaxis(values, 0, 2).reshape(values.shape[1], x.shape[-1], -1))
        return out.reshape(*out.shape[:-1], count, self.features)


class LieConvolution(_GridLayer):
    """From functions on ``R^n x| H`` to functions on it.

    Attributes:
      group: H: ``GL(n)``, ``SL(n)`` or ``SO(n)`` with n = 2 or 3.
      features: channels of the output.
      kernel_size: pixels of the kernel along each axis, odd.
      padding: ``"VALID"`` or ``"SAME"``.
      hidden, frequency, stretch_radius, element_features: of the `LieKernel`.

    Example:
      >>> from equijax.groups import SL, SamplePolicy
      >>> samples = SamplePolicy(SL(2), 6)(jax.random.key(0))
      >>> layer = LieConvolution(SL(2), 4, kernel_size=3)
      >>> layer.init_with_output(jax.random.key(1), jnp.ones((8, 8, 6, 2)), samples)[0].shape
      (6, 6, 6, 4)
    """

    @nn.compact
    def __call__(
        self,
        x: Float[Array, "... m c"],
        in_samples: WeightedSamples,
        out_samples: WeightedSamples | None = None,
    ) -> Float[Array, "... count f"]:
        """Convolve.

        Args:
          x: shape ``(..., *space, m, c)``.
          in_samples: the m elements of H that ``x`` is given at.
          out_samples: those that the output is evaluated at; ``in_samples`` if None.

        Returns:
          Shape ``(..., *space', count, features)``.

        Raises:
          TypeError: if ``x`` is not real floating-point, or the samples are none of the group.
          ValueError: if shapes do not match.
        """
        check_grid("x", x, self.group.n, 2)
        out_samples = in_samples if out_samples is None else out_samples
        m = check_samples("in_samples", in_samples, self.group)
        count = check_samples("out_samples", out_samples, self.group)
        check.shape("x", x, "... m c", m=m)
        relative = relative_elements(self.group, out_samples, in_samples)
        relative = jax.tree.map(lambda leaf: leaf[:, :, None], relative)
        values = self.kernel(x.shape[-1])(self.seen(out_samples, x.dtype)[:, None], relative)
        # The weights belong to the samples that the integral runs over: the axis of the input.
        values = self.cell * haar_weights(in_samples)[:, None, None, None] * values
        kernels = jnp.einsum("ojkcf->kjcof", values).reshape(values.shape[2], m * x.shape[-1], -1)
        out = self.correlated(x.reshape(*x.shape[:-2], -1), kernels)
        return out.reshape(*out.shape[:-1], count, self.features)


class LieProjection(_GridLayer):
    """From functions on ``R^n x| H`` to functions on R^n.

    Attributes: see `LieConvolution`.

    Example:
      >>> from equijax.groups import SL, SamplePolicy
      >>> samples = SamplePolicy(SL(2), 6)(jax.random.key(0))
      >>> layer = LieProjection(SL(2), 4)
      >>> layer.init_with_output(jax.random.key(1), jnp.ones((8, 8, 6, 2)), samples)[0].shape
      (4, 4, 4)
    """

    @nn.compact
    def __call__(self, x: Float[Array, "... m c"], samples: WeightedSamples) -> Float[Array, "... f"]:
        """Project.

        Args:
          x: shape ``(..., *space, m, c)``.
          samples: the m elements of H that ``x`` is given at.

        Returns:
          Shape ``(..., *space', features)``.

        Raises:
          TypeError: if ``x`` is not real floating-point, or the samples are none of the group.
          ValueError: if shapes do not match.
        """
        check_grid("x", x, self.group.n, 2)
        m = check_samples("samples", samples, self.group)
        check.shape("x", x, "... m c", m=m)
        values = self.kernel(x.shape[-1])(self.seen(samples, x.dtype))
        values = self.cell * haar_weights(samples)[:, None, None, None] * values
        kernels = jnp.moveaxis(values, 0, 1).reshape(values.shape[1], m * x.shape[-1], -1)
        return self.correlated(x.reshape(*x.shape[:-2], -1), kernels)


def correlate(
    x: Float[Array, "... c"], kernels: Float[Array, "... c f"], padding: str = "VALID"
) -> Float[Array, "... f"]:
    """``sum_y x(. + y) kernels(y)`` over the pixels of a kernel, channels last.

    Args:
      x: shape ``(..., *space, c)``.
      kernels: shape ``(*sides, c, f)``, with as many sides as ``x`` has axes of space; two or three.
      padding: ``"VALID"`` or ``"SAME"``.

    Raises:
      ValueError: if the kernels are not of two or three dimensions, or channels do not match.

    Example:
      >>> correlate(jnp.ones((5, 5, 1)), jnp.ones((3, 3, 1, 2))).shape
      (3, 3, 2)
    """
    n = np.ndim(kernels) - 2
    check.one_of("the number of sides of kernels", n, (2, 3))
    check_grid("x", x, n, 1)
    check.shape("kernels", kernels, "... c f", c=x.shape[-1])
    flat = x.reshape(-1, *x.shape[-n - 1 :])
    convolve = functools.partial(_convolution, padding=padding)
    # The gradient of an unpadded convolution takes XLA ten times as long on a CPU as that of the product.
    by_patches = {"cpu": _patch_product} if padding == "VALID" else {}
    out = jax.lax.platform_dependent(flat, kernels, default=convolve, **by_patches)
    return out.reshape(*x.shape[: -n - 1], *out.shape[1:])


def _convolution(x: Array, kernels: Array, *, padding: str) -> Array:
    """The sum as XLA's convolution, one leading axis."""
    space = "DHW"[5 - np.ndim(kernels) :]
    return jax.lax.conv_general_dilated(
        x,
        kernels,
        window_strides=(1,) * len(space),
        padding=padding,
        dimension_numbers=(f"N{space}C", f"{space}IO", f"N{space}C"),
        precision="highest",
    )


def _patch_product(x: Array, kernels: Array) -> Array:
    """The sum as one matrix product with the pixels under the kernel, without padding."""
    sides = kernels.shape[:-2]
    sizes = [size - side + 1 for size, side in zip(x.shape[1:-1], sides, strict=True)]
    patches = [
        x[(slice(None), *(slice(o, o + size) for o, size in zip(offset, sizes, strict=True)))]
        for offset in np.ndindex(*sides)
    ]
    joined = jnp.concatenate(patches, axis=-1)
    return jnp.matmul(joined, kernels.reshape(-1, kernels.shape[-1]), precision="highest")


@functools.lru_cache(maxsize=64)
def grid_offsets(kernel_size: int, n: int) -> Float[np.ndarray, "k n"]:
    """Offsets of a kernel's pixels from its centre, in pixels, row by row; float64, read-only.

    Example:
      >>> grid_offsets(3, 2)[:2]
      array([[-1., -1.],
             [-1.,  0.]])
    """
    line = np.arange(kernel_size) - (kernel_size - 1) / 2
    offsets = np.stack(np.meshgrid(*[line] * n, indexing="ij"), axis=-1).reshape(-1, n)
    offsets.flags.writeable = False
    return offsets


def check_grid(name: str, x: Array, n: int, trailing: int) -> None:
    """Require an array with n axes of space and some after them.

    Raises:
      TypeError: if it is not real floating-point.
      ValueError: if it has too few axes.

    Example:
      >>> check_grid("x", jnp.ones((4, 1)), 2, 1)
      Traceback (most recent call last):
      ValueError: x must have at least 3 axes, 2 of space and 1 after them, got shape (4, 1)
    """
    check.floating(name, x)
    if x.ndim < n + trailing:
        raise ValueError(
            f"{name} must have at least {n + trailing} axes, {n} of space and {trailing} after them, got "
            f"shape {x.shape}"
        )
