"""Matching of the neurons of two networks by their weights, for every model whose symmetry is known.

Ainsworth, Hayase & Srinivasa, "Git Re-Basin", ICLR 2023, section 3.2; Ito, Yamada & Kumagai, "Analysis of
linear mode connectivity via permutation-based weight matching", ICLR 2025.
"""

from collections.abc import Sequence
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float

from equijax.groups.base import Element
from equijax.numerics import check
from equijax.weights.matching import ascent
from equijax.weights.matching.assignment import chosen_backend
from equijax.weights.matching.layout import Layout
from equijax.weights.matching.threads import one_thread_a_product
from equijax.weights.weight_symmetry import WeightSymmetry


class Matching(NamedTuple):
    """The permutations that bring one network close to another.

    Attributes:
      element: of the symmetry; ``group.act(element, b)`` is the network b with the neurons in the order of a.
      objective: what was maximized; for weights the inner product of a and the permuted b.
      history: the objective at the start and after each sweep, of the best start.

    Example:
      >>> Matching((), 2.0, np.array([1.0, 2.0])).objective
      2.0
    """

    element: Element
    objective: float | Float[Array, ""]
    history: Float[Array, " sweeps"]


def weight_matching(
    key: Array,
    group: WeightSymmetry,
    a,
    b,
    *,
    init: Element | None = None,
    num_starts: int = 2,
    max_sweeps: int = 100,
    backend: str | None = None,
    exclude: Sequence[str] = ("batch_stats",),
) -> Matching:
    """The permutation of b's neurons that brings its weights closest to those of a.

    It maximizes the inner product ``<a, g b>`` over permutations ``g``, which minimizes the distance
    ``|a - g b|``, by coordinate ascent. The first start is ``init``; the second matches neurons by their
    sorted weights, which finds a network in a permuted copy of itself; all others are random. The best is
    kept. Scales, signs and matrices of the symmetry are left at one.

    Args:
      key: a JAX random key, for the random starts and the order of visits.
      group: the symmetry, from `equijax.weights.symmetry`.
      a, b: variables of two networks, of the structure and shapes that the symmetry was found for.
      init: where the first start begins; the identity if None.
      num_starts: how many starts, at least 1.
      max_sweeps: the largest number of sweeps over all groups of neurons, at least 1.
      backend: ``"scipy"``: on the host, in double precision, in parallel over groups; ``"optax"``: traced,
        with all starts in one batch, in the precision of the weights; None chooses scipy for values that are
        known, and optax under ``jit`` and ``vmap``.
      exclude: names of variables that are permuted but not compared, as whole paths or their beginnings.

    Returns:
      The matching. Under ``grad`` the permutation is constant, and the objective that of the given weights.

    Raises:
      TypeError: if an argument is of a wrong kind, or ``init`` is no element of the group.
      ValueError: if the variables do not have the symmetry's structure and shapes, or an option is out of
        range.

    Example:
      >>> from equijax.weights import symmetry
      >>> model = lambda w, x: jnp.tanh(x @ w["in"]) @ w["out"]
      >>> random = np.random.default_rng(0)
      >>> a = {"in": random.normal(size=(2, 8)), "out": random.normal(size=(8, 3))}
      >>> group = symmetry(model, a, np.ones(2))
      >>> planted = group.sample(jax.random.key(0))
      >>> found = weight_matching(jax.random.key(1), group, group.act(planted, a), a)
      >>> bool(jnp.all(found.element[0] == planted[0]))
      True
    """
    check.key("key", key)
    check.instance("group", group, WeightSymmetry)
    check.count("num_starts", num_starts, 1)
    check.count("max_sweeps", max_sweeps, 1)
    if init is not None:
        group.check_element("init", init)
    backend = chosen_backend(backend, key, a, b, init)
    layout = Layout(group, exclude)
    if backend == "scipy":
        a, b = (jax.tree.map(np.asarray, variables) for variables in (a, b))
    blocks = layout.split("a", a), layout.split("b", b)
    if backend == "scipy":
        return _on_host(key, layout, *blocks, init, num_starts, max_sweeps)
    return _traced(key, layout, *blocks, init, num_starts, max_sweeps)


def _on_host(key, layout: Layout, a, b, init, num_starts: int, max_sweeps: int) -> Matching:
    """Every start after the other, in double precision."""
    a, b = ([np.asarray(block, np.float64) for block in blocks] for blocks in (a, b))
    order, draw = jax.random.split(key)
    seeds = np.random.SeedSequence(np.asarray(jax.random.bits(order, (4,), "uint32")).tolist())
    best = None
    with one_thread_a_product(layout.largest):
        for number, seed in enumerate(seeds.spawn(num_starts)):
            images = _start(number, draw, layout, a, b, init, ascent.host_profiles)
            images = tuple(np.asarray(image) for image in images)
            random = np.random.default_rng(seed)
            found = ascent.host_ascent(layout, a, b, images, random=random, max_sweeps=max_sweeps)
            if best is None or found.history[-1] > best.history[-1]:
                best = found
    return Matching(layout.element(best.images), float(best.history[-1]), best.history)


def _traced(key, layout: Layout, a, b, init, num_starts: int, max_sweeps: int) -> Matching:
    """All starts in one batch."""
    dtype = jnp.result_type(float, *a, *b)
    a, b = ([jnp.asarray(block, dtype) for block in blocks] for blocks in (a, b))
    fixed_a, fixed_b = jax.lax.stop_gradient((a, b))
    starts = [
        _start(number, key, layout, fixed_a, fixed_b, init, ascent.traced_profiles)
        for number in range(num_starts)
    ]
    stacked = jax.tree.map(lambda *images: jnp.stack([jnp.asarray(each) for each in images]), *starts)
    found = jax.vmap(
        lambda images: ascent.traced_ascent(layout, fixed_a, fixed_b, images, max_sweeps=max_sweeps)
    )(stacked)
    best = jnp.argmax(found.history[:, -1])
    images = jax.tree.map(lambda leaf: leaf[best], found.images)
    objective = ascent.inner_product(a, layout.applied(images, b))
    return Matching(layout.element(images), objective, found.history[best])


def _start(number: int, key, layout: Layout, a, b, init, profiles):
    """Where an ascent starts."""
    if number == 0:
        return layout.identity() if init is None else layout.images(init)
    if number == 1:
        return profiles(layout, a, b)
    return layout.images(layout.group.sample(jax.random.fold_in(key, number)))
