"""Signals on rings of equally spaced points: O(lmax³) ways to values and back.

A harmonic is a Legendre function of the polar angle times a sine or cosine of the azimuth (`legendre`), so
the values on a product of polar angles and azimuths come in two steps: for each order one small matrix takes
degrees to rings, and for each ring one real Fourier matrix takes orders to azimuths.

Inside, arrays have the batch as their last axis: both steps are then matrix products from the left, and no
transposition stands between them.
"""

import functools
import math
from typing import NamedTuple

import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float

from equijax.numerics import check, quadrature
from equijax.sphere import harmonics
from equijax.sphere.contraction import check_matmul_dtype, matrix_product
from equijax.sphere.legendre import azimuth_table, legendre_table


class SeparableGrid(NamedTuple):
    """Rings at Gauss-Legendre polar angles, with equally spaced points on each.

    Integrals of polynomials are exact up to degree ``2 rings - 1`` in the polar direction and ``columns - 1``
    in the azimuthal one. Hashable and static, like `SphereGrid`.

    Attributes:
      rings: number of polar angles.
      columns: number of points on each ring.

    Example:
      >>> SeparableGrid(2, 3).degree, SeparableGrid(2, 3).points().shape
      (2, (2, 3, 3))
    """

    rings: int
    columns: int

    @property
    def degree(self) -> int:
        """Polynomials up to this degree are integrated exactly."""
        return min(2 * self.rings - 1, self.columns - 1)

    def points(self) -> Float[np.ndarray, "rings columns 3"]:
        """Unit vectors."""
        return quadrature.product_grid(self.rings, self.columns).points

    def weights(self) -> Float[np.ndarray, "rings columns"]:
        """Positive weights that sum to ``4π``."""
        return quadrature.product_grid(self.rings, self.columns).weights


def separable_grid(degree: int) -> SeparableGrid:
    """The smallest separable grid that is exact to a degree: ``degree // 2 + 1`` rings of ``degree + 1``.

    Raises:
      ValueError: if the degree is negative.
      TypeError: if the degree is not an integer.

    Example:
      >>> separable_grid(6)
      SeparableGrid(rings=4, columns=7)
    """
    harmonics.check_degree("degree", degree)
    return SeparableGrid(degree // 2 + 1, degree + 1)


def to_separable_grid(
    coefficients: Float[Array, "... k"], grid: SeparableGrid, *, matmul_dtype=None
) -> Float[Array, "... rings columns"]:
    """Values of a signal on a separable grid.

    Args:
      coefficients: shape ``(..., (lmax + 1)²)``, in the orthonormal real basis.
      grid: where.
      matmul_dtype: round the operands of matrix products to this dtype; sums stay in float32.

    Raises:
      ValueError: if the last axis is not a square.
      TypeError: if the coefficients are not real floating-point numbers, ``grid`` is not a separable grid, or
        ``matmul_dtype`` is no floating-point dtype.

    Example:
      >>> to_separable_grid(jnp.array([1.0]), separable_grid(2)).shape
      (2, 3)
    """
    lmax = harmonics.signal_degree("coefficients", coefficients)
    check_grid(grid)
    check_matmul_dtype(matmul_dtype)
    coefficients = jnp.asarray(coefficients)
    values = synthesis(coefficients, lmax, grid, matmul_dtype)
    return jnp.moveaxis(values, (0, 1), (-1, -2))


def from_separable_grid(
    values: Float[Array, "... rings columns"], grid: SeparableGrid, lmax: int, *, matmul_dtype=None
) -> Float[Array, "... k"]:
    """Coefficients up to a degree of a signal given by its values on a separable grid.

    Exact if the signal's degree plus ``lmax`` is at most the degree of the grid.

    Args:
      values: shape ``(..., rings, columns)``.
      grid: where the values were taken.
      lmax: largest degree of the result.
      matmul_dtype: round the operands of matrix products to this dtype; sums stay in float32.

    Raises:
      ValueError: if there is not one value a grid point, or ``lmax`` is negative.
      TypeError: if the values are not real floating-point numbers, ``grid`` is not a separable grid, ``lmax``
        is not an integer, or ``matmul_dtype`` is no floating-point dtype.

    Example:
      >>> grid, x = separable_grid(2), jnp.array([1.0, 0.0, 2.0, 0.0])
      >>> bool(jnp.allclose(from_separable_grid(to_separable_grid(x, grid), grid, 1), x, atol=1e-6))
      True
    """
    check.floating("values", values)
    harmonics.check_degree("lmax", lmax)
    check_grid(grid)
    check_matmul_dtype(matmul_dtype)
    check.shape("values", values, f"... {grid.rings} {grid.columns}")
    values = jnp.moveaxis(jnp.asarray(values), (-1, -2), (0, 1))
    return analysis(values, lmax, grid, None, matmul_dtype)


def check_grid(grid: SeparableGrid) -> None:
    """Require a separable grid.

    Raises:
      TypeError: if it is something else.

    Example:
      >>> check_grid(8)
      Traceback (most recent call last):
      TypeError: grid must be a SeparableGrid, for instance separable_grid(8), got 8
    """
    if not isinstance(grid, SeparableGrid):
        raise TypeError(f"grid must be a SeparableGrid, for instance separable_grid(8), got {grid!r}")


@functools.cache
def _polar_matrices(grid: SeparableGrid, lmax: int) -> Float[np.ndarray, "2*lmax+1 rings lmax+1"]:
    """For each order ``m = -lmax … lmax`` the matrix from degrees to rings."""
    angles = np.arccos(quadrature.gauss_legendre(grid.rings).points)
    orders = np.abs(np.arange(-lmax, lmax + 1))
    return legendre_table(lmax, angles)[:, orders].transpose(1, 2, 0).copy()


@functools.cache
def _azimuth_matrix(grid: SeparableGrid, lmax: int) -> Float[np.ndarray, "columns 2*lmax+1"]:
    """The matrix from orders to azimuths."""
    return azimuth_table(lmax, quadrature.periodic(grid.columns).points).T.copy()


def synthesis(
    coefficients: Float[Array, "*batch k"], lmax: int, grid: SeparableGrid, matmul_dtype=None
) -> Float[Array, "columns rings *batch"]:
    """Values on a separable grid, with the batch last.

    Example:
      >>> synthesis(jnp.ones((5, 4)), 1, separable_grid(2)).shape
      (3, 2, 5)
    """
    batch, dtype = coefficients.shape[:-1], coefficients.dtype
    size = math.prod(batch)
    rows = coefficients.reshape(size, (lmax + 1) ** 2).T
    # A pad and a stack instead of a gather, whose transpose would be a scatter.
    degrees = [jnp.pad(rows[l * l : (l + 1) ** 2], ((lmax - l, lmax - l), (0, 0))) for l in range(lmax + 1)]
    on_rings = matrix_product(_polar_matrices(grid, lmax), jnp.stack(degrees, axis=1), dtype, matmul_dtype)
    on_rings = on_rings.reshape(2 * lmax + 1, grid.rings * size)
    values = matrix_product(_azimuth_matrix(grid, lmax), on_rings, dtype, matmul_dtype)
    return values.reshape(grid.columns, grid.rings, *batch)


def analysis(
    values: Float[Array, "columns rings *batch"],
    lmax: int,
    grid: SeparableGrid,
    scale: Float[np.ndarray, "lmax+1"] | None,
    matmul_dtype=None,
) -> Float[Array, "*batch k"]:
    """Coefficients from values with the batch last, each degree times its scale (ones for None).

    Example:
      >>> analysis(jnp.ones((3, 2, 5)), 1, separable_grid(2), None).shape
      (5, 4)
    """
    batch, dtype = values.shape[2:], values.dtype
    size = math.prod(batch)
    flat = values.reshape(grid.columns, grid.rings * size)
    on_rings = matrix_product(_azimuth_matrix(grid, lmax).T, flat, dtype, matmul_dtype)
    weights = quadrature.gauss_legendre(grid.rings).weights * (2 * np.pi / grid.columns)
    polar = (_polar_matrices(grid, lmax) * weights[:, None]).transpose(0, 2, 1)
    if scale is not None:
        polar = polar * scale[:, None]
    on_rings = on_rings.reshape(2 * lmax + 1, grid.rings, size)
    degrees = matrix_product(polar, on_rings, dtype, matmul_dtype)
    rows = [degrees[lmax - l : lmax + l + 1, l] for l in range(lmax + 1)]
    return jnp.concatenate(rows).T.reshape(*batch, (lmax + 1) ** 2)
