"""Powers and polynomials of one function on the sphere: many-body interactions without Clebsch-Gordan.

A sum over neighbours is a function on the sphere; its ``ν``-th pointwise power is a sum over ``ν``-tuples
of neighbours (the many-body operation of Luo, Chen, Krishnapriyan, ICLR 2024, section 3.3, and of MACE).
The powers are taken on one grid that is exact for the highest of them, with no projection in between:
truncating the square before the next product would change the result.
"""

from collections.abc import Sequence

import jax.numpy as jnp
from jaxtyping import Array, Float

from equijax.numerics import check
from equijax.sphere import grids, harmonics


def gaunt_powers(
    x: Float[Array, "... (l+1)**2"], order: int, lmax: int | None = None
) -> Float[Array, "order ... (lmax+1)**2"]:
    """Pointwise powers ``f, f², …, f^order`` of a function on the sphere, each projected on degrees ≤ lmax.

    Args:
      x: coefficients of ``f`` in the orthonormal real basis, degrees ``0 … l``.
      order: highest power, at least 1.
      lmax: largest degree of the results; that of ``x`` unless given.

    Returns:
      Shape ``(order, ..., (lmax + 1)²)``; entry 0 is ``f`` itself. Exact.

    Raises:
      ValueError: if ``order`` is below 1, ``lmax`` is negative or the size of the last axis is not a square.
      TypeError: if ``x`` is not a real floating-point array, or ``order`` or ``lmax`` is not an integer.

    Example:
      >>> import math
      >>> two = jnp.array([2 * math.sqrt(4 * math.pi)])  # the constant function 2
      >>> (gaunt_powers(two, 3)[:, 0] / math.sqrt(4 * math.pi)).round(4).tolist()
      [2.0, 4.0, 8.0]
    """
    degree = harmonics.signal_degree("x", x)
    lmax = degree if lmax is None else lmax
    _check_order_and_degree(order, lmax)
    grid = grids.smallest_grid(order * degree + lmax)
    values = grids.to_grid(x, grid)
    powers = [values]
    for _ in range(order - 1):
        powers.append(powers[-1] * values)
    return grids.from_grid(jnp.stack(powers), grid, lmax)


def _check_order_and_degree(order: int, lmax: int) -> None:
    """Raise a clear error unless the order is a positive and the degree a non-negative integer."""
    check.count("order", order, 1)
    harmonics.check_degree("lmax", lmax)


def gaunt_power(
    x: Float[Array, "... (l+1)**2"], order: int, lmax: int | None = None
) -> Float[Array, "... (lmax+1)**2"]:
    """The pointwise power ``f^order`` of a function on the sphere, projected on degrees ≤ lmax.

    Args:
      x: coefficients of ``f`` in the orthonormal real basis, degrees ``0 … l``.
      order: the power, at least 1.
      lmax: largest degree of the result; ``order · l`` (everything) unless given.

    Raises:
      ValueError: if ``order`` is below 1, ``lmax`` is negative or the size of the last axis is not a square.
      TypeError: if ``x`` is not a real floating-point array, or ``order`` or ``lmax`` is not an integer.

    Example:
      >>> gaunt_power(jnp.array([0.0, 0.0, 1.0, 0.0]), 2).shape
      (9,)
    """
    degree = harmonics.signal_degree("x", x)
    lmax = order * degree if lmax is None else lmax
    _check_order_and_degree(order, lmax)
    grid = grids.smallest_grid(order * degree + lmax)
    return grids.from_grid(grids.to_grid(x, grid) ** order, grid, lmax)


def gaunt_polynomial(
    x: Float[Array, "... (l+1)**2"], coefficients: Sequence[Array | float], lmax: int | None = None
) -> Float[Array, "... (lmax+1)**2"]:
    """The pointwise polynomial ``c_0 + c_1 f + … + c_ν f^ν`` of a function on the sphere, by Horner's rule.

    Args:
      x: coefficients of ``f`` in the orthonormal real basis, degrees ``0 … l``.
      coefficients: ``c_0 … c_ν``; numbers, or arrays that broadcast with the leading axes of ``x``.
      lmax: largest degree of the result; that of ``x`` unless given.

    Raises:
      ValueError: if there are no coefficients, their axes do not broadcast, ``lmax`` is negative or the size
        of the last axis is not a square.
      TypeError: if ``x`` is not a real floating-point array, or ``lmax`` is not an integer.

    Example:
      >>> x = jnp.array([0.0, 0.0, 1.0, 0.0])
      >>> bool(jnp.allclose(gaunt_polynomial(x, [0.0, 3.0]), 3 * x, atol=1e-6))
      True
    """
    degree = harmonics.signal_degree("x", x)
    if len(coefficients) == 0:
        raise ValueError("coefficients must hold at least one number, got none")
    x = jnp.asarray(x)
    for index, coefficient in enumerate(coefficients):
        name = f"coefficients[{index}]"
        harmonics.check_leading_axes(name, jnp.shape(coefficient), "x", x.shape[:-1])
    lmax = degree if lmax is None else lmax
    harmonics.check_degree("lmax", lmax)
    grid = grids.smallest_grid((len(coefficients) - 1) * degree + lmax)
    values = grids.to_grid(x, grid)
    scalars = [jnp.asarray(c, x.dtype)[..., None] for c in coefficients]
    result = jnp.broadcast_to(scalars[-1], jnp.broadcast_shapes(scalars[-1].shape, values.shape))
    for scalar in reversed(scalars[:-1]):
        result = result * values + scalar
    return grids.from_grid(result, grid, lmax)
