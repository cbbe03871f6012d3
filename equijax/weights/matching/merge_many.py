"""Merging of several networks into one: each is matched to the mean of the others until nothing moves.

Ainsworth, Hayase & Srinivasa, "Git Re-Basin", ICLR 2023, algorithm 3.
"""

from collections.abc import Sequence
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float

from equijax.groups.base import Element
from equijax.numerics import check
from equijax.weights.matching.layout import Layout
from equijax.weights.matching.weight_matching import weight_matching
from equijax.weights.weight_symmetry import WeightSymmetry


class Merged(NamedTuple):
    """Several networks in one order of neurons, and their mean.

    Attributes:
      variables: the mean of the permuted networks; leaves that are no real numbers are the first's.
      elements: for each network the element of the symmetry that brings it into the common order.
      history: the mean squared distance to the mean network at first and after each round, summed over the
        weights that are compared.
    """

    variables: Any
    elements: tuple[Element, ...]
    history: Float[np.ndarray, " rounds+1"]


def merge_many(
    key: Array,
    group: WeightSymmetry,
    networks: Sequence,
    *,
    max_rounds: int = 100,
    exclude: Sequence[str] = ("batch_stats",),
) -> Merged:
    """Bring several networks into one order of neurons, and average them.

    In each round every network, in random order, is matched to the mean of the others, from its present
    order on. The distance to the mean never grows; rounds end when it no longer falls.

    Args:
      key: a JAX random key, for the order.
      group: the symmetry of all networks.
      networks: variables, at least two.
      max_rounds: the largest number of rounds, at least 1.
      exclude: as for `weight_matching`.

    Returns:
      The merged network, and how each was permuted. It runs on the host and cannot be traced.

    Raises:
      TypeError: if an argument is of a wrong kind.
      ValueError: if there are fewer than two networks, or one does not fit the symmetry.

    Example:
      >>> from equijax.weights import symmetry
      >>> model = lambda w, x: jnp.tanh(x @ w["in"]) @ w["out"]
      >>> random = np.random.default_rng(0)
      >>> a = {"in": random.normal(size=(2, 8)), "out": random.normal(size=(8, 3))}
      >>> group = symmetry(model, a, np.ones(2))
      >>> copies = [group.act(group.sample(key), a) for key in jax.random.split(jax.random.key(0), 3)]
      >>> bool(merge_many(jax.random.key(1), group, copies).history[-1] < 1e-9)
      True
    """
    check.key("key", key)
    check.instance("group", group, WeightSymmetry)
    check.count("max_rounds", max_rounds, 1)
    networks = list(networks)
    if len(networks) < 2:
        raise ValueError(f"networks must be at least two, got {len(networks)}")
    layout = Layout(group, exclude)
    for number, network in enumerate(networks):
        layout.split(f"networks[{number}]", network)
    networks = [jax.tree.map(np.asarray, network) for network in networks]
    placed, elements = list(networks), [group.identity()] * len(networks)
    history, starts = [_spread(layout, placed)], 2
    random = np.random.default_rng(np.asarray(jax.random.bits(key, (4,), "uint32")))
    for turn in range(max_rounds):
        for number in random.permutation(len(networks)).tolist():
            others = mean_of([each for i, each in enumerate(placed) if i != number])
            visit = jax.random.fold_in(key, turn * len(networks) + number)
            found = weight_matching(
                visit,
                group,
                others,
                networks[number],
                init=elements[number],
                num_starts=starts,
                exclude=exclude,
            )
            elements[number] = found.element
            placed[number] = jax.tree.map(np.asarray, group.act(found.element, networks[number]))
        # Profiles help to find networks that are still far away; later they would be tried in vain.
        starts = 1
        history.append(_spread(layout, placed))
        if history[-1] >= history[-2] * (1 - 1e-9):
            break
    return Merged(mean_of(placed), tuple(elements), np.asarray(history))


def mean_of(networks: Sequence):
    """The mean of several networks; leaves that are no real numbers are the first's.

    Example:
      >>> mean_of([{"w": np.zeros(2)}, {"w": np.ones(2)}])
      {'w': Array([0.5, 0.5], dtype=float32)}
    """

    def mean(*leaves):
        is_real = jnp.issubdtype(jnp.result_type(leaves[0]), jnp.floating)
        return jnp.mean(jnp.stack([jnp.asarray(x) for x in leaves]), 0) if is_real else jnp.asarray(leaves[0])

    return jax.tree.map(mean, *networks)


def _spread(layout: Layout, networks: list) -> float:
    """The mean squared distance to the mean, over the weights that are compared."""
    blocks = [[np.asarray(x, np.float64) for x in layout.split("networks", each)] for each in networks]
    return sum(float(np.var(np.stack(same), axis=0).sum()) for same in zip(*blocks, strict=True))
