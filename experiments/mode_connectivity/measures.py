"""What is measured of matched networks."""

from collections.abc import Callable

import jax
import jax.numpy as jnp
import numpy as np
import optax

import equijax as ej
from equijax.weights import lerp
from experiments.mode_connectivity.matchers import Problem
from experiments.mode_connectivity.networks import cross_entropy, quality

THRESHOLDS = (0.0, 0.3)
_TEMPERATURES = np.geomspace(0.03, 30, 61)


def pair_measure(problem: Problem, num_points: int) -> Callable:
    """A compiled function that measures a pair of networks.

    Args:
      problem: the networks' architecture and data.
      num_points: of the path between them.

    Returns:
      ``measure(a, b, matched)`` for the anchor, the other network as it was, and as it is matched: numbers
      by name, and as ``curve`` the test loss along the path.
    """
    measure, loss = quality(problem.model, problem.digits), cross_entropy(problem.model)
    train = problem.digits[:2]
    middle = num_points // 2

    @jax.jit
    def of_pair(a, b, matched):
        path = ej.weights.barrier(measure, a, matched, num_points=num_points)
        curve = path.values["train"]["loss"]
        found = {
            "L2 reduction": 1 - distance(a, matched) / distance(a, b),
            "train loss at the midpoint above the ends": curve[middle] - (curve[0] + curve[-1]) / 2,
            "Taylor estimate of it": ej.weights.barrier_taylor_estimate(lambda w: loss(w, train), a, matched),
            "midpoint test accuracy": path.values["test"]["accuracy"][middle],
        }
        for part in ("train", "test"):
            found[f"{part} loss barrier"] = path.rise[part]["loss"]
            found[f"{part} accuracy barrier"] = path.drop[part]["accuracy"]
        for threshold in THRESHOLDS:
            agreement = ej.weights.singular_vector_alignment(a, matched, threshold=threshold)
            found[f"R, threshold {threshold:g}"] = agreement
        return found | {"curve": path.values["test"]["loss"]}

    return of_pair


def side_measure(problem: Problem, num_points: int) -> Callable:
    """A compiled function that measures the third side of a triangle, which no method optimises."""
    measure = quality(problem.model, problem.digits)

    @jax.jit
    def of_side(b, c):
        path = ej.weights.barrier(measure, b, c, num_points=num_points)
        return {
            "third side: test loss barrier": path.rise["test"]["loss"],
            "third side: R, threshold 0.3": ej.weights.singular_vector_alignment(b, c, threshold=0.3),
        }

    return of_side


def merge_measure(problem: Problem) -> Callable:
    """A compiled function that measures a merged network: test accuracy, and test loss less its parents'.

    The second is with a temperature for each network, chosen on the first half of the test digits and tested
    on the second (Ito, Yamada & Kumagai 2025, arXiv 2510.08023: merged logits are small, and calibration
    repairs that). Training digits would not do: parents fit them perfectly.
    """
    *_, images, labels = problem.digits
    half = len(labels) // 2

    def calibrated(variables):
        logits, candidates = problem.model.apply(variables, images), jnp.asarray(_TEMPERATURES)
        losses = jax.vmap(lambda t: _loss(logits[:half] / t, labels[:half]))(candidates)
        best = candidates[jnp.argmin(losses)]
        return _loss(logits[half:] / best, labels[half:]), jnp.mean(jnp.argmax(logits, -1) == labels)

    @jax.jit
    def of_merged(merged, parents):
        (own, accuracy), ends = calibrated(merged), jax.vmap(calibrated)(parents)[0]
        return {
            "mean of three: test accuracy": accuracy,
            "mean of three: calibrated test loss above the parents": own - ends.mean(),
        }

    return of_merged


def single_measure(problem: Problem) -> Callable:
    """A compiled function that measures three networks and the ensemble of their logits."""
    *_, images, labels = problem.digits

    @jax.jit
    def of_networks(networks):
        logits = jax.vmap(lambda variables: problem.model.apply(variables, images))(networks)
        right = jnp.argmax(logits, -1) == labels
        return {
            "test accuracy": right.mean(),
            "test loss": jax.vmap(lambda each: _loss(each, labels))(logits).mean(),
            "ensemble test accuracy": jnp.mean(jnp.argmax(logits.mean(0), -1) == labels),
        }

    return of_networks


def input_concentration(problem: Problem, variables) -> dict[str, float]:
    """For each hidden perceptron layer the share of its inputs along the first quarter of its directions."""
    _, state = problem.model.apply(
        variables, problem.digits.test, capture_intermediates=True, mutable=["intermediates"]
    )
    found = {}
    for layer in (1, 2):
        before = state["intermediates"][f"Dense_{layer - 1}"]["__call__"][0]
        kernel = variables["params"][f"Dense_{layer}"]["kernel"]
        energy = ej.weights.input_direction_energy(kernel, jax.nn.relu(before))
        name = f"inputs of layer {layer + 1} along the first quarter of directions"
        found[name] = float(energy[: max(1, len(energy) // 4)].sum())
    return found


def plane_losses(problem: Problem, a, b, c, offsets: np.ndarray) -> np.ndarray:
    """Test losses on the plane through three networks: rows are steps to c, columns steps to b."""
    loss, data = cross_entropy(problem.model), problem.digits[2:]

    @jax.jit
    def of_row(y):
        base = lerp(a, c, y)
        step = jax.tree.map(jnp.subtract, b, a)
        return jax.lax.map(
            lambda x: loss(jax.tree.map(lambda p, d: p + x * d, base, step), data), jnp.asarray(offsets)
        )

    return np.stack([np.asarray(of_row(y)) for y in offsets])


def distance(a, b):
    """The Euclidean distance of two networks."""
    pairs = zip(jax.tree.leaves(a), jax.tree.leaves(b), strict=True)
    return jnp.sqrt(sum(jnp.sum((x - y) ** 2) for x, y in pairs))


def _loss(logits, labels):
    """Mean cross entropy."""
    return optax.softmax_cross_entropy_with_integer_labels(logits, labels).mean()
