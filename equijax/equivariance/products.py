"""Multiplying by equivariant matrices, in the cheapest of three ways.

A pair of blocks with ``c_out`` copies of size ``d_out``, ``c_in`` of size ``d_in`` and a basis of k maps
costs ``c_out d_out c_in d_in`` multiplications a vector as a matrix, and ``k c_in d_out (d_in + c_out)`` if
the maps are applied first and copies are mixed afterwards. Pairs of blocks without any map cost nothing. If
that does not save three quarters of the multiplications, all blocks are joined to one matrix, because one
large product is faster than several small ones.
"""

from typing import TYPE_CHECKING

import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float

from equijax.equivariance.intertwiners import DenseSpace
from equijax.equivariance.tensor_types import places, start_of, taken

if TYPE_CHECKING:
    from equijax.equivariance.projector import Projector

_WORTHWHILE = 0.25


def apply(
    space: "Projector", coefficients: dict[tuple[int, int], Array], x: Float[Array, "... i"]
) -> Float[Array, "... o"]:
    """Multiply vectors by the matrix with given coefficients; see `Projector.apply`.

    Raises:
      ValueError: if a pair of blocks is missing, or a shape does not match.

    Example:
      >>> from equijax.equivariance import projector
      >>> from equijax.groups import SO, Vector
      >>> space = projector(SO(3), Vector(), Vector())
      >>> apply(space, {(0, 0): jnp.full((1, 1, 1), jnp.sqrt(3.0))}, jnp.ones(3)).round(4)
      Array([1., 1., 1.], dtype=float32)
    """
    space.check_coefficients(coefficients)
    costs = {pair: min(_costs(space, pair)) for pair in space.spaces}
    if sum(costs.values()) > _WORTHWHILE * space.shape[0] * space.shape[1]:
        matrix = space.combine(coefficients)
        return jnp.einsum("oi,...i->...o", matrix, x, precision="highest")
    ordered = taken(x, places(space.in_blocks), -1)
    rows = [jnp.zeros((), x.dtype)] * len(space.out_blocks)
    for row, column in space.spaces:
        into = space.in_blocks[column]
        start = start_of(space.in_blocks, column)
        part = ordered[..., start : start + into.index.size]
        rows[row] = rows[row] + _block(space, (row, column), coefficients[row, column], part)
    batch = x.shape[:-1]
    parts = [
        jnp.broadcast_to(part, (*batch, block.index.size))
        for part, block in zip(rows, space.out_blocks, strict=True)
    ]
    joined = jnp.concatenate(parts, axis=-1) if parts else jnp.zeros((*batch, 0), x.dtype)
    return taken(joined, np.argsort(places(space.out_blocks)), -1)


def _costs(space: "Projector", pair: tuple[int, int]) -> tuple[float, float]:
    """Multiplications a vector: by the matrix of a pair of blocks, and by the maps first."""
    out, into, maps = space.out_blocks[pair[0]], space.in_blocks[pair[1]], space.spaces[pair]
    whole = out.index.size * into.index.size
    if not isinstance(maps, DenseSpace):
        return whole, np.inf
    return whole, maps.dim * into.copies * out.size * (into.size + out.copies)


def _block(space: "Projector", pair: tuple[int, int], coefficients: Array, x: Array) -> Array:
    """The contribution of a pair of blocks."""
    out, into, maps = space.out_blocks[pair[0]], space.in_blocks[pair[1]], space.spaces[pair]
    whole, separate = _costs(space, pair)
    batch = x.shape[:-1]
    if whole <= separate:
        matrix = jnp.swapaxes(maps.combine(coefficients), -3, -2).reshape(out.index.size, into.index.size)
        return jnp.einsum("oi,...i->...o", matrix, x, precision="highest")
    basis = jnp.asarray(maps.matrices, x.dtype)
    images = jnp.einsum(
        "...ci,koi->...cko", x.reshape(*batch, into.copies, into.size), basis, precision="highest"
    )
    mixed = jnp.einsum("...cko,dck->...do", images, coefficients, precision="highest")
    return mixed.reshape(*batch, out.index.size)
