"""What is timed of a function: itself, with its gradients, or as a force field's loss uses it."""

from collections.abc import Callable

import jax
import jax.numpy as jnp

FORWARD = "forward"
GRADIENT = "forward and backward"
SECOND_ORDER = "second order"


def in_direction(direction: str, function: Callable, arguments: tuple) -> tuple[Callable, tuple]:
    """The function to compile, and its arguments, for a direction.

    ``"forward"`` is the function; ``"forward and backward"`` its value and its gradients by all arguments for
    a given cotangent; ``"second order"`` what learning from forces needs: with the energy ``E = ½ Σ z²`` of
    the result, the gradients by all arguments of ``Σ |∂E/∂(factors)|²``, where all arguments but the last
    (the weights) are factors.

    Raises:
      ValueError: if the direction is unknown, or there is no weight besides a factor for the second order.

    Example:
      >>> x, w = jnp.float32(3.0), jnp.float32(2.0)
      >>> run, arguments = in_direction(SECOND_ORDER, lambda x, w: w * x, (x, w))
      >>> [float(gradient) for gradient in run(*arguments)]  # of (w² x)²: 2 w⁴ x and 4 w³ x²
      [96.0, 288.0]
    """
    if direction == FORWARD:
        return function, arguments
    if direction == GRADIENT:
        return _with_gradient(function, arguments)
    if direction == SECOND_ORDER:
        if len(arguments) < 2:
            raise ValueError(f"arguments must be factors and weights, got {len(arguments)} of them")
        return _second_order(function, arguments)
    raise ValueError(f"direction must be one of {(FORWARD, GRADIENT, SECOND_ORDER)}, got {direction!r}")


def _with_gradient(function: Callable, arguments: tuple) -> tuple[Callable, tuple]:
    """The value and the gradients by all arguments, for a given cotangent."""
    shape = jax.eval_shape(function, *arguments)
    cotangent = jax.tree.map(lambda leaf: jnp.ones(leaf.shape, leaf.dtype), shape)

    def both(cotangent, *arguments):
        value, pull_back = jax.vjp(function, *arguments)
        return value, pull_back(cotangent)

    return both, (cotangent, *arguments)


def _second_order(function: Callable, arguments: tuple) -> tuple[Callable, tuple]:
    """The gradient of a loss of the gradient of an energy."""

    def energy(factors, weights):
        leaves = jax.tree.leaves(function(*factors, weights))
        return sum(jnp.sum(leaf**2) for leaf in leaves) / 2

    def loss(arguments):
        forces = jax.grad(energy)(arguments[:-1], arguments[-1])
        return sum(jnp.sum(force**2) for force in jax.tree.leaves(forces))

    return lambda *arguments: jax.grad(loss)(arguments), arguments
