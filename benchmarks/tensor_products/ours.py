"""Our products as contenders."""

import functools
from collections.abc import Callable

import jax.numpy as jnp
import numpy as np

from benchmarks.peers.contender import Contender, Unavailable, Work, same
from equijax import sphere

DIRECT_UP_TO = 5
"""The table of Gaunt coefficients grows as the sixth power of the degree: beyond, it is not a contender."""

METHODS = ("auto", "direct", "grid", "gauss_legendre", "antipodal", "separable", "fourier")
"""Methods of the Gaunt product; ``lebedev`` is what ``grid`` takes at all degrees timed here."""


def gaunt_name(method: str) -> str:
    """Name of a Gaunt product in tables.

    Example:
      >>> gaunt_name("grid")
      'Gaunt, grid'
    """
    return f"Gaunt, {method}"


def gaunt(method: str) -> Callable[[Work], Contender]:
    """Makes the Gaunt product by a method, with weights by degree: the even paths.

    Example:
      >>> gaunt("grid")(Work(4, 4)).free_weights
      13
    """

    def make(work: Work) -> Contender:
        if method == "direct" and work.lmax > DIRECT_UP_TO:
            raise Unavailable(f"tables of L⁶ coefficients: timed up to L={DIRECT_UP_TO}")
        degrees = (work.lmax, work.lmax, work.lmax_out)

        def function(x, y, weights):
            return sphere.gaunt_product(x, y, work.lmax_out, method=method, weights=weights)

        weights = tuple(np.ones(degree + 1, np.float32) for degree in degrees)
        return Contender(
            gaunt_name(method),
            function,
            weights,
            sum(degrees) + 1,
            same,
            lambda z: np.asarray(z)[..., None, :],
        )

    return make


def full_name(rank: int) -> str:
    """Name of the product with all paths, weights of a rank, in tables; rank 0 has no weights.

    Example:
      >>> full_name(0), full_name(1)
      ('Gaunt + bracket, no weights', 'Gaunt + bracket, rank 1')
    """
    return f"Gaunt + bracket, {f'rank {rank}' if rank else 'no weights'}"


def full(rank: int) -> Callable[[Work], Contender]:
    """Makes the product with all paths, and weights of paths that are sums of ``rank`` products by degree.

    Example:
      >>> full(1)(Work(4, 4, "all")).free_weights, full(3)(Work(4, 4, "all")).free_weights
      (26, 65)
    """

    def make(work: Work) -> Contender:
        degrees = (work.lmax, work.lmax, work.lmax_out)

        def function(x, y, weights):
            return sphere.tensor_product_parts(x, y, work.lmax_out, weights=weights or None)

        def ones():
            factors = (np.ones((rank, degree + 1), np.float32) for degree in degrees)
            return sphere.DegreeFactors(*factors)

        return Contender(
            full_name(rank),
            function,
            sphere.PathWeights(ones(), ones()) if rank else (),
            min(2 * rank * (sum(degrees) + 1), len(work.couplings())),
            same,
            lambda z: np.stack([np.asarray(part) for part in z], axis=-2),
        )

    return make


@functools.cache
def grid_tables(lmax: int) -> tuple[np.ndarray, np.ndarray]:
    """The two tables that the grid product of degrees up to ``lmax`` multiplies with, in float32.

    Example:
      >>> [table.shape for table in grid_tables(2)]
      [(9, 32), (32, 9)]
    """
    from equijax.sphere import grids

    grid = grids.smallest_grid(3 * lmax)
    evaluation = grids.aligned(grids.evaluation_matrix(grid, lmax), 1)
    projection = grids.aligned(grids.projection_matrix(grid, lmax), 0)
    return evaluation.astype(np.float32), projection.astype(np.float32)


def three_products(x, y, values, *, lmax: int):
    """The matrix products of the grid product and nothing else, of factors that do not depend on each other.

    Example:
      >>> [z.shape[-1] for z in three_products(jnp.ones((1, 9)), jnp.ones((1, 9)), jnp.ones((1, 32)), lmax=2)]
      [32, 32, 9]
    """
    evaluation, projection = (jnp.asarray(table) for table in grid_tables(lmax))
    pairs = (x, evaluation), (y, evaluation), (values, projection)
    return tuple(jnp.matmul(a, b, precision="highest") for a, b in pairs)
