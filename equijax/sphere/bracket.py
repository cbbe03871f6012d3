"""The bracket of two functions on the sphere, in coefficients: the paths that the Gaunt product lacks.

``{f, g} = r · (∇f x ∇g) = (∂_θ f ∂_φ g - ∂_φ f ∂_θ g) / sin θ`` is the Poisson bracket of the sphere. It
commutes with rotations, is antisymmetric, couples exactly the degrees with ``l1 + l2 + l3`` odd, each of
them, and obeys the rules of Leibniz and Jacobi. Its ``1 x 1 -> 1`` path is the cross product. Under a
reflection it changes sign beyond its factors: of two signals of natural parity ``(-1)^l`` it makes one of
pseudo parity ``-(-1)^l``. With the Gaunt product it covers every Clebsch-Gordan path.

On a grid the gradients have two components in a frame of each point, which exist at the poles too, so the
grids of fewest points serve, which have points there.
"""

import functools

import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float

from equijax.numerics import check
from equijax.sphere import couplings, gradients, grids, harmonics, moments, operands
from equijax.sphere.contraction import bilinear, check_matmul_dtype

METHODS = ("auto", "direct", "grid")


@functools.lru_cache(maxsize=None, typed=True)
def bracket_coefficients(l1: int, l2: int, l3: int) -> Float[np.ndarray, "2*l1+1 2*l2+1 2*l3+1"]:
    """Integrals ``∫ {Y_{l1 m1}, Y_{l2 m2}} Y_{l3 m3}`` of real harmonics, in float64.

    Zero unless ``l1 + l2 + l3`` is odd and ``|l1 - l2| ≤ l3 ≤ l1 + l2``; then e3nn's Clebsch-Gordan block of
    unit norm, sign included, times `couplings.bracket_norm`. Antisymmetric in its three harmonics.

    Raises:
      ValueError: if a degree is negative.
      TypeError: if a degree is not an integer.

    Example:
      >>> round(float(bracket_coefficients(1, 1, 1)[0, 1, 2]), 6)  # {x, y} = z, times √(3/4π)
      0.488603
    """
    for name, degree in (("l1", l1), ("l2", l2), ("l3", l3)):
        harmonics.check_degree(name, degree)
    if (l1 + l2 + l3) % 2 == 0 or not abs(l1 - l2) <= l3 <= l1 + l2:
        table = np.zeros((2 * l1 + 1, 2 * l2 + 1, 2 * l3 + 1))
    else:
        grid = grids.smallest_grid(l1 + l2 + l3 - 1)
        first = gradients.gradient_matrices(grid, l1)[:, l1 * l1 :]
        second = gradients.gradient_matrices(grid, l2)[:, l2 * l2 :]
        projection = grids.projection_matrix(grid, l3)[:, l3 * l3 :]
        half = np.einsum("ap,bp,pc->abc", first[0], second[1], projection, optimize=True)
        table = half - np.einsum("ap,bp,pc->abc", first[1], second[0], projection, optimize=True)
        table[np.abs(table) < 1e-14 * np.abs(table).max()] = 0.0
    table.flags.writeable = False
    return table


def bracket_product(
    x: Float[Array, "... (l1+1)**2"],
    y: Float[Array, "... (l2+1)**2"],
    lmax: int | None = None,
    *,
    method: str = "auto",
    weights: tuple[Array | None, Array | None, Array | None] | None = None,
    normalization: str = "integral",
    matmul_dtype=None,
) -> Float[Array, "... (lmax+1)**2"]:
    """Bracket ``r · (∇f x ∇g)`` of two functions on the sphere given by their coefficients.

    Args:
      x, y: coefficients in the orthonormal real basis (e3nn's ``integral`` normalisation), degrees in
        order; leading axes broadcast.
      lmax: largest degree of the result, which is exact for every degree; ``l1 + l2`` unless given. The
        largest degree that is not zero is ``l1 + l2 - 1``.
      method: ``"direct"`` (a table of coefficients, O(L⁶) a row), ``"grid"`` (gradients on the smallest exact
        quadrature grid, O(L⁴)) or ``"auto"``: direct while both degrees are at most 1, else the grid.
      weights: per-degree weights of ``x``, ``y`` and the result, each ``(..., degree + 1)`` or None for
        ones, as in `gaunt_product`.
      normalization: ``"integral"`` for the bracket itself; ``"component"`` divides every degree of the result
        by the standard deviation that its components have when those of ``x`` and ``y`` are independent
        with unit variance (before the weights).
      matmul_dtype: round the operands of all matrix products to this dtype, and sum in float32: see
        `gaunt_product`.

    Returns:
      Shape ``(..., (lmax + 1)²)``, in the common dtype of ``x`` and ``y``.

    Raises:
      ValueError: if the size of a last axis is not a square, leading axes do not broadcast, ``lmax`` is
        negative, weights have the wrong size, or the method or normalisation is unknown.
      TypeError: if ``x``, ``y`` or a weight is not a real floating-point array, ``lmax`` is not an integer,
        ``weights`` is not a tuple of three, or ``matmul_dtype`` is no floating-point dtype.

    Example:
      >>> x, y = jnp.array([0.0, 1.0, 0.0, 0.0]), jnp.array([0.0, 0.0, 1.0, 0.0])
      >>> print(np.asarray(bracket_product(x, y, 1)).round(4))  # the cross product times √(3/4π)
      [0.     0.     0.     0.4886]
    """
    check.one_of("method", method, METHODS)
    check.one_of("normalization", normalization, moments.NORMALIZATIONS)
    check_matmul_dtype(matmul_dtype)
    x, y, l1, l2, lmax = operands.prepare(x, y, lmax)
    x, y, weight_z = operands.weigh(x, y, weights)
    if method == "auto":
        method = "direct" if max(l1, l2) <= 1 else "grid"
    z = {"direct": _direct, "grid": _grid}[method](x, y, l1, l2, lmax, matmul_dtype)
    if normalization == "component":
        z = unit_variance(z, couplings.output_deviations(("odd",), l1, l2, lmax))
    return z if weight_z is None else harmonics.per_degree(weight_z, z, "weights[2]")


def unit_variance(z: Float[Array, "... k"], deviations: Float[np.ndarray, "lmax+1"]) -> Float[Array, "... k"]:
    """Divide every degree of a product by the standard deviation of its components; leave zeros alone.

    Example:
      >>> unit_variance(jnp.ones(4), np.array([0.0, 2.0]))
      Array([1. , 0.5, 0.5, 0.5], dtype=float32)
    """
    scale = moments.unit_scale(deviations)[harmonics.degree_index(len(deviations) - 1)]
    return z * jnp.asarray(scale, z.dtype)


def _direct(x, y, l1: int, l2: int, lmax: int, matmul_dtype):
    """The definition: a sum over all pairs of components."""
    return bilinear(x, y, couplings.coefficient_table(bracket_coefficients, l1, l2, lmax), matmul_dtype)


def _grid(x, y, l1: int, l2: int, lmax: int, matmul_dtype):
    """The two components of both gradients, multiplied crosswise and projected by quadrature."""
    grid = grids.smallest_grid(max(l1 + l2 + lmax - 1, 0))
    x1, x2 = gradients.gradient_values(x, grid, matmul_dtype)
    y1, y2 = gradients.gradient_values(y, grid, matmul_dtype)
    return grids.project_aligned(x1 * y2 - x2 * y1, grid, lmax, None, matmul_dtype)
