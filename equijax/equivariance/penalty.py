"""Symmetry of the weights as a part of the optimizer, as weight decay is."""

from collections.abc import Callable
from typing import NamedTuple

import jax
import optax
from jaxtyping import Array, Float

from equijax.equivariance.strengths import StrengthRule
from equijax.numerics import check


class SymmetryPenaltyState(NamedTuple):
    """State of `add_symmetry_penalty`.

    Attributes:
      rule: the state of the rule for the strengths.
      residuals: what the regularizer gave at the last update.
    """

    rule: NamedTuple
    residuals: Float[Array, "groups"]


def add_symmetry_penalty(regularizer: Callable, rule: StrengthRule) -> optax.GradientTransformation:
    """Add the gradient of ``Σ_i λ_i R_i(params)`` to the gradient, with strengths by a rule.

    Put first in ``optax.chain``, it is as if the penalty were added to the loss; strengths and residuals are
    part of the optimizer's state, so that they are checkpointed with it.

    Args:
      regularizer: ``regularizer(params) -> residuals``, shape ``(groups,)``, such as
        `equijax.equivariance.projection_regularizer` gives.
      rule: such as `equijax.equivariance.balance_once` gives.

    Returns:
      A gradient transformation; its ``update`` needs the parameters.

    Raises:
      TypeError: if an argument is of another kind.
      ValueError: from ``update``, if it is not given the parameters.

    Example:
      >>> import jax.numpy as jnp
      >>> from equijax.equivariance.regularizers import projection_regularizer
      >>> from equijax.equivariance.strengths import balance_repeatedly
      >>> from equijax.groups import SO, Vector
      >>> penalty = projection_regularizer([SO(2)], {"kernel": (Vector(), Vector())})
      >>> optimizer = add_symmetry_penalty(penalty, balance_repeatedly(jnp.array([0.5]), every=1))
      >>> params = {"kernel": jnp.array([[1.0, 0.0], [0.0, 3.0]])}
      >>> zero = jax.tree.map(jnp.zeros_like, params)
      >>> gradient, _ = optimizer.update(zero, optimizer.init(params), params)
      >>> gradient["kernel"].round(4)  # 0.5 (W - P W) / (1 - 2/4)
      Array([[-1.,  0.],
             [ 0.,  1.]], dtype=float32)
    """
    check.function("regularizer", regularizer)
    check.instance("rule", rule, StrengthRule)

    def init(params):
        return SymmetryPenaltyState(rule.init(), regularizer(params))

    def update(updates, state, params=None):
        if params is None:
            raise ValueError("params must be given to update, got None")
        residuals, pull = jax.vjp(regularizer, params)
        strengths, rule_state = rule.update(residuals, state.rule)
        (gradient,) = pull(strengths.astype(residuals.dtype))
        summed = jax.tree.map(lambda update, own: update + own, updates, gradient)
        return summed, SymmetryPenaltyState(rule_state, residuals)

    return optax.GradientTransformation(init, update)
