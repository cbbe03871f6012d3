"""Matrices of combined representations: Kronecker products, and blocks on a diagonal; with batch axes."""

import math

import jax.numpy as jnp
from jaxtyping import Array, Float

from equijax.numerics import check


def kronecker(a: Float[Array, "... a a"], b: Float[Array, "... b b"]) -> Float[Array, "... ab ab"]:
    """The Kronecker product: the matrix on row-major pairs (index of ``a``, index of ``b``).

    Args:
      a, b: matrices whose batch axes broadcast.

    Raises:
      ValueError: if the matrices are not square.

    Example:
      >>> kronecker(jnp.eye(2), jnp.array([[5.0]]))
      Array([[5., 0.],
             [0., 5.]], dtype=float32)
    """
    check.shape("a", a, "... n n")
    check.shape("b", b, "... n n")
    product = a[..., :, None, :, None] * b[..., None, :, None, :]
    rows, columns = math.prod(product.shape[-4:-2]), math.prod(product.shape[-2:])
    return product.reshape(*product.shape[:-4], rows, columns)


def block_diagonal(blocks: list[Float[Array, "... d d"]]) -> Float[Array, "... total total"]:
    """Square blocks on a diagonal, zeros elsewhere.

    Args:
      blocks: at least one matrix; batch axes broadcast.

    Raises:
      ValueError: if there are no blocks, or one is not square.

    Example:
      >>> block_diagonal([jnp.ones((1, 1)), 2 * jnp.ones((1, 1))])
      Array([[1., 0.],
             [0., 2.]], dtype=float32)
    """
    if not blocks:
        raise ValueError("blocks must hold at least one matrix, got none")
    for block in blocks:
        check.shape("blocks", block, "... d d")
    batch = jnp.broadcast_shapes(*(block.shape[:-2] for block in blocks))
    total, start, rows = sum(block.shape[-1] for block in blocks), 0, []
    for block in blocks:
        size = block.shape[-1]
        padding = [(0, 0)] * (block.ndim - 1) + [(start, total - start - size)]
        rows.append(jnp.broadcast_to(jnp.pad(block, padding), (*batch, size, total)))
        start += size
    return jnp.concatenate(rows, axis=-2)
