"""Products of signals with constant tables, in the precision that is asked for.

Equivariance holds to rounding, so by default products ask for the highest precision: the short formats that
accelerators choose by themselves for float32 break it by a part in a thousand. A shorter format is a choice
that the caller makes by name.
"""

import math

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float


def check_matmul_dtype(matmul_dtype) -> None:
    """Require None or a real floating-point dtype.

    Raises:
      TypeError: if it is something else.

    Example:
      >>> check_matmul_dtype(jnp.int8)
      Traceback (most recent call last):
      TypeError: matmul_dtype must be None or a real floating-point dtype, got int8
    """
    if matmul_dtype is None:
        return
    try:
        dtype = jnp.dtype(matmul_dtype)
    except TypeError as error:
        raise TypeError(
            f"matmul_dtype must be None or a real floating-point dtype, got {matmul_dtype!r}"
        ) from error
    if not jnp.issubdtype(dtype, jnp.floating):
        raise TypeError(f"matmul_dtype must be None or a real floating-point dtype, got {dtype}")


def matrix_product(a, b, dtype, matmul_dtype=None):
    """``a @ b`` as an array of a dtype; either may be a float64 numpy table.

    Args:
      a, b: matrices, with batch axes as in `jax.numpy.matmul`.
      dtype: dtype of the result, and of the operands unless ``matmul_dtype`` is given.
      matmul_dtype: operands are rounded to it; sums run in float32, or wider if it is wider.

    Example:
      >>> matrix_product(jnp.ones((1, 2)), jnp.ones((2, 1)), jnp.float32, jnp.bfloat16)
      Array([[2.]], dtype=float32)
    """
    if jnp.ndim(a) > 2 and jnp.ndim(b) == 2:
        # As one matrix of rows: XLA's gradient by ``b`` is several times faster on CPU than from many axes.
        rows = jnp.reshape(a, (-1, jnp.shape(a)[-1]))
        return matrix_product(rows, b, dtype, matmul_dtype).reshape(*jnp.shape(a)[:-1], b.shape[1])
    if matmul_dtype is None:
        return jnp.matmul(jnp.asarray(a, dtype), jnp.asarray(b, dtype), precision="highest")
    sums = jnp.promote_types(matmul_dtype, jnp.float32)
    a, b = jnp.asarray(a, matmul_dtype), jnp.asarray(b, matmul_dtype)
    return jnp.matmul(a, b, precision="highest", preferred_element_type=sums).astype(dtype)


_UNROLLED_TERMS = 32
"""Up to so many coefficients, a sum of products written out is fastest; more of them compile slowly."""


def bilinear(
    x: Float[Array, "... k1"], y: Float[Array, "... k2"], table: Float[Array, "k1 k2 k3"], matmul_dtype=None
) -> Float[Array, "... k3"]:
    """The bilinear map of a table: ``z_c = Σ_ab table_abc x_a y_b``.

    Args:
      x, y: arrays of one dtype; leading axes broadcast.
      table: coefficients; if there are few in a float64 numpy table, the sum over those that are not zero is
        written out, else it is a matrix product with the outer product.
      matmul_dtype: as in `matrix_product`.

    Example:
      >>> bilinear(jnp.array([2.0]), jnp.array([3.0]), np.ones((1, 1, 2)))
      Array([6., 6.], dtype=float32)
    """
    few = isinstance(table, np.ndarray) and np.count_nonzero(table) <= _UNROLLED_TERMS
    if few and matmul_dtype is None:
        return _unrolled(x, y, table)
    return matrix_product(outer_product(x, y), table.reshape(-1, table.shape[2]), x.dtype, matmul_dtype)


def outer_product(x: Float[Array, "... k1"], y: Float[Array, "... k2"]) -> Float[Array, "... k1*k2"]:
    """Products of all pairs of components, in the order of a table's rows.

    Example:
      >>> outer_product(jnp.array([1.0, 2.0]), jnp.array([3.0, 4.0]))
      Array([3., 4., 6., 8.], dtype=float32)
    """
    outer = x[..., :, None] * y[..., None, :]
    return outer.reshape(*outer.shape[:-2], x.shape[-1] * y.shape[-1])


def _unrolled(x, y, table: Float[np.ndarray, "k1 k2 k3"]):
    """The sum over the coefficients that are not zero, written out: one loop over the rows."""
    batch = np.broadcast_shapes(x.shape[:-1], y.shape[:-1])
    size = math.prod(batch)

    def columns(signal):
        rows = jnp.broadcast_to(signal, (*batch, signal.shape[-1])).reshape(size, signal.shape[-1])
        return jax.lax.split(rows.T, (1,) * rows.shape[1], 0)

    x_columns, y_columns = columns(x), columns(y)
    results = []
    for block in np.moveaxis(table, 2, 0):
        terms = [float(block[a, b]) * x_columns[a] * y_columns[b] for a, b in np.argwhere(block)]
        results.append(sum(terms, jnp.zeros((1, size), x.dtype)))
    return jnp.concatenate(results).T.reshape(*batch, table.shape[2])
