"""Training one network of one method, and its logits."""

import pathlib
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
import optax

import equijax as ej
from equijax.groups import SamplePolicy
from experiments.affine_images.canonical import canonical
from experiments.affine_images.config import Config
from experiments.affine_images.networks import METHODS, make_network
from experiments.tasks.affine_digits import AffineDigits

EVALUATED = 500
"""Test images of each set that a training curve is drawn from."""

_CHUNK = 100


class Fitted(NamedTuple):
    """A trained network.

    Attributes:
      params: its parameters.
      accuracies: part of the test digits told right, by test set.
      curve: rows ``(step, accuracy on each test set...)``, of some of the test digits.
      num_parameters: how many numbers it has.
      seconds: wall time of the training, compilation included.
    """

    params: Mapping[str, Any]
    accuracies: Mapping[str, float]
    curve: np.ndarray
    num_parameters: int
    seconds: float


def sample_policy(config: Config, method: str) -> SamplePolicy | None:
    """How the elements of a method's group are drawn; None for an ordinary network."""
    about = METHODS[method]
    if about.group is None:
        return None
    return SamplePolicy(about.group, config.num_samples, log_std=config.log_std, refresh=about.refresh)


def apply_function(config: Config, method: str, key) -> Callable:
    """``apply(params, images, step)``: logits with the elements of a step."""
    model, policy = (
        make_network(method, channels=config.channels, num_samples=config.num_samples),
        sample_policy(config, method),
    )
    still = int(config.fixed_part * config.num_steps)

    def apply(params, images, step):
        if policy is None:
            return model.apply({"params": params}, images)
        return model.apply({"params": params}, images, policy(key, jnp.maximum(step - still, 0)))

    return apply


def initial_params(config: Config, method: str, key, images) -> Mapping[str, Any]:
    """Parameters of a network before training."""
    model, policy = (
        make_network(method, channels=config.channels, num_samples=config.num_samples),
        sample_policy(config, method),
    )
    # Called once: to optimise the program would take longer than to run it.
    unoptimised = {"xla_backend_optimization_level": 0}
    samples = () if policy is None else (policy(key),)
    init = jax.jit(lambda key: model.init(key, images, *samples)["params"], compiler_options=unoptimised)
    return init(key)


def prepared(digits: AffineDigits, method: str) -> AffineDigits:
    """The digits as a method sees them."""
    kind = METHODS[method].canonical
    if not kind:
        return digits

    def frame(images):
        return canonical(images, rotate=kind == "whitened and turned")

    tests = {name: frame(images) for name, images in digits.tests.items()}
    return digits._replace(train=frame(digits.train), tests=tests)


def training_batches(config: Config, digits: AffineDigits, method: str, key) -> Callable:
    """Batches of images and labels, with the number of the step beside each image."""
    images, labels = digits.train, digits.train_labels
    if METHODS[method].training == "warped":
        images, labels = digits.warped, np.tile(labels, config.num_warps)
    order = ej.training.ShuffledBatches(
        {"images": images, "labels": labels.astype(np.int32)}, config.batch_size, key
    )

    def batch(step: int):
        return {**order(step), "step": np.full(config.batch_size, step, np.int32)}

    return batch


def fit_method(
    config: Config, digits: AffineDigits, method: str, seed: int, workdir: pathlib.Path
) -> tuple[Fitted, bool]:
    """Train a network, or go on where an earlier run stopped, and test it.

    Returns:
      The network, and whether a signal ended the training before its last step.
    """
    keys = jax.random.split(jax.random.fold_in(jax.random.key(config.seed), seed), 4)
    init_key, order_key, sample_key, run_key = keys
    digits = prepared(digits, method)
    apply = apply_function(config, method, sample_key)

    def loss(params, batch, key):
        logits = apply(params, batch["images"], batch["step"][0])
        losses = optax.softmax_cross_entropy_with_integer_labels(logits, batch["labels"])
        return jnp.mean(losses), {}

    predict = jax.jit(apply)

    def accuracies(params, draws, count=None):
        return {
            name: _accuracy(predict, params, images[:count], digits.test_labels[:count], draws)
            for name, images in digits.tests.items()
        }

    params = initial_params(config, method, init_key, digits.train[:2])
    warm = max(1, config.num_steps // 10)
    schedule = optax.warmup_cosine_decay_schedule(0.0, config.learning_rate, warm, config.num_steps)
    every = max(1, config.num_steps // 4)
    # Elements of steps after the training were never seen in it.
    num_draws = 1 if METHODS[method].refresh == "fixed" else config.num_draws
    draws = [config.num_steps + draw for draw in range(num_draws)]
    result = ej.training.fit(
        loss,
        params,
        optax.chain(optax.clip_by_global_norm(1.0), optax.adam(schedule)),
        training_batches(config, digits, method, order_key),
        num_steps=config.num_steps,
        key=run_key,
        workdir=workdir / f"{method}_{seed}",
        evaluate=lambda params: accuracies(params, draws[:1], EVALUATED),
        evaluate_every=every,
        checkpoint_every=every,
        schedule=schedule,
        devices=jax.devices()[:1],
    )
    names = list(digits.tests)
    rows = [row for row in result.history if names[0] in row]
    fitted = Fitted(
        params=result.params,
        accuracies=accuracies(result.params, draws),
        curve=np.array([[row["step"], *(row[name] for name in names)] for row in rows]),
        num_parameters=sum(leaf.size for leaf in jax.tree.leaves(params)),
        seconds=float(result.seconds["total"]),
    )
    return fitted, result.interrupted


def _accuracy(predict, params, images, labels, draws) -> float:
    """Part of the images told right by logits averaged over draws."""
    size = min(_CHUNK, len(images))
    chunks = np.array_split(images, -(-len(images) // size))
    logits = [sum(np.asarray(predict(params, chunk, draw)) for draw in draws) for chunk in chunks]
    return float(np.mean(np.concatenate(logits).argmax(axis=-1) == labels))
