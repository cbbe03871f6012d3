"""How strongly the Gaunt product and the bracket couple three degrees, in closed form.

Every coupling of three irreducible representations of the rotations is a multiple of the Clebsch-Gordan
block, so one number says it all: the Frobenius norm of the block of integrals. It is a Wigner 3j symbol
times square roots of integers.
"""

import functools
import math
from collections.abc import Callable
from fractions import Fraction

import numpy as np
from jaxtyping import Float

from equijax.sphere.harmonics import check_degree


@functools.lru_cache(maxsize=None, typed=True)
def wigner_3j(l1: int, l2: int, l3: int, m1: int, m2: int, m3: int) -> float:
    """Wigner's 3j symbol of integer degrees, by Racah's sum in exact integers.

    Zero where ``m1 + m2 + m3 ≠ 0``, an ``|m|`` exceeds its degree, or the degrees form no triangle.

    Raises:
      ValueError: if a degree is negative.
      TypeError: if a degree is not an integer.

    Example:
      >>> wigner_3j(1, 1, 2, 0, 0, 0)  # √(2/15)
      0.3651483716701107
    """
    for name, degree in (("l1", l1), ("l2", l2), ("l3", l3)):
        check_degree(name, degree)
    in_range = abs(m1) <= l1 and abs(m2) <= l2 and abs(m3) <= l3
    if m1 + m2 + m3 or not in_range or not abs(l1 - l2) <= l3 <= l1 + l2:
        return 0.0
    f = math.factorial
    total = Fraction(0)
    for t in range(max(0, l2 - l3 - m1, l1 - l3 + m2), min(l1 + l2 - l3, l1 - m1, l2 + m2) + 1):
        terms = (t, l3 - l2 + t + m1, l3 - l1 + t - m2, l1 + l2 - l3 - t, l1 - t - m1, l2 - t + m2)
        total += Fraction((-1) ** t, math.prod(f(term) for term in terms))
    triangle = Fraction(f(l1 + l2 - l3) * f(l1 - l2 + l3) * f(l2 + l3 - l1), f(l1 + l2 + l3 + 1))
    orders = ((l1, m1), (l2, m2), (l3, m3))
    square = triangle * math.prod(f(l - m) * f(l + m) for l, m in orders) * total**2
    return math.copysign(math.sqrt(square), (-1) ** (l1 - l2 - m3) * total)


@functools.lru_cache(maxsize=None, typed=True)
def gaunt_norm(l1: int, l2: int, l3: int) -> float:
    """Frobenius norm of the block ``∫ Y_{l1} Y_{l2} Y_{l3}``: the Gaunt product's multiple of Clebsch-Gordan.

    ``√((2l1+1)(2l2+1)(2l3+1) / 4π) |(l1 l2 l3; 0 0 0)|``; zero unless ``l1 + l2 + l3`` is even.

    Raises:
      ValueError: if a degree is negative.
      TypeError: if a degree is not an integer.

    Example:
      >>> gaunt_norm(1, 1, 1), round(gaunt_norm(0, 1, 1), 6)
      (0.0, 0.488603)
    """
    symbol = wigner_3j(l1, l2, l3, 0, 0, 0)
    return math.sqrt((2 * l1 + 1) * (2 * l2 + 1) * (2 * l3 + 1) / (4 * math.pi)) * abs(symbol)


@functools.lru_cache(maxsize=None, typed=True)
def bracket_norm(l1: int, l2: int, l3: int) -> float:
    """Frobenius norm of the block ``∫ {Y_{l1}, Y_{l2}} Y_{l3}``: the bracket's multiple of Clebsch-Gordan.

    ``√((2l1+1)(2l2+1)(2l3+1) l1(l1+1) l2(l2+1) / 4π) |(l1 l2 l3; 1 -1 0)|``; zero unless ``l1 + l2 + l3`` is
    odd.

    Raises:
      ValueError: if a degree is negative.
      TypeError: if a degree is not an integer.

    Example:
      >>> bracket_norm(1, 1, 2), round(bracket_norm(1, 1, 1), 6)
      (0.0, 1.196827)
    """
    symbol = wigner_3j(l1, l2, l3, 1, -1, 0)
    if (l1 + l2 + l3) % 2 == 0:
        return 0.0
    sizes = (2 * l1 + 1) * (2 * l2 + 1) * (2 * l3 + 1) * l1 * (l1 + 1) * l2 * (l2 + 1)
    return math.sqrt(sizes / (4 * math.pi)) * abs(symbol)


@functools.cache
def path_norms(paths: str, l1: int, l2: int, lmax: int) -> Float[np.ndarray, "l1+1 l2+1 lmax+1"]:
    """Norms of the blocks of all degrees up to three, zero where there is no path.

    Args:
      paths: ``"even"`` for the Gaunt product, ``"odd"`` for the bracket.
      l1, l2, lmax: largest degrees of the factors and of the result.

    Example:
      >>> int((path_norms("even", 2, 2, 2) > 0).sum()), int((path_norms("odd", 2, 2, 2) > 0).sum())
      (11, 4)
    """
    norm = {"even": gaunt_norm, "odd": bracket_norm}[paths]
    sizes = (l1 + 1, l2 + 1, lmax + 1)
    norms = np.array([norm(*degrees) for degrees in np.ndindex(*sizes)]).reshape(sizes)
    norms.flags.writeable = False
    return norms


@functools.cache
def output_deviations(paths: tuple[str, ...], l1: int, l2: int, lmax: int) -> Float[np.ndarray, "lmax+1"]:
    """Standard deviation of a component of each degree of a product of independent unit-variance signals.

    Args:
      paths: which products are summed: ``("even",)``, ``("odd",)`` or both. They couple different degrees, so
        variances add.
      l1, l2, lmax: largest degrees of the factors and of the result.

    Returns:
      Shape ``(lmax + 1,)``; zero for degrees that the product does not reach.

    Example:
      >>> output_deviations(("odd",), 1, 1, 1).round(4)  # √(2 · 3/4π): two terms of the cross product
      array([0.   , 0.691])
    """
    squares = sum(np.sum(path_norms(parity, l1, l2, lmax) ** 2, axis=(0, 1)) for parity in paths)
    return np.sqrt(squares / (2 * np.arange(lmax + 1) + 1))


@functools.cache
def coefficient_table(
    coefficients: Callable[[int, int, int], np.ndarray], l1: int, l2: int, lmax: int
) -> Float[np.ndarray, "k1 k2 k3"]:
    """Blocks of coefficients of all degrees up to three, in one array.

    Args:
      coefficients: gives the block of three degrees, such as `gaunt_coefficients`.
      l1, l2, lmax: largest degrees of the factors and of the result.

    Example:
      >>> coefficient_table(lambda a, b, c: np.ones((2 * a + 1, 2 * b + 1, 2 * c + 1)), 1, 0, 2).shape
      (4, 1, 9)
    """
    table = np.zeros([(degree + 1) ** 2 for degree in (l1, l2, lmax)])
    for degrees in np.ndindex(l1 + 1, l2 + 1, lmax + 1):
        table[tuple(slice(l * l, (l + 1) ** 2) for l in degrees)] = coefficients(*degrees)
    table.flags.writeable = False
    return table
