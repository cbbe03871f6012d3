"""Training the networks of one variant: several seeds side by side, as one program."""

import pathlib
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
import optax

import equijax as ej
from experiments.baselines.side_by_side import initial_params, side_by_side, stacked_batches, total_loss
from experiments.nbody.config import Config
from experiments.nbody.evaluation import Predictor
from experiments.nbody.variants import ParticleNetwork, make_network
from experiments.tasks.charged_particles import ParticleSplits, ParticleSystems


class Fitted(NamedTuple):
    """Trained networks of a variant and how they came to be.

    Attributes:
      model: the module.
      params: after the last step; leaves have a leading axis of seeds.
      predictor: the module as a function of systems.
      curve: rows ``(step, seconds, mean error of the validation systems)``.
      num_parameters: how many numbers one network has.
      seconds: wall time of the training, compilation included.
    """

    model: ParticleNetwork
    params: Mapping[str, Any]
    predictor: Predictor
    curve: np.ndarray
    num_parameters: int
    seconds: float


def squared_error(model: ParticleNetwork) -> Callable:
    """The loss of one network: mean squared error of the coordinates."""

    def loss(params, systems: ParticleSystems):
        predicted = model.apply({"params": params}, *systems[:3])
        return jnp.mean((predicted - systems.targets) ** 2)

    return loss


def fit_variant(
    config: Config, splits: ParticleSplits, variant: str, degree: int, workdir: pathlib.Path
) -> tuple[Fitted, bool]:
    """Train the networks of a variant, or go on where an earlier run stopped.

    Returns:
      The trained networks, and whether a signal ended the training before its last step.
    """
    model = make_network(variant, degree, channels=config.channels, num_layers=config.num_layers)
    init_key, order_key, run_key = jax.random.split(jax.random.key(config.seed), 3)
    arrays = jax.tree.map(lambda array: array.astype(np.float32), splits.train)
    params = initial_params(
        model, jax.random.split(init_key, config.num_seeds), *(array[:1] for array in arrays[:3])
    )
    order_keys = jax.random.split(order_key, config.num_seeds)
    orders = [ej.training.ShuffledBatches(arrays, config.batch_size, key) for key in order_keys]
    schedule = optax.warmup_cosine_decay_schedule(
        0.0, config.learning_rate, min(100, config.num_steps // 10), config.num_steps
    )
    optimizer = side_by_side(optax.chain(optax.clip_by_global_norm(1.0), optax.adam(schedule)))
    predictor = Predictor(model)
    every = max(1, config.num_steps // 4)
    result = ej.training.fit(
        total_loss(squared_error(model)),
        params,
        optimizer,
        stacked_batches(orders),
        num_steps=config.num_steps,
        key=run_key,
        workdir=workdir / f"{variant}_{degree}",
        evaluate=lambda params: {"valid_mse": predictor.errors(params, splits.valid).mean()},
        evaluate_every=every,
        checkpoint_every=every,
        schedule=schedule,
        devices=jax.devices()[: config.host_devices],
    )
    rows = [row for row in result.history if "valid_mse" in row]
    curve = np.asarray([(row["step"], row["seconds"], row["valid_mse"]) for row in rows])
    count = sum(leaf[0].size for leaf in jax.tree.leaves(params))
    fitted = Fitted(model, result.params, predictor, curve, count, float(result.seconds["total"]))
    return fitted, result.interrupted
