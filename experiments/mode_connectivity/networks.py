"""The networks that are connected, and their losses."""

from collections.abc import Callable

import flax.linen as nn
import jax
import jax.numpy as jnp
import optax
from jaxtyping import Array, Float

from experiments.tasks.digits import Digits


class Perceptron(nn.Module):
    """Three hidden layers with ReLU, as in the paper's networks for digits.

    Attributes:
      width: of the hidden layers.
    """

    width: int

    @nn.compact
    def __call__(self, images: Float[Array, "b side side 1"]) -> Float[Array, "b 10"]:
        """Logits."""
        x = images.reshape(images.shape[0], -1)
        for _ in range(3):
            x = nn.relu(nn.Dense(self.width)(x))
        return nn.Dense(10)(x)


class FlatConvNet(nn.Module):
    """Two convolutions with pooling, flattened into a hidden layer: channels are a factor of a flat axis.

    Attributes:
      channels: of the first convolution; the second has twice as many.
    """

    channels: int

    @nn.compact
    def __call__(self, images: Float[Array, "b side side 1"]) -> Float[Array, "b 10"]:
        """Logits."""
        x = images
        for channels in (self.channels, 2 * self.channels):
            x = nn.max_pool(nn.relu(nn.Conv(channels, (3, 3))(x)), (2, 2), (2, 2))
        x = nn.relu(nn.Dense(64)(x.reshape(x.shape[0], -1)))
        return nn.Dense(10)(x)


def make_network(kind: str, size: int) -> nn.Module:
    """The network of an architecture.

    Example:
      >>> make_network("mlp", 8).width
      8
    """
    return Perceptron(size) if kind == "mlp" else FlatConvNet(size)


def cross_entropy(model: nn.Module) -> Callable:
    """Mean cross entropy of variables on images and labels."""

    def loss(variables, batch):
        images, labels = batch
        logits = model.apply(variables, images)
        return optax.softmax_cross_entropy_with_integer_labels(logits, labels).mean()

    return loss


def quality(model: nn.Module, digits: Digits) -> Callable:
    """Loss and accuracy of variables, on both parts of the digits."""
    parts = {"train": digits[:2], "test": digits[2:]}

    def measure(variables):
        found = {}
        for part, (images, labels) in parts.items():
            logits = model.apply(variables, images)
            losses = optax.softmax_cross_entropy_with_integer_labels(logits, labels)
            found[part] = {"loss": losses.mean(), "accuracy": jnp.mean(jnp.argmax(logits, -1) == labels)}
        return found

    return measure


def member(tree, index: int):
    """One of stacked pytrees."""
    return jax.tree.map(lambda leaf: leaf[index], tree)
