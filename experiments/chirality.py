"""Left or right hand? What even paths cannot see: a chiral cloud and its mirror image, with four products.

    python -m experiments run chirality                  (preset small: about 3 minutes on two cores)
    python -m experiments run chirality --preset smoke   (20 seconds)

Networks that differ only in the product of their messages (`experiments.baselines.steerable`) learn to tell
chiral clouds of four points (`experiments.tasks.chirality`) from their mirror images. Gaunt products (Luo,
Chen, Krishnapriyan, ICLR 2024) couple only degrees with an even sum: every output has natural parity, so the
logits of both are equal and half of the answers are right, after any training. The bracket's paths, with odd
sums, make the difference (the point of Xie, Daigavane, Kotak, Smidt, "The Price of Freedom", ICML 2025).

Expected: Gaunt and Clebsch-Gordan on even paths 50%, exactly, with logits that differ by 1e-15; Gaunt with
bracket and Clebsch-Gordan on all paths 100% on frames, tetris pieces and random clouds.
"""

import dataclasses
import pathlib

import flax.linen as nn
import jax
import jax.numpy as jnp
import numpy as np
import optax

import equijax as ej
from equijax.numerics import check
from experiments.baselines.pair_messages import ClebschGordanMessage, GauntMessage
from experiments.baselines.side_by_side import initial_params, side_by_side, stacked_batches, total_loss
from experiments.baselines.steerable import SteerableNetwork
from experiments.framework import Claim, Report, Row
from experiments.tasks.chirality import TASKS, Clouds, draw_clouds, mirrored

PRODUCTS = {
    "gaunt": ("Gaunt", GauntMessage, "even"),
    "gaunt_bracket": ("Gaunt + bracket", GauntMessage, "all"),
    "clebsch_gordan_even": ("CG, even paths", ClebschGordanMessage, "even"),
    "clebsch_gordan_all": ("CG, all paths", ClebschGordanMessage, "all"),
}


@dataclasses.dataclass(frozen=True)
class Config:
    """What a run depends on.

    Attributes:
      products: those to compare: gaunt, gaunt_bracket, clebsch_gordan_even, clebsch_gordan_all.
      lmax: largest degree of signals and harmonics.
      channels: of the signals.
      num_layers: rounds of messages; a pseudoscalar takes three.
      num_train, num_test: clouds of each task.
      num_steps: training steps.
      batch_size: clouds a step and network, each with its mirror image.
      learning_rate: peak of the schedule.
      num_seeds: networks of each product and task.
      seed: of the parameters and of the orders.

    Raises:
      ValueError, TypeError: if a number is out of range, or a product is unknown.
    """

    products: tuple[str, ...] = tuple(PRODUCTS)
    lmax: int = 2
    channels: int = 8
    num_layers: int = 3
    num_train: int = 2000
    num_test: int = 500
    num_steps: int = 300
    batch_size: int = 32
    learning_rate: float = 0.005
    num_seeds: int = 3
    seed: int = 0

    def __post_init__(self):
        check.count("seed", self.seed, 0)
        for name in ("lmax", "channels", "num_layers", "num_train", "num_test"):
            check.count(name, getattr(self, name), 1)
        for name in ("num_steps", "batch_size", "num_seeds"):
            check.count(name, getattr(self, name), 1)
        check.positive("learning_rate", self.learning_rate)
        if self.batch_size > self.num_train:
            raise ValueError(f"batch_size must be at most num_train={self.num_train}, got {self.batch_size}")
        if not self.products:
            raise ValueError("products must be at least one, got none")
        for product in self.products:
            check.one_of("products", product, PRODUCTS)


PRESETS = {
    "smoke": Config(
        products=("gaunt", "gaunt_bracket"),
        lmax=1,
        channels=4,
        num_train=300,
        num_test=100,
        num_steps=100,
        num_seeds=1,
    ),
    "small": Config(),
    "full": Config(lmax=3, channels=32, num_train=20_000, num_test=2000, num_steps=20_000, num_seeds=5),
}


class HandednessNetwork(nn.Module):
    """The logit that a cloud is right-handed, from invariants of a steerable network.

    Attributes:
      network: the steerable network.
    """

    network: SteerableNetwork

    @nn.compact
    def __call__(self, positions, types):
        """Logits of clouds ``(..., n, 3)`` with one-hot types ``(..., n, t)``."""
        h = self.network(positions, types[..., None])
        pooled = jnp.mean(h[..., 0], axis=-2)
        hidden = jax.nn.silu(nn.Dense(h.shape[-2], name="hidden")(pooled))
        return nn.Dense(1, name="logit")(hidden)[..., 0]


def make_network(config: Config, product: str) -> HandednessNetwork:
    """The network of a product."""
    _, message, paths = PRODUCTS[product]
    steerable = SteerableNetwork(
        message(config.lmax, paths), lmax=config.lmax, channels=config.channels, num_layers=config.num_layers
    )
    return HandednessNetwork(steerable)


def logistic_loss(model: HandednessNetwork):
    """Mean logistic loss of clouds and their mirror images."""
    mirror = jnp.asarray(mirrored(np.ones(3)), jnp.float32)

    def loss(params, clouds: Clouds):
        right = model.apply({"params": params}, *clouds)
        left = model.apply({"params": params}, clouds.positions * mirror, clouds.types)
        return jnp.mean(jax.nn.softplus(-right) + jax.nn.softplus(left)) / 2

    return loss


def run(config: Config, workdir: pathlib.Path) -> Report:
    """Train the networks of every product (or go on where a killed run stopped), and test them.

    Raises:
      SystemExit: if a signal ended the training; the checkpoint is written, the same command goes on.
    """
    train = [draw_clouds(task, config.num_train, seed=0) for task in TASKS]
    test = [draw_clouds(task, config.num_test, seed=1) for task in TASKS]
    rows, accuracies, differences = [], {}, {}
    for product in config.products:
        label = PRODUCTS[product][0]
        print(f"{label}: {config.num_seeds} networks for each of {', '.join(TASKS)}", flush=True)
        model = make_network(config, product)
        result = _fit(config, model, train, workdir / product)
        if result.interrupted:
            raise SystemExit(f"stopped by a signal; the checkpoint is in {workdir}; the same command goes on")
        right, left = _logits(model, result.params, test, config.num_seeds)
        correct = (np.mean(right > 0, axis=-1) + np.mean(left <= 0, axis=-1)) / 2
        accuracies[product] = dict(zip(TASKS, correct, strict=True))
        differences[product] = float(np.abs(right - left).max())
        about = {
            "parameters": sum(leaf[0].size for leaf in jax.tree.leaves(result.params)),
            "seconds": float(result.seconds["total"]),
        }
        rows += _rows(label, accuracies[product], np.abs(right - left), about)
    claims = [
        _blind_claim("Gaunt products cannot tell mirror images apart", "gaunt", accuracies, differences),
        _blind_claim(
            "Nor can Clebsch-Gordan products on even paths", "clebsch_gordan_even", accuracies, differences
        ),
        _seeing_claim("With the bracket, Gaunt products can", "gaunt_bracket", accuracies),
        _seeing_claim("Clebsch-Gordan products on all paths can", "clebsch_gordan_all", accuracies),
    ]
    notes = [
        "Logits are of the trained networks in double precision; an accuracy is that of clouds and their "
        "mirror images together."
    ]
    return Report(rows=rows, claims=claims, notes=notes)


def _fit(config: Config, model: HandednessNetwork, train: list[Clouds], workdir: pathlib.Path | None):
    """Train networks for all tasks and seeds, tasks first."""
    num_networks = len(train) * config.num_seeds
    init_key, order_key, run_key = jax.random.split(jax.random.key(config.seed), 3)
    arrays = [jax.tree.map(lambda array: array.astype(np.float32), clouds) for clouds in train]
    example = jax.tree.map(lambda array: array[:1], arrays[0])
    params = initial_params(model, jax.random.split(init_key, num_networks), *example)
    keys = jax.random.split(order_key, num_networks)
    batches = stacked_batches(
        [
            ej.training.ShuffledBatches(arrays[network // config.num_seeds], config.batch_size, keys[network])
            for network in range(num_networks)
        ]
    )
    schedule = optax.warmup_cosine_decay_schedule(
        0.0, config.learning_rate, min(50, config.num_steps // 10), config.num_steps
    )
    return ej.training.fit(
        total_loss(logistic_loss(model)),
        params,
        side_by_side(optax.chain(optax.clip_by_global_norm(1.0), optax.adam(schedule))),
        batches,
        num_steps=config.num_steps,
        key=run_key,
        workdir=workdir,
        schedule=schedule,
        devices=jax.devices()[:1],
    )


def _logits(model, params, test: list[Clouds], num_seeds: int) -> tuple[np.ndarray, np.ndarray]:
    """Logits of clouds and of their mirror images, ``(tasks, seeds, clouds)``, in double precision."""
    with jax.enable_x64(True):
        params = jax.tree.map(lambda leaf: jnp.asarray(np.asarray(leaf), jnp.float64), params)
        apply = jax.jit(jax.vmap(lambda params, *clouds: model.apply({"params": params}, *clouds)))
        positions, types = (np.repeat(np.stack(part), num_seeds, axis=0) for part in zip(*test, strict=True))
        both = [np.asarray(apply(params, x, types)) for x in (positions, mirrored(positions))]
    return tuple(logits.reshape(len(test), num_seeds, -1) for logits in both)


def _rows(label: str, by_task, differences: np.ndarray, about) -> list[Row]:
    """Accuracy of each task, and how far apart the logits of mirror images are."""
    rows = []
    for task, correct in by_task.items():
        percent = 100 * correct
        spread = float(percent.std(ddof=1)) if len(percent) > 1 else None
        rows.append(Row(label, f"accuracy, {task}", float(percent.mean()), "%", spread, **about))
    rows.append(Row(label, "largest difference of mirror images' logits", float(differences.max())))
    rows.append(Row(label, "median difference of mirror images' logits", float(np.median(differences))))
    return rows


def _blind_claim(text: str, product: str, accuracies, differences) -> Claim:
    """Whether a product gives mirror images the same logits and half of the answers right."""
    if product not in accuracies:
        return Claim(text, "not measured")
    percent = {f"{task}, %": 100 * float(correct.mean()) for task, correct in accuracies[product].items()}
    largest = differences[product]
    holds = largest < 1e-9 and all(value == 50.0 for value in percent.values())
    numbers = {**percent, "largest difference of logits": largest}
    return Claim(text, "holds" if holds else "does not hold here", numbers)


def _seeing_claim(text: str, product: str, accuracies) -> Claim:
    """Whether a product tells mirror images apart: at least 99% right, task by task."""
    if product not in accuracies:
        return Claim(text, "not measured")
    percent = {task: 100 * float(correct.mean()) for task, correct in accuracies[product].items()}
    held = [task for task, value in percent.items() if value >= 99]
    verdict = "holds" if len(held) == len(percent) else f"holds if shown {', '.join(held)}"
    numbers = {f"{task}, %": value for task, value in percent.items()}
    return Claim(text, verdict if held else "does not hold here", numbers)
