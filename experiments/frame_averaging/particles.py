"""Charged particles: one message-passing network without symmetry, and the ways to give it one."""

import functools
import pathlib
from typing import NamedTuple

import flax.linen as nn
import jax
import jax.numpy as jnp
import numpy as np

from equijax import equivariance
from equijax.euclid import pca_frame
from equijax.groups import E, O, Point, Trivial, Vector
from equijax.nn import FrameAveraged, LatentFrameGNN
from experiments.baselines.particle_networks import EGNN, ParticleGNN
from experiments.frame_averaging.config import Config
from experiments.frame_averaging.fitting import Fitted, fit_networks, in_chunks
from experiments.tasks.charged_particles import ParticleSystems, load_splits

BATCH = 50
IN_REPS = (Trivial(), Point(), Vector())
PAPER = {"linear": 81.9, "GNN": 10.7, "EGNN": 7.1, "latent FA-GNN": 5.7}
"""Published mean squared errors, times 1000: Satorras et al. 2021 and Puny et al. 2022."""


class ParticlesResult(NamedTuple):
    """What one method predicts.

    Attributes:
      errors: mean squared error of the test systems, shape ``(seeds,)``.
      symmetry: relative equivariance error of the displacements under E(3), of the first network.
      fitted: the networks; None for the linear model.
    """

    errors: np.ndarray
    symmetry: float
    fitted: Fitted | None


class LatentNetwork(nn.Module):
    """`equijax.nn.LatentFrameGNN` with the arguments of the other networks."""

    width: int
    num_layers: int

    @nn.compact
    def __call__(self, charges, positions, velocities):
        """Predicted positions."""
        products = charges[..., :, None] * charges[..., None, :]
        network = LatentFrameGNN(E(3), self.width, self.num_layers)
        # The network starts from the centre of the points; what it adds to it is what each point does.
        moved = network(positions, velocities[..., None, :], products[..., None])
        return positions + moved - jnp.mean(positions, axis=-2, keepdims=True)


def make_network(method: str, config: Config) -> nn.Module:
    """The network of a method."""
    plain = ParticleGNN(config.width, config.num_layers)
    if method.startswith("GNN"):
        return plain
    if method == "latent FA-GNN":
        return LatentNetwork(config.width, config.num_layers)
    if method == "EGNN":
        return EGNN(config.width, config.num_layers)
    samples = 1 if method == "stochastic FA-GNN" else None
    return FrameAveraged(plain, _frame, IN_REPS, Point(), samples)


def _frame(charges, positions, velocities):
    """The frame of the positions."""
    return pca_frame(positions, group=E(3))


def measure(config: Config, workdir: pathlib.Path) -> dict[str, ParticlesResult]:
    """Train and test every method.

    Raises:
      SystemExit: if a signal ended the training; the same command goes on.
    """
    splits = load_splits(config.num_train, 1, config.num_test)
    results = {"linear": ParticlesResult(_linear(splits), 0.0, None)}
    for method in config.particle_methods:
        print(f"particles: {method}", flush=True)
        model = make_network(method, config)
        fitted = fit_networks(
            config,
            model,
            functools.partial(_loss, model, method),
            splits.train,
            inputs=lambda batch: batch[:3],
            num_steps=config.particle_steps,
            batch_size=BATCH,
            learning_rate=2e-3,
            workdir=workdir / f"particles_{method.replace(' ', '_').replace(',', '')}",
        )
        apply = jax.jit(jax.vmap(lambda p, *x, m=model: m.apply({"params": p}, *x), (0, None, None, None)))
        predicted = in_chunks(apply, fitted.params, splits.test[:3], 250)
        errors = np.mean((predicted - splits.test.targets) ** 2, axis=(1, 2, 3))
        results[method] = ParticlesResult(errors, symmetry_error(model, fitted.params, splits.test), fitted)
    return results


def _loss(model: nn.Module, method: str, params, systems: ParticleSystems, key) -> jax.Array:
    """Mean squared error of a batch; augmented, or with a frame drawn at random, where the method asks."""
    options = {}
    if method == "GNN, augmented":
        turns = O(3).sample(key, (len(systems.charges), 1))
        charges, *vectors = systems
        systems = ParticleSystems(charges, *(Vector().act(turns, vector) for vector in vectors))
    if method == "stochastic FA-GNN":
        options = {"deterministic": False, "rngs": {"frame": key}}
    predicted = model.apply({"params": params}, *systems[:3], **options)
    return jnp.mean((predicted - systems.targets) ** 2)


def _linear(splits) -> np.ndarray:
    """The error of ``x + c v``, with c fitted by least squares."""
    displacement = splits.train.targets - splits.train.positions
    slope = np.sum(displacement * splits.train.velocities) / np.sum(splits.train.velocities**2)
    return np.array(
        [np.mean((splits.test.positions + slope * splits.test.velocities - splits.test.targets) ** 2)]
    )


def symmetry_error(model: nn.Module, params, systems: ParticleSystems) -> float:
    """The relative equivariance error of the displacements under E(3), of the first network.

    Args:
      model: the network.
      params: of several networks.
      systems: the first 20 of them are moved.
    """
    first = jax.tree.map(lambda leaf: leaf[0], params)
    args = tuple(jnp.asarray(array[:20], jnp.float32) for array in systems[:3])

    def displacements(charges, positions, velocities):
        return model.apply({"params": first}, charges, positions, velocities) - positions

    error = jax.jit(
        lambda key: equivariance.error(displacements, E(3), IN_REPS, Vector(), args, key=key, num_samples=8)
    )
    return float(error(jax.random.key(0)))
