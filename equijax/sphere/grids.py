"""Functions on the sphere by their values on a quadrature grid, and exact ways there and back.

A signal of degrees ``0 … lmax`` has a value at every grid point; sums of values times quadrature weights
are integrals, exact up to the grid's degree. So a product of signals of degrees ``l1`` and ``l2`` is
projected exactly onto degrees ``≤ lmax`` by any grid of degree at least ``l1 + l2 + lmax``.

Matrix products run in the highest precision unless ``matmul_dtype`` names another (see `contraction`).
"""

import functools
from typing import NamedTuple

import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float

from equijax.numerics import check, quadrature
from equijax.sphere import harmonics
from equijax.sphere.contraction import check_matmul_dtype, matrix_product


class SphereGrid(NamedTuple):
    """A quadrature rule on the unit sphere: which rule, and the degree up to which it is exact.

    Hashable and static: the arrays are built once for each grid, in float64.

    Attributes:
      rule: ``"lebedev"`` (fewest points) or ``"gauss_legendre"`` (any degree; a product of polar and
        azimuthal rules).
      degree: polynomials up to this degree are integrated exactly.

    Example:
      >>> grid = SphereGrid("gauss_legendre", 2)
      >>> grid.points().shape, round(float(grid.weights().sum() / np.pi), 6)
      ((6, 3), 4.0)
    """

    rule: str
    degree: int

    def points(self) -> Float[np.ndarray, "p 3"]:
        """Unit vectors."""
        return _nodes(self)[0]

    def weights(self) -> Float[np.ndarray, "p"]:
        """Positive weights that sum to ``4π``."""
        return _nodes(self)[1]


@functools.cache
def _nodes(grid: SphereGrid) -> quadrature.Quadrature:
    """Points and weights of a grid."""
    check.one_of("rule", grid.rule, ("lebedev", "gauss_legendre"))
    build = quadrature.lebedev if grid.rule == "lebedev" else quadrature.sphere_product
    return build(grid.degree)


def smallest_grid(degree: int) -> SphereGrid:
    """The grid with the fewest points that is exact to a degree and has positive weights.

    A Lebedev rule for degrees 2 to 131, the product rule otherwise.

    Raises:
      ValueError: if the degree is negative.
      TypeError: if the degree is not an integer.

    Example:
      >>> smallest_grid(8), len(smallest_grid(8).weights())
      (SphereGrid(rule='lebedev', degree=8), 38)
    """
    harmonics.check_degree("degree", degree)
    return SphereGrid("lebedev" if 2 <= degree <= quadrature.LEBEDEV_MAX_DEGREE else "gauss_legendre", degree)


@functools.cache
def evaluation_matrix(grid: SphereGrid, lmax: int) -> Float[np.ndarray, "k p"]:
    """Values of the harmonics at the grid points: coefficients times this are values.

    Example:
      >>> evaluation_matrix(smallest_grid(2), 1).shape
      (4, 6)
    """
    matrix = harmonics.harmonics_float64(lmax, grid.points()).T.copy()
    matrix.flags.writeable = False
    return matrix


@functools.cache
def projection_matrix(grid: SphereGrid, lmax: int) -> Float[np.ndarray, "p k"]:
    """Harmonics times quadrature weights: values times this are coefficients.

    Example:
      >>> grid = smallest_grid(2)
      >>> bool(np.allclose(evaluation_matrix(grid, 1) @ projection_matrix(grid, 1), np.eye(4)))
      True
    """
    matrix = (evaluation_matrix(grid, lmax) * grid.weights()).T.copy()
    matrix.flags.writeable = False
    return matrix


def to_grid(
    coefficients: Float[Array, "... k"], grid: SphereGrid, *, matmul_dtype=None
) -> Float[Array, "... p"]:
    """Values of a signal at the points of a grid.

    Args:
      coefficients: shape ``(..., (lmax + 1)²)``, in the orthonormal real basis.
      grid: where.
      matmul_dtype: round the operands of the matrix product to this dtype; sums stay in float32.

    Raises:
      ValueError: if the last axis is not a square.
      TypeError: if the coefficients are not real floating-point numbers, ``grid`` is not a grid, or
        ``matmul_dtype`` is no floating-point dtype.

    Example:
      >>> to_grid(jnp.array([1.0]), smallest_grid(0)).shape
      (1,)
    """
    lmax = harmonics.signal_degree("coefficients", coefficients)
    check_grid(grid)
    check_matmul_dtype(matmul_dtype)
    coefficients = jnp.asarray(coefficients)
    return matrix_product(coefficients, evaluation_matrix(grid, lmax), coefficients.dtype, matmul_dtype)


def from_grid(
    values: Float[Array, "... p"], grid: SphereGrid, lmax: int, *, matmul_dtype=None
) -> Float[Array, "... k"]:
    """Coefficients up to a degree of a signal given by its values.

    Exact if the signal's degree plus ``lmax`` is at most the degree of the grid.

    Args:
      values: shape ``(..., p)``.
      grid: where the values were taken.
      lmax: largest degree of the result.
      matmul_dtype: round the operands of the matrix product to this dtype; sums stay in float32.

    Raises:
      ValueError: if there is not one value a grid point, or ``lmax`` is negative.
      TypeError: if the values are not real floating-point numbers, ``grid`` is not a grid, ``lmax`` is not an
        integer, or ``matmul_dtype`` is no floating-point dtype.

    Example:
      >>> grid, x = smallest_grid(2), jnp.array([1.0, 0.0, 2.0, 0.0])
      >>> bool(jnp.allclose(from_grid(to_grid(x, grid), grid, 1), x, atol=1e-6))
      True
    """
    check.floating("values", values)
    harmonics.check_degree("lmax", lmax)
    check_grid(grid)
    check_matmul_dtype(matmul_dtype)
    values = jnp.asarray(values)
    check.shape("values", values, f"... {len(grid.weights())}")
    return matrix_product(values, projection_matrix(grid, lmax), values.dtype, matmul_dtype)


def check_grid(grid: SphereGrid) -> None:
    """Require a grid.

    Raises:
      TypeError: if it is something else.

    Example:
      >>> check_grid(8)
      Traceback (most recent call last):
      TypeError: grid must be a SphereGrid, for instance smallest_grid(8), got 8
    """
    if not isinstance(grid, SphereGrid):
        raise TypeError(f"grid must be a SphereGrid, for instance smallest_grid(8), got {grid!r}")


_ALIGNMENT = 8


def aligned(matrix: Float[np.ndarray, "a b"], axis: int) -> Float[np.ndarray, "a b"]:
    """The matrix with zeros after its last row or column, up to a multiple of eight of them.

    Matrix kernels are up to twice as fast where the number of points is a multiple of a vector's length.

    Example:
      >>> aligned(np.ones((3, 6)), 1).shape
      (3, 8)
    """
    padding = [(0, 0), (0, 0)]
    padding[axis] = (0, -matrix.shape[axis] % _ALIGNMENT)
    return np.pad(matrix, padding)


def aligned_values(coefficients, grid: SphereGrid, matmul_dtype=None) -> Float[Array, "... p8"]:
    """Values as by `to_grid`, followed by zeros up to a number of points that is fast to compute with.

    Example:
      >>> aligned_values(jnp.ones(4), smallest_grid(2)).shape
      (8,)
    """
    lmax = harmonics.signal_degree("coefficients", coefficients)
    matrix = aligned(evaluation_matrix(grid, lmax), 1)
    return matrix_product(coefficients, matrix, coefficients.dtype, matmul_dtype)


def project_aligned(
    values, grid: SphereGrid, lmax: int, scale: Float[np.ndarray, "lmax+1"] | None, matmul_dtype=None
) -> Float[Array, "... k"]:
    """Coefficients from aligned values (what stands after the last point is ignored), scaled by degree.

    Example:
      >>> project_aligned(jnp.ones(8), smallest_grid(2), 1, None).shape
      (4,)
    """
    matrix = projection_matrix(grid, lmax)
    if scale is not None:
        matrix = matrix * scale[harmonics.degree_index(lmax)]
    return matrix_product(values, aligned(matrix, 0), values.dtype, matmul_dtype)
