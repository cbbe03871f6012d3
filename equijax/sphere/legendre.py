"""Legendre functions with the normalisation of the real harmonics, as float64 tables.

``Y_lm(θ, φ) = P_l^|m|(θ) · {√2 sin |m|φ for m < 0, 1 for m = 0, √2 cos mφ for m > 0}`` with ``θ`` the angle
from the polar axis y and ``φ = atan2(x, z)`` splits every harmonic into a polar and an azimuthal factor.
``P_l^m`` is orthonormal in the degree, ``2π ∫_0^π P_l^m P_l'^m sin θ dθ = δ``, without Condon-Shortley sign.
"""

import math

import numpy as np
from jaxtyping import Float

from equijax.sphere import harmonics


def legendre_table(lmax: int, angles: Float[np.ndarray, "n"]) -> Float[np.ndarray, "lmax+1 lmax+1 n"]:
    """Orthonormal Legendre functions ``P_l^m(θ)`` of all degrees and orders, in float64 numpy.

    ``sin θ`` keeps its sign, so the functions go on over the full circle: a trigonometric polynomial of
    degree ``l``, and the double cover of the sphere, ``(θ, φ) ~ (2π - θ, φ + π)``.

    Args:
      lmax: largest degree.
      angles: polar angles ``θ`` in radians, shape ``(n,)``; any real numbers.

    Returns:
      ``table[l, m, i]``, zero for ``m > l``.

    Raises:
      ValueError: if ``lmax`` is negative or ``angles`` is not a vector.
      TypeError: if ``lmax`` is not an integer.

    Example:
      >>> legendre_table(1, np.array([0.0, np.pi / 2])).round(4).tolist()
      [[[0.2821, 0.2821], [0.0, 0.0]], [[0.4886, 0.0], [0.0, 0.3455]]]
    """
    harmonics.check_degree("lmax", lmax)
    angles = np.asarray(angles, np.float64)
    if angles.ndim != 1:
        raise ValueError(f"angles must have shape (n,), got {angles.shape}")
    # On the meridian φ = 0 the harmonics of order m ≥ 0 are P_l^m(θ), times √2 for m > 0.
    meridian = np.stack([0 * angles, np.cos(angles), np.sin(angles)], axis=-1)
    values = harmonics.harmonics_float64(lmax, meridian)
    table = np.zeros((lmax + 1, lmax + 1, len(angles)))
    for l in range(lmax + 1):
        table[l, : l + 1] = values[:, l * l + l : (l + 1) ** 2].T
    table[:, 1:] /= math.sqrt(2)
    return table


def azimuth_table(mmax: int, angles: Float[np.ndarray, "n"]) -> Float[np.ndarray, "2*mmax+1 n"]:
    """The azimuthal factors of the harmonics: ``√2 sin |m|φ``, ``1``, ``√2 cos mφ`` for ``m = -mmax … mmax``.

    Args:
      mmax: largest order.
      angles: azimuths ``φ`` in radians, shape ``(n,)``.

    Raises:
      ValueError: if ``mmax`` is negative.
      TypeError: if ``mmax`` is not an integer.

    Example:
      >>> azimuth_table(1, np.array([0.0])).ravel().round(4).tolist()
      [0.0, 1.0, 1.4142]
    """
    harmonics.check_degree("mmax", mmax)
    phases = np.outer(np.arange(1, mmax + 1), np.asarray(angles, np.float64))
    rows = [math.sqrt(2) * np.sin(phases[::-1]), np.ones((1, len(angles))), math.sqrt(2) * np.cos(phases)]
    return np.concatenate(rows)
