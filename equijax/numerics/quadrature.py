"""Quadrature rules with stated exactness, as float64 numpy constants.

On the sphere, weights add up to its area 4 pi, and points are unit vectors with the polar axis y, as in e3nn:
``x = sin(t) sin(p)``, ``y = cos(t)``, ``z = sin(t) cos(p)``. A rule is exact to degree d when it integrates
every polynomial in x, y, z of degree at most d, that is every spherical harmonic of degree at most d.
"""

import functools
from typing import NamedTuple

import numpy as np
from jaxtyping import Float

from equijax.numerics import check

_LEBEDEV_DEGREES = (3, 5, 7, 9, 11, 15, 17, 19, 21, 23, 29, 31, *range(35, 132, 6))
"""Degrees of Lebedev rules whose weights are all positive; those of 13, 25 and 27 are not."""

LEBEDEV_MAX_DEGREE = _LEBEDEV_DEGREES[-1]
"""The largest degree that a Lebedev rule is known for."""


class Quadrature(NamedTuple):
    """A quadrature rule: the integral of f is ``sum_i weights[i] f(points[i])``.

    Attributes:
      points: shape ``(n,)`` on an interval or a circle, ``(n, 3)`` on the sphere; float64, read-only.
      weights: shape ``(n,)``; float64, read-only.
    """

    points: Float[np.ndarray, "n ..."]
    weights: Float[np.ndarray, "n"]


class SphereGrid(NamedTuple):
    """A product rule on the sphere: rings of equal polar angle, points equally spaced on each.

    Attributes:
      cosines: the cosine of the polar angle of each ring, shape ``(rings,)``.
      azimuths: angles ``p`` in radians, shape ``(columns,)``.
      points: unit vectors, shape ``(rings, columns, 3)``.
      weights: weight of each point, shape ``(rings, columns)``; they add up to 4 pi.
    """

    cosines: Float[np.ndarray, "rings"]
    azimuths: Float[np.ndarray, "columns"]
    points: Float[np.ndarray, "rings columns 3"]
    weights: Float[np.ndarray, "rings columns"]


def _frozen(*arrays: np.ndarray) -> tuple[np.ndarray, ...]:
    """The arrays in float64, read-only, since they are cached and shared."""
    arrays = tuple(np.ascontiguousarray(array, np.float64) for array in arrays)
    for array in arrays:
        array.flags.writeable = False
    return arrays


@functools.lru_cache(maxsize=64)
def gauss_legendre(n: int) -> Quadrature:
    """Gauss-Legendre rule on [-1, 1], exact for polynomials of degree at most ``2 n - 1``.

    Args:
      n: the number of points.

    Raises:
      ValueError: if ``n`` is below 1.
      TypeError: if ``n`` is not an integer.

    Example:
      >>> points, weights = gauss_legendre(2)
      >>> float(weights @ points**2)
      0.66666666666666...
    """
    check.integer("n", n)
    check.count("n", n, 1)
    return Quadrature(*_frozen(*np.polynomial.legendre.leggauss(n)))


@functools.lru_cache(maxsize=64)
def periodic(n: int) -> Quadrature:
    """Equally spaced points on [0, 2 pi), exact for trigonometric polynomials of degree at most ``n - 1``.

    Args:
      n: the number of points.

    Raises:
      ValueError: if ``n`` is below 1.
      TypeError: if ``n`` is not an integer.

    Example:
      >>> points, weights = periodic(3)
      >>> round(float(weights @ np.cos(points) ** 2), 12) == round(np.pi, 12)
      True
    """
    check.integer("n", n)
    check.count("n", n, 1)
    return Quadrature(*_frozen(2 * np.pi * np.arange(n) / n, np.full(n, 2 * np.pi / n)))


@functools.lru_cache(maxsize=64, typed=True)
def product_grid(rings: int, columns: int) -> SphereGrid:
    """Gauss-Legendre rings on the sphere, with equally spaced points on each.

    Exact to degree ``2 rings - 1`` in the polar direction and ``columns - 1`` in the azimuthal one.

    Args:
      rings: number of polar angles.
      columns: number of points on a ring.

    Raises:
      ValueError: if a number is below 1.
      TypeError: if a number is not an integer.

    Example:
      >>> product_grid(2, 5).points.shape
      (2, 5, 3)
    """
    check.count("rings", rings, 1)
    check.count("columns", columns, 1)
    cosines, ring_weights = gauss_legendre(rings)
    azimuths, column_weights = periodic(columns)
    sines = np.sqrt((1 - cosines) * (1 + cosines))[:, None]
    polar = np.broadcast_to(cosines[:, None], (rings, columns))
    points = np.stack([sines * np.sin(azimuths), polar, sines * np.cos(azimuths)], axis=-1)
    return SphereGrid(*_frozen(cosines, azimuths, points, ring_weights[:, None] * column_weights))


@functools.lru_cache(maxsize=64)
def sphere_grid(degree: int) -> SphereGrid:
    """The smallest product rule on the sphere that is exact to a degree.

    It has ``degree // 2 + 1`` Gauss-Legendre rings of ``degree + 1`` points.

    Args:
      degree: the degree to which it is exact.

    Raises:
      ValueError: if ``degree`` is negative.
      TypeError: if ``degree`` is not an integer.

    Example:
      >>> grid = sphere_grid(4)
      >>> grid.points.shape, round(float(grid.weights.sum() / np.pi), 12)
      ((3, 5, 3), 4.0)
    """
    check.integer("degree", degree)
    check.count("degree", degree, 0)
    return product_grid(degree // 2 + 1, degree + 1)


def sphere_product(degree: int) -> Quadrature:
    """The points and weights of `sphere_grid` in one list.

    Args:
      degree: the degree to which it is exact.

    Returns:
      Points ``(n, 3)`` and weights ``(n,)``, with ``n = (degree // 2 + 1) (degree + 1)``.

    Raises:
      ValueError: if ``degree`` is negative.
      TypeError: if ``degree`` is not an integer.

    Example:
      >>> sphere_product(4).points.shape
      (15, 3)
    """
    grid = sphere_grid(degree)
    return Quadrature(*_frozen(grid.points.reshape(-1, 3), grid.weights.reshape(-1)))


@functools.lru_cache(maxsize=64)
def lebedev(degree: int) -> Quadrature:
    """The smallest Lebedev rule on the sphere with positive weights that is exact to a degree.

    About a third fewer points than `sphere_product`, and symmetric under the octahedral group (Lebedev and
    Laikov 1999). Rules exist for degrees 3 to 131 only, with gaps; the next one above is taken. Those of
    degree 13, 25 and 27, which have negative weights, are left out.

    Args:
      degree: the degree to which it is exact at least.

    Returns:
      Points ``(n, 3)`` and weights ``(n,)``.

    Raises:
      ValueError: if ``degree`` is negative or above 131.
      TypeError: if ``degree`` is not an integer.

    Example:
      >>> lebedev(4).points.shape, bool((lebedev(13).weights > 0).all())
      ((14, 3), True)
    """
    from scipy.integrate import lebedev_rule  # here, because it is slow to import

    check.integer("degree", degree)
    check.count("degree", degree, 0)
    if degree > LEBEDEV_MAX_DEGREE:
        raise ValueError(f"degree must be at most {LEBEDEV_MAX_DEGREE}, got {degree}")
    order = next(order for order in _LEBEDEV_DEGREES if order >= degree)
    points, weights = lebedev_rule(order)
    return Quadrature(*_frozen(points.T, weights))
