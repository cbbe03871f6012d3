"""Strengths of regularizers for several candidate symmetries, which find themselves.

Each rule is a pair of pure functions, as an optimizer of optax is: ``init()`` gives a state, and
``update(residuals, state)`` gives the strengths to use next and the new state, within a jitted training step.
Residuals are nonnegative numbers, one for each group, the size-corrected ones if groups differ in size.

Balancing lets the best-obeyed symmetry keep its strength, and relaxes the others by how much worse they are
obeyed: ``λ_i / (R_i / min_j R_j)^p``. Kim, Lee, Yang, Lee, "Regularizing towards soft equivariance under
mixed symmetries", ICML 2023, do so once (`balance_once`); repeated, with averaged residuals, it goes on to
the strengths of the symmetries that hold (`balance_repeatedly`). `dual_ascent` asks for a bound on each
residual instead: strengths are Lagrange multipliers.
"""

from collections.abc import Callable
from typing import NamedTuple

import jax.numpy as jnp
from jaxtyping import Array, Float, Int

from equijax.numerics import check

LARGEST_RATIO = 1e3
"""Default bound of the ratio of residuals: a residual that goes to zero must not switch off all others."""


class StrengthRule(NamedTuple):
    """A rule for strengths.

    Attributes:
      init: ``init() -> state``, with ``state.strengths``.
      update: ``update(residuals, state) -> (strengths, state)``.
    """

    init: Callable
    update: Callable


def balance(
    strengths: Float[Array, "... groups"],
    residuals: Float[Array, "... groups"],
    *,
    power: float = 2.0,
    largest_ratio: float = LARGEST_RATIO,
) -> Float[Array, "... groups"]:
    """Divide each strength by a power of how much larger its residual is than the smallest.

    Only groups with a positive strength take part; a strength of zero stays zero. Equal residuals, or a power
    of 0, change nothing, and neither does the unit of the residuals matter.

    Args:
      strengths: nonnegative, shape ``(..., groups)``.
      residuals: nonnegative, the same shape.
      power: the paper has 2 for its synthetic tasks, 5 for motion.
      largest_ratio: bound of the ratio.

    Raises:
      ValueError: if shapes differ, ``power`` is negative, or ``largest_ratio`` is below 1.
      TypeError: if an array is not a real floating-point one.

    Example:
      >>> balance(jnp.array([0.0, 8.0, 8.0]), jnp.array([0.1, 1.0, 2.0]))
      Array([0., 8., 2.], dtype=float32)
    """
    check.floating("strengths", strengths)
    check.floating("residuals", residuals)
    if jnp.shape(strengths) != jnp.shape(residuals):
        raise ValueError(
            f"residuals must have the shape of strengths, {jnp.shape(strengths)}, got {jnp.shape(residuals)}"
        )
    _check_balance(power, largest_ratio)
    smallest = jnp.min(jnp.where(strengths > 0, residuals, jnp.inf), axis=-1, keepdims=True)
    # Compared as products: a smallest residual of zero then gives the largest ratio, and to itself one.
    beyond = residuals > smallest * largest_ratio
    safe = jnp.where((smallest > 0) & ~beyond, smallest, 1)
    ratio = jnp.where(beyond, largest_ratio, jnp.maximum(jnp.where(smallest > 0, residuals / safe, 1), 1))
    return jnp.where(strengths > 0, strengths / ratio**power, strengths)


def _check_balance(power: float, largest_ratio: float) -> None:
    """Require a power and a bound that make sense."""
    if not isinstance(power, int | float) or not power >= 0:
        raise ValueError(f"power must be a number of at least 0, got {power!r}")
    if not isinstance(largest_ratio, int | float) or not largest_ratio >= 1:
        raise ValueError(f"largest_ratio must be a number of at least 1, got {largest_ratio!r}")


class OnceState(NamedTuple):
    """State of `balance_once`.

    Attributes:
      strengths: those in use.
      step: updates so far.
      lowest: the lowest residual of each group within the window.
      kept: all residuals at the last time when one of them was the lowest.
    """

    strengths: Float[Array, "groups"]
    step: Int[Array, ""]
    lowest: Float[Array, "groups"]
    kept: Float[Array, "groups"]


def balance_once(
    strengths: Float[Array, "groups"],
    *,
    at: int,
    window: int = 1,
    power: float = 2.0,
    largest_ratio: float = LARGEST_RATIO,
) -> StrengthRule:
    """The paper's rule: equal strengths up to one update, balanced by the residuals before it from then on.

    In the ``window`` updates up to it, residuals are kept whenever one of them is the lowest of the window.

    Args:
      strengths: the first ones.
      at: the number of the update that balances, counted from 1.
      window: how many updates are looked at, that one included.
      power, largest_ratio: see `balance`.

    Raises:
      ValueError: if a number is out of range.
      TypeError: if ``strengths`` is not a real floating-point array, or a count is not an integer.

    Example:
      >>> rule = balance_once(jnp.array([4.0, 4.0]), at=2)
      >>> state = rule.init()
      >>> for residuals in ([9.0, 1.0], [1.0, 2.0], [1.0, 9.0]):
      ...     strengths, state = rule.update(jnp.array(residuals), state)
      ...     print(strengths)
      [4. 4.]
      [4. 1.]
      [4. 1.]
    """
    strengths = _checked_strengths(strengths)
    check.count("at", at, 1)
    check.count("window", window, 1)
    _check_balance(power, largest_ratio)

    def init():
        unseen = jnp.full_like(strengths, jnp.inf)
        return OnceState(strengths, jnp.zeros((), jnp.int32), unseen, jnp.ones_like(strengths))

    def update(residuals, state):
        step = state.step + 1
        inside = (step > at - window) & (step <= at)
        news = inside & jnp.any(residuals < state.lowest)
        lowest = jnp.where(inside, jnp.minimum(state.lowest, residuals), state.lowest)
        kept = jnp.where(news, residuals, state.kept)
        balanced = balance(state.strengths, kept, power=power, largest_ratio=largest_ratio)
        found = jnp.where(step == at, balanced, state.strengths)
        return found, OnceState(found, step, lowest, kept)

    return StrengthRule(init, update)


class RepeatedState(NamedTuple):
    """State of `balance_repeatedly`.

    Attributes:
      strengths: those in use.
      step: updates so far.
      average: exponential moving average of the residuals, biased towards zero at first.
    """

    strengths: Float[Array, "groups"]
    step: Int[Array, ""]
    average: Float[Array, "groups"]


def balance_repeatedly(
    strengths: Float[Array, "groups"],
    *,
    every: int,
    start: int = 0,
    decay: float = 0.9,
    power: float = 2.0,
    largest_ratio: float = LARGEST_RATIO,
) -> StrengthRule:
    """Balance the first strengths again and again, by a moving average of the residuals.

    What a relaxed strength lets grow is relaxed further at the next time, until strengths and residuals
    agree. Each time starts from the first strengths, so that a symmetry which was misjudged early comes back,
    and two that are obeyed equally well both stay.

    Args:
      strengths: the first ones.
      every: updates between two balancings.
      start: updates before the first one may come.
      decay: of the average; 0 for the last residuals alone.
      power, largest_ratio: see `balance`.

    Raises:
      ValueError: if a number is out of range.
      TypeError: if ``strengths`` is not a real floating-point array, or a count is not an integer.

    Example:
      >>> rule = balance_repeatedly(jnp.array([4.0, 4.0]), every=2, decay=0.0)
      >>> state = rule.init()
      >>> for residuals in ([9.0, 1.0], [1.0, 2.0], [1.0, 9.0], [1.0, 4.0]):
      ...     strengths, state = rule.update(jnp.array(residuals), state)
      ...     print(strengths)
      [4. 4.]
      [4. 1.]
      [4. 1.]
      [4.   0.25]
    """
    strengths = _checked_strengths(strengths)
    check.count("every", every, 1)
    check.count("start", start, 0)
    if not isinstance(decay, int | float) or not 0 <= decay < 1:
        raise ValueError(f"decay must be at least 0 and below 1, got {decay!r}")
    _check_balance(power, largest_ratio)

    def init():
        return RepeatedState(strengths, jnp.zeros((), jnp.int32), jnp.zeros_like(strengths))

    def update(residuals, state):
        step = state.step + 1
        average = decay * state.average + (1 - decay) * residuals
        # The bias of the average is the same for all groups, and ratios do not see it.
        balanced = balance(strengths, average, power=power, largest_ratio=largest_ratio)
        due = (step % every == 0) & (step > start)
        found = jnp.where(due, balanced, state.strengths)
        return found, RepeatedState(found, step, average)

    return StrengthRule(init, update)


class DualState(NamedTuple):
    """State of `dual_ascent`.

    Attributes:
      strengths: the multipliers.
    """

    strengths: Float[Array, "groups"]


def dual_ascent(
    bounds: Float[Array, "groups"], *, rate: float, strengths: Float[Array, "groups"] | None = None
) -> StrengthRule:
    """Lagrange multipliers of ``R_i <= bound_i``: ``λ_i <- max(0, λ_i + rate (R_i - bound_i))``.

    A strength grows as long as its residual is above its bound, and falls to zero if the bound is met
    without it.

    Args:
      bounds: the largest residuals that are allowed, nonnegative.
      rate: size of the steps.
      strengths: the first ones; zero if None.

    Raises:
      ValueError: if a number is negative, or shapes differ.
      TypeError: if an array is not a real floating-point one.

    Example:
      >>> rule = dual_ascent(jnp.array([0.5, 0.5]), rate=2.0)
      >>> rule.update(jnp.array([1.0, 0.0]), rule.init())[0]
      Array([1., 0.], dtype=float32)
    """
    check.floating("bounds", bounds)
    bounds = jnp.asarray(bounds)
    first = jnp.zeros_like(bounds) if strengths is None else _checked_strengths(strengths)
    check.positive("rate", rate)
    if first.shape != bounds.shape:
        raise ValueError(f"strengths must have the shape of bounds, {bounds.shape}, got {first.shape}")

    def init():
        return DualState(first)

    def update(residuals, state):
        found = jnp.maximum(state.strengths + rate * (residuals - bounds), 0)
        return found, DualState(found)

    return StrengthRule(init, update)


def _checked_strengths(strengths) -> Float[Array, "groups"]:
    """Strengths as an array, one for each group."""
    check.floating("strengths", strengths)
    check.shape("strengths", strengths, "groups")
    return jnp.asarray(strengths)
