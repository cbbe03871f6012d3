"""Training several networks of one kind side by side, for the normals and the particles."""

import pathlib
from collections.abc import Callable
from typing import Any, NamedTuple

import flax.linen as nn
import jax
import jax.numpy as jnp
import numpy as np
import optax

import equijax as ej
from experiments.baselines.side_by_side import initial_params, side_by_side, stacked_batches
from experiments.frame_averaging.config import Config


class Fitted(NamedTuple):
    """Trained networks.

    Attributes:
      params: leaves have a leading axis of networks.
      num_parameters: how many numbers one network has.
      seconds: wall time of the training, compilation included.
    """

    params: Any
    num_parameters: int
    seconds: float


def fit_networks(
    config: Config,
    model: nn.Module,
    loss: Callable,
    arrays: Any,
    *,
    inputs: Callable,
    num_steps: int,
    batch_size: int,
    learning_rate: float,
    workdir: pathlib.Path,
) -> Fitted:
    """Train networks from different parameters on batches in different orders.

    Args:
      config: of the run; ``num_seeds`` networks are trained.
      model: the module.
      loss: ``loss(params, batch, key)`` of one network.
      arrays: what is learnt from, a pytree with an axis of examples.
      inputs: what of a batch the module is called with.
      num_steps, batch_size, learning_rate: of the training.
      workdir: for checkpoints; a killed run goes on from them.

    Raises:
      SystemExit: if a signal ended the training.
    """
    arrays = jax.tree.map(lambda array: np.asarray(array, np.float32), arrays)
    init_key, order_key, run_key = jax.random.split(jax.random.key(config.seed), 3)
    example = inputs(jax.tree.map(lambda array: array[:1], arrays))
    params = initial_params(model, jax.random.split(init_key, config.num_seeds), *example)
    size = min(batch_size, len(jax.tree.leaves(arrays)[0]))
    orders = jax.random.split(order_key, config.num_seeds)

    def loss_fn(params, batch, key):
        keys = jax.random.split(key, config.num_seeds)
        losses = jax.vmap(loss, in_axes=(0, 1, 0))(params, batch, keys)
        return jnp.sum(losses), {"mean_loss": jnp.mean(losses)}

    schedule = optax.warmup_cosine_decay_schedule(0.0, learning_rate, min(50, num_steps // 10), num_steps)
    result = ej.training.fit(
        loss_fn,
        params,
        side_by_side(optax.chain(optax.clip_by_global_norm(1.0), optax.adam(schedule))),
        stacked_batches([ej.training.ShuffledBatches(arrays, size, key) for key in orders]),
        num_steps=num_steps,
        key=run_key,
        workdir=workdir,
        schedule=schedule,
        checkpoint_every=max(1, num_steps // 4),
        devices=jax.devices()[:1],
    )
    if result.interrupted:
        raise SystemExit(f"stopped by a signal; the checkpoint is in {workdir}; the same command goes on")
    count = sum(leaf[0].size for leaf in jax.tree.leaves(params))
    return Fitted(result.params, count, float(result.seconds["total"]))


def in_chunks(apply: Callable, params, arrays: tuple, size: int) -> np.ndarray:
    """``apply(params, *arrays)`` for all networks, over parts of the examples.

    Args:
      apply: a compiled function of the parameters of all networks; outputs have the networks' axis first.
      params: of all networks.
      arrays: arrays with an axis of examples.
      size: of the parts; the last is filled up from the start.

    Returns:
      Shape ``(networks, examples, ...)``.
    """
    count = len(arrays[0])
    size = min(size, count)
    found = []
    for start in range(0, count, size):
        rows = np.arange(start, start + size) % count
        found.append(np.asarray(apply(params, *(np.asarray(array[rows], np.float32) for array in arrays))))
    return np.concatenate(found, axis=1)[:, :count]
