"""The table of rules, one a primitive; the files of `equijax.weights.rules` fill it."""

from collections.abc import Callable

STACK_RULES: dict[str, Callable] = {}
"""As `RULES`, for the primitives that take `Stacked` arrays apart; they return None where they cannot."""

RULES: dict[str, Callable] = {}
"""From a primitive's name to ``rule(propagation, equation, inputs) -> outputs``."""


def rule(*names: str, table: dict[str, Callable] = RULES) -> Callable:
    """Register a function as the rule of primitives.

    A rule is called with the `equijax.weights.propagation.Propagation`, the equation of the jaxpr, and the
    traced inputs; it ties and freezes axes, records the loop nest, and returns the traced outputs. To teach
    the tracer a primitive of your own, register a rule before tracing.

    Args:
      *names: names of primitives.
      table: `RULES` or `STACK_RULES`.

    Raises:
      ValueError: if a primitive has a rule already.

    Example:
      >>> rule("tanh")(print)
      Traceback (most recent call last):
      ValueError: names must be primitives without a rule, got 'tanh'
    """

    def register(function: Callable) -> Callable:
        for name in names:
            if name in table:
                raise ValueError(f"names must be primitives without a rule, got {name!r}")
            table[name] = function
        return function

    return register
