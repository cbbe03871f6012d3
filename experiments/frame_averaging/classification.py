"""Classification: the labels of pairs that 1-WL cannot tell apart, from relabelled graphs.

A linear model of the entries of the sorted adjacency matrix is enough where nodes are sorted by a key that
tells them apart, and learns nothing from a random order. `GIN+ID` is trained with a new random order, or a
new sorted one, in every step.
"""

import pathlib
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
import optax

import equijax as ej
from equijax.graphs import sampled_sorting_frame
from experiments.baselines.graph_networks import GIN
from experiments.baselines.side_by_side import initial_params, side_by_side
from experiments.frame_averaging.config import Config
from experiments.frame_averaging.orders import (
    MISSING,
    canonical_orders,
    constant_keys,
    keys_of,
    shuffled_orders,
)
from experiments.tasks.graph8c_exp import (
    Graphs,
    cycle_pairs,
    exp_pairs,
    relabelled,
    upper_triangle,
)

FILE_ORDER = "linear, order of the file"
MINIMAL = "linear, canonical order"
TEST_SAMPLES = 16
NETWORK_SAMPLES = 4
BATCH = 100


class Accuracy(NamedTuple):
    """Shares of test graphs that are classified rightly; 1/2 is what guessing gives.

    Attributes:
      values: shape ``(seeds,)``.
      seconds: wall time of the training.
    """

    values: np.ndarray
    seconds: float | None = None


def measure(config: Config, workdir: pathlib.Path) -> dict[str, Accuracy]:
    """Train and test all classifiers.

    Raises:
      SystemExit: if a signal ended the training; the same command goes on.
    """
    original = exp_pairs(config.linear_pairs) if config.num_pairs else cycle_pairs(config.linear_pairs)
    graphs = relabelled(original, seed=config.seed + 2)
    in_file = np.broadcast_to(np.arange(graphs.mask.shape[1]), (len(graphs.labels), 1, graphs.mask.shape[1]))
    found = {
        FILE_ORDER: Accuracy(np.array([_linear(config, original, in_file, 1)])),
        MINIMAL: Accuracy(np.array([_linear(config, graphs, canonical_orders(graphs), 1)])),
    }
    keys = {"random": constant_keys(graphs), "spectral": keys_of(graphs)}
    for kind, each in keys.items():
        drawn = [
            shuffled_orders(each, np.random.default_rng([config.seed, seed]), TEST_SAMPLES)
            for seed in range(config.num_seeds)
        ]
        for samples in (1, TEST_SAMPLES):
            values = [_linear(config, graphs, orders, samples) for orders in drawn]
            found[linear_name(kind, samples)] = Accuracy(np.array(values))
    if config.graph_steps:
        for kind, each in keys.items():
            found[f"GIN+ID, {kind} order"] = _network(config, graphs, each, workdir / f"gin_{kind}")
    return found


def linear_name(kind: str, samples: int) -> str:
    """The name of a linear model.

    Example:
      >>> linear_name("random", 1)
      'linear, random order, 1 sample'
    """
    return f"linear, {kind} order, {samples} sample{'s' * (samples > 1)}"


def _split(count: int) -> tuple[np.ndarray, np.ndarray]:
    """Graphs to learn from and to test on; the members of a pair stay together."""
    pairs = np.random.default_rng(0).permutation(count // 2)
    cut = 2 * (count // 2) // 3
    return tuple(np.sort(np.concatenate([2 * part, 2 * part + 1])) for part in (pairs[:cut], pairs[cut:]))


def _entries(graphs: Graphs, orders: np.ndarray) -> np.ndarray:
    """Entries above the diagonal, and types, of graphs in given orders, one row an order."""
    rows = np.arange(len(orders))[:, None]
    first, second = upper_triangle(orders.shape[-1])
    found = []
    for number in range(orders.shape[1]):
        order = orders[:, number]
        edges = graphs.adjacency[rows, order[:, first], order[:, second]]
        types = np.where(graphs.mask, graphs.node_types + 1, 0)[rows, order]
        found.append(np.concatenate([edges, types == 1, types == 2], axis=1))
    return np.stack(found, axis=1).reshape(len(orders) * orders.shape[1], -1).astype(np.float32)


def _classifier(features: np.ndarray, labels: np.ndarray):
    """A logistic regression."""
    from sklearn.linear_model import LogisticRegression

    return LogisticRegression(C=1.0, max_iter=300).fit(features, labels)


def _linear(config: Config, graphs: Graphs, orders: np.ndarray, samples: int) -> float:
    """Accuracy of a linear model of ordered graphs, with logits averaged over samples of the order.

    Args:
      config: of the run.
      graphs: the graphs.
      orders: orders of each, shape ``(graphs, count, n)``; the first `linear_draws` are learnt from.
      samples: how many the logits are averaged over.
    """
    train, test = _split(len(orders))
    draws = min(config.linear_draws, orders.shape[1])
    features = _entries(_take(graphs, train), orders[train, :draws])
    model = _classifier(features, np.repeat(graphs.labels[train], draws))
    logits = model.decision_function(_entries(_take(graphs, test), orders[test, :samples]))
    means = logits.reshape(len(test), samples).mean(axis=1)
    return float(np.mean((means > 0) == graphs.labels[test]))


def _take(graphs: Graphs, rows: np.ndarray) -> Graphs:
    """Some of the graphs."""
    return Graphs(*(array[rows] for array in graphs))


def _network(config: Config, graphs: Graphs, keys: np.ndarray, workdir: pathlib.Path) -> Accuracy:
    """Accuracy of GIN+ID, trained with a new order of every graph in every step."""
    train, test = _split(len(keys))
    model = GIN(64, 3, 1, positions=True)
    init_key, order_key, run_key, test_key = jax.random.split(jax.random.key(config.seed), 4)
    n = keys.shape[1]
    init = jax.random.split(init_key, config.num_seeds)
    params = initial_params(model, init, jnp.zeros((1, n, n)), jnp.zeros((1, n, 2)))
    batch = Batch(
        graphs.adjacency.astype(np.uint8),
        np.where(graphs.mask, graphs.node_types, MISSING).astype(np.int32),
        # Keys enter as ranks, so that single precision keeps the ties.
        _ranks(keys),
        graphs.labels.astype(np.float32),
    )

    def logits(params, batch, key, samples):
        frame = sampled_sorting_frame(key, batch.keys, num_samples=samples)
        adjacency = jnp.asarray(batch.adjacency, jnp.float32)
        rows = jnp.arange(len(adjacency))[:, None]

        def one(order):
            moved = adjacency[rows[:, :, None], order[:, :, None], order[:, None, :]]
            return model.apply({"params": params}, moved, jax.nn.one_hot(batch.types[rows, order], 2))[..., 0]

        return jnp.mean(jax.vmap(one, in_axes=1)(frame.elements), axis=0)

    def loss_fn(params, batch, key):
        def loss(params, key):
            found = logits(params, batch, key, 1)
            return jnp.mean(optax.sigmoid_binary_cross_entropy(found, batch.labels))

        losses = jax.vmap(loss)(params, jax.random.split(key, config.num_seeds))
        return jnp.sum(losses), {"mean_loss": jnp.mean(losses)}

    steps = config.graph_steps
    schedule = optax.warmup_cosine_decay_schedule(0.0, 3e-3, min(50, steps), steps)
    result = ej.training.fit(
        loss_fn,
        params,
        side_by_side(optax.chain(optax.clip_by_global_norm(1.0), optax.adam(schedule))),
        ej.training.ShuffledBatches(
            jax.tree.map(lambda array: array[train], batch), min(BATCH, len(train)), order_key
        ),
        num_steps=steps,
        key=run_key,
        workdir=workdir,
        schedule=schedule,
        checkpoint_every=max(1, steps // 4),
        devices=jax.devices()[:1],
    )
    if result.interrupted:
        raise SystemExit(f"stopped by a signal; the checkpoint is in {workdir}; the same command goes on")
    shown = jax.tree.map(lambda array: jnp.asarray(array[test]), batch)
    predict = jax.jit(jax.vmap(lambda params: logits(params, shown, test_key, NETWORK_SAMPLES)))
    right = (np.asarray(predict(result.params)) > 0) == graphs.labels[test]
    return Accuracy(right.mean(axis=1), float(result.seconds["total"]))


class Batch(NamedTuple):
    """Graphs to learn from.

    Attributes:
      adjacency, types, labels: of the graphs; missing nodes have type `MISSING`.
      keys: by which the nodes are sorted.
    """

    adjacency: np.ndarray
    types: np.ndarray
    keys: np.ndarray
    labels: np.ndarray


def _ranks(keys: np.ndarray) -> np.ndarray:
    """One column of keys that sorts and ties the nodes of each graph as all columns do."""
    found = np.empty(keys.shape[:2], np.float32)
    for number, rows in enumerate(keys):
        missing = np.isinf(rows[:, 0])
        found[number, missing] = np.inf
        found[number, ~missing] = np.unique(rows[~missing], axis=0, return_inverse=True)[1].ravel()
    return found[:, :, None]
