"""Values written as Python source that evaluates to them: what a counterexample prints.

The source uses the names ``np`` (numpy), ``ej`` (equijax), and the package names of other types, such as
``jraph``.
Arrays are written exactly: floats as the shortest decimal that reads back as the same number.
"""

import dataclasses
import re

import jax
import jax.numpy as jnp
import numpy as np

from equijax import groups
from equijax.equivariance.signature import is_array_node

_CONSTRUCTOR = re.compile(r"\b([A-Z]\w*)\(")


def source(value) -> str:
    """Python source of a value: arrays, pytrees of them, groups, representations and signatures.

    Example:
      >>> source((np.float32([0.1, -2.0]), groups.SO(3)))
      '(np.array([0.1, -2.0], dtype=np.float32), ej.groups.SO(3))'
    """
    if isinstance(value, jax.Array | np.ndarray | np.generic):
        return _array_source(value)
    if isinstance(value, groups.Group | groups.Representation):
        return _CONSTRUCTOR.sub(_qualify, repr(value))
    if is_array_node(value):
        return f"e3nn_jax.IrrepsArray({str(value.irreps)!r}, {source(value.array)})"
    if isinstance(value, tuple) and hasattr(value, "_fields"):
        return _call_source(value, value._fields)
    if isinstance(value, tuple):
        return f"({', '.join(map(source, value))}{',' if len(value) == 1 else ''})"
    if isinstance(value, list):
        return f"[{', '.join(map(source, value))}]"
    if isinstance(value, dict):
        return f"{{{', '.join(f'{key!r}: {source(item)}' for key, item in value.items())}}}"
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return _call_source(value, [field.name for field in dataclasses.fields(value) if field.init])
    return repr(value)


def _qualify(match: re.Match) -> str:
    """Prefix a constructor with its package, if it is one of ours."""
    return f"{'ej.groups.' if hasattr(groups, match[1]) else ''}{match[1]}("


def _call_source(value, fields) -> str:
    """A constructor call with keyword arguments."""
    package, *rest = type(value).__module__.split(".")
    prefix = f"ej.{rest[0]}." if package == "equijax" and rest else f"{package}."
    arguments = ", ".join(f"{name}={source(getattr(value, name))}" for name in fields)
    return f"{prefix}{type(value).__name__}({arguments})"


def _array_source(array) -> str:
    """A call of ``np.array`` with the entries and the dtype."""
    if jnp.issubdtype(array.dtype, jax.dtypes.prng_key):
        return f"jax.random.wrap_key_data({_array_source(jax.random.key_data(array))})"
    array = np.asarray(array)
    if array.size == 0:
        return f"np.zeros({array.shape}, dtype={_dtype_source(array.dtype)})"
    return f"np.array({_entries(array)}, dtype={_dtype_source(array.dtype)})"


def _dtype_source(dtype) -> str:
    """The dtype's name in numpy, or in jax.numpy for the types that numpy lacks."""
    return (
        f"np.{dtype.name}"
        if dtype.kind in "fiuc"
        else "bool"
        if dtype.kind == "b"
        else f"jax.numpy.{dtype.name}"
    )


def _entries(array: np.ndarray) -> str:
    """Nested lists of the entries."""
    if array.ndim:
        return f"[{', '.join(map(_entries, array))}]"
    text = str(array[()])
    for special in ("inf", "nan"):
        text = text.replace(special, f"np.{special}")
    return text
