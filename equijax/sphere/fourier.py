"""Functions on the sphere as Fourier series on the torus of polar angle and azimuth.

Letting the polar angle run over the full circle (a double cover of the sphere) makes a signal of degrees
``0 … lmax`` a trigonometric polynomial ``f(θ, φ) = Σ_{|u|,|v| ≤ lmax} F[u, v] e^{i(uθ + vφ)}``
(Luo, Chen, Krishnapriyan, "Enabling Efficient Equivariant Operations in the Fourier Basis via Gaunt Tensor
Products", ICLR 2024, section 3.2). Signals are real, so only ``v ≥ 0`` is kept: arrays have shape
``(..., 2 lmax + 1, lmax + 1)``, with ``u = -lmax … lmax`` in order and ``v = 0 … lmax``.

The order ``m`` of a harmonic is the frequency ``v``, so both conversions cost one small matrix an order:
O(lmax³) operations.
"""

import functools
import math

import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Complex, Float

from equijax.numerics import check, quadrature
from equijax.sphere import harmonics, separable
from equijax.sphere.legendre import legendre_table


@functools.cache
def _legendre_series(lmax: int) -> Complex[np.ndarray, "l m u"]:
    """Fourier series in θ of the Legendre functions ``P_lm(θ)``, extended to the circle by signed sin θ."""
    size = 2 * lmax + 1
    theta = 2 * np.pi * np.arange(size) / size
    transform = np.exp(-1j * np.outer(theta, np.arange(-lmax, lmax + 1))) / size
    return legendre_table(lmax, theta) @ transform


@functools.cache
def _legendre_integrals(lmax: int, bandwidth: int) -> Complex[np.ndarray, "l m u"]:
    """``∫_0^π P_lm(θ) e^{iuθ} sin θ dθ`` for ``|u| ≤ bandwidth``, in closed form."""
    series = _legendre_series(lmax)
    # sin θ = (e^{iθ} - e^{-iθ}) / 2i shifts the series by one to each side.
    with_sine = np.zeros((lmax + 1, lmax + 1, 2 * lmax + 3), complex)
    with_sine[..., 2:] += series / 2j
    with_sine[..., :-2] -= series / 2j
    total = np.arange(-lmax - 1, lmax + 2)[:, None] + np.arange(-bandwidth, bandwidth + 1)[None, :]
    # ∫_0^π e^{ikθ} dθ is π for k = 0, 0 for even k and 2i/k for odd k.
    odd = total % 2 == 1
    integral = np.where(total == 0, np.pi, 0) + np.where(odd, 2j / np.where(odd, total, 1), 0)
    return with_sine @ integral


def fourier_from_harmonics(coefficients: Float[Array, "... k"]) -> Complex[Array, "... u v"]:
    """Fourier coefficients of a signal.

    Args:
      coefficients: shape ``(..., (lmax + 1)²)``, in the orthonormal real basis.

    Returns:
      Shape ``(..., 2 lmax + 1, lmax + 1)``, the half with ``v ≥ 0``.

    Raises:
      ValueError: if the size of the last axis is not a square.
      TypeError: if the coefficients are not real floating-point numbers.

    Example:
      >>> fourier_from_harmonics(jnp.array([1.0])).shape
      (1, 1)
    """
    lmax = harmonics.signal_degree("coefficients", coefficients)
    coefficients = jnp.asarray(coefficients)
    cosine, sine, present = _order_index(lmax)
    series = _legendre_series(lmax) * np.where(np.arange(lmax + 1) > 0, 1 / math.sqrt(2), 1.0)[:, None]
    dtype = jnp.result_type(coefficients.dtype, jnp.complex64)
    half = coefficients[..., cosine] * present - 1j * coefficients[..., sine] * (present * (cosine != sine))
    return jnp.einsum("...lm,lmu->...um", half.astype(dtype), jnp.asarray(series, dtype), precision="highest")


def harmonics_from_fourier(fourier: Complex[Array, "... u v"], lmax: int) -> Float[Array, "... k"]:
    """Coefficients up to a degree of a signal given by its Fourier coefficients (projection on the sphere).

    Args:
      fourier: shape ``(..., 2 n + 1, n + 1)``, the half with ``v ≥ 0``, for any bandwidth ``n``.
      lmax: largest degree of the result.

    Returns:
      Shape ``(..., (lmax + 1)²)``, real.

    Raises:
      ValueError: if the shape is not that of a bandwidth, or ``lmax`` is negative.
      TypeError: if ``fourier`` is not complex or ``lmax`` is not an integer.

    Example:
      >>> x = jnp.array([1.0, 2.0, 3.0, 4.0])
      >>> bool(jnp.allclose(harmonics_from_fourier(fourier_from_harmonics(x), 1), x, atol=1e-5))
      True
    """
    harmonics.check_degree("lmax", lmax)
    bandwidth = _bandwidth("fourier", fourier)
    fourier = jnp.asarray(fourier)
    orders = min(lmax, bandwidth)
    integrals = _legendre_integrals(lmax, bandwidth)[:, : orders + 1]
    scale = np.where(np.arange(orders + 1) > 0, 2 * math.sqrt(2) * np.pi, 2 * np.pi)
    table = jnp.asarray(integrals * scale[:, None], fourier.dtype)
    half = jnp.einsum("...um,lmu->...lm", fourier[..., : orders + 1], table, precision="highest")
    degrees, signed_orders = _degrees_and_orders(lmax)
    column = np.minimum(np.abs(signed_orders), orders)
    part = half[..., degrees, column]
    values = jnp.where(signed_orders >= 0, part.real, -part.imag)
    return jnp.where(np.abs(signed_orders) <= orders, values, 0)


def fourier_to_grid(
    fourier: Complex[Array, "... u v"], grid: separable.SeparableGrid
) -> Float[Array, "... rings columns"]:
    """Values on a separable grid of a signal given by its Fourier coefficients: one matrix product an angle.

    Args:
      fourier: shape ``(..., 2 n + 1, n + 1)``, the half with ``v ≥ 0``, for any bandwidth ``n``.
      grid: where.

    Raises:
      ValueError: if the shape is not that of a bandwidth.
      TypeError: if ``fourier`` is not complex or ``grid`` is not a separable grid.

    Example:
      >>> one = fourier_from_harmonics(jnp.array([math.sqrt(4 * math.pi)]))
      >>> fourier_to_grid(one, separable.SeparableGrid(1, 2)).round(5).tolist()
      [[1.0, 1.0]]
    """
    bandwidth = _bandwidth("fourier", fourier)
    separable.check_grid(grid)
    fourier = jnp.asarray(fourier)
    polar = np.arccos(quadrature.gauss_legendre(grid.rings).points)
    azimuths = quadrature.periodic(grid.columns).points
    rings = np.exp(1j * np.outer(polar, np.arange(-bandwidth, bandwidth + 1)))
    # The half with v < 0 is the conjugate of the other: twice the real part, for v > 0.
    columns = np.exp(1j * np.outer(np.arange(bandwidth + 1), azimuths))
    columns[1:] *= 2
    on_rings = jnp.matmul(jnp.asarray(rings, fourier.dtype), fourier, precision="highest")
    return jnp.matmul(on_rings, jnp.asarray(columns, fourier.dtype), precision="highest").real


def fourier_from_grid(
    values: Float[Array, "... rings columns"], grid: separable.SeparableGrid, lmax: int
) -> Complex[Array, "... u v"]:
    """Fourier coefficients of the part of degrees ≤ lmax of a signal given by its values.

    Exact if the signal's degree plus ``lmax`` is at most the degree of the grid.

    Args:
      values: shape ``(..., rings, columns)``.
      grid: where the values were taken.
      lmax: largest degree kept.

    Raises:
      ValueError: if there is not one value a grid point, or ``lmax`` is negative.
      TypeError: if the values are not real floating-point numbers, ``grid`` is not a separable grid, or
        ``lmax`` is not an integer.

    Example:
      >>> fourier_from_grid(jnp.ones((2, 3)), separable.SeparableGrid(2, 3), 1).shape
      (3, 2)
    """
    return fourier_from_harmonics(separable.from_separable_grid(values, grid, lmax))


def multiply_fourier(
    x: Complex[Array, "... u v"], y: Complex[Array, "... u2 v2"]
) -> Complex[Array, "... u3 v3"]:
    """Fourier coefficients of the product of two signals: a 2D convolution, by FFT.

    Args:
      x, y: the halves with ``v ≥ 0``, of bandwidths ``n1`` and ``n2``; batch axes broadcast.

    Returns:
      The same of bandwidth ``n1 + n2``: shape ``(..., 2 (n1 + n2) + 1, n1 + n2 + 1)``.

    Raises:
      ValueError: if a shape is not that of a bandwidth, or batch axes do not broadcast.
      TypeError: if an argument is not complex.

    Example:
      >>> one = fourier_from_harmonics(jnp.array([1.0]))
      >>> multiply_fourier(one, one).shape
      (1, 1)
    """
    bandwidth = _bandwidth("x", x) + _bandwidth("y", y)
    harmonics.check_leading_axes("y", jnp.shape(y)[:-2], "x", jnp.shape(x)[:-2])
    x, y = jnp.asarray(x), jnp.asarray(y)
    size = _fast_size(2 * bandwidth + 1)
    product = _torus_values(x, size) * _torus_values(y, size)
    transform = jnp.fft.rfft2(product, norm="forward")
    rows = np.arange(-bandwidth, bandwidth + 1) % size
    return transform[..., rows, : bandwidth + 1]


def _bandwidth(name: str, fourier: Complex[Array, "... u v"]) -> int:
    """Require a half-plane of Fourier coefficients; return its bandwidth."""
    if not jnp.issubdtype(jnp.result_type(fourier), jnp.complexfloating):
        raise TypeError(f"{name} must be a complex array, got dtype {jnp.result_type(fourier)}")
    bandwidth = check.shape(name, fourier, "... u v")["v"] - 1
    check.shape(name, fourier, f"... {2 * bandwidth + 1} {bandwidth + 1}")
    return bandwidth


def _torus_values(fourier: Complex[Array, "... u v"], size: int) -> Float[Array, "... size size"]:
    """Values on a ``size × size`` grid of the torus, of a half-plane of Fourier coefficients."""
    bandwidth = fourier.shape[-1] - 1
    padded = jnp.zeros((*fourier.shape[:-2], size, size // 2 + 1), fourier.dtype)
    rows = np.arange(-bandwidth, bandwidth + 1) % size
    padded = padded.at[..., rows, : bandwidth + 1].set(fourier)
    return jnp.fft.irfft2(padded, s=(size, size), norm="forward")


def _fast_size(minimum: int) -> int:
    """The smallest size with prime factors 2, 3, 5 only, on which FFTs are fast."""
    from scipy.fft import next_fast_len

    return next_fast_len(minimum, real=True)


@functools.cache
def _degrees_and_orders(lmax: int) -> tuple[np.ndarray, np.ndarray]:
    """Degree and signed order of every coefficient."""
    degrees = harmonics.degree_index(lmax)
    return degrees, np.arange((lmax + 1) ** 2, dtype=np.int32) - degrees**2 - degrees


@functools.cache
def _order_index(lmax: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Where the coefficients ``(l, m)`` and ``(l, -m)`` stand, for ``m ≥ 0``, and which of them exist."""
    degrees = np.arange(lmax + 1, dtype=np.int32)
    l, m = np.meshgrid(degrees, degrees, indexing="ij")
    present = m <= l
    m = np.where(present, m, np.int32(0))
    return l * l + l + m, l * l + l - m, present
