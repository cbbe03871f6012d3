"""Powers and polynomials of one function on the sphere: many-body interactions without Clebsch-Gordan.

A sum over neighbours is a function on the sphere; its ``ν``-th pointwise power is a sum over ``ν``-tuples
of neighbours (the many-body operation of Luo, Chen, Krishnapriyan, ICLR 2024, section 3.3, and of MACE).
The powers are taken on one grid that is exact for the highest of them, with no projection in between:
truncating the square before the next product would change the result.

With ``normalization="component"`` every power is divided, degree by degree, by the root mean square that its
components have where the components of ``f`` are independent standard Gaussian numbers
(`moments.power_deviation`, exact). The mean of an even power, in degree 0, counts: it is not taken away.
"""

from collections.abc import Sequence

import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float

from equijax.numerics import check
from equijax.sphere import grids, harmonics, moments
from equijax.sphere.contraction import check_matmul_dtype


def gaunt_powers(
    x: Float[Array, "... (l+1)**2"],
    order: int,
    lmax: int | None = None,
    *,
    normalization: str = "integral",
    matmul_dtype=None,
) -> Float[Array, "order ... (lmax+1)**2"]:
    """Pointwise powers ``f, f², …, f^order`` of a function on the sphere, each projected on degrees ≤ lmax.

    Args:
      x: coefficients of ``f`` in the orthonormal real basis, degrees ``0 … l``.
      order: highest power, at least 1.
      lmax: largest degree of the results; that of ``x`` unless given.
      normalization: ``"integral"`` for the powers of the function, ``"component"`` to scale them (see above).
      matmul_dtype: round the operands of matrix products to this dtype; sums stay in float32.

    Returns:
      Shape ``(order, ..., (lmax + 1)²)``; entry 0 is ``f`` itself. Exact.

    Raises:
      ValueError: if ``order`` is below 1, ``lmax`` is negative, the size of the last axis is not a square or
        the normalization is unknown.
      TypeError: if ``x`` is not a real floating-point array, ``order`` or ``lmax`` is not an integer, or
        ``matmul_dtype`` is no floating-point dtype.

    Example:
      >>> import math
      >>> two = jnp.array([2 * math.sqrt(4 * math.pi)])  # the constant function 2
      >>> (gaunt_powers(two, 3)[:, 0] / math.sqrt(4 * math.pi)).round(4).tolist()
      [2.0, 4.0, 8.0]
    """
    degree = harmonics.signal_degree("x", x)
    lmax = degree if lmax is None else lmax
    _check(order, lmax, normalization, matmul_dtype)
    x = jnp.asarray(x)
    grid = grids.smallest_grid(order * degree + lmax)
    values = grids.aligned_values(x, grid, matmul_dtype)
    powers = [values]
    for _ in range(order - 1):
        powers.append(powers[-1] * values)
    result = grids.project_aligned(jnp.stack(powers), grid, lmax, None, matmul_dtype)
    if normalization == "integral":
        return result
    deviations = [moments.power_deviation(degree, power, lmax) for power in range(1, order + 1)]
    scale = np.stack([moments.unit_scale(one) for one in deviations])[:, harmonics.degree_index(lmax)]
    return result * jnp.asarray(scale.reshape(order, *(1,) * (x.ndim - 1), -1), x.dtype)


def _check(order: int, lmax: int, normalization: str, matmul_dtype) -> None:
    """Raise a clear error unless the arguments other than the signal are right."""
    check.count("order", order, 1)
    harmonics.check_degree("lmax", lmax)
    check.one_of("normalization", normalization, moments.NORMALIZATIONS)
    check_matmul_dtype(matmul_dtype)


def gaunt_power(
    x: Float[Array, "... (l+1)**2"],
    order: int,
    lmax: int | None = None,
    *,
    normalization: str = "integral",
    matmul_dtype=None,
) -> Float[Array, "... (lmax+1)**2"]:
    """The pointwise power ``f^order`` of a function on the sphere, projected on degrees ≤ lmax.

    Args:
      x: coefficients of ``f`` in the orthonormal real basis, degrees ``0 … l``.
      order: the power, at least 1.
      lmax: largest degree of the result; ``order · l`` (everything) unless given.
      normalization: ``"integral"`` for the powers of the function, ``"component"`` to scale them (see above).
      matmul_dtype: round the operands of matrix products to this dtype; sums stay in float32.

    Raises:
      ValueError: if ``order`` is below 1, ``lmax`` is negative, the size of the last axis is not a square or
        the normalization is unknown.
      TypeError: if ``x`` is not a real floating-point array, ``order`` or ``lmax`` is not an integer, or
        ``matmul_dtype`` is no floating-point dtype.

    Example:
      >>> gaunt_power(jnp.array([0.0, 0.0, 1.0, 0.0]), 2).shape
      (9,)
    """
    degree = harmonics.signal_degree("x", x)
    check.count("order", order, 1)
    lmax = order * degree if lmax is None else lmax
    _check(order, lmax, normalization, matmul_dtype)
    grid = grids.smallest_grid(order * degree + lmax)
    values = grids.aligned_values(jnp.asarray(x), grid, matmul_dtype)
    component = normalization == "component"
    scale = moments.unit_scale(moments.power_deviation(degree, order, lmax)) if component else None
    return grids.project_aligned(values**order, grid, lmax, scale, matmul_dtype)


def gaunt_polynomial(
    x: Float[Array, "... (l+1)**2"],
    coefficients: Sequence[Array | float],
    lmax: int | None = None,
    *,
    normalization: str = "integral",
    matmul_dtype=None,
) -> Float[Array, "... (lmax+1)**2"]:
    """The pointwise polynomial ``c_0 + c_1 f + … + c_ν f^ν`` of a function on the sphere, by Horner's rule.

    Args:
      x: coefficients of ``f`` in the orthonormal real basis, degrees ``0 … l``.
      coefficients: ``c_0 … c_ν``; numbers, or arrays that broadcast with the leading axes of ``x``.
      lmax: largest degree of the result; that of ``x`` unless given.
      normalization: ``"integral"`` for the polynomial of the function; with ``"component"`` the coefficients
        multiply the scaled powers (see above), and ``c_0`` the constant function of coefficient 1.
      matmul_dtype: round the operands of matrix products to this dtype; sums stay in float32.

    Raises:
      ValueError: if there are no coefficients, their axes do not broadcast, ``lmax`` is negative, the size of
        the last axis is not a square or the normalization is unknown.
      TypeError: if ``x`` is not a real floating-point array, ``lmax`` is not an integer, or ``matmul_dtype``
        is no floating-point dtype.

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
    order = len(coefficients) - 1
    _check(max(order, 1), lmax, normalization, matmul_dtype)
    scalars = [jnp.asarray(c, x.dtype)[..., None] for c in coefficients]
    if normalization == "component":
        batch = np.broadcast_shapes(x.shape[:-1], *(scalar.shape[:-1] for scalar in scalars))
        constant = jnp.zeros((*batch, (lmax + 1) ** 2), x.dtype).at[..., 0].set(1)
        powers = gaunt_powers(x, max(order, 1), lmax, normalization=normalization, matmul_dtype=matmul_dtype)
        return sum((c * power for c, power in zip(scalars[1:], powers)), scalars[0] * constant)
    grid = grids.smallest_grid(order * degree + lmax)
    values = grids.aligned_values(x, grid, matmul_dtype)
    result = jnp.broadcast_to(scalars[-1], jnp.broadcast_shapes(scalars[-1].shape, values.shape))
    for scalar in reversed(scalars[:-1]):
        result = result * values + scalar
    return grids.project_aligned(result, grid, lmax, None, matmul_dtype)
