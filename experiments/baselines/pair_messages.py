"""Messages between all pairs of a small point cloud: products of the sender's signal and the direction to it.

Four ways to multiply, each ``m_i = Σ_{j≠i} Σ_paths R_path(ij) (h_j ⊗ Y(r_ij))_path`` over paths
``l1, l2 -> l3`` with ``l3 ≤ lmax``, differing in the paths and in how many weights they have:

- Clebsch-Gordan, even paths (``l1 + l2 + l3`` even) or all paths: one radial weight a channel and path, by
  ``e3nn_jax``;
- Gaunt: even paths, a weight a channel and degree of ``Y``, on a grid;
- Gaunt and bracket: all paths, two weights a channel and degree, on the same grid.

Signals are ``(..., channels, (lmax + 1)²)`` as in `equijax.nn`. Pairs are dense: axis ``s`` holds the
``n - 1`` other points of each point in cyclic order, so there are no gathers and no scatters.
"""

import dataclasses
import functools
from typing import NamedTuple

import e3nn_jax as e3nn
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float

from equijax.numerics import check, safe
from equijax.sphere import from_grid, per_degree, smallest_grid, spherical_harmonics, to_grid
from equijax.sphere.convolution import weighted_values
from equijax.sphere.gradients import angular_momentum_matrices
from experiments.baselines.clebsch_gordan import natural_irreps

PATHS = ("even", "all")


class Pairs(NamedTuple):
    """Geometry of all ordered pairs of different points.

    Attributes:
      distance: shape ``(..., s, n)``.
      direction: unit vectors from each point to the other, shape ``(..., s, n, 3)``; zero if both coincide.
    """

    distance: Float[Array, "... s n"]
    direction: Float[Array, "... s n 3"]


def others(x: Float[Array, "... n f"], axis: int) -> Float[Array, "... n-1 n f"]:
    """For every point the values at the other points, in cyclic order.

    Args:
      x: values at points.
      axis: that of the points, counted from the end (negative).

    Returns:
      A new axis ``s`` before that of the points: entry ``s, i`` is the value at point ``i + 1 + s``, modulo
      the number of points.

    Raises:
      ValueError: if the axis is not negative.

    Example:
      >>> others(jnp.array([10.0, 20.0, 30.0]), -1).tolist()
      [[20.0, 30.0, 10.0], [30.0, 10.0, 20.0]]
    """
    if axis >= 0:
        raise ValueError(f"axis must be counted from the end, by a negative number, got {axis}")
    return jnp.stack([jnp.roll(x, -shift, axis) for shift in range(1, x.shape[axis])], axis - 1)


def pairs_of(positions: Float[Array, "... n 3"]) -> Pairs:
    """Distances and directions of all pairs of points.

    Raises:
      ValueError: if the last axis is not 3.
      TypeError: if ``positions`` is not a real floating-point array.

    Example:
      >>> pairs_of(jnp.array([[0.0, 0, 0], [0.0, 2, 0]])).direction[0].tolist()
      [[0.0, 1.0, 0.0], [0.0, -1.0, 0.0]]
    """
    check.floating("positions", positions)
    check.shape("positions", positions, "... n 3")
    separation = others(positions, -2) - positions[..., None, :, :]
    return Pairs(safe.norm(separation), safe.normalize(separation))


@dataclasses.dataclass(frozen=True)
class ClebschGordanMessage:
    """Sum of Clebsch-Gordan products, with one weight a channel, path and pair.

    Parity is not tracked: signals are degrees. With all paths the layer is equivariant under rotations, with
    even paths under reflections too.

    Attributes:
      lmax: largest degree of the harmonics and of the result.
      paths: ``"even"`` or ``"all"``.
    """

    lmax: int
    paths: str = "even"

    def num_weights(self, degree: int) -> int:
        """Weights a channel and pair, for signals of a degree."""
        check.one_of("paths", self.paths, PATHS)
        return len(coupling_paths(degree, self.lmax, self.lmax, self.paths))

    def __call__(self, x, pairs: Pairs, weights):
        """Sum the messages that arrive at each point.

        Args:
          x: signals at the points, shape ``(..., n, c, k)``.
          pairs: of the points.
          weights: shape ``(..., s, n, c, num_weights)``.
        """
        degree = round(x.shape[-1] ** 0.5) - 1
        harmonics = np.sqrt(4 * np.pi) * spherical_harmonics(self.lmax, pairs.direction)
        irreps = [_irreps(largest, self.paths) for largest in (degree, self.lmax)]
        product = e3nn.tensor_product(
            e3nn.IrrepsArray(irreps[0], others(x, -3)),
            e3nn.IrrepsArray(irreps[1], harmonics[..., None, :]),
            filter_ir_out=[ir for _, ir in _irreps(self.lmax, self.paths)],
        )
        weighted = product * weights
        blocks = [chunk.sum(axis=(-5, -2)) for chunk in weighted.chunks]
        return jnp.concatenate(blocks, axis=-1)


def _irreps(lmax: int, paths: str) -> e3nn.Irreps:
    """Degrees up to the largest: of natural parity, which odd paths violate, or without parities."""
    natural = natural_irreps(lmax)
    return natural if paths == "even" else e3nn.Irreps([(1, (ir.l, 1)) for _, ir in natural])


def coupling_paths(lmax1: int, lmax2: int, lmax3: int, paths: str) -> list[tuple[int, int, int]]:
    """The couplings of degrees ``l1, l2 -> l3``: those with ``l1 + l2 + l3`` even, or all.

    Raises:
      ValueError: if ``paths`` is neither ``"even"`` nor ``"all"``.

    Example:
      >>> [len(coupling_paths(l, l, l, paths)) for l in (1, 2) for paths in ("even", "all")]
      [4, 5, 11, 15]
    """
    check.one_of("paths", paths, PATHS)
    return [
        (l1, l2, l3)
        for l1 in range(lmax1 + 1)
        for l2 in range(lmax2 + 1)
        for l3 in range(abs(l1 - l2), min(l1 + l2, lmax3) + 1)
        if paths == "all" or (l1 + l2 + l3) % 2 == 0
    ]


@dataclasses.dataclass(frozen=True)
class GauntMessage:
    """Sum of products with functions of the angle to the other point, on one grid.

    ``m_i = P_{≤ lmax} Σ_j F_ij h_j`` with ``F_ij(n) = Σ_l R_l √(2l+1) P_l(t)`` and ``t = n · r_ij``. With all
    paths the bracket ``{h_j, F'_ij}`` with a second such function is added. For functions of ``t`` that is
    ``(dF'_ij/dt) (r_ij · L) h_j``, with the generators ``L`` of rotations, and the derivatives of Legendre
    polynomials are sums of lower ones: everything is summed on the grid and projected once a point.

    Attributes:
      lmax: largest degree of the filters and of the result.
      paths: ``"even"`` (Gaunt) or ``"all"`` (Gaunt and bracket).
    """

    lmax: int
    paths: str = "even"

    def num_weights(self, degree: int) -> int:
        """Weights a channel and pair."""
        check.one_of("paths", self.paths, PATHS)
        return self.lmax + 1 if self.paths == "even" else 2 * self.lmax + 1

    def __call__(self, x, pairs: Pairs, weights):
        """Sum the messages that arrive at each point; arguments as in `ClebschGordanMessage`."""
        degree = round(x.shape[-1] ** 0.5) - 1
        grid = smallest_grid(degree + 2 * self.lmax)
        harmonics = spherical_harmonics(self.lmax, pairs.direction)
        # Σ_m Y_lm(r) Y_lm(n) = (2l+1)/4π P_l(t)
        scale = 4 * np.pi / np.sqrt(2 * np.arange(self.lmax + 1) + 1)
        even = weights[..., : self.lmax + 1] * jnp.asarray(scale, x.dtype)
        total = jnp.sum(weighted_values(harmonics, even, grid) * others(to_grid(x, grid), -3), axis=-4)
        if self.paths == "all" and self.lmax > 0:
            slopes = jnp.asarray(slope_coefficients(self.lmax), x.dtype)
            odd = jnp.matmul(weights[..., self.lmax + 1 :], slopes, precision="highest")
            table = jnp.asarray(np.moveaxis(angular_momentum_matrices(grid, degree), 0, -2), x.dtype)
            turned = jnp.einsum("...k,kap->...ap", x, table, precision="highest")
            axis = pairs.direction[..., None, :, None]
            about = jnp.sum(others(turned, -4) * axis, axis=-2)
            lower = harmonics[..., : self.lmax**2]
            total = total + jnp.sum(weighted_values(lower, odd, grid) * about, axis=-4)
        return from_grid(total, grid, self.lmax)


@functools.cache
def slope_coefficients(lmax: int) -> Float[np.ndarray, "lmax lmax"]:
    """Derivatives ``√((2l+1) / l(l+1)) P'_l`` for ``l = 1 … lmax`` (rows) as sums of harmonics (columns).

    By ``P'_l = Σ_k (2k+1) P_k`` over ``k = l-1, l-3, …``, with ``4π/(2k+1) Σ_m Y_km(r) Y_km(n)`` for ``P_k``.
    Of the function whose slope this is, the gradient on the sphere has mean square 1.

    Example:
      >>> (slope_coefficients(2) / (4 * np.pi)).round(3).tolist()
      [[1.225, 0.0], [0.0, 0.913]]
    """
    table = np.zeros((lmax, lmax))
    for l in range(1, lmax + 1):
        table[l - 1, l - 1 :: -2] = 4 * np.pi * np.sqrt((2 * l + 1) / (l * (l + 1)))
    table.flags.writeable = False
    return table


@dataclasses.dataclass(frozen=True)
class ThreeFactorGauntMessage:
    """Sum of Gaunt products with the weights ``w_l1 w_l2 w_l3`` of the paper, all three from the pair.

    The product of three functions of the distance grows with the third power of what one grows with.

    Attributes:
      lmax: largest degree of the harmonics and of the result.
    """

    lmax: int

    def num_weights(self, degree: int) -> int:
        """Weights a channel and pair, for signals of a degree."""
        return degree + 1 + 2 * (self.lmax + 1)

    def __call__(self, x, pairs: Pairs, weights):
        """Sum the messages that arrive at each point; arguments as in `ClebschGordanMessage`."""
        degree = round(x.shape[-1] ** 0.5) - 1
        first, second, third = jnp.split(weights, [degree + 1, degree + self.lmax + 2], axis=-1)
        grid = smallest_grid(degree + 2 * self.lmax)
        harmonics = 4 * np.pi / np.sqrt(self.lmax + 1) * spherical_harmonics(self.lmax, pairs.direction)
        filters = to_grid(per_degree(second, harmonics[..., None, :]), grid)
        product = to_grid(per_degree(first, others(x, -3)), grid) * filters
        return jnp.sum(per_degree(third, from_grid(product, grid, self.lmax)), axis=-4)
