"""What needs no training: the error of invariance against the number of samples, and what coordinates reach.

Images are mixtures of Gaussians, which are known under any linear map without interpolation. Invariants are
the largest values of each feature over space and group, without training; their change under an element of
the group is given in units of their difference between two images.
"""

from collections.abc import Mapping, Sequence
from functools import partial
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Float

from equijax.groups import GL, SL, SO, SamplePolicy, effective_sample_size, linear_part, sample_polar
from equijax.groups.decompositions import coordinates, from_coordinates
from equijax.nn import LiftConvolution
from equijax.nn.lie.relative import relative_elements
from experiments.affine_images.exponential import plane_log
from experiments.affine_images.networks import LieFeatures

GROUPS = {"SO(2)": SO(2), "SL(2)": SL(2), "GL+(2)": GL(2)}
_IMAGES, _DRAWS = 8, 8


class Reach(NamedTuple):
    """How far coordinates of relative elements reach.

    Attributes:
      missed: part of the relative elements that have no real logarithm.
      polar_error: largest error of the way to polar coordinates and back.
    """

    missed: float
    polar_error: float


def error_curves(sample_counts: Sequence[int], log_std: float) -> dict[str, Float[np.ndarray, " counts"]]:
    """Relative error of invariance of a lifting layer, by group, for each number of samples.

    Images and kernels are smooth on the scale of a pixel, so that the error is that of the samples.
    """
    layer = {"kernel_size": 11, "padding": "SAME", "frequency": 3.0}
    curves = {}
    for label, group in GROUPS.items():
        lift = LiftConvolution(group, 8, **layer)
        curves[label] = _invariance_errors(lift, 40, sample_counts, log_std)
    return curves


def network_errors(num_samples: int, log_std: float) -> dict[str, float]:
    """The same of a whole untrained network on 20 x 20 pixels, with its pooling and borders, by group."""
    return {
        label: float(_invariance_errors(LieFeatures(group, 2, 8), 20, [num_samples], log_std)[0])
        for label, group in GROUPS.items()
    }


def blob_images(
    maps: Float[np.ndarray, "count 2 2"], side: int = 20, seed: int = 0
) -> Float[np.ndarray, "count side side 1"]:
    """Mixtures of five Gaussians, a new one for each map, seen through it.

    Example:
      >>> blob_images(np.broadcast_to(np.eye(2), (3, 2, 2))).shape
      (3, 20, 20, 1)
    """
    random = np.random.default_rng(seed)
    count, unit = len(maps), side / 20
    centers, widths = random.normal(0, 2.2, (count, 5, 2)), random.uniform(0.8, 1.6, (count, 5))
    heights = random.uniform(-1, 1, (count, 5))
    line = (np.arange(side) - (side - 1) / 2) / unit
    pixels = np.stack(np.meshgrid(line, line, indexing="ij"), axis=-1)
    seen = np.einsum("nab,ijb->nija", np.linalg.inv(maps), pixels)
    square = ((seen[:, :, :, None] - centers[:, None, None]) ** 2).sum(axis=-1)
    values = np.exp(-square / (2 * widths[:, None, None] ** 2)) * heights[:, None, None]
    return values.sum(axis=-1, keepdims=True).astype(np.float32)


def _invariance_errors(model, side: int, sample_counts: Sequence[int], log_std: float) -> np.ndarray:
    """How much the largest value of each feature changes under elements of the group."""
    keys = jax.random.split(jax.random.key(1), _DRAWS)
    draw = partial(sample_polar, group=model.group, shape=(_IMAGES,), log_std=log_std)
    maps = np.asarray(linear_part(_quickly(draw)(keys[0]).elements))
    plain = np.broadcast_to(np.eye(2), maps.shape)
    images = jnp.concatenate([blob_images(plain, side), blob_images(maps, side)])
    policies = [SamplePolicy(model.group, count, log_std=log_std) for count in sample_counts]
    params = _quickly(lambda key: model.init(key, images[:1], policies[0](key)))(jax.random.key(2))
    errors = []
    for policy in policies:

        def invariants(key, policy=policy):
            features = model.apply(params, images, policy(key))
            return jnp.max(features, axis=range(1, features.ndim - 1))

        compiled = jax.jit(invariants)
        before, after = np.split(np.stack([np.asarray(compiled(key)) for key in keys]), 2, axis=1)
        between = np.abs(before - np.roll(before, 1, axis=1)).mean(axis=(0, 1))
        errors.append((np.abs(after - before).mean(axis=(0, 1)) / between).mean())
    return np.array(errors)


def _quickly(function):
    """A function that is called once, compiled without optimisations: to optimise it takes longer."""
    return jax.jit(function, compiler_options={"xla_backend_optimization_level": 0})


def coordinate_reach(num_samples: int, log_std: float, *, sets: int = 200) -> Reach:
    """Coordinates of the relative elements of many sets of samples of GL+(2), in double precision."""
    group = GL(2)
    with jax.enable_x64(True):
        keys = jax.random.split(jax.random.key(3), sets)

        @jax.jit
        @jax.vmap
        def measure(key):
            samples = sample_polar(key, group, (num_samples,), log_std=log_std)
            between = relative_elements(group, samples, samples)
            again = from_coordinates(group, coordinates(group, between))
            return plane_log(between.matrix)[1], jnp.abs(again.matrix - between.matrix).max()

        exists, errors = measure(keys)
    apart = ~np.eye(num_samples, dtype=bool)
    return Reach(float(1 - np.asarray(exists)[:, apart].mean()), float(np.asarray(errors).max()))


def haar_sample_sizes(log_std: float, radii: Sequence[float], *, count: int = 4096) -> Mapping[float, float]:
    """Effective sample size over the number of samples, for Haar measure of GL+(2) on balls of some radii."""
    sizes = {}
    for radius in radii:
        draw = partial(sample_polar, group=GL(2), shape=(count,), log_std=log_std, radius=radius)
        samples = _quickly(draw)(jax.random.key(4))
        sizes[radius] = float(effective_sample_size(samples.log_weights)) / count
    return sizes
