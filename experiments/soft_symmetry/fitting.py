"""Training the networks of a method: all tasks, strengths and seeds side by side, as one program."""

import itertools
import pathlib
from typing import NamedTuple

import flax.linen as nn
import jax
import jax.numpy as jnp
import numpy as np
import optax

import equijax as ej
from equijax.groups import Group
from experiments.baselines.side_by_side import initial_params, side_by_side, stacked_batches, total_loss
from experiments.soft_symmetry.config import Config
from experiments.soft_symmetry.families import Family, Samples
from experiments.soft_symmetry.networks import METHODS, make_network, penalty

ROUNDS = 20
"""How many times repeated balancing comes, in what is left of the training."""

WINDOW = 0.05
"""The share of the steps before the adjustment in which residuals are looked at."""

DECAY = 0.95


class Variant(NamedTuple):
    """How the soft networks are regularized.

    Attributes:
      rule: ``"none"``, ``"once"`` or ``"repeated"``.
      strength: the first strength of all groups.
    """

    rule: str
    strength: float


class Fitted(NamedTuple):
    """Trained networks of a method.

    Attributes:
      model: the module.
      params: leaves have a leading axis of networks: tasks, variants and seeds, the last the fastest.
      tasks: names of the tasks.
      variants: one for each kind of penalty; one without any for networks that are not soft.
      scales: standard deviation of the targets of each task, by which outputs are to be multiplied.
      strengths: of the groups at the end, shape ``(networks, groups)``; None for networks that are not soft.
      num_parameters: of one network.
      seconds: wall time of the training.
    """

    model: nn.Module
    params: dict
    tasks: tuple[str, ...]
    variants: tuple[Variant, ...]
    scales: np.ndarray
    strengths: np.ndarray | None
    num_parameters: int
    seconds: float


def fit_method(
    config: Config,
    family: Family,
    method: str,
    subgroup: Group | None,
    train: dict[str, Samples],
    workdir: pathlib.Path,
) -> Fitted:
    """Train the networks of a method for some tasks, or go on where an earlier run stopped.

    Args:
      config: sizes and schedules.
      family: of the tasks.
      method: see `experiments.soft_symmetry.networks`.
      subgroup: for the methods that need one.
      train: samples of each task.
      workdir: of this training.

    Raises:
      SystemExit: if a signal ended the training; the checkpoint is written, the same command goes on.
    """
    sizes = (config.scalars, config.vectors, config.matrices)
    model = make_network(family, method, subgroup, sizes=sizes, num_layers=config.num_layers)
    variants = _variants(config) if METHODS[method].is_soft else (Variant("none", 0.0),)
    scales = np.array([y.std() for _, y in train.values()])
    networks = list(itertools.product(range(len(train)), variants, range(config.num_seeds)))
    init_key, order_key, run_key = jax.random.split(jax.random.key(config.seed), 3)
    arrays = [(x, (y / scale).astype(np.float32)) for (x, y), scale in zip(train.values(), scales)]
    # The same first parameters and orders for all variants: they differ by the penalty alone.
    keys = jax.random.split(init_key, config.num_seeds)[np.array([seed for *_, seed in networks])]
    params = initial_params(model, keys, arrays[0][0][:1])
    batches = stacked_batches(
        [
            ej.training.ShuffledBatches(arrays[task], config.batch_size, jax.random.fold_in(order_key, seed))
            for task, _, seed in networks
        ]
    )
    schedule = optax.cosine_decay_schedule(config.learning_rate, config.num_steps)
    adam = optax.chain(optax.clip_by_global_norm(10.0), optax.adam(schedule))
    optimizer = side_by_side(adam)
    if METHODS[method].is_soft:
        reps = ej.nn.layer_representations(model, jnp.zeros((1, arrays[0][0].shape[1])))
        regularizer = ej.equivariance.projection_regularizer(family.parts, reps)
        first = [variant for _, variant, _ in networks]
        optimizer = optax.chain(_penalised(config, regularizer, first, len(family.parts)), optimizer)
    result = ej.training.fit(
        total_loss(_loss(model, method, config.weight_decay)),
        params,
        optimizer,
        batches,
        num_steps=config.num_steps,
        key=run_key,
        workdir=workdir,
        log_every=max(1, config.num_steps // 20),
        schedule=schedule,
        progress=False,
        devices=jax.devices()[:1],
    )
    if result.interrupted:
        raise SystemExit(f"stopped by a signal; the checkpoint is in {workdir}; the same command goes on")
    strengths = None
    if METHODS[method].is_soft:
        strengths = sum(np.asarray(state.rule.strengths) for state in result.opt_state[0])
    return Fitted(
        model=model,
        params=result.params,
        tasks=tuple(train),
        variants=variants,
        scales=scales,
        strengths=strengths,
        num_parameters=sum(leaf[0].size for leaf in jax.tree.leaves(params)),
        seconds=float(result.seconds["total"]),
    )


def _variants(config: Config) -> tuple[Variant, ...]:
    """No penalty, and both rules with every first strength."""
    rules = itertools.product(("once", "repeated"), config.strengths)
    return (Variant("none", 0.0), *(Variant(*each) for each in rules))


def _loss(model: nn.Module, method: str, weight_decay: float):
    """The loss of one network: mean squared error and penalties."""

    def loss(params, batch):
        x, y = batch
        return jnp.mean((model.apply({"params": params}, x) - y) ** 2) + penalty(method, params, weight_decay)

    return loss


def _penalised(config: Config, regularizer, variants, num_groups: int) -> optax.GradientTransformation:
    """The regularizers of all networks: each has both rules, and for one of them the strength zero."""
    start = max(1, round(config.adjust_at * config.num_steps))
    every = max(1, (config.num_steps - start) // ROUNDS)
    first = {
        rule: jnp.asarray([v.strength if v.rule == rule else 0.0 for v in variants])
        for rule in ("once", "repeated")
    }

    def of_network(once, repeated):
        window = max(1, round(WINDOW * config.num_steps))
        rules = (
            ej.equivariance.balance_once(
                jnp.full(num_groups, once), at=start, window=min(window, start), power=config.power
            ),
            ej.equivariance.balance_repeatedly(
                jnp.full(num_groups, repeated), every=every, start=start - 1, decay=DECAY, power=config.power
            ),
        )
        return optax.chain(*(ej.equivariance.add_symmetry_penalty(regularizer, rule) for rule in rules))

    def init(params):
        return jax.vmap(lambda params, *s: of_network(*s).init(params))(params, *first.values())

    def update(updates, state, params=None):
        def one(updates, state, params, *strengths):
            return of_network(*strengths).update(updates, state, params)

        return jax.vmap(one)(updates, state, params, *first.values())

    return optax.GradientTransformation(init, update)
