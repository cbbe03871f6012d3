"""The full product of two signals before its last linear map.

Both halves of the product, Gaunt product and bracket, are bilinear terms (values on a grid, or products of
coefficients) followed by a linear map to coefficients. Whoever adds up several products adds up their terms
first and maps once: `irreps_product` does so with the products of all pairs of parities.
"""

from collections.abc import Callable
from typing import NamedTuple

import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float

from equijax.numerics import check
from equijax.sphere import bracket, couplings, gaunt, gradients, grids, harmonics
from equijax.sphere.contraction import bilinear, matrix_product, outer_product
from equijax.sphere.path_factors import DegreeFactors, PathWeights, check_factors


class FullTerms(NamedTuple):
    """Bilinear terms of the even and of the odd paths, and the linear map of their sums.

    Attributes:
      even: those of the Gaunt product; bilinear in the two signals.
      odd: those of the bracket, of the same shape.
      project: takes terms like ``even`` and like ``odd``, either of them None for zeros, and returns the
        coefficients ``(..., (lmax + 1)²)`` of the sum.
    """

    even: Array
    odd: Array
    project: Callable[[Array | None, Array | None], Array]


def full_terms(
    x: Float[Array, "... k1"],
    y: Float[Array, "... k2"],
    lmax: int,
    *,
    method: str = "auto",
    weights: PathWeights | None = None,
    matmul_dtype=None,
) -> FullTerms:
    """Terms of the full product of two signals of one dtype; arguments as in `tensor_product`.

    Raises:
      ValueError: if weights have the wrong size.
      TypeError: if weights are not `PathWeights` of real floating-point arrays.

    Example:
      >>> terms = full_terms(jnp.ones(4), jnp.ones(4), 1)
      >>> terms.project(terms.even, terms.odd).shape
      (4,)
    """
    degrees = (*(harmonics.degree_of(signal.shape[-1]) for signal in (x, y)), lmax)
    direct = method == "direct" or (method == "auto" and max(degrees[:2]) <= 1)
    if weights is None:
        return (_on_tables if direct else _on_grid)(x, y, degrees, matmul_dtype)
    check.instance("weights", weights, PathWeights)
    leading = np.broadcast_shapes(x.shape[:-1], y.shape[:-1])
    for name, factors in zip(PathWeights._fields, weights):
        check_factors(f"weights.{name}", factors, degrees, leading)
    weights = PathWeights(*(DegreeFactors(*(jnp.asarray(f, x.dtype) for f in part)) for part in weights))
    if all(factor.ndim == 2 for part in weights for factor in part):
        return (_on_weighted_tables if direct else _on_weighted_grid)(x, y, degrees, weights, matmul_dtype)
    return _by_rank(x, y, degrees, weights, direct, matmul_dtype)


def _on_tables(x, y, degrees, matmul_dtype, tables=None) -> FullTerms:
    """Products of pairs of coefficients, and the tables that map them; those without weights unless given."""
    if tables is None:
        tables = [couplings.coefficient_table(block, *degrees) for block in _COEFFICIENTS]
    outer = outer_product(x, y)

    def project(even, odd):
        parts = [(terms, table) for terms, table in zip((even, odd), tables) if terms is not None]
        if all(terms is outer for terms, _ in parts):
            # Nothing was added up: the map of both signals can be taken at once.
            return bilinear(x, y, sum(table for _, table in parts), matmul_dtype)
        return sum(
            matrix_product(terms, table.reshape(-1, table.shape[2]), x.dtype, matmul_dtype)
            for terms, table in parts
        )

    return FullTerms(outer, outer, project)


_COEFFICIENTS = (gaunt.gaunt_coefficients, bracket.bracket_coefficients)


def _on_weighted_tables(x, y, degrees, weights: PathWeights, matmul_dtype) -> FullTerms:
    """The same with weights that all rows share, which go into the tables."""
    index = np.ix_(*(harmonics.degree_index(degree) for degree in degrees))
    tables = [
        couplings.coefficient_table(block, *degrees) * factors.dense()[index]
        for block, factors in zip(_COEFFICIENTS, weights)
    ]
    return _on_tables(x, y, degrees, matmul_dtype, tables)


def _on_grid(x, y, degrees, matmul_dtype) -> FullTerms:
    """Values of the product of both functions and of their bracket at the points of a grid."""
    grid = grids.smallest_grid(sum(degrees))
    terms = _multiply(*(gradients.jet_values(signal, grid, matmul_dtype) for signal in (x, y)))
    return FullTerms(*terms, _projection(grid, degrees[2], matmul_dtype))


def _projection(grid: grids.SphereGrid, lmax: int, matmul_dtype):
    """The map from values at the points to coefficients."""

    def project(even, odd):
        values = sum(part for part in (even, odd) if part is not None)
        return grids.project_aligned(values, grid, lmax, None, matmul_dtype)

    return project


def _multiply(x_jet, y_jet):
    """Values of a product and of a bracket, from values and gradients."""
    (x0, x1, x2), (y0, y1, y2) = x_jet, y_jet
    return x0 * y0, x1 * y2 - x2 * y1


def _on_weighted_grid(x, y, degrees, weights: PathWeights, matmul_dtype) -> FullTerms:
    """The same with weights that all rows share, which go into the matrices: one grid for every rank."""
    grid = grids.smallest_grid(sum(degrees))

    def jet(signal, degree, of_values, of_gradient):
        matrices = (grids.evaluation_matrix(grid, degree), *gradients.gradient_matrices(grid, degree))
        factors = (of_values, of_gradient, of_gradient)
        matrix = jnp.concatenate([_weighted(*pair, degree) for pair in zip(matrices, factors)], axis=1)
        values = matrix_product(signal, matrix, signal.dtype, matmul_dtype)
        ends = np.cumsum([_columns(grid, factor) for factor in factors])
        return jnp.split(values, ends[:-1], axis=-1)

    def project(even, odd):
        matrix = grids.projection_matrix(grid, degrees[2]).T
        parts = [
            matrix_product(terms, _weighted(matrix, factors.out, degrees[2]).T, x.dtype, matmul_dtype)
            for terms, factors in zip((even, odd), weights)
            if terms is not None
        ]
        return sum(parts)

    x_jet = jet(x, degrees[0], weights.even.x, weights.odd.x)
    y_jet = jet(y, degrees[1], weights.even.y, weights.odd.y)
    return FullTerms(*_multiply(x_jet, y_jet), project)


def _columns(grid, factor) -> int:
    """Number of aligned values that a signal has on the grid of every rank."""
    return factor.shape[0] * grids.aligned(grid.weights()[None], 1).shape[1]


def _weighted(matrix: Float[np.ndarray, "k p"], factor: Float[Array, "rank l+1"], degree: int):
    """Matrices of every rank side by side, rows weighted by degree, points aligned: ``(k, rank p8)``."""
    matrix = grids.aligned(matrix, 1)
    rows = factor.T[harmonics.degree_index(degree)]
    return (rows[:, :, None] * matrix[:, None, :]).reshape(len(matrix), -1)


def _by_rank(x, y, degrees, weights: PathWeights, direct: bool, matmul_dtype) -> FullTerms:
    """Terms of every rank, for weights that differ between rows."""
    *even, combine_even = weights.even.by_rank(x, y)
    *odd, combine_odd = weights.odd.by_rank(x, y)
    if direct:
        evens, odds = (_on_tables(*signals, degrees, matmul_dtype) for signals in (even, odd))
        terms = FullTerms(evens.even, odds.odd, lambda a, b: (evens if b is None else odds).project(a, b))
    else:
        grid = grids.smallest_grid(sum(degrees))
        jets = [
            (grids.aligned_values(a, grid, matmul_dtype), *gradients.gradient_values(b, grid, matmul_dtype))
            for a, b in zip(even, odd)
        ]
        terms = FullTerms(*_multiply(*jets), _projection(grid, degrees[2], matmul_dtype))

    def project(even, odd):
        parts = []
        if even is not None:
            parts.append(combine_even(terms.project(even, None)))
        if odd is not None:
            parts.append(combine_odd(terms.project(None, odd)))
        return sum(parts)

    return terms._replace(project=project)
