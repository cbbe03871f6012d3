"""Which method of the Gaunt product is fastest where: a table of measurements, one entry a back end.

The table is ``crossovers.json`` beside this file::

    {
      "cpu": {
        "measured": {"device": "...", "jax": "...", "rows": 1024, "dtype": "float32", "quantity": "..."},
        "methods": [
          {"up_to": 4, "method": "direct"},
          {"up_to": 30, "method": "grid"},
          {"up_to": null, "method": "separable"}
        ]
      },
      "default": {"measured": null, "methods": [...]}
    }

Keys are names of JAX back ends (``jax.default_backend()``); back ends that are not there take ``"default"``.
``methods`` is read from its start: the first entry whose ``up_to`` is not below ``l1 + l2 + lmax``, the
degree to which a quadrature must be exact, gives the method; the last entry has ``null``, for no limit.
``measured`` says what was timed and where, or is ``null`` for a default that was reasoned. The Fourier method
takes no ``matmul_dtype`` and has never been fastest: it has no place in the table.
"""

import functools
import json
import pathlib

import jax

from equijax.sphere import harmonics

TABLE_PATH = pathlib.Path(__file__).with_name("crossovers.json")
"""Where the table lies."""


@functools.cache
def crossover_table() -> dict:
    """The table, read once.

    Example:
      >>> crossover_table()["default"]["methods"][-1]["up_to"] is None
      True
    """
    return json.loads(TABLE_PATH.read_text(encoding="utf-8"))


def method_for(l1: int, l2: int, lmax: int, backend: str | None = None) -> str:
    """The method that ``gaunt_product(..., method="auto")`` takes.

    Args:
      l1, l2: largest degrees of the factors.
      lmax: largest degree of the result.
      backend: name of a JAX back end, such as ``"cpu"`` or ``"gpu"``; the default one unless given. It is
        asked when a function is traced, so a function compiled for another device than the default one takes
        the default's method.

    Raises:
      ValueError: if a degree is negative.
      TypeError: if a degree is not an integer.

    Example:
      >>> method_for(1, 1, 1, "cpu"), method_for(6, 6, 6, "unheard of")
      ('direct', 'grid')
    """
    for name, degree in (("l1", l1), ("l2", l2), ("lmax", lmax)):
        harmonics.check_degree(name, degree)
    table = crossover_table()
    entry = table.get(jax.default_backend() if backend is None else backend, table["default"])
    total = l1 + l2 + lmax
    return next(row["method"] for row in entry["methods"] if row["up_to"] is None or total <= row["up_to"])
