"""Every Clebsch-Gordan path on its own, from scalar and vector signals on the sphere.

A signal of one degree ``l`` gives the scalar function ``f`` and the tangential vector function ``∇f`` (a
vector spherical harmonic). The scalar products ``f g`` have the components of all paths ``l1, l2 -> l3`` with
an even sum, the triple products ``r · (∇f x ∇g)`` those with an odd sum. The two never meet in one degree, so
one projection of their sum for each pair ``l1, l2`` gives all its paths, each a known multiple of the
Clebsch-Gordan one (Xie et al., "Asymptotically fast Clebsch-Gordan tensor products with vector spherical
harmonics", 2026; the multiples are those of `couplings`). No table of coefficients is used: with a separable
projection it takes O(L⁵) operations, where tables of all paths take O(L⁶).
"""

import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float

from equijax.numerics import check
from equijax.sphere import couplings, gradients, grids, operands, separable
from equijax.sphere.contraction import matrix_product

METHODS = ("auto", "grid", "separable")

_GRID_MAX_DEGREE = 24
"""Up to this degree of the grid, three times that of the signals, the dense projection measured faster."""


def clebsch_gordan_product(
    x: Float[Array, "... (l1+1)**2"],
    y: Float[Array, "... (l2+1)**2"],
    lmax: int | None = None,
    *,
    method: str = "auto",
    irrep_normalization: str = "component",
) -> dict[tuple[int, int, int], Float[Array, "... 2*l3+1"]]:
    """All paths of the Clebsch-Gordan product of two signals, each on its own.

    Args:
      x, y: coefficients, degrees in order; leading axes broadcast.
      lmax: largest degree of a result; ``l1 + l2`` unless given.
      method: how to project: ``"grid"`` (one dense matrix for the smallest grid, O(L⁶) in all with a small
        factor), ``"separable"`` (one angle after the other, O(L⁵)) or ``"auto"``: the grid up to degree 8.
      irrep_normalization: as in e3nn: ``"component"`` (unit component variance for independent unit-variance
        factors), ``"norm"`` or ``"none"`` (blocks of unit Frobenius norm). Signs are e3nn's too.

    Returns:
      For every ``(l1, l2, l3)`` with ``|l1 - l2| ≤ l3 ≤ min(l1 + l2, lmax)`` the components of the result,
      which are what ``e3nn_jax.tensor_product`` returns for these degrees.

    Raises:
      ValueError: if the size of a last axis is not a square, leading axes do not broadcast, ``lmax`` is
        negative, or the method or normalisation is unknown.
      TypeError: if ``x`` or ``y`` is not a real floating-point array, or ``lmax`` is not an integer.

    Example:
      >>> x, y = jnp.array([0.0, 1.0, 0.0, 0.0]), jnp.array([0.0, 0.0, 1.0, 0.0])
      >>> paths = clebsch_gordan_product(x, y, 1)
      >>> sorted(paths)
      [(0, 0, 0), (0, 1, 1), (1, 0, 1), (1, 1, 0), (1, 1, 1)]
      >>> print(np.abs(paths[1, 1, 1]).round(4))  # the cross product times √(1/2)
      [0.     0.     0.7071]
    """
    check.one_of("method", method, METHODS)
    check.one_of("irrep_normalization", irrep_normalization, ("component", "norm", "none"))
    x, y, l1, l2, lmax = operands.prepare(x, y, lmax)
    degree = l1 + l2 + lmax
    if method == "auto":
        method = "grid" if degree <= _GRID_MAX_DEGREE else "separable"
    grid, values = _on_grid(x, y, l1, l2, degree, method)
    spectrum = _project(values, grid, lmax, method)
    paths = {}
    for d1, d2 in np.ndindex(l1 + 1, l2 + 1):
        for d3 in range(abs(d1 - d2), min(d1 + d2, lmax) + 1):
            norm = couplings.gaunt_norm if (d1 + d2 + d3) % 2 == 0 else couplings.bracket_norm
            scale = {"none": 1, "component": 2 * d3 + 1, "norm": (2 * d1 + 1) * (2 * d2 + 1)}
            factor = np.sqrt(scale[irrep_normalization]) / norm(d1, d2, d3)
            paths[d1, d2, d3] = spectrum[..., d1, d2, d3 * d3 : (d3 + 1) ** 2] * factor
    return paths


def _on_grid(x, y, l1: int, l2: int, degree: int, method: str):
    """The grid, and the sum of the scalar and the triple product of every pair of degrees on it."""
    grid = grids.smallest_grid(degree) if method == "grid" else grids.SphereGrid("gauss_legendre", degree)
    x0, x1, x2 = (part[..., :, None, :] for part in _by_degree(x, grid, l1))
    y0, y1, y2 = (part[..., None, :, :] for part in _by_degree(y, grid, l2))
    return grid, x0 * y0 + x1 * y2 - x2 * y1


def _by_degree(x, grid: grids.SphereGrid, lmax: int) -> list[Float[Array, "... l+1 p"]]:
    """Values of each degree on its own, and the two tangential components of its gradient."""
    parts = grids.evaluation_matrix(grid, lmax), *gradients.gradient_matrices(grid, lmax)
    matrix, values = np.concatenate(parts, axis=1), []
    for l in range(lmax + 1):
        block = slice(l * l, (l + 1) ** 2)
        values.append(matrix_product(x[..., block], matrix[block], x.dtype))
    return jnp.split(jnp.stack(values, axis=-2), 3, axis=-1)


def _project(values, grid: grids.SphereGrid, lmax: int, method: str) -> Float[Array, "... k"]:
    """Coefficients of values, at once or by one angle after the other."""
    if method == "grid":
        return grids.from_grid(values, grid, lmax)
    rings = separable.separable_grid(grid.degree)
    return separable.from_separable_grid(values.reshape(*values.shape[:-1], *rings), rings, lmax)
