"""Matching of the neurons of two networks by what they compute on data.

Li et al., "Convergent learning", 2015; Ainsworth, Hayase & Srinivasa, "Git Re-Basin", ICLR 2023, section 3.1
(uncentred second moments); Tatro et al., "Optimizing mode connectivity via neuron alignment", NeurIPS 2020
(correlations).
"""

from collections.abc import Callable, Iterable

import jax
import jax.numpy as jnp
import numpy as np

from equijax.numerics import check
from equijax.weights.matching.assignment import (
    chosen_backend,
    host_assignment,
    is_traced,
    traced_assignment,
)
from equijax.weights.matching.layout import Layout
from equijax.weights.matching.moments import STATISTICS, Moments, merged_moments, moments, similarity
from equijax.weights.matching.weight_matching import Matching
from equijax.weights.weight_symmetry import WeightSymmetry


def activation_matching(
    group: WeightSymmetry,
    capture: Callable,
    a,
    b,
    batches: Iterable,
    *,
    statistic: str = "second_moment",
    backend: str | None = None,
) -> Matching:
    """The permutation of b's neurons that makes their activations most like those of a.

    Moments are streamed: no batch is kept. Each group of neurons is one assignment, with no iteration.

    Args:
      group: the symmetry, from `equijax.weights.symmetry`.
      capture: ``capture(variables, batch)`` gives a dictionary from names of groups to activations of shape
        ``(samples, *over, n)``, or to lists of them where several layers compute the same neurons (as in a
        residual stream); see `flax_activations`. It is compiled.
      a, b: variables of two networks.
      batches: arguments for ``capture``, all of one structure.
      statistic: ``"second_moment"``, ``"correlation"`` or ``"squared_distance"`` (see `similarity`).
      backend: as for `weight_matching`.

    Returns:
      The matching; its objective is the sum of the similarities of the pairs.

    Raises:
      TypeError: if an argument is of a wrong kind.
      ValueError: if there is no batch, a group has no activations or of another shape, or blocks and what
        moves within them are to be matched (the wreath form of heads).

    Example:
      >>> from equijax.weights import symmetry
      >>> model = lambda w, x: jnp.tanh(x @ w["in"]) @ w["out"]
      >>> random = np.random.default_rng(0)
      >>> a = {"in": random.normal(size=(2, 8)), "out": random.normal(size=(8, 3))}
      >>> group = symmetry(model, a, np.ones(2))
      >>> planted = group.sample(jax.random.key(0))
      >>> hidden = lambda w, x: {"in": jnp.tanh(x @ w["in"])}
      >>> batches = random.normal(size=(3, 50, 2))
      >>> found = activation_matching(group, hidden, group.act(planted, a), a, batches)
      >>> bool(jnp.all(found.element[0] == planted[0]))
      True
    """
    check.instance("group", group, WeightSymmetry)
    check.function("capture", capture)
    check.one_of("statistic", statistic, STATISTICS)
    layout = Layout(group)
    if any(base is not None for each in layout.permutations for base in each.bases):
        raise ValueError("group must be found with heads='product', got one that moves within moving blocks")
    gathered = _gather(layout, capture, a, b, batches)
    backend = chosen_backend(backend, gathered)
    images, total = [], 0.0
    for permutation in layout.permutations:
        scores = jax.tree.map(
            lambda found: similarity(found, statistic),
            gathered[permutation.name],
            is_leaf=lambda x: isinstance(x, Moments),
        )
        scores = jnp.mean(jnp.stack(scores), axis=0)
        if backend == "scipy":
            scores = np.asarray(scores)
        image = (host_assignment if backend == "scipy" else traced_assignment)(scores)
        images.append(image)
        total = total + jnp.take_along_axis(jnp.asarray(scores), jnp.asarray(image)[..., None], -1).sum()
    total = total if is_traced(total) else float(total)
    return Matching(layout.element(tuple(images)), total, jnp.atleast_1d(jnp.asarray(total)))


def _gather(layout: Layout, capture: Callable, a, b, batches: Iterable) -> dict[str, list[Moments]]:
    """The moments of every group, over all batches: one for each layer that computes its neurons."""

    @jax.jit
    def of_batch(a, b, batch):
        x, y = capture(a, batch), capture(b, batch)
        return {each.name: _layer_moments(each, x, y) for each in layout.permutations}

    @jax.jit
    def both(total, new):
        is_moments = {"is_leaf": lambda x: isinstance(x, Moments)}
        return jax.tree.map(merged_moments, total, new, **is_moments)

    total = None
    for batch in batches:
        new = of_batch(a, b, batch)
        total = new if total is None else both(total, new)
    if total is None:
        raise ValueError("batches must hold at least one batch, got none")
    return total


def _layer_moments(permutation, a: dict, b: dict) -> list[Moments]:
    """The moments of one group of neurons in one batch."""
    if permutation.name not in a:
        raise ValueError(
            f"capture must give activations of every group of neurons, got none of {permutation.name!r}; "
            f"it gave {sorted(a)}"
        )
    layers = [each[permutation.name] for each in (a, b)]
    layers = [each if isinstance(each, list | tuple) else [each] for each in layers]
    expected = (*permutation.over, permutation.size)
    for x in layers[0]:
        if np.shape(x)[1:] != expected:
            raise ValueError(
                f"activations of {permutation.name!r} must have shape (samples, "
                f"{', '.join(map(str, expected))}), got {np.shape(x)}"
            )
    return [moments(x, y) for x, y in zip(*layers, strict=True)]
