"""Predictions, their errors and their symmetry, and the ways to predict without learning."""

import jax
import jax.numpy as jnp
import numpy as np

from equijax.groups import SO
from experiments.nbody.variants import ParticleNetwork
from experiments.tasks.charged_particles import (
    INPUT_FRAME,
    TARGET_FRAME,
    ParticleSystems,
    simulate,
)

CHUNK = 500


class Predictor:
    """Networks of one variant as a function of systems, compiled once for any number of systems.

    Args:
      model: the module.
    """

    def __init__(self, model: ParticleNetwork):

        def apply(params, systems):
            return model.apply({"params": params}, *systems)

        self._apply = jax.jit(jax.vmap(apply, in_axes=(0, None)))

    def predict(self, params, systems: ParticleSystems) -> np.ndarray:
        """Predicted positions of each network, shape ``(seeds, systems, particles, 3)``."""
        inputs = [np.asarray(array, np.float32) for array in systems[:3]]
        count = len(inputs[0])
        # The last chunk is filled up with systems from the start, so that all have one shape.
        whole = -(-count // CHUNK) * CHUNK
        filled = [np.resize(array, (whole, *array.shape[1:])) for array in inputs]
        parts = [
            self._apply(params, tuple(jnp.asarray(array[start : start + CHUNK]) for array in filled))
            for start in range(0, whole, CHUNK)
        ]
        return np.concatenate([np.asarray(part, np.float64) for part in parts], axis=1)[:, :count]

    def errors(self, params, systems: ParticleSystems) -> np.ndarray:
        """Mean squared error of each system's coordinates, shape ``(seeds, systems)``."""
        return mean_squared_errors(self.predict(params, systems), systems)

    def symmetry_errors(self, params, systems: ParticleSystems) -> dict[str, float]:
        """Relative error of commuting with a random rotation and shift, and with a reflection as well.

        Of the displacements ``prediction - x`` in float32, the largest of the networks.
        """
        rotation = np.asarray(SO(3).sample(jax.random.key(0)), np.float64)
        result = {}
        still = self.predict(params, systems) - systems.positions
        for name, turn in {"SE(3)": rotation, "E(3)": -rotation}.items():
            positions = systems.positions @ turn.T + np.array([1.0, -2.0, 0.5])
            moved = systems._replace(positions=positions, velocities=systems.velocities @ turn.T)
            difference = self.predict(params, moved) - positions - still @ turn.T
            axes = (1, 2, 3)
            ratios = np.sqrt(np.sum(difference**2, axes) / np.sum(still**2, axes))
            result[name] = float(ratios.max())
        return result


def mean_squared_errors(predicted: np.ndarray, systems: ParticleSystems) -> np.ndarray:
    """Mean over the coordinates of each system."""
    return np.mean((predicted - systems.targets) ** 2, axis=(-2, -1))


def unlearned_errors(train: ParticleSystems, test: ParticleSystems) -> dict[str, np.ndarray]:
    """Errors of straight motion, ``x + v``, and of ``x + c v`` with ``c`` fitted by least squares."""
    displacement = train.targets - train.positions
    slope = np.sum(displacement * train.velocities) / np.sum(train.velocities**2)
    return {
        "x + v": mean_squared_errors(test.positions + test.velocities, test),
        "x + c v, c fitted": mean_squared_errors(test.positions + slope * test.velocities, test),
    }


def with_far_particle(systems: ParticleSystems, distance: float) -> ParticleSystems:
    """The same systems with their first particle moved away from the others, and where all go then.

    Args:
      systems: at the input frame.
      distance: how far the particle is moved, away from the centre of the others.
    """
    positions = systems.positions.copy()
    away = positions[:, 0] - positions[:, 1:].mean(axis=1)
    positions[:, 0] += distance * away / np.linalg.norm(away, axis=-1, keepdims=True)
    frames = (TARGET_FRAME - INPUT_FRAME - 1,)
    ((targets, _),) = simulate(systems.charges, positions, systems.velocities, frames=frames)
    return systems._replace(positions=positions, targets=targets)
