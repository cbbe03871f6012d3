"""Checks of arguments: clear errors that name the argument, what came and what was expected.

Every check runs on static information (shapes, dtypes, Python values), so under ``jit`` the error is
raised at trace time. Checks return nothing.
"""

from collections.abc import Iterable

import jax
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
      TypeError: if it is no array, or the dtype is not a real floating-point type.
    """
    dtype = _dtype(name, array, "a real floating-point array")
    if not jnp.issubdtype(dtype, jnp.floating):
        raise TypeError(f"{name} must be a real floating-point array, got dtype {dtype}")


def integer(name: str, array) -> None:
    """Require an integer array.

    Raises:
      TypeError: if it is no array, or the dtype is not an integer type.
    """
    dtype = _dtype(name, array, "an integer array")
    if not jnp.issubdtype(dtype, jnp.integer):
        raise TypeError(f"{name} must be an integer array, got dtype {dtype}")


def _dtype(name: str, array, expected: str):
    """The dtype of an array or a Python number; lists and other objects are refused, as JAX does."""
    try:
        return jnp.result_type(array)
    except (TypeError, ValueError) as error:
        raise TypeError(f"{name} must be {expected}, got {type(array).__name__}") from error


def count(name: str, value: int, minimum: int) -> None:
    """Require a Python integer that is at least a minimum.

    Raises:
      TypeError: if it is not an integer.
      ValueError: if it is smaller.
    """
    if isinstance(value, bool) or not isinstance(value, int | np.integer):
        raise TypeError(f"{name} must be an integer, got {value!r}")
    if value < minimum:
        raise ValueError(f"{name} must be a number of at least {minimum}, got {value!r}")


def key(name: str, value) -> None:
    """Require one JAX random key: ``jax.random.key(0)``, or the raw words of ``jax.random.PRNGKey(0)``.

    Raises:
      TypeError: if it is something else, such as a seed, or several keys.
    """
    dtype, ndim = getattr(value, "dtype", None), np.ndim(value) if hasattr(value, "shape") else None
    typed = dtype is not None and jnp.issubdtype(dtype, jax.dtypes.prng_key) and ndim == 0
    raw = dtype == jnp.uint32 and ndim == 1
    if not (typed or raw):
        got = f"an array of shape {value.shape} and dtype {dtype}" if ndim is not None else repr(value)
        raise TypeError(f"{name} must be a random key such as jax.random.key(0), got {got}")


def axes(name: str, value) -> None:
    """Require the sizes of axes: a tuple (or list) of integers, none negative.

    Raises:
      TypeError: if it is no tuple of integers.
      ValueError: if a size is negative.
    """
    if not isinstance(value, tuple | list):
        got = f"{value!r} (write ({value!r},) for one axis)" if isinstance(value, int) else repr(value)
        raise TypeError(f"{name} must be a tuple of integers, got {got}")
    for size in value:
        if isinstance(size, bool) or not isinstance(size, int | np.integer):
            raise TypeError(f"{name} must be a tuple of integers, got {value!r}")
        if size < 0:
            raise ValueError(f"{name} must have no negative size, got {value!r}")


def function(name: str, value) -> None:
    """Require something that can be called.

    Raises:
      TypeError: if it cannot.
    """
    if not callable(value):
        raise TypeError(f"{name} must be a function, got {type(value).__name__}")


def instance(name: str, value, kind: type) -> None:
    """Require a value of a class.

    Raises:
      TypeError: if it is of another.
    """
    if not isinstance(value, kind):
        got = f"the class {value.__name__}" if isinstance(value, type) else type(value).__name__
        raise TypeError(f"{name} must be a {kind.__name__}, got {got}")


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
