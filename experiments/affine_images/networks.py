"""The classifiers: lifting, group convolutions with a skip, a pooled head; and the convolutional network."""

import dataclasses
from collections.abc import Callable

import flax.linen as nn
import jax
from jaxtyping import Array, Float

from equijax.groups import GL, SL, SO, WeightedSamples
from equijax.groups.decompositions import polar_features
from equijax.nn import LieConvolution, LiftConvolution
from equijax.numerics import check
from experiments.affine_images.exponential import exponential_features
from experiments.baselines.cnn import ConvNet, head, standardized


@dataclasses.dataclass(frozen=True)
class Method:
    """One row of the comparison.

    Attributes:
      label: for tables.
      group: of the kernels; None for an ordinary network.
      training: ``centred``, or ``warped`` for augmentation.
      canonical: ``whitened``, ``whitened and turned`` or none.
      features: coordinates of relative elements.
      refresh: when the elements change, see `equijax.groups.SamplePolicy`.
    """

    label: str
    group: GL | SL | SO | None = None
    training: str = "centred"
    canonical: str = ""
    features: Callable = polar_features
    refresh: str = "fixed"


FREQUENCY = 15.0
"""Of the kernels' networks. At 6 or less all kernels of a layer look alike at first, and training stalls."""

METHODS = {
    "cnn": Method("CNN"),
    "cnn_wide": Method("CNN, wide"),
    "so2": Method("SO(2)", SO(2)),
    "sl2": Method("SL(2)", SL(2)),
    "gl2": Method("GL+(2)", GL(2)),
    "sl2_redrawn": Method("SL(2), redrawn every step", SL(2), refresh="per_step"),
    "exp_gl2": Method("GL+(2), exponential coordinates", GL(2), features=exponential_features),
    "augmented": Method("CNN, augmentation", training="warped"),
    "whitened": Method("CNN on whitened images", canonical="whitened"),
    "canonical": Method("CNN on canonical images", canonical="whitened and turned"),
}


class LieFeatures(nn.Module):
    """Features of images at points and samples: lifting and two group convolutions on one set of samples.

    Attributes:
      group: H.
      channels: of the first two layers.
      features: of the last.
      element_features: coordinates of relative elements.
    """

    group: GL | SL | SO
    channels: int
    features: int = 32
    element_features: Callable = polar_features

    @nn.compact
    def __call__(self, x: Float[Array, "b side side c"], samples: WeightedSamples):
        """Shape ``(b, points, features)``, the points all pixels and samples."""
        kernel = {"element_features": self.element_features, "frequency": FREQUENCY}
        # Images are zero outside: padding with zeros is no border.
        lift = LiftConvolution(self.group, self.channels, padding="SAME", name="lift", **kernel)
        x = lift(x, samples)
        x = halved(jax.nn.gelu(standardized(x)))
        block = LieConvolution(self.group, self.channels, padding="SAME", name="block", **kernel)
        x = jax.nn.gelu(x + standardized(block(x, samples)))
        last = LieConvolution(self.group, self.features, name="last", **kernel)
        return jax.nn.gelu(standardized(last(x, samples))).reshape(x.shape[0], -1, self.features)


class LieClassifier(nn.Module):
    """Logits from the largest value and the mean of `LieFeatures`.

    Attributes:
      body: the features.
      num_classes: size of the output.
    """

    body: LieFeatures
    num_classes: int = 10

    @nn.compact
    def __call__(self, x: Float[Array, "b side side c"], samples: WeightedSamples):
        """Logits ``(b, num_classes)`` of images."""
        return head(self.body(x, samples), self.num_classes)


def halved(x: Float[Array, "b height width n c"]) -> Float[Array, "b h w n c"]:
    """Means over squares of 2 x 2 pixels.

    Example:
      >>> halved(jax.numpy.ones((1, 4, 6, 3, 2))).shape
      (1, 2, 3, 3, 2)
    """
    b, height, width, *rest = x.shape
    return x.reshape(b, height // 2, 2, width // 2, 2, *rest).mean(axis=(2, 4))


def make_network(method: str, *, channels: int, num_samples: int) -> LieClassifier | ConvNet:
    """The network of a method.

    Raises:
      ValueError: if the method is unknown.

    Example:
      >>> make_network("cnn_wide", channels=4, num_samples=6).channels
      24
    """
    check.one_of("method", method, METHODS)
    chosen = METHODS[method]
    if chosen.group is None:
        plain = method == "cnn"
        return ConvNet(channels if plain else channels * num_samples)
    return LieClassifier(LieFeatures(chosen.group, channels, element_features=chosen.features))
