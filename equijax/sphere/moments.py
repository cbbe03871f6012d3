"""How large the components of products and powers of random signals are, exactly.

A signal whose components are independent standard Gaussian numbers is an isotropic Gaussian field: its
values at two points at the angle ``γ`` have the covariance ``S(γ) = Σ_{l ≤ L} (2l + 1)/4π P_l(cos γ)``. The
pointwise product of two independent fields has the covariance ``S_1 S_2``, a power the polynomial in ``S``
that Isserlis' theorem gives, and the mean square of every component of degree ``l`` of an isotropic field of
covariance ``C`` is ``2π ∫ C(t) P_l(t) dt``, an integral of polynomials that Gauss-Legendre points do exactly.
For the product it is ``Σ_ab G_abc²``, and needs no Gaussian: independent components of zero mean and unit
variance suffice.
"""

import functools
import math

import numpy as np
from jaxtyping import Float
from numpy.polynomial import legendre

from equijax.numerics import check, quadrature
from equijax.sphere import harmonics

NORMALIZATIONS = ("integral", "component")


def product_deviation(l1: int, l2: int, lmax: int) -> Float[np.ndarray, "lmax+1"]:
    """Root mean square of the components of a product of two independent signals of unit variance, by degree.

    Args:
      l1, l2: largest degrees of the factors.
      lmax: largest degree of the result.

    Returns:
      Float64, read-only; zero for degrees above ``l1 + l2``.

    Raises:
      ValueError: if a degree is negative.
      TypeError: if a degree is not an integer.

    Example:
      >>> product_deviation(0, 0, 1).round(4).tolist()
      [0.2821, 0.0]
    """
    for name, degree in (("l1", l1), ("l2", l2), ("lmax", lmax)):
        harmonics.check_degree(name, degree)
    return _product_deviation(l1, l2, lmax)


@functools.cache
def _product_deviation(l1: int, l2: int, lmax: int) -> np.ndarray:
    """The same, of checked degrees."""
    cosines, weights = quadrature.gauss_legendre((l1 + l2 + lmax) // 2 + 1)
    covariance = _field_covariance(l1, cosines) * _field_covariance(l2, cosines)
    return _deviation(covariance, l1 + l2, lmax, cosines, weights)


def power_deviation(degree: int, order: int, lmax: int) -> Float[np.ndarray, "lmax+1"]:
    """Root mean square of the components of ``f^order`` for a Gaussian signal of unit variance, by degree.

    The mean is part of it: even powers have one, in degree 0.

    Args:
      degree: largest degree of the signal.
      order: the power, at least 1.
      lmax: largest degree of the result.

    Returns:
      Float64, read-only; zero for degrees above ``order · degree``.

    Raises:
      ValueError: if a degree is negative or the order is below 1.
      TypeError: if an argument is not an integer.

    Example:
      >>> power_deviation(0, 2, 0).round(4).tolist()  # √3/√4π: the fourth moment of a Gaussian is 3
      [0.4886]
    """
    harmonics.check_degree("degree", degree)
    check.count("order", order, 1)
    harmonics.check_degree("lmax", lmax)
    return _power_deviation(degree, order, lmax)


@functools.cache
def _power_deviation(degree: int, order: int, lmax: int) -> np.ndarray:
    """The same, of checked arguments."""
    cosines, weights = quadrature.gauss_legendre((order * degree + lmax) // 2 + 1)
    covariance = _field_covariance(degree, cosines)
    variance = (degree + 1) ** 2 / (4 * np.pi)
    # E[f^n g^n] by Isserlis' theorem: m pairs within each point, n - 2m between the points.
    moment = sum(
        math.factorial(order) ** 2
        / (math.factorial(pairs) ** 2 * math.factorial(order - 2 * pairs))
        * (variance / 2) ** (2 * pairs)
        * covariance ** (order - 2 * pairs)
        for pairs in range(order // 2 + 1)
    )
    return _deviation(moment, order * degree, lmax, cosines, weights)


def _field_covariance(degree: int, cosines):
    """``S(γ)`` at cosines of ``γ``."""
    return legendre.legval(cosines, (2 * np.arange(degree + 1) + 1) / (4 * np.pi))


def _deviation(covariance, highest: int, lmax: int, cosines, weights) -> np.ndarray:
    """Root mean square by degree, from the covariance at Gauss-Legendre points."""
    squares = 2 * np.pi * (legendre.legvander(cosines, lmax).T @ (weights * covariance))
    # Above the highest degree there is nothing but rounding.
    squares[highest + 1 :] = 0
    deviation = np.sqrt(squares)
    deviation.flags.writeable = False
    return deviation


def unit_scale(deviation: Float[np.ndarray, "lmax+1"]) -> Float[np.ndarray, "lmax+1"]:
    """What to multiply every degree with to have unit mean square; 1 where there is nothing to scale.

    Example:
      >>> unit_scale(np.array([2.0, 0.0])).tolist()
      [0.5, 1.0]
    """
    return 1 / np.where(deviation > 0, deviation, 1.0)
