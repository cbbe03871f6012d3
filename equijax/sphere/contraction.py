"""Matrix products of signals with constant tables, in the precision that is asked for.

Equivariance holds to rounding, so by default products ask for the highest precision: the short formats that
accelerators choose by themselves for float32 break it by a part in a thousand. A shorter format is a choice
that the caller makes by name.
"""

import jax.numpy as jnp


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
    if matmul_dtype is None:
        return jnp.matmul(jnp.asarray(a, dtype), jnp.asarray(b, dtype), precision="highest")
    sums = jnp.promote_types(matmul_dtype, jnp.float32)
    a, b = jnp.asarray(a, matmul_dtype), jnp.asarray(b, matmul_dtype)
    return jnp.matmul(a, b, precision="highest", preferred_element_type=sums).astype(dtype)
