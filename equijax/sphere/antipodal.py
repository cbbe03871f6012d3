"""Antipodally reduced grids: one of every pair of opposite points.

Harmonics of even degree are equal at opposite points and those of odd degree are opposite, so the even and
the odd part of a signal on half of the points say all: ``f(±r) = even(r) ± odd(r)``. Both ways cost half the
multiplications of the whole grid. A signal of one parity needs one of the two parts, a quarter of them.

Pointwise products act on the parts as ``(fg)_even = f_even g_even + f_odd g_odd`` and
``(fg)_odd = f_even g_odd + f_odd g_even``.
"""

import functools

import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float, Int

from equijax.numerics import check
from equijax.sphere import grids, harmonics
from equijax.sphere.contraction import check_matmul_dtype, matrix_product


def antipodal_grid(degree: int) -> grids.SphereGrid:
    """The smallest grid exact to a degree that holds the opposite of each of its points.

    Raises:
      ValueError: if the degree is negative.
      TypeError: if the degree is not an integer.

    Example:
      >>> antipodal_grid(0), antipodal_grid(6)
      (SphereGrid(rule='gauss_legendre', degree=1), SphereGrid(rule='lebedev', degree=6))
    """
    grid = grids.smallest_grid(degree)
    # A product rule of odd degree has an even number of columns, so that opposite azimuths are there.
    return grid if grid.rule == "lebedev" else grids.SphereGrid("gauss_legendre", degree | 1)


@functools.cache
def half_index(grid: grids.SphereGrid) -> Int[np.ndarray, "p/2"]:
    """Which points to keep, one of every pair: those whose first coordinate that is not zero is positive.

    Raises:
      ValueError: if a point's opposite is not on the grid.
      TypeError: if ``grid`` is not a grid.

    Example:
      >>> grid = antipodal_grid(2)
      >>> len(grid.weights()), len(half_index(grid))
      (6, 3)
    """
    grids.check_grid(grid)
    points = grid.points()
    rounded = points.round(9) + 0.0
    found = {tuple(point) for point in rounded}
    if not all(tuple(point) in found for point in -rounded + 0.0):
        raise ValueError(f"grid must hold the opposite of each point, as antipodal_grid(…) does, got {grid}")
    leading = np.take_along_axis(rounded, np.argmax(rounded != 0, axis=1)[:, None], axis=1)[:, 0]
    index = np.nonzero(leading > 0)[0].astype(np.int32)
    index.flags.writeable = False
    return index


def to_half_grid(
    coefficients: Float[Array, "... k"], grid: grids.SphereGrid, *, matmul_dtype=None
) -> tuple[Float[Array, "... p/2"], Float[Array, "... p/2"]]:
    """Values of the even and the odd part of a signal at the points of `half_index`.

    Args:
      coefficients: shape ``(..., (lmax + 1)²)``, in the orthonormal real basis.
      grid: an antipodal grid.
      matmul_dtype: round the operands of matrix products to this dtype; sums stay in float32.

    Returns:
      Two arrays of shape ``(..., p/2)``.

    Raises:
      ValueError: if the last axis is not a square or the grid is not antipodal.
      TypeError: if the coefficients are not real floating-point numbers, ``grid`` is not a grid, or
        ``matmul_dtype`` is no floating-point dtype.

    Example:
      >>> even, odd = to_half_grid(jnp.array([0.0, 1.0, 0.0, 0.0]), antipodal_grid(2))
      >>> even.shape, bool((even == 0).all())
      ((3,), True)
    """
    lmax = harmonics.signal_degree("coefficients", coefficients)
    index = half_index(grid)
    check_matmul_dtype(matmul_dtype)
    coefficients = jnp.asarray(coefficients)
    matrix, parities = grids.evaluation_matrix(grid, lmax)[:, index], harmonics.degree_index(lmax) % 2

    def part(parity):
        chosen = [coefficients[..., l * l : (l + 1) ** 2] for l in range(parity, lmax + 1, 2)]
        chosen = jnp.concatenate(chosen, axis=-1) if chosen else coefficients[..., :0]
        return matrix_product(chosen, matrix[parities == parity], coefficients.dtype, matmul_dtype)

    return part(0), part(1)


def from_half_grid(
    even: Float[Array, "... p/2"],
    odd: Float[Array, "... p/2"],
    grid: grids.SphereGrid,
    lmax: int,
    *,
    matmul_dtype=None,
) -> Float[Array, "... k"]:
    """Coefficients up to a degree of a signal given by its even and odd part on half of a grid.

    Exact if the signal's degree plus ``lmax`` is at most the degree of the grid.

    Args:
      even, odd: shape ``(..., p/2)``, as from `to_half_grid`; leading axes broadcast.
      grid: an antipodal grid.
      lmax: largest degree of the result.
      matmul_dtype: round the operands of matrix products to this dtype; sums stay in float32.

    Raises:
      ValueError: if there is not one value a point, leading axes do not broadcast, ``lmax`` is negative or
        the grid is not antipodal.
      TypeError: if the values are not real floating-point numbers, ``grid`` is not a grid, ``lmax`` is not an
        integer, or ``matmul_dtype`` is no floating-point dtype.

    Example:
      >>> grid, x = antipodal_grid(2), jnp.array([1.0, 0.0, 2.0, 0.0])
      >>> bool(jnp.allclose(from_half_grid(*to_half_grid(x, grid), grid, 1), x, atol=1e-6))
      True
    """
    harmonics.check_degree("lmax", lmax)
    index = half_index(grid)
    check_matmul_dtype(matmul_dtype)
    for name, part in (("even", even), ("odd", odd)):
        check.floating(name, part)
        check.shape(name, part, f"... {len(index)}")
    harmonics.check_leading_axes("odd", np.shape(odd)[:-1], "even", np.shape(even)[:-1])
    dtype = jnp.result_type(even, odd)
    even, odd = jnp.broadcast_arrays(jnp.asarray(even, dtype), jnp.asarray(odd, dtype))
    return project_parts(even, odd, grid, lmax, None, matmul_dtype)


def project_parts(
    even: Float[Array, "... p/2"],
    odd: Float[Array, "... p/2"],
    grid: grids.SphereGrid,
    lmax: int,
    scale: Float[np.ndarray, "lmax+1"] | None,
    matmul_dtype=None,
) -> Float[Array, "... k"]:
    """Coefficients from parts of equal shape, each degree times its scale (ones for None).

    Example:
      >>> project_parts(jnp.ones(3), jnp.ones(3), antipodal_grid(2), 1, None).shape
      (4,)
    """
    degrees = harmonics.degree_index(lmax)
    matrix = 2 * grids.projection_matrix(grid, lmax)[half_index(grid)]
    if scale is not None:
        matrix = matrix * scale[degrees]
    parts = [
        matrix_product(part, matrix[:, degrees % 2 == parity], even.dtype, matmul_dtype)
        for parity, part in enumerate((even, odd))
    ]
    # Degree l of one parity starts after the l (l - 1) / 2 components of the lower ones.
    chosen = [parts[l % 2][..., l * (l - 1) // 2 : (l + 1) * (l + 2) // 2] for l in range(lmax + 1)]
    return jnp.concatenate(chosen, axis=-1)
