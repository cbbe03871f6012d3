"""The product of two functions on the sphere, in coefficients: the Gaunt tensor product.

``z = gaunt_product(x, y)`` has ``z_c = Σ_ab G_abc x_a y_b`` with ``G_abc = ∫ Y_a Y_b Y_c`` (Luo, Chen,
Krishnapriyan, ICLR 2024, equation 4). It is equivariant because rotating two functions rotates their
product, it is symmetric, and it couples only degrees with ``l1 + l2 + l3`` even.
"""

import functools

import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float

from equijax.numerics import check
from equijax.sphere import fourier, grids, harmonics

METHODS = ("auto", "direct", "grid", "fourier")


@functools.lru_cache(maxsize=None, typed=True)
def gaunt_coefficients(l1: int, l2: int, l3: int) -> Float[np.ndarray, "2*l1+1 2*l2+1 2*l3+1"]:
    """Integrals of products of three real harmonics, ``∫ Y_{l1 m1} Y_{l2 m2} Y_{l3 m3}``, in float64.

    Zero unless ``l1 + l2 + l3`` is even and ``|l1 - l2| ≤ l3 ≤ l1 + l2``.

    Raises:
      ValueError: if a degree is negative.
      TypeError: if a degree is not an integer.

    Example:
      >>> gaunt_coefficients(0, 1, 1).diagonal(axis1=1, axis2=2).round(6)
      array([[0.282095, 0.282095, 0.282095]])
    """
    for name, degree in (("l1", l1), ("l2", l2), ("l3", l3)):
        harmonics.check_degree(name, degree)
    if (l1 + l2 + l3) % 2 or not abs(l1 - l2) <= l3 <= l1 + l2:
        return _frozen(np.zeros((2 * l1 + 1, 2 * l2 + 1, 2 * l3 + 1)))
    grid = grids.smallest_grid(l1 + l2 + l3)
    blocks = [grids.evaluation_matrix(grid, l)[l * l :] for l in (l1, l2, l3)]
    table = np.einsum("ap,bp,cp,p->abc", *blocks, grid.weights(), optimize=True)
    return _frozen(np.where(np.abs(table) < 1e-14, 0.0, table))


def _frozen(array: np.ndarray) -> np.ndarray:
    """The array read-only, because it is cached and shared."""
    array.flags.writeable = False
    return array


@functools.cache
def _gaunt_table(lmax1: int, lmax2: int, lmax3: int) -> Float[np.ndarray, "k1 k2 k3"]:
    """All the coefficients up to three degrees, in one array."""
    rows = [
        [
            np.concatenate([gaunt_coefficients(l1, l2, l3) for l3 in range(lmax3 + 1)], axis=2)
            for l2 in range(lmax2 + 1)
        ]
        for l1 in range(lmax1 + 1)
    ]
    return np.concatenate([np.concatenate(row, axis=1) for row in rows], axis=0)


def gaunt_product(
    x: Float[Array, "... (l1+1)**2"],
    y: Float[Array, "... (l2+1)**2"],
    lmax: int | None = None,
    *,
    method: str = "auto",
    weights: tuple[Array | None, Array | None, Array | None] | None = None,
) -> Float[Array, "... (lmax+1)**2"]:
    """Product of two functions on the sphere given by their coefficients.

    Args:
      x, y: coefficients in the orthonormal real basis (e3nn's ``integral`` normalisation), degrees in
        order; leading axes broadcast.
      lmax: largest degree of the result, which is exact for every degree; ``l1 + l2`` (everything) unless
        given. Degrees above ``l1 + l2`` are zero.
      method: ``"direct"`` (a table of Gaunt coefficients, O(L⁶) a row), ``"grid"`` (values on the smallest
        exact quadrature grid, O(L⁴)), ``"fourier"`` (2D FFT, O(L³)) or ``"auto"``: direct while both
        degrees are at most 1, else the grid, which is the fastest of the three on CPU at every degree
        up to 10. All agree to rounding.
      weights: per-degree weights of ``x``, ``y`` and the result, each ``(..., degree + 1)`` or None for
        ones: the weighted Gaunt product of the paper, ``w_l1 w_l2 w_l3`` on each path.

    Returns:
      Shape ``(..., (lmax + 1)²)``, in the common dtype of ``x`` and ``y``.

    Raises:
      ValueError: if the size of a last axis is not a square, leading axes do not broadcast, ``lmax`` is
        negative, weights have the wrong size, or the method is unknown.
      TypeError: if ``x``, ``y`` or a weight is not a real floating-point array, ``lmax`` is not an integer,
        or ``weights`` is not a tuple of three.

    Example:
      >>> x = jnp.array([1.0, 0.0, 2.0, 0.0])
      >>> one = jnp.array([np.sqrt(4 * np.pi)])
      >>> gaunt_product(x, one, 1).round(5).tolist()
      [1.0, 0.0, 2.0, 0.0]
    """
    check.one_of("method", method, METHODS)
    l1, l2 = harmonics.signal_degree("x", x), harmonics.signal_degree("y", y)
    dtype = jnp.result_type(x, y)
    x, y = jnp.asarray(x, dtype), jnp.asarray(y, dtype)
    harmonics.check_leading_axes("y", y.shape[:-1], "x", x.shape[:-1])
    lmax = l1 + l2 if lmax is None else lmax
    harmonics.check_degree("lmax", lmax)
    if weights is not None and (not isinstance(weights, tuple | list) or len(weights) != 3):
        raise TypeError(f"weights must be a tuple of those of x, y and the result, got {weights!r}")
    weight_x, weight_y, weight_z = weights if weights is not None else (None, None, None)
    if weight_x is not None:
        x = harmonics.per_degree(weight_x, x, "weights[0]")
    if weight_y is not None:
        y = harmonics.per_degree(weight_y, y, "weights[1]")
    if method == "auto":
        method = "direct" if max(l1, l2) <= 1 else "grid"
    z = {"direct": _direct, "grid": _grid, "fourier": _fourier}[method](x, y, l1, l2, lmax)
    return z if weight_z is None else harmonics.per_degree(weight_z, z, "weights[2]")


def _direct(x, y, l1: int, l2: int, lmax: int):
    """One matrix product of the outer product with the table."""
    table = _gaunt_table(l1, l2, lmax).reshape(-1, (lmax + 1) ** 2)
    outer = x[..., :, None] * y[..., None, :]
    outer = outer.reshape(*outer.shape[:-2], len(table))
    return jnp.matmul(outer, jnp.asarray(table, x.dtype), precision="highest")


def _grid(x, y, l1: int, l2: int, lmax: int):
    """Values times values, projected by quadrature."""
    grid = grids.smallest_grid(l1 + l2 + lmax)
    return grids.from_grid(grids.to_grid(x, grid) * grids.to_grid(y, grid), grid, lmax)


def _fourier(x, y, l1: int, l2: int, lmax: int):
    """The paper's way: a convolution of 2D Fourier coefficients."""
    product = fourier.multiply_fourier(fourier.fourier_from_harmonics(x), fourier.fourier_from_harmonics(y))
    return fourier.harmonics_from_fourier(product, lmax)
