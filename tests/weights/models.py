"""Small models of many architectures, on which the symmetry of weights is tested; written with Flax alone."""

import functools
from typing import NamedTuple

import flax.linen as nn
import jax
import jax.numpy as jnp
import numpy as np

import equijax as ej

random = np.random.default_rng(0)
FEATURES = random.normal(size=(2, 4))
SEQUENCE = random.normal(size=(2, 5, 4))
IMAGE = random.normal(size=(2, 8, 8, 3))
TOKENS = random.integers(0, 11, size=(2, 5))


class Case(NamedTuple):
    """A model with its variables and inputs, in double precision."""

    apply_fn: object
    variables: object
    inputs: tuple


def case(module: nn.Module, *inputs) -> Case:
    """A module with random variables: normal weights, positive scales and variances."""
    shapes = jax.eval_shape(module.init, jax.random.key(0), *inputs)
    random = np.random.default_rng(1)

    def fill(path, leaf):
        values = 0.4 * random.normal(size=leaf.shape)
        return 1 + np.abs(values) if path[-1].key in ("var", "scale") else values

    return Case(module.apply, jax.tree_util.tree_map_with_path(fill, shapes), inputs)


class MLP(nn.Module):
    widths: tuple = (6, 7)
    activation: object = nn.gelu

    @nn.compact
    def __call__(self, x):
        for width in self.widths:
            x = self.activation(nn.Dense(width)(x))
        return nn.Dense(3)(x)


class CNN(nn.Module):
    """Pooling and flattening: the last channels are a factor of the flat axis."""

    @nn.compact
    def __call__(self, x):
        x = nn.max_pool(nn.relu(nn.Conv(4, (3, 3))(x)), (2, 2), (2, 2))
        x = nn.avg_pool(nn.relu(nn.Conv(6, (3, 3))(x)), (2, 2), (2, 2))
        x = nn.relu(nn.Dense(5)(x.reshape(x.shape[0], -1)))
        return nn.Dense(3)(x)


class VGG(nn.Module):
    """Convolutions with LayerNorm, as in the reference specifications of Git Re-Basin."""

    @nn.compact
    def __call__(self, x):
        for width in (4, 4, 0, 6, 6, 0):
            x = (
                nn.relu(nn.LayerNorm()(nn.Conv(width, (3, 3))(x)))
                if width
                else nn.max_pool(x, (2, 2), (2, 2))
            )
        x = x.mean(axis=(1, 2))
        for width in (8, 5):
            x = nn.relu(nn.Dense(width)(x))
        return nn.Dense(3)(x)


class ResNet(nn.Module):
    """Two stages of two blocks, with a projection between the stages."""

    norm: object

    @nn.compact
    def __call__(self, x):
        x = nn.relu(self.norm()(nn.Conv(4, (3, 3), use_bias=False)(x)))
        for stage, width in enumerate((4, 8)):
            for block in range(2):
                strides = (2, 2) if stage and not block else (1, 1)
                y = nn.relu(self.norm()(nn.Conv(width, (3, 3), strides, use_bias=False)(x)))
                y = self.norm()(nn.Conv(width, (3, 3), use_bias=False)(y))
                if x.shape != y.shape:
                    x = self.norm()(nn.Conv(width, (1, 1), strides, use_bias=False)(x))
                x = nn.relu(x + y)
        return nn.Dense(3)(x.mean(axis=(1, 2)))


class DenseNet(nn.Module):
    """Each layer reads the concatenation of all before."""

    @nn.compact
    def __call__(self, x):
        x = nn.Conv(4, (3, 3))(x)
        for _ in range(3):
            y = nn.relu(nn.BatchNorm(use_running_average=True)(x))
            y = nn.Conv(6, (1, 1))(y)
            y = nn.relu(nn.BatchNorm(use_running_average=True)(y))
            x = jnp.concatenate([x, nn.Conv(3, (3, 3))(y)], axis=-1)
        return nn.Dense(3)(x.mean(axis=(1, 2)))


class MobileNet(nn.Module):
    """Depthwise convolutions in inverted residual blocks."""

    @nn.compact
    def __call__(self, x):
        x = nn.Conv(4, (3, 3), (2, 2))(x)
        for _ in range(2):
            y = nn.relu6(nn.BatchNorm(use_running_average=True)(nn.Conv(8, (1, 1))(x)))
            y = nn.Conv(8, (3, 3), feature_group_count=8)(y)
            y = nn.relu6(nn.BatchNorm(use_running_average=True)(y))
            x = x + nn.Conv(4, (1, 1))(y)
        return nn.Dense(3)(x.mean(axis=(1, 2)))


class GroupedConv(nn.Module):
    """Grouped convolutions: channels are groups times channels of a group."""

    @nn.compact
    def __call__(self, x):
        x = nn.relu(nn.Conv(6, (1, 1))(x))
        x = nn.relu(nn.Conv(12, (3, 3), feature_group_count=3)(x))
        return nn.Conv(2, (1, 1))(x)


class UNet(nn.Module):
    """Down, up by a transposed convolution, and skip connections by concatenation."""

    @nn.compact
    def __call__(self, x):
        a = nn.relu(nn.Conv(4, (3, 3))(x))
        b = nn.relu(nn.Conv(6, (3, 3))(nn.max_pool(a, (2, 2), (2, 2))))
        c = nn.relu(nn.Conv(8, (3, 3))(nn.max_pool(b, (2, 2), (2, 2))))
        up = nn.ConvTranspose(6, (2, 2), (2, 2))(c)
        b = nn.relu(nn.Conv(5, (3, 3))(jnp.concatenate([b, up], axis=-1)))
        up = jax.image.resize(b, (*a.shape[:3], b.shape[-1]), "bilinear")
        a = nn.relu(nn.Conv(7, (3, 3))(jnp.concatenate([a, up], axis=-1)))
        return nn.Conv(2, (1, 1))(a)


class EncoderBlock(nn.Module):
    """Attention and a hidden layer of pre-normalised residual streams."""

    heads: int = 2
    norm: object = nn.LayerNorm

    @nn.compact
    def __call__(self, x):
        x = x + nn.MultiHeadDotProductAttention(self.heads, qkv_features=6)(self.norm()(x))
        return x + nn.Dense(x.shape[-1])(nn.gelu(nn.Dense(10)(self.norm()(x))))


class ViT(nn.Module):
    """Patches, a class token, learnt positions, two blocks."""

    @nn.compact
    def __call__(self, x):
        x = nn.Conv(8, (4, 4), (4, 4))(x)
        x = x.reshape(x.shape[0], -1, x.shape[-1])
        token = self.param("token", nn.initializers.normal(), (1, 1, 8))
        x = jnp.concatenate([jnp.broadcast_to(token, (x.shape[0], 1, 8)), x], axis=1)
        x = x + self.param("positions", nn.initializers.normal(), (1, x.shape[1], 8))
        for _ in range(2):
            x = EncoderBlock()(x)
        return nn.Dense(3)(nn.LayerNorm()(x)[:, 0])


def rotate(x):
    """Rotary position embedding of ``(..., t, h, d)``: halves of the features are pairs."""
    half = x.shape[-1] // 2
    frequencies = 10.0 ** -jnp.linspace(0, 1, half)
    angles = jnp.arange(x.shape[-3])[:, None] * frequencies
    cos, sin = jnp.cos(angles)[:, None, :], jnp.sin(angles)[:, None, :]
    a, b = x[..., :half], x[..., half:]
    return jnp.concatenate([a * cos - b * sin, a * sin + b * cos], axis=-1)


class CausalLM(nn.Module):
    """Tied embedding, RMSNorm, fused projections, RoPE, a causal mask and SwiGLU."""

    norm: object = nn.RMSNorm
    rope: bool = True
    width: int = 8

    @nn.compact
    def __call__(self, tokens):
        embed = nn.Embed(11, self.width)
        x = embed(tokens)
        for _ in range(2):
            q, k, v = jnp.split(nn.Dense(24, use_bias=False)(self.norm()(x)), 3, axis=-1)
            q, k, v = (each.reshape(*each.shape[:-1], 2, 4) for each in (q, k, v))
            if self.rope:
                q, k = rotate(q), rotate(k)
            mask = nn.make_causal_mask(tokens)
            y = nn.dot_product_attention(q, k, v, mask=mask)
            x = x + nn.Dense(self.width, use_bias=False)(y.reshape(*x.shape[:-1], 8))
            gate, up = jnp.split(nn.Dense(20, use_bias=False)(self.norm()(x)), 2, axis=-1)
            x = x + nn.Dense(self.width, use_bias=False)(nn.silu(gate) * up)
        return embed.attend(self.norm()(x))


class FusedAttention(nn.Module):
    """Queries, keys and values from one layer, told apart by an axis of size 3."""

    general: bool = False

    @nn.compact
    def __call__(self, x):
        if self.general:
            qkv = nn.DenseGeneral((3, 2, 4))(x)
        else:
            qkv = nn.Dense(24)(x).reshape(*x.shape[:-1], 3, 2, 4)
        q, k, v = qkv[..., 0, :, :], qkv[..., 1, :, :], qkv[..., 2, :, :]
        y = nn.dot_product_attention(q, k, v)
        return nn.DenseGeneral(x.shape[-1], axis=(-2, -1))(y)


class Recurrent(nn.Module):
    """A recurrent cell over a sequence."""

    cell: object

    @nn.compact
    def __call__(self, x):
        return nn.Dense(3)(nn.RNN(self.cell(6, param_dtype=x.dtype))(x)[:, -1])


class Mixer(nn.Module):
    """MLP-Mixer: hidden layers over tokens and over channels."""

    @nn.compact
    def __call__(self, x):
        x = nn.Conv(8, (4, 4), (4, 4))(x)
        x = x.reshape(x.shape[0], -1, x.shape[-1])
        for _ in range(2):
            y = jnp.swapaxes(nn.LayerNorm()(x), 1, 2)
            y = nn.Dense(x.shape[1])(nn.gelu(nn.Dense(5)(y)))
            x = x + jnp.swapaxes(y, 1, 2)
            x = x + nn.Dense(8)(nn.gelu(nn.Dense(7)(nn.LayerNorm()(x))))
        return nn.Dense(3)(nn.LayerNorm()(x).mean(axis=1))


class Scanned(nn.Module):
    """Three layers whose parameters are stacked, under ``nn.scan`` and ``nn.remat``."""

    @nn.compact
    def __call__(self, x):
        class Layer(nn.Module):
            @nn.compact
            def __call__(self, x, _):
                return x + nn.Dense(x.shape[-1])(nn.tanh(nn.Dense(7)(x))), None

        stack = nn.scan(nn.remat(Layer), variable_axes={"params": 0}, split_rngs={"params": True}, length=3)
        x, _ = stack()(nn.Dense(5)(x), None)
        return nn.Dense(3)(x)


def potential() -> Case:
    """A Gaunt potential of the library on a small batch of molecules."""
    water = np.array([[0.0, 0, 0], [0.96, 0, 0], [-0.24, 0.93, 0]])
    graph = ej.graphs.molecular_graph([8, 1, 1], water, 4.0, species=(1, 8))
    batch = ej.graphs.pad_batch([graph], ej.graphs.PaddingBudget(4, 8, 2))
    model = ej.nn.InteratomicPotential(species=(1, 8), lmax=1, features=4, many_body_features=5, num_radial=6)
    return case(model, batch)


BATCH_NORM = functools.partial(nn.BatchNorm, use_running_average=True)
GROUP_NORM = functools.partial(nn.GroupNorm, num_groups=2)

CASES = {
    "mlp": lambda: case(MLP(), FEATURES),
    "cnn": lambda: case(CNN(), IMAGE),
    "vgg": lambda: case(VGG(), IMAGE),
    "resnet with batch norm": lambda: case(ResNet(BATCH_NORM), IMAGE),
    "resnet with layer norm": lambda: case(ResNet(nn.LayerNorm), IMAGE),
    "resnet with group norm": lambda: case(ResNet(GROUP_NORM), IMAGE),
    "densenet": lambda: case(DenseNet(), IMAGE),
    "mobilenet": lambda: case(MobileNet(), IMAGE),
    "grouped convolutions": lambda: case(GroupedConv(), IMAGE),
    "u-net": lambda: case(UNet(), IMAGE),
    "vit": lambda: case(ViT(), IMAGE),
    "causal lm": lambda: case(CausalLM(), TOKENS),
    "fused attention": lambda: case(FusedAttention(), SEQUENCE),
    "lstm": lambda: case(Recurrent(nn.LSTMCell), SEQUENCE),
    "gru": lambda: case(Recurrent(nn.GRUCell), SEQUENCE),
    "mixer": lambda: case(Mixer(), IMAGE),
    "scanned layers": lambda: case(Scanned(), FEATURES),
    "gaunt potential": potential,
}
