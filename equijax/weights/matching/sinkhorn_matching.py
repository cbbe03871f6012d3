"""Matching by training through soft permutations, which Sinkhorn's iteration makes from free matrices.

Peña et al., "Re-basin via implicit Sinkhorn differentiation", CVPR 2023. Their derivative of the fixed point
is replaced by that of the iteration itself, which is exact for the iterations that are made.
"""

from collections.abc import Callable, Iterable

import jax
import jax.numpy as jnp
import numpy as np
import optax
from jaxtyping import Array, Float

from equijax.numerics import check
from equijax.weights.connectivity import lerp
from equijax.weights.matching.assignment import host_assignment, sinkhorn
from equijax.weights.matching.layout import Layout, Permutation
from equijax.weights.matching.weight_matching import Matching
from equijax.weights.weight_symmetry import WeightSymmetry

OBJECTIVES = ("midpoint", "random", "distance")


def sinkhorn_matching(
    key: Array,
    group: WeightSymmetry,
    loss_fn: Callable | None,
    a,
    b,
    batches: Iterable,
    *,
    objective: str = "midpoint",
    learning_rate: float = 0.1,
    temperature: float = 1.0,
    num_iterations: int = 20,
) -> Matching:
    """The permutation of b's neurons that training soft permutations leads to.

    Args:
      key: a JAX random key, for the points of the path that ``"random"`` draws.
      group: the symmetry.
      loss_fn: ``loss_fn(variables, batch)``, a scalar; unused for ``"distance"``.
      a, b: variables of two networks.
      batches: one for each step, all of one structure; for ``"distance"`` anything of that length.
      objective: ``"midpoint"``: the loss half-way between a and the soft permutation of b; ``"random"``: at a
        random point between them; ``"distance"``: the mean absolute difference of their weights.
      learning_rate: of Adam.
      temperature, num_iterations: as for `sinkhorn`.

    Returns:
      The matching: the best permutations for the matrices that were learnt. Its objective is minus the last
      loss, the history minus the loss of each step. It runs on the host, with compiled steps, and cannot
      itself be traced.

    Raises:
      TypeError: if an argument is of a wrong kind.
      ValueError: if there is no batch, an option is unknown or out of range, or the variables do not fit.

    Example:
      >>> from equijax.weights import symmetry
      >>> model = lambda w, x: jnp.tanh(x @ w["in"]) @ w["out"]
      >>> random = np.random.default_rng(0)
      >>> a = {"in": random.normal(size=(2, 4)), "out": random.normal(size=(4, 3))}
      >>> group = symmetry(model, a, np.ones(2))
      >>> planted = (jnp.array([1, 0, 2, 3]),)
      >>> goal, key = group.act(planted, a), jax.random.key(0)
      >>> found = sinkhorn_matching(key, group, None, goal, a, range(60), objective="distance")
      >>> found.element[0].tolist()
      [1, 0, 2, 3]
    """
    check.key("key", key)
    check.instance("group", group, WeightSymmetry)
    check.one_of("objective", objective, OBJECTIVES)
    if objective != "distance":
        check.function("loss_fn", loss_fn)
    check.positive("learning_rate", learning_rate)
    layout, optimizer = Layout(group), optax.adam(learning_rate)
    a, b = jax.tree.map(jnp.asarray, (a, b))
    layout.split("a", a)
    layout.split("b", b)

    def loss(latents, a, b, batch, key):
        soft = tuple(sinkhorn(x, temperature=temperature, num_iterations=num_iterations) for x in latents)
        moved = soft_act(layout, soft, b)
        if objective == "distance":
            return _mean_distance(a, moved)
        point = 0.5 if objective == "midpoint" else jax.random.uniform(key)
        return loss_fn(lerp(a, moved, point), batch)

    @jax.jit
    def step(latents, state, a, b, batch, key):
        value, gradient = jax.value_and_grad(loss)(latents, a, b, batch, key)
        updates, state = optimizer.update(gradient, state)
        return optax.apply_updates(latents, updates), state, value

    latents = tuple(jnp.broadcast_to(jnp.eye(p.size), (*p.over, p.size, p.size)) for p in layout.permutations)
    state, history = optimizer.init(latents), []
    for count, batch in enumerate(batches):
        latents, state, value = step(latents, state, a, b, batch, jax.random.fold_in(key, count))
        history.append(-value)
    if not history:
        raise ValueError("batches must hold at least one batch, got none")
    images = tuple(host_assignment(np.asarray(each)) for each in latents)
    history = np.asarray(jnp.stack(history))
    return Matching(layout.element(images), float(history[-1]), history)


def soft_act(layout: Layout, matrices: tuple[Float[Array, "... n n"], ...], variables):
    """Variables moved by doubly stochastic matrices in the place of permutations.

    Args:
      layout: the permutations.
      matrices: for each permutation; row ``i`` says where neuron ``i`` goes.
      variables: those to move.

    Example:
      >>> from equijax.weights import symmetry
      >>> w = jnp.array([1.0, 2.0])
      >>> layout = Layout(symmetry(lambda w, x: jnp.sum(w) * x, w, 1.0))
      >>> soft_act(layout, (jnp.full((2, 2), 0.5),), w)
      Array([1.5, 1.5], dtype=float32)
    """
    blocks = layout.split("variables", variables)
    for number in reversed(layout.order):
        blocks = _mixed(layout.permutations[number], matrices[number], blocks)
    return layout.join(blocks, variables)


def _mixed(permutation: Permutation, matrix, blocks: list) -> list:
    """Blocks multiplied by one matrix, or by a family's, along all its sites."""
    blocks = list(blocks)
    for site in permutation.sites:
        block, front = blocks[site.block], (*site.over, site.dim)
        rows = jnp.moveaxis(block, front, range(len(front)))
        mixed = jnp.einsum(
            "...ij,...ir->...jr", matrix, rows.reshape(*rows.shape[: len(front)], -1), precision="highest"
        )
        blocks[site.block] = jnp.moveaxis(mixed.reshape(rows.shape), range(len(front)), front).astype(
            block.dtype
        )
    return blocks


def _mean_distance(a, b):
    """The mean absolute difference of all weights."""
    pairs = [(x, y) for x, y in zip(jax.tree.leaves(a), jax.tree.leaves(b), strict=True)]
    return sum(jnp.abs(x - y).sum() for x, y in pairs) / sum(x.size for x, _ in pairs)
