"""The ways to match that are compared, all with one signature."""

from collections.abc import Callable
from typing import NamedTuple

import flax.linen as nn
import numpy as np

import equijax as ej
from equijax.weights import WeightSymmetry
from experiments.mode_connectivity.networks import cross_entropy
from experiments.tasks.digits import Digits

_CAPTURED = 500
"""Digits of a batch for activation matching."""


class Problem(NamedTuple):
    """Networks of one architecture that are to be matched.

    Attributes:
      model: the module.
      group: the symmetry of its variables.
      digits: the data.
    """

    model: nn.Module
    group: WeightSymmetry
    digits: Digits


class Method(NamedTuple):
    """A way to match.

    Attributes:
      label: for tables.
      match: from the configuration, a key, the problem and two networks to an element of the group.
      is_trained: whether it learns permutations, which takes long.
    """

    label: str
    match: Callable
    is_trained: bool = False


def make_problem(model: nn.Module, variables, digits: Digits) -> Problem:
    """The problem for networks with variables like these."""
    return Problem(model, ej.weights.symmetry(model.apply, variables, digits.train[:1]), digits)


def _nothing(config, key, problem: Problem, a, b):
    """The identity."""
    return problem.group.identity()


def _at_random(config, key, problem: Problem, a, b):
    """A random element."""
    return problem.group.sample(key)


def _by_weights(config, key, problem: Problem, a, b):
    """Weight matching, the best of several starts."""
    return ej.weights.matching.weight_matching(key, problem.group, a, b, num_starts=config.num_starts).element


def _by_activations(statistic: str) -> Callable:
    """Activation matching on the training digits, by one statistic."""

    def match(config, key, problem: Problem, a, b):
        capture = ej.weights.matching.flax_activations(problem.model, problem.group, nonlinearity=nn.relu)
        images = problem.digits.train
        size = min(_CAPTURED, len(images))
        batches = [images[start : start + size] for start in range(0, len(images) - size + 1, size)]
        matching = ej.weights.matching.activation_matching
        return matching(problem.group, capture, a, b, batches, statistic=statistic).element

    return match


def _batches(config, problem: Problem) -> list:
    """Batches for the methods that learn."""
    images, labels = problem.digits[:2]
    random = np.random.default_rng(config.seed)
    size = min(config.matching_batch, len(images))
    drawn = [random.choice(len(images), size, replace=False) for _ in range(config.matching_steps)]
    return [(images[order], labels[order]) for order in drawn]


def _straight_through(config, key, problem: Problem, a, b):
    """Straight-through estimation, the best permutation by the loss of all training digits."""
    found = ej.weights.matching.straight_through_matching(
        key,
        problem.group,
        cross_entropy(problem.model),
        a,
        b,
        _batches(config, problem),
        learning_rate=config.straight_through_rate,
        selection=problem.digits[:2],
    )
    return found.element


def _by_sinkhorn(config, key, problem: Problem, a, b):
    """Soft permutations, trained for the loss half-way."""
    found = ej.weights.matching.sinkhorn_matching(
        key,
        problem.group,
        cross_entropy(problem.model),
        a,
        b,
        _batches(config, problem),
        learning_rate=config.sinkhorn_rate,
    )
    return found.element


METHODS = {
    "none": Method("no matching", _nothing),
    "random": Method("random permutation", _at_random),
    "weights": Method("weight matching", _by_weights),
    "activations": Method("activation matching, second moments", _by_activations("second_moment")),
    "correlations": Method("activation matching, correlations", _by_activations("correlation")),
    "straight_through": Method("straight-through", _straight_through, is_trained=True),
    "sinkhorn": Method("Sinkhorn, midpoint", _by_sinkhorn, is_trained=True),
}
