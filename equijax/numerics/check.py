"""Checks of arguments: clear errors that name the argument, what came and what was expected.

Every check runs on static information (shapes, dtypes, Python values), so under ``jit`` the error is
raised at trace time. Checks return nothing.
"""

from collections.abc import Iterable

import jax.numpy as jnp
import numpy as np


def shape(name: str, array, pattern: str, **sizes: int) -> dict[str, int]:
    """Require that an array has a shape, and return the sizes of the axes that the pattern names.

    Args:
      name: the argument's name, for the message.
      array: anything with a ``shape``, or a Python number.
      pattern: axes separated by spaces: a number, a name, or a leading ``...`` for any batch axes. A name
        that stands twice must have one size.
      **sizes: known sizes of named axes.

    Raises:
      ValueError: if the shape does not match.

    Example:
      >>> shape("rotation", np.zeros((5, 3, 3)), "... d d")
      {'d': 3}
      >>> shape("rotation", np.zeros((3, 2)), "... d d")
      Traceback (most recent call last):
      ValueError: rotation must have shape (..., d, d), got (3, 2)
    """
    got = np.shape(array)
    axes = pattern.split()
    found = dict(sizes)
    open_batch = bool(axes) and axes[0] == "..."
    named = axes[1:] if open_batch else axes
    matches = len(got) >= len(named) if open_batch else len(got) == len(named)
    if matches:
        for axis, size in zip(named, got[len(got) - len(named) :], strict=True):
            expected = int(axis) if axis.isdigit() else found.setdefault(axis, size)
            matches = matches and size == expected
    if not matches:
        known = "".join(f", {axis}={size}" for axis, size in sizes.items())
        raise ValueError(f"{name} must have shape ({', '.join(axes)}){known}, got {got}")
    return found


def floating(name: str, array) -> None:
    """Require a real floating-point array.

    Raises:
      TypeError: if the dtype is not a real floating-point type.
    """
    dtype = jnp.result_type(array)
    if not jnp.issubdtype(dtype, jnp.floating):
        raise TypeError(f"{name} must be a real floating-point array, got dtype {dtype}")


def integer(name: str, array) -> None:
    """Require an integer array.

    Raises:
      TypeError: if the dtype is not an integer type.
    """
    dtype = jnp.result_type(array)
    if not jnp.issubdtype(dtype, jnp.integer):
        raise TypeError(f"{name} must be an integer array, got dtype {dtype}")


def at_least(name: str, value: int | float, minimum: int | float) -> None:
    """Require a Python number that is at least a minimum.

    Raises:
      ValueError: if it is smaller, or not a number.
    """
    if isinstance(value, bool) or not isinstance(value, int | float | np.number) or not value >= minimum:
        raise ValueError(f"{name} must be a number of at least {minimum}, got {value!r}")


def positive(name: str, value: int | float) -> None:
    """Require a Python number above zero.

    Raises:
      ValueError: if it is not above zero, or not a number.
    """
    if isinstance(value, bool) or not isinstance(value, int | float | np.number) or not value > 0:
        raise ValueError(f"{name} must be a number above 0, got {value!r}")


def one_of(name: str, value, choices: Iterable) -> None:
    """Require one of a few values.

    Raises:
      ValueError: if the value is not among the choices.
    """
    choices = tuple(choices)
    if value not in choices:
        raise ValueError(f"{name} must be one of {', '.join(map(repr, choices))}, got {value!r}")
