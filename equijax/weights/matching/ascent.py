"""Coordinate ascent on the inner product of two networks, one group of neurons at a time.

Given all other permutations, the best one of a group is an assignment (Ainsworth, Hayase & Srinivasa, "Git
Re-Basin", ICLR 2023, algorithm 1). A group that sits on two axes of one array makes the problem quadratic:
then it is linearised at the present permutation, and a step is taken only if the inner product itself rises.
A group is visited again only after a neighbour has moved, and groups that share no array move at once.
"""

import functools
from collections.abc import Iterator
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float

from equijax.weights.matching.assignment import host_assignment, traced_assignment
from equijax.weights.matching.layout import Images, Layout
from equijax.weights.matching.threads import workers

_SMALLEST_GAIN = 1e-12


class Ascent(NamedTuple):
    """Where an ascent ended.

    Attributes:
      images: of the permutations.
      history: the inner product at first, and after each sweep.
    """

    images: Images
    history: Float[Array, " sweeps+1"]


def inner_product(a: list, b: list):
    """The inner product of all blocks.

    Example:
      >>> float(inner_product([np.ones(2)], [np.arange(2.0)]))
      1.0
    """
    if all(isinstance(block, np.ndarray) for block in (*a, *b)):
        # Not by np.vdot: its threads cost far more than they gain on arrays of this size.
        pairs = zip(a, b, strict=True)
        return sum((float(np.einsum("i,i->", x.reshape(-1), y.reshape(-1))) for x, y in pairs), 0.0)
    return sum((jnp.sum(x * y) for x, y in zip(a, b, strict=True)), jnp.zeros(()))


def host_profiles(layout: Layout, a: list, b: list) -> Images:
    """Permutations by the sorted weights of neurons, which do not depend on the order of other neurons.

    For a network and a permuted copy of it, they are the permutations of the copy.
    """
    return _by_profiles(layout, a, b, layout.identity(), host_assignment)


def traced_profiles(layout: Layout, a: list, b: list) -> Images:
    """`host_profiles` of JAX arrays."""
    start = tuple(jnp.asarray(image) for image in layout.identity())
    return _by_profiles(layout, a, b, start, traced_assignment)


def _by_profiles(layout: Layout, a: list, b: list, images: Images, assign) -> Images:
    """Match by profiles, group after group."""
    for number in layout.order:
        step = assign(layout.profile_scores(number, a, b)).reshape(images[number].shape)
        b = layout.moved(number, step, b)
        images = layout.composed(number, step, images)
    return images


def host_ascent(
    layout: Layout, a: list, b: list, images: Images, *, random: np.random.Generator, max_sweeps: int
) -> Ascent:
    """Ascend from given permutations, on the host, in double precision.

    Args:
      layout: the permutations.
      a, b: blocks, float64.
      images: where to start.
      random: draws the order in which groups are visited.
      max_sweeps: the largest number of visits to all groups that may have something to gain.

    Returns:
      Images as NumPy arrays; the history is as long as the sweeps that were made, and never decreases.
    """
    b = layout.applied(images, b)
    scale = np.sqrt(inner_product(a, a) * inner_product(b, b))
    waiting, history = set(range(len(layout.permutations))), [inner_product(a, b)]
    with workers(layout.largest) as run:
        for _ in range(max_sweeps):
            for group in _independent(layout, random.permutation(sorted(waiting)).tolist()):
                step_of = functools.partial(_best_step, layout, a, b, _SMALLEST_GAIN * scale)
                steps = list(run(step_of, group))
                waiting -= set(group)
                for number, step in zip(group, steps, strict=True):
                    if step is not None:
                        b = layout.moved(number, step, b)
                        images = layout.composed(number, step, images)
                        waiting |= layout.neighbours(number)
            history.append(inner_product(a, b))
            if not waiting:
                break
    return Ascent(images, np.asarray(history))


def _independent(layout: Layout, order: list[int]) -> Iterator[list[int]]:
    """Sets of permutations that share no block, each in the order given as far as possible."""
    while order:
        chosen, touched = [], set()
        for number in order:
            if number not in touched:
                chosen.append(number)
                touched |= layout.neighbours(number) | {number}
        yield chosen
        order = [number for number in order if number not in chosen]


def _best_step(layout: Layout, a: list, b: list, smallest: float, number: int):
    """The best step of one permutation; None if it does not raise the inner product."""
    permutation = layout.permutations[number]
    best, gain = None, smallest
    for halve in (False, True) if permutation.is_quadratic else (False,):
        scores = layout.scores(number, a, b, halve=halve)
        step = host_assignment(scores).reshape(*permutation.over, permutation.size)
        rise = float(_rise(layout, number, scores, step, a, b))
        if rise > gain:
            best, gain = step, rise
    return best


def _rise(layout: Layout, number: int, scores, step, a: list, b: list):
    """By how much a step raises the inner product."""
    permutation = layout.permutations[number]
    if permutation.is_quadratic:
        touched = sorted({site.block for site in permutation.sites})
        moved = layout.moved(number, step, b)
        return sum(inner_product([a[i]], [moved[i]]) - inner_product([a[i]], [b[i]]) for i in touched)
    rows = np.arange(permutation.size)
    flat = step.reshape(-1, permutation.size)
    members = np.arange(flat.shape[0])[:, None]
    return (scores[members, rows, flat] - scores[members, rows, rows]).sum()


def traced_ascent(layout: Layout, a: list, b: list, images: Images, *, max_sweeps: int) -> Ascent:
    """Ascend from given permutations in one compiled program, visiting groups in the order of the layout.

    Args:
      layout: the permutations.
      a, b: blocks, JAX arrays.
      images: where to start.
      max_sweeps: the largest number of sweeps.

    Returns:
      The history has ``max_sweeps + 1`` entries; those after the last sweep repeat it.
    """
    images = tuple(jnp.asarray(image, jnp.int32) for image in images)
    b = layout.applied(images, b)
    first = inner_product(a, b)
    smallest = 10 * jnp.finfo(first.dtype).eps * jnp.sqrt(inner_product(a, a) * inner_product(b, b))

    def sweep(state):
        images, b, history, count, _ = state
        progress = jnp.zeros((), bool)
        for number in range(len(layout.permutations)):
            images, b, raised = _traced_visit(layout, number, a, b, images, smallest)
            progress = progress | raised
        value = jnp.maximum(history[count], inner_product(a, b))
        history = jnp.where(jnp.arange(max_sweeps + 1) > count, value, history)
        return images, b, history, count + 1, progress

    def goes_on(state):
        return state[-1] & (state[-2] < max_sweeps)

    history = jnp.full(max_sweeps + 1, first)
    start = (images, b, history, jnp.zeros((), jnp.int32), jnp.ones((), bool))
    images, _, history, _, _ = jax.lax.while_loop(goes_on, sweep, start)
    return Ascent(images, history)


def _traced_visit(layout: Layout, number: int, a: list, b: list, images: Images, smallest):
    """Take the best step of one permutation, if it raises the inner product."""
    permutation = layout.permutations[number]
    raised = jnp.zeros((), bool)
    for halve in (False, True) if permutation.is_quadratic else (False,):
        scores = layout.scores(number, a, b, halve=halve)
        step = traced_assignment(scores).reshape(*permutation.over, permutation.size)
        accept = _rise(layout, number, scores, step, a, b) > smallest
        stay = jnp.arange(permutation.size, dtype=jnp.int32)
        step = jnp.where(accept, step, stay)
        b = layout.moved(number, step, b)
        images = layout.composed(number, step, images)
        raised = raised | accept
    return images, b, raised
