"""The state of a training run on the devices, and how a run that went wrong reports where."""

from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Bool, Float, Int

from equijax.training.trees import leaf_names

NO_FAULT = -1


class TrainState(NamedTuple):
    """All that a step reads and writes.

    Attributes:
      step: finished steps.
      params: the parameters.
      opt_state: the optimizer's state.
      ema: exponential moving average of the parameters, or None.
      totals: sum of each metric over the steps since the last logged one.
      fault: shape ``(3,)``: the step that met a non-finite number, the first gradient leaf and the first
        parameter leaf that were not finite; each ``NO_FAULT`` where there is none. A state with a fault no
        longer changes.
    """

    step: Int[Array, ""]
    params: Any
    opt_state: Any
    ema: Any
    totals: dict[str, Float[Array, ""]]
    fault: Int[Array, "3"]


def initial_state(params, opt_state, ema, totals, *, step: int = 0) -> TrainState:
    """A state without a fault.

    Args:
      params, opt_state, ema, totals, step: as in :class:`TrainState`.

    Example:
      >>> initial_state({"w": 0.0}, (), None, {"loss": 0.0}).fault
      array([-1, -1, -1], dtype=int32)
    """
    return TrainState(np.int32(step), params, opt_state, ema, totals, np.full(3, NO_FAULT, np.int32))


def find_fault(step: Int[Array, ""], loss: Float[Array, ""], grads, params) -> Int[Array, "3"]:
    """Look for the first number that is not finite: in the gradients, then in the updated parameters.

    Args:
      step: number of the step.
      loss: the loss.
      grads: its gradient.
      params: the parameters after the update.

    Returns:
      The ``fault`` entry of :class:`TrainState`.

    Example:
      >>> tree = {"a": jnp.ones(2), "b": jnp.ones(2)}
      >>> find_fault(4, 1.0, tree, tree)
      Array([-1, -1, -1], dtype=int32)
      >>> find_fault(4, 1.0, tree | {"b": jnp.array([1.0, jnp.nan])}, tree)
      Array([ 4,  1, -1], dtype=int32)
    """
    first_grad, first_param = _first_not_finite(grads), _first_not_finite(params)
    healthy = jnp.isfinite(loss) & (first_grad == NO_FAULT) & (first_param == NO_FAULT)
    fault = jnp.stack([jnp.asarray(step, jnp.int32), first_grad, first_param])
    return jnp.where(healthy, jnp.int32(NO_FAULT), fault)


def _first_not_finite(tree) -> Int[Array, ""]:
    """Index of the first leaf with a number that is not finite."""
    finite: Bool[Array, leaves] = jnp.stack([jnp.all(jnp.isfinite(leaf)) for leaf in jax.tree.leaves(tree)])
    return jnp.where(jnp.all(finite), NO_FAULT, jnp.argmin(finite)).astype(jnp.int32)


def raise_on_fault(state: TrainState) -> None:
    """Stop a run whose state has a fault. Waits for the devices.

    Args:
      state: the state after any step.

    Raises:
      FloatingPointError: naming the step and the first leaf that was not finite.

    Example:
      >>> bad = initial_state({"w": 0.0}, (), None, {})._replace(fault=np.array([7, 0, -1]))
      >>> raise_on_fault(bad)
      Traceback (most recent call last):
      FloatingPointError: step 7 (the batch of batches(7)) is not finite: first in the gradient of params/w...
    """
    step, grad, param = (int(entry) for entry in np.asarray(state.fault))
    if step == NO_FAULT:
        return
    names = [f"params/{name}" if name else "params" for name in leaf_names(state.params)]
    if grad != NO_FAULT:
        where = f"first in the gradient of {names[grad]}"
    elif param != NO_FAULT:
        where = f"the gradients are finite, but the update makes {names[param]} overflow"
    else:
        where = "in the loss alone, its gradients are finite"
    raise FloatingPointError(
        f"step {step} (the batch of batches({step})) is not finite: {where}. The step was not applied. "
        "Look at that batch, lower the learning rate or clip the gradients"
    )
