"""Real spherical harmonics, orthonormal on the sphere, as polynomials of the coordinates.

Conventions are e3nn's with ``normalization="integral"``: ``∫ Y_lm Y_l'm' = δ``, degrees ``0 … lmax`` in
order, within a degree ``m = -l … l``, index ``l² + l + m``; the polar axis is ``y`` and the azimuth is
``atan2(x, z)``, so the degree-1 part is ``√(3/4π) (x, y, z)``. No Condon-Shortley sign.

The recurrences run on solid harmonics (homogeneous polynomials), which have no poles: values and
derivatives of every order are right everywhere, on the polar axis and at the origin too.
"""

import functools
import math

import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float, Int

from equijax.numerics import check, safe


def num_coefficients(lmax: int) -> int:
    """Number of coefficients of degrees ``0 … lmax``: ``(lmax + 1)²``.

    Raises:
      ValueError: if ``lmax`` is negative.
      TypeError: if ``lmax`` is not an integer.

    Example:
      >>> num_coefficients(2)
      9
    """
    check_degree("lmax", lmax)
    return (lmax + 1) ** 2


def degree_of(num: int, name: str = "coefficients") -> int:
    """Largest degree of a coefficient axis of a given size.

    Args:
      num: size of the axis.
      name: the argument's name, for the message.

    Raises:
      ValueError: if the size is not a positive square.

    Example:
      >>> degree_of(9)
      2
    """
    root = math.isqrt(num)
    if num < 1 or root * root != num:
        raise ValueError(f"{name} must have (lmax + 1)² entries on the last axis, got {num}")
    return root - 1


def signal_degree(name: str, coefficients: Float[Array, "... k"]) -> int:
    """Require an array of coefficients; return the largest degree.

    Args:
      name: the argument's name, for the message.
      coefficients: shape ``(..., (lmax + 1)²)``.

    Raises:
      ValueError: if there is no last axis or its size is not a square.
      TypeError: if the coefficients are not real floating-point numbers, or carry irreps.

    Example:
      >>> signal_degree("x", jnp.zeros((5, 9)))
      2
    """
    if hasattr(coefficients, "irreps"):
        raise TypeError(
            f"{name} must be an array of coefficients, got an IrrepsArray: signals_from_irreps converts it, "
            "irreps_product multiplies two"
        )
    check.floating(name, coefficients)
    return degree_of(check.shape(name, coefficients, "... k")["k"], name)


def check_degree(name: str, degree: int) -> None:
    """Require a non-negative integer.

    Raises:
      ValueError: if it is negative.
      TypeError: if it is not an integer.

    Example:
      >>> check_degree("lmax", -1)
      Traceback (most recent call last):
      ValueError: lmax must be a number of at least 0, got -1
    """
    check.count(name, degree, 0)


def check_leading_axes(name: str, axes: tuple[int, ...], other: str, other_axes: tuple[int, ...]) -> None:
    """Require that the leading axes of one array broadcast with those of another.

    Raises:
      ValueError: if they do not.

    Example:
      >>> check_leading_axes("y", (3,), "x", (4,))
      Traceback (most recent call last):
      ValueError: y must have leading axes that broadcast with those of x, (4,), got (3,)
    """
    try:
        np.broadcast_shapes(axes, other_axes)
    except ValueError:
        raise ValueError(
            f"{name} must have leading axes that broadcast with those of {other}, {other_axes}, got {axes}"
        ) from None


@functools.cache
def degree_index(lmax: int) -> Int[np.ndarray, "k"]:
    """Degree ``l`` of every coefficient, to spread one number a degree over its components.

    Raises:
      ValueError: if ``lmax`` is negative.
      TypeError: if ``lmax`` is not an integer.

    Example:
      >>> degree_index(1)
      array([0, 1, 1, 1], dtype=int32)
    """
    check_degree("lmax", lmax)
    # In 32 bits in any precision: JAX confuses the two widths of one index array that both modes trace.
    index = np.repeat(np.arange(lmax + 1, dtype=np.int32), 2 * np.arange(lmax + 1) + 1)
    index.flags.writeable = False
    return index


def solid_harmonics(lmax: int, vectors: Float[Array, "... 3"]) -> Float[Array, "... (lmax+1)**2"]:
    """Harmonics times ``|v|^l``: homogeneous polynomials of the coordinates.

    Args:
      lmax: largest degree.
      vectors: shape ``(..., 3)``, any length, any floating dtype.

    Returns:
      Shape ``(..., (lmax + 1)²)``; of a unit vector these are the orthonormal harmonics.

    Raises:
      ValueError: if ``lmax`` is negative or the last axis is not 3.
      TypeError: if ``lmax`` is not an integer or ``vectors`` is not a real floating-point array.

    Example:
      >>> print(np.asarray(solid_harmonics(1, jnp.array([0.0, 2.0, 0.0]))).round(3))
      [0.282 0.    0.977 0.   ]
    """
    check_degree("lmax", lmax)
    check.floating("vectors", vectors)
    check.shape("vectors", vectors, "... 3")
    x, y, z = jnp.moveaxis(jnp.asarray(vectors), -1, 0)
    return jnp.stack(_polynomials(lmax, x, y, z), axis=-1)


def spherical_harmonics(lmax: int, vectors: Float[Array, "... 3"]) -> Float[Array, "... (lmax+1)**2"]:
    """Orthonormal real spherical harmonics of the directions of vectors.

    Args:
      lmax: largest degree.
      vectors: shape ``(..., 3)``; normalised here. A zero vector has no direction: it gives
        ``Y_00 = 1/√4π`` and zeros, with zero gradient.

    Returns:
      Shape ``(..., (lmax + 1)²)``.

    Raises:
      ValueError: if ``lmax`` is negative or the last axis is not 3.
      TypeError: if ``lmax`` is not an integer or ``vectors`` is not a real floating-point array.

    Example:
      >>> print(np.asarray(spherical_harmonics(1, jnp.array([0.0, 2.0, 0.0]))).round(3))
      [0.282 0.    0.489 0.   ]
    """
    check.floating("vectors", vectors)
    check.shape("vectors", vectors, "... 3")
    return solid_harmonics(lmax, safe.normalize(jnp.asarray(vectors)))


def harmonics_float64(lmax: int, points: Float[np.ndarray, "p 3"]) -> Float[np.ndarray, "p k"]:
    """The same on the host in float64 numpy, for unit vectors: for tables computed once.

    Example:
      >>> harmonics_float64(1, np.array([[0.0, 0.0, 1.0]])).round(4).tolist()
      [[0.2821, 0.0, 0.0, 0.4886]]
    """
    x, y, z = np.moveaxis(np.asarray(points, np.float64), -1, 0)
    return np.stack(_polynomials(lmax, x, y, z), axis=-1)


def _polynomials(lmax: int, x, y, z) -> list:
    """Solid harmonics by the stable recurrences in the degree at fixed order.

    ``cosines[m] + i sines[m] = (z + i x)^m`` carries the azimuth; ``polar[l, m]`` is the Legendre function
    without its factor ``sin^m``, made homogeneous by ``r²``.
    """
    r2 = x * x + y * y + z * z
    cosines, sines = [x * 0 + 1], [x * 0]
    for _ in range(lmax):
        c, s = cosines[-1], sines[-1]
        cosines.append(c * z - s * x)
        sines.append(s * z + c * x)
    polar = {(0, 0): x * 0 + 1 / math.sqrt(4 * math.pi)}
    for m in range(lmax + 1):
        if m:
            polar[m, m] = math.sqrt((2 * m + 1) / (2 * m)) * polar[m - 1, m - 1]
        if m < lmax:
            polar[m + 1, m] = math.sqrt(2 * m + 3) * y * polar[m, m]
        for l in range(m + 2, lmax + 1):
            scale = math.sqrt((4 * l * l - 1) / (l * l - m * m))
            shift = math.sqrt(((l - 1) ** 2 - m * m) / (4 * (l - 1) ** 2 - 1))
            polar[l, m] = scale * (y * polar[l - 1, m] - shift * (r2 * polar[l - 2, m]))
    values = []
    for l in range(lmax + 1):
        values += [math.sqrt(2) * polar[l, m] * sines[m] for m in range(l, 0, -1)]
        values.append(polar[l, 0])
        values += [math.sqrt(2) * polar[l, m] * cosines[m] for m in range(1, l + 1)]
    return values


def per_degree(
    weights: Float[Array, "... lmax+1"], coefficients: Float[Array, "... (lmax+1)**2"], name: str = "weights"
) -> Float[Array, "... (lmax+1)**2"]:
    """Multiply every degree of a signal by its own weight: an equivariant map.

    Args:
      weights: shape ``(..., lmax + 1)``.
      coefficients: shape ``(..., (lmax + 1)²)``.
      name: what the weights are called in the message.

    Raises:
      ValueError: if the number of weights is not the number of degrees, or leading axes do not broadcast.
      TypeError: if an argument is not a real floating-point array.

    Example:
      >>> per_degree(jnp.array([1.0, 2.0]), jnp.ones(4))
      Array([1., 2., 2., 2.], dtype=float32)
    """
    lmax = signal_degree("coefficients", coefficients)
    check.floating(name, weights)
    check.shape(name, weights, f"... {lmax + 1}")
    check_leading_axes(name, np.shape(weights)[:-1], "the coefficients", np.shape(coefficients)[:-1])
    weights, coefficients = jnp.asarray(weights), jnp.asarray(coefficients)
    if lmax <= 1:
        # At few degrees a product for each is faster, the more so in gradients: there is nothing to scatter.
        parts = [weights[..., l : l + 1] * coefficients[..., l * l : (l + 1) ** 2] for l in range(lmax + 1)]
        return jnp.concatenate(parts, axis=-1)
    return jnp.take(weights, degree_index(lmax), axis=-1) * coefficients
