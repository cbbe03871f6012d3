"""Paths between two networks in the space of weights, and the barrier of the loss along them.

Frankle et al., "Linear mode connectivity and the lottery ticket hypothesis", ICML 2020; Ainsworth, Hayase &
Srinivasa, "Git Re-Basin", ICLR 2023, definition 2.1; slerp: Shoemake, "Animating rotation with quaternion
curves", SIGGRAPH 1985.
"""

from collections.abc import Callable
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float

from equijax.numerics import check


class Barrier(NamedTuple):
    """Values along a path between two networks, compared with the straight line between those of its ends.

    Attributes:
      positions: points of the path, from 0 to 1, shape ``(points,)``.
      values: what was measured there; each leaf has a leading axis of points.
      rise: the largest excess over the line: the barrier of a loss.
      drop: the largest shortfall below the line: the barrier of an accuracy.
    """

    positions: Float[Array, " points"]
    values: Any
    rise: Any
    drop: Any


def lerp(a, b, t):
    """The point ``(1 - t) a + t b`` of the straight line between two networks.

    Args:
      a, b: variables of one structure. Leaves that are no floating-point numbers are a's.
      t: a scalar.

    Raises:
      ValueError: if the structures or shapes differ.

    Example:
      >>> lerp({"w": jnp.zeros(2)}, {"w": jnp.ones(2)}, 0.25)
      {'w': Array([0.25, 0.25], dtype=float32)}
    """
    _check_alike(a, b)
    return jax.tree.map(lambda x, y: (1 - t) * x + t * y if _is_real(x) else x, a, b)


def slerp(a, b, t):
    """The point of the arc between two networks, as vectors of all their weights: ``a`` at 0, ``b`` at 1.

    With the angle ``w`` between them it is ``(sin((1 - t) w) a + sin(t w) b) / sin(w)``, and the straight
    line where they are (anti)parallel or zero.

    Args:
      a, b, t: as for `lerp`.

    Raises:
      ValueError: if the structures or shapes differ.

    Example:
      >>> slerp(jnp.array([1.0, 0.0]), jnp.array([0.0, 1.0]), 0.5).round(3).tolist()
      [0.7070000171661377, 0.7070000171661377]
    """
    _check_alike(a, b)
    product, size_a, size_b = _inner(a, b), _inner(a, a), _inner(b, b)
    # The sine by itself, because the arc cosine has no derivative for parallel vectors.
    sine_squared = size_a * size_b - product**2
    is_arc = sine_squared > 1e-6 * size_a * size_b
    sine = jnp.sqrt(jnp.where(is_arc, sine_squared, 1))
    angle = jnp.arctan2(sine, jnp.where(is_arc, product, 0))
    here = jnp.where(is_arc, jnp.sin((1 - t) * angle) / jnp.sin(angle), 1 - t)
    there = jnp.where(is_arc, jnp.sin(t * angle) / jnp.sin(angle), t)

    def between(x, y):
        return (here * x + there * y).astype(jnp.result_type(x)) if _is_real(x) else x

    return jax.tree.map(between, a, b)


def barrier(measure: Callable, a, b, *, num_points: int = 25, path: Callable = lerp) -> Barrier:
    """The barrier between two networks: how far a measure leaves the line between its values at both.

    Args:
      measure: ``measure(variables)`` gives a scalar, or a pytree of scalars, for instance the loss and the
        accuracy on a set of data.
      a, b: variables of two networks.
      num_points: points of the path, both ends included, at least 2.
      path: ``path(a, b, t)``: `lerp` or `slerp`.

    Returns:
      The measure along the path, and its barriers, which are never negative.

    Raises:
      TypeError: if ``measure`` or ``path`` is no function.
      ValueError: if the networks have different structures or shapes, or the measure is no scalar.

    Example:
      >>> found = barrier(lambda w: (w**2 - 1) ** 2, jnp.float32(-1), jnp.float32(1), num_points=3)
      >>> found.values.tolist(), float(found.rise), float(found.drop)
      ([0.0, 1.0, 0.0], 1.0, 0.0)
    """
    check.function("measure", measure)
    check.function("path", path)
    check.count("num_points", num_points, 2)
    a, b = jax.tree.map(jnp.asarray, (a, b))
    _check_alike(a, b)
    positions = jnp.linspace(0.0, 1.0, num_points)
    values = jax.lax.map(lambda t: measure(path(a, b, t)), positions)
    for leaf in jax.tree.leaves(values):
        if leaf.ndim != 1:
            raise ValueError(f"measure must give scalars, got an array of shape {leaf.shape[1:]}")

    def excess(sign):
        return jax.tree.map(
            lambda v: jnp.maximum(jnp.max(sign * (v - (1 - positions) * v[0] - positions * v[-1])), 0), values
        )

    return Barrier(positions, values, excess(1), excess(-1))


def barrier_taylor_estimate(loss_fn: Callable, a, b, t: float = 0.5) -> Float[Array, ""]:
    """What two second-order Taylor series say of the loss barrier at a point of the straight line.

    The loss at the point is estimated from both ends, each weighted by its nearness, and compared with the
    line between the losses at the ends; with ``d = b - a``

        ``t (1 - t) [ (grad L(a) - grad L(b)) . d + (t d . H_a d + (1 - t) d . H_b d) / 2 ]``.

    If the barrier is low only because the networks are close, this estimates it; Ito, Yamada & Kumagai (ICLR
    2025, section 4) find that it does not.

    Args:
      loss_fn: ``loss_fn(variables)``, a scalar, twice differentiable.
      a, b: variables of two networks.
      t: the point.

    Raises:
      TypeError: if ``loss_fn`` is no function.
      ValueError: if the networks have different structures or shapes.

    Example:
      >>> loss = lambda w: jnp.sum(w**2)
      >>> a, b = jnp.array([1.0]), jnp.array([-1.0])
      >>> float(barrier_taylor_estimate(loss, a, b)), float(loss((a + b) / 2) - (loss(a) + loss(b)) / 2)
      (-1.0, -1.0)
    """
    check.function("loss_fn", loss_fn)
    a, b = jax.tree.map(jnp.asarray, (a, b))
    _check_alike(a, b)
    leaves_a, structure = jax.tree.flatten(a)
    real = [i for i, leaf in enumerate(leaves_a) if _is_real(leaf)]

    def loss(weights):
        leaves = list(leaves_a)
        for i, leaf in zip(real, weights, strict=True):
            leaves[i] = leaf
        return loss_fn(structure.unflatten(leaves))

    leaves_b = jax.tree.leaves(b)
    start, end = [leaves_a[i] for i in real], [leaves_b[i] for i in real]
    step = jax.tree.map(jnp.subtract, end, start)

    def slope_and_curvature(weights):
        gradient, turned = jax.jvp(jax.grad(loss), (weights,), (step,))
        return _inner(gradient, step), _inner(turned, step)

    (slope_a, curve_a), (slope_b, curve_b) = slope_and_curvature(start), slope_and_curvature(end)
    return t * (1 - t) * (slope_a - slope_b + (t * curve_a + (1 - t) * curve_b) / 2)


def _is_real(leaf) -> bool:
    """Whether a leaf is interpolated."""
    return jnp.issubdtype(jnp.result_type(leaf), jnp.floating)


def _inner(a, b):
    """The inner product of all floating-point leaves."""
    pairs = zip(jax.tree.leaves(a), jax.tree.leaves(b), strict=True)
    return sum(jnp.sum(jnp.asarray(x) * y) for x, y in pairs if _is_real(x))


def _check_alike(a, b) -> None:
    """Refuse networks of two architectures."""
    if jax.tree.structure(a) != jax.tree.structure(b):
        raise ValueError(
            f"a and b must have one structure, got {jax.tree.structure(a)} and {jax.tree.structure(b)}"
        )
    pairs = zip(jax.tree_util.tree_flatten_with_path(a)[0], jax.tree.leaves(b), strict=True)
    for (path, x), y in pairs:
        if jnp.shape(x) != jnp.shape(y):
            place = jax.tree_util.keystr(path)
            raise ValueError(
                f"a{place} and b{place} must have one shape, got {jnp.shape(x)} and {jnp.shape(y)}"
            )
