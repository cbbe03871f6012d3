"""Training all networks of an architecture side by side, as one program."""

import pathlib
from collections.abc import Callable
from typing import NamedTuple

import flax.linen as nn
import jax
import numpy as np
import optax

import equijax as ej
from experiments.baselines.side_by_side import initial_params, side_by_side, stacked_batches, total_loss
from experiments.mode_connectivity.config import Config
from experiments.mode_connectivity.networks import cross_entropy, make_network, member
from experiments.tasks.digits import Digits

TRIPLE = 3
"""Networks of each seed: an anchor, and two that are matched to it."""


class Trained(NamedTuple):
    """Networks of one architecture.

    Attributes:
      model: the module.
      variables: of all networks; leaves have the leading axes ``(seeds, 3)``.
      num_parameters: of one network.
      seconds: wall time of the training.
    """

    model: nn.Module
    variables: dict
    num_parameters: int
    seconds: float


def train(config: Config, kind: str, size: int, digits: Digits, workdir: pathlib.Path) -> Trained:
    """Train the networks of an architecture, or go on where an earlier run stopped.

    Raises:
      SystemExit: if a signal ended the training; the checkpoint is written, the same command goes on.
    """
    model = make_network(kind, size)
    count = TRIPLE * config.num_seeds
    init_key, order_key, run_key = jax.random.split(jax.random.fold_in(jax.random.key(config.seed), size), 3)
    keys = jax.random.split(init_key, count)
    variables = {"params": initial_params(model, keys, digits.train[:1])}
    orders = [
        ej.training.ShuffledBatches(digits[:2], config.batch_size, key)
        for key in jax.random.split(order_key, count)
    ]
    result = ej.training.fit(
        (total_loss if kind == "mlp" else _one_by_one)(cross_entropy(model)),
        variables,
        side_by_side(optax.adam(config.learning_rate)),
        stacked_batches(orders),
        num_steps=config.num_steps,
        key=run_key,
        workdir=workdir / f"{kind}_{size}",
        devices=jax.devices()[:1],
    )
    if result.interrupted:
        raise SystemExit(f"stopped by a signal; the checkpoint is in {workdir}; the same command goes on")
    variables = jax.tree.map(
        lambda leaf: np.asarray(leaf).reshape(config.num_seeds, TRIPLE, *leaf.shape[1:]), result.params
    )
    number = sum(leaf[0, 0].size for leaf in jax.tree.leaves(variables))
    return Trained(model, variables, number, float(result.seconds["total"]))


def _one_by_one(loss: Callable) -> Callable:
    """As `total_loss`, without ``vmap``, under which convolutions of several networks are slow on CPUs."""

    def loss_fn(params, batch, key):
        count = jax.tree.leaves(params)[0].shape[0]
        losses = [
            loss(member(params, i), jax.tree.map(lambda leaf, i=i: leaf[:, i], batch)) for i in range(count)
        ]
        return sum(losses), {"mean_loss": sum(losses) / count}

    return loss_fn
