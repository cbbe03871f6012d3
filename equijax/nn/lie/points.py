"""Lifting, group convolution and projection on ``R^n x| H`` for functions at points: exactly equivariant.

A function is given by its values at nodes of a quadrature of R^n: ``int f(z) dz = sum_q volumes[q] f(z_q)``.
If an affine map ``z -> a z + t`` moves nodes, volumes (by ``|det a|``), centres and samples (``h -> a h``),
all three layers give the same numbers, to rounding: for any nodes and any finite set of samples. Parameters
are those of the layers on grids, see `equijax.nn.lie.layers`; formulas in `equijax.nn.lie.relative`.
"""

import flax.linen as nn
import jax
import jax.numpy as jnp
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


class _PointLayer(LieLayer):
    """What the layers on points have in common.

    Attributes:
      radius: of the kernel, in the unit of the points.
    """

    radius: float = 1.0

    def __post_init__(self):
        check.count("features", self.features, 1)
        check.positive("radius", self.radius)
        super().__post_init__()

    def seen(self, samples: WeightedSamples, nodes: Array, centers: Array) -> Array:
        """Offsets from centres to nodes as each sample sees them, ``(count, centers, nodes, n)``."""
        return pulled_back(samples, (nodes - centers[:, None]) / self.radius).astype(nodes.dtype)

    def check(self, nodes, volumes, centers, values) -> Array:
        """Check the arguments that all layers have, and return volumes in units of the radius."""
        check.floating("nodes", nodes)
        q = check.shape("nodes", nodes, "q n", n=self.group.n)["q"]
        check.shape("volumes", volumes, "q", q=q)
        check.shape("centers", centers, "m n", n=self.group.n)
        check.floating("values", values)
        return volumes / self.radius**self.group.n


class PointLift(_PointLayer):
    """From values at nodes in R^n to values at centres and samples.

    Attributes: see `PointLieConvolution`.

    Example:
      >>> from equijax.groups import GL, SamplePolicy
      >>> samples = SamplePolicy(GL(2), 6)(jax.random.key(0))
      >>> nodes = jax.random.normal(jax.random.key(1), (20, 2))
      >>> layer = PointLift(GL(2), 4)
      >>> arguments = (nodes, jnp.ones(20), nodes[:5], jnp.ones((20, 3)), samples)
      >>> layer.init_with_output(jax.random.key(2), *arguments)[0].shape
      (5, 6, 4)
    """

    @nn.compact
    def __call__(
        self,
        nodes: Float[Array, "q n"],
        volumes: Float[Array, "q"],
        centers: Float[Array, "m n"],
        values: Float[Array, "q c"],
        samples: WeightedSamples,
    ) -> Float[Array, "m count f"]:
        """Lift.

        Args:
          nodes, volumes: the quadrature of R^n.
          centers: points that the output is evaluated at.
          values: of the function at the nodes.
          samples: elements of H that the output is evaluated at.

        Raises:
          TypeError: if an array is not real floating-point, or the samples are none of the group.
          ValueError: if shapes do not match.
        """
        volumes = self.check(nodes, volumes, centers, values)
        check.shape("values", values, "q c", q=len(nodes))
        check_samples("samples", samples, self.group)
        kernel = self.kernel(values.shape[-1])(self.seen(samples, nodes, centers))
        scale = inverse_determinants(samples)
        return jnp.einsum("imqcf,i,q,qc->mif", kernel, scale, volumes, values, precision="highest")


class PointLieConvolution(_PointLayer):
    """From values at nodes and samples to values at centres and samples.

    Attributes:
      group: H: ``GL(n)``, ``SL(n)`` or ``SO(n)``.
      features: channels of the output.
      radius: of the kernel, in the unit of the points.
      hidden, frequency, stretch_radius, element_features: of the `LieKernel`.

    Example:
      >>> from equijax.groups import GL, SamplePolicy
      >>> samples = SamplePolicy(GL(2), 6)(jax.random.key(0))
      >>> nodes = jax.random.normal(jax.random.key(1), (20, 2))
      >>> layer = PointLieConvolution(GL(2), 4)
      >>> arguments = (nodes, jnp.ones(20), nodes[:5], jnp.ones((20, 6, 3)), samples)
      >>> layer.init_with_output(jax.random.key(2), *arguments)[0].shape
      (5, 6, 4)
    """

    @nn.compact
    def __call__(
        self,
        nodes: Float[Array, "q n"],
        volumes: Float[Array, "q"],
        centers: Float[Array, "m n"],
        values: Float[Array, "q j c"],
        in_samples: WeightedSamples,
        out_samples: WeightedSamples | None = None,
    ) -> Float[Array, "m count f"]:
        """Convolve.

        Args:
          nodes, volumes: the quadrature of R^n.
          centers: points that the output is evaluated at.
          values: of the function at nodes and samples.
          in_samples: elements of H that the values are given at.
          out_samples: those that the output is evaluated at; ``in_samples`` if None.

        Raises:
          TypeError: if an array is not real floating-point, or the samples are none of the group.
          ValueError: if shapes do not match.
        """
        volumes = self.check(nodes, volumes, centers, values)
        out_samples = in_samples if out_samples is None else out_samples
        j = check_samples("in_samples", in_samples, self.group)
        check_samples("out_samples", out_samples, self.group)
        check.shape("values", values, "q j c", q=len(nodes), j=j)
        relative = relative_elements(self.group, out_samples, in_samples)
        relative = jax.tree.map(lambda leaf: leaf[:, :, None, None], relative)
        seen = self.seen(out_samples, nodes, centers)[:, None]
        kernel = self.kernel(values.shape[-1])(seen, relative)
        weights = haar_weights(in_samples)
        return jnp.einsum("ijmqcf,j,q,qjc->mif", kernel, weights, volumes, values, precision="highest")


class PointLieProjection(_PointLayer):
    """From values at nodes and samples to values at centres.

    Attributes: see `PointLieConvolution`.

    Example:
      >>> from equijax.groups import GL, SamplePolicy
      >>> samples = SamplePolicy(GL(2), 6)(jax.random.key(0))
      >>> nodes = jax.random.normal(jax.random.key(1), (20, 2))
      >>> layer = PointLieProjection(GL(2), 4)
      >>> arguments = (nodes, jnp.ones(20), nodes[:5], jnp.ones((20, 6, 3)), samples)
      >>> layer.init_with_output(jax.random.key(2), *arguments)[0].shape
      (5, 4)
    """

    @nn.compact
    def __call__(
        self,
        nodes: Float[Array, "q n"],
        volumes: Float[Array, "q"],
        centers: Float[Array, "m n"],
        values: Float[Array, "q j c"],
        samples: WeightedSamples,
    ) -> Float[Array, "m f"]:
        """Project.

        Args:
          nodes, volumes: the quadrature of R^n.
          centers: points that the output is evaluated at.
          values: of the function at nodes and samples.
          samples: elements of H that the values are given at.

        Raises:
          TypeError: if an array is not real floating-point, or the samples are none of the group.
          ValueError: if shapes do not match.
        """
        volumes = self.check(nodes, volumes, centers, values)
        j = check_samples("samples", samples, self.group)
        check.shape("values", values, "q j c", q=len(nodes), j=j)
        kernel = self.kernel(values.shape[-1])(self.seen(samples, nodes, centers))
        weights = haar_weights(samples)
        return jnp.einsum("jmqcf,j,q,qjc->mf", kernel, weights, volumes, values, precision="highest")
