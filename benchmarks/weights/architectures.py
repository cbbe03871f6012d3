"""Models whose symmetry is found or whose copies are matched."""

import functools
from typing import NamedTuple

import flax.linen as nn
import jax
import jax.numpy as jnp


class Model(NamedTuple):
    """A module with the shapes of its input.

    Attributes:
      name: for tables.
      module: the module.
      inputs: shapes and dtypes of its inputs.
    """

    name: str
    module: nn.Module
    inputs: tuple[jax.ShapeDtypeStruct, ...]

    def shapes(self):
        """The shapes of its variables; nothing is allocated."""
        return jax.eval_shape(self.module.init, jax.random.key(0), *self.inputs)


class ResNet50(nn.Module):
    """Bottleneck blocks with batch normalization, in evaluation mode.

    Attributes:
      blocks: of each stage.
      width: of the first stage.
    """

    blocks: tuple[int, ...] = (3, 4, 6, 3)
    width: int = 64

    @nn.compact
    def __call__(self, x):
        """Logits of images."""
        norm = functools.partial(nn.BatchNorm, use_running_average=True)
        x = nn.relu(norm()(nn.Conv(self.width, (7, 7), (2, 2), use_bias=False)(x)))
        x = nn.max_pool(x, (3, 3), (2, 2), "SAME")
        for stage, count in enumerate(self.blocks):
            width = self.width * 2**stage
            for block in range(count):
                strides = (2, 2) if stage and not block else (1, 1)
                y = nn.relu(norm()(nn.Conv(width, (1, 1), use_bias=False)(x)))
                y = nn.relu(norm()(nn.Conv(width, (3, 3), strides, use_bias=False)(y)))
                y = norm()(nn.Conv(4 * width, (1, 1), use_bias=False)(y))
                if x.shape != y.shape:
                    x = norm()(nn.Conv(4 * width, (1, 1), strides, use_bias=False)(x))
                x = nn.relu(x + y)
        return nn.Dense(1000)(x.mean(axis=(1, 2)))


class Transformer(nn.Module):
    """A causal language model with a tied embedding and learnt positions.

    Attributes:
      blocks, width, heads, vocabulary: sizes.
    """

    blocks: int = 12
    width: int = 768
    heads: int = 12
    vocabulary: int = 50257

    @nn.compact
    def __call__(self, tokens):
        """Logits of the next tokens."""
        embed = nn.Embed(self.vocabulary, self.width)
        x = embed(tokens)
        x = x + self.param("positions", nn.initializers.normal(), (tokens.shape[-1], self.width))
        mask = nn.make_causal_mask(tokens)
        for _ in range(self.blocks):
            y = nn.LayerNorm()(x)
            x = x + nn.MultiHeadDotProductAttention(self.heads)(y, mask=mask)
            y = nn.gelu(nn.Dense(4 * self.width)(nn.LayerNorm()(x)))
            x = x + nn.Dense(self.width)(y)
        return embed.attend(nn.LayerNorm()(x))


class UNet(nn.Module):
    """Four levels with skip connections by concatenation.

    Attributes:
      width: of the first level.
    """

    width: int = 64

    @nn.compact
    def __call__(self, x):
        """An image from an image."""
        skips = []
        for level in range(4):
            x = _double(x, self.width * 2**level)
            skips.append(x)
            x = nn.max_pool(x, (2, 2), (2, 2))
        x = _double(x, self.width * 16)
        for level in reversed(range(4)):
            x = nn.ConvTranspose(self.width * 2**level, (2, 2), (2, 2))(x)
            x = _double(jnp.concatenate([skips[level], x], axis=-1), self.width * 2**level)
        return nn.Conv(2, (1, 1))(x)


def _double(x, width: int):
    """Two convolutions with GroupNorm; called inside of a module."""
    for _ in range(2):
        x = nn.relu(nn.GroupNorm(8)(nn.Conv(width, (3, 3))(x)))
    return x


class Perceptron(nn.Module):
    """Three hidden layers.

    Attributes:
      width: of the hidden layers.
    """

    width: int

    @nn.compact
    def __call__(self, x):
        """Logits."""
        for _ in range(3):
            x = nn.relu(nn.Dense(self.width)(x))
        return nn.Dense(10)(x)


def traced_models(quick: bool) -> list[Model]:
    """The models whose symmetry is found."""
    image, tokens = (1, 64, 64, 3), (1, 64)
    models = [
        Model("U-Net", UNet(), (jax.ShapeDtypeStruct(image, jnp.float32),)),
        Model("ResNet-50", ResNet50(), (jax.ShapeDtypeStruct(image, jnp.float32),)),
        Model("transformer, 12 blocks", Transformer(), (jax.ShapeDtypeStruct(tokens, jnp.int32),)),
    ]
    return models[:1] if quick else models
