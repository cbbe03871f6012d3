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
from equijax.sphere import antipodal, couplings, fourier, grids, harmonics, moments, operands, separable
from equijax.sphere.contraction import bilinear, check_matmul_dtype
from equijax.sphere.crossovers import method_for

METHODS = ("auto", "direct", "grid", "lebedev", "gauss_legendre", "antipodal", "separable", "fourier")


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


def gaunt_product(
    x: Float[Array, "... (l1+1)**2"],
    y: Float[Array, "... (l2+1)**2"],
    lmax: int | None = None,
    *,
    method: str = "auto",
    weights: tuple[Array | None, Array | None, Array | None] | None = None,
    normalization: str = "integral",
    matmul_dtype=None,
) -> Float[Array, "... (lmax+1)**2"]:
    """Product of two functions on the sphere given by their coefficients.

    The methods agree to rounding, and differ in cost:

    ==================  =====================================================================================
    ``direct``          sums over the table of Gaunt coefficients, O(L⁶) a row; the fastest at degree 1
    ``grid``            values on the exact grid with the fewest points, O(L⁴): Lebedev's where there is one
    ``lebedev``         values on Lebedev's grid, for ``2 ≤ l1 + l2 + lmax ≤ 131`` the same as ``grid``
    ``gauss_legendre``  values on the product grid, as one dense matrix, O(L⁴)
    ``antipodal``       values on one of every two opposite points, even and odd degrees apart, O(L⁴): half of
                        the multiplications of ``grid``
    ``separable``       values on the product grid, polar and azimuthal angle in turn, O(L³)
    ``fourier``         the paper's way: 2D FFT of the double cover, O(L³)
    ``auto``            what was measured to be fastest on the back end: `equijax.sphere.method_for`
    ==================  =====================================================================================

    Args:
      x, y: coefficients in the orthonormal real basis (e3nn's ``integral`` normalisation), degrees in
        order; leading axes broadcast.
      lmax: largest degree of the result, which is exact for every degree; ``l1 + l2`` (everything) unless
        given. Degrees above ``l1 + l2`` are zero.
      method: see above.
      weights: per-degree weights of ``x``, ``y`` and the result, each ``(..., degree + 1)`` or None for
        ones: the weighted Gaunt product of the paper, ``w_l1 w_l2 w_l3`` on each path.
      normalization: ``"integral"`` for the product of functions itself; ``"component"`` divides every degree
        of the result by a constant, such that its components have unit variance where those of ``x`` and
        ``y`` are independent with zero mean and unit variance (before weights; `moments.product_deviation`).
      matmul_dtype: round the operands of all matrix products to this dtype, and sum in float32. With
        ``jnp.bfloat16``, equivariance holds to 0.2–0.7% of the result's norm at degrees 1 to 8 (``direct``
        best, ``separable`` worst), instead of 1e-6. Gradients are rounded once more on their way back.

    Returns:
      Shape ``(..., (lmax + 1)²)``, in the common dtype of ``x`` and ``y``.

    Raises:
      ValueError: if the size of a last axis is not a square, leading axes do not broadcast, ``lmax`` is
        negative, weights have the wrong size, the method or normalization is unknown, the method is
        ``"lebedev"`` beyond degree 131, or ``matmul_dtype`` is given for ``"fourier"``.
      TypeError: if ``x``, ``y`` or a weight is not a real floating-point array, ``lmax`` is not an integer,
        ``weights`` is not a tuple of three, or ``matmul_dtype`` is no floating-point dtype.

    Example:
      >>> x = jnp.array([1.0, 0.0, 2.0, 0.0])
      >>> one = jnp.array([np.sqrt(4 * np.pi)])
      >>> bool(jnp.allclose(gaunt_product(x, one, 1), x))
      True
    """
    check.one_of("method", method, METHODS)
    check.one_of("normalization", normalization, moments.NORMALIZATIONS)
    check_matmul_dtype(matmul_dtype)
    if method == "fourier" and matmul_dtype is not None:
        raise ValueError(f"matmul_dtype must be None for the method 'fourier', got {matmul_dtype!r}")
    x, y, l1, l2, lmax = operands.prepare(x, y, lmax)
    x, y, weight_z = operands.weigh(x, y, weights)
    if method == "auto":
        method = method_for(l1, l2, lmax)
    component = normalization == "component"
    scale = moments.unit_scale(moments.product_deviation(l1, l2, lmax)) if component else None
    z = _PRODUCTS[method](x, y, (l1, l2, lmax), scale, matmul_dtype)
    return z if weight_z is None else harmonics.per_degree(weight_z, z, "weights[2]")


def _direct(x, y, degrees: tuple[int, int, int], scale, matmul_dtype):
    """The definition: a sum over all pairs of components."""
    table = couplings.coefficient_table(gaunt_coefficients, *degrees)
    if scale is not None:
        table = table * scale[harmonics.degree_index(degrees[2])]
    return bilinear(x, y, table, matmul_dtype)


def _on(rule: str | None):
    """The product of values on a grid: the method of a rule, or of the smallest grid for None."""

    def product(x, y, degrees: tuple[int, int, int], scale, matmul_dtype):
        total = sum(degrees)
        grid = grids.smallest_grid(total) if rule is None else grids.SphereGrid(rule, total)
        values = grids.aligned_values(x, grid, matmul_dtype) * grids.aligned_values(y, grid, matmul_dtype)
        return grids.project_aligned(values, grid, degrees[2], scale, matmul_dtype)

    return product


def _antipodal(x, y, degrees: tuple[int, int, int], scale, matmul_dtype):
    """Values of the even and odd parts on half of a grid."""
    grid = antipodal.antipodal_grid(sum(degrees))
    x_even, x_odd = antipodal.to_half_grid(x, grid, matmul_dtype=matmul_dtype)
    y_even, y_odd = antipodal.to_half_grid(y, grid, matmul_dtype=matmul_dtype)
    even, odd = x_even * y_even + x_odd * y_odd, x_even * y_odd + x_odd * y_even
    return antipodal.project_parts(even, odd, grid, degrees[2], scale, matmul_dtype)


def _separable(x, y, degrees: tuple[int, int, int], scale, matmul_dtype):
    """Values on the product grid, by one angle after the other."""
    l1, l2, lmax = degrees
    grid = separable.separable_grid(l1 + l2 + lmax)
    ndim = max(x.ndim, y.ndim)
    x, y = (signal.reshape((1,) * (ndim - signal.ndim) + signal.shape) for signal in (x, y))
    values = separable.synthesis(x, l1, grid, matmul_dtype) * separable.synthesis(y, l2, grid, matmul_dtype)
    return separable.analysis(values, lmax, grid, scale, matmul_dtype)


def _fourier(x, y, degrees: tuple[int, int, int], scale, _):
    """The paper's way: a convolution of 2D Fourier coefficients."""
    product = fourier.multiply_fourier(fourier.fourier_from_harmonics(x), fourier.fourier_from_harmonics(y))
    z = fourier.harmonics_from_fourier(product, degrees[2])
    return z if scale is None else z * jnp.asarray(scale[harmonics.degree_index(degrees[2])], z.dtype)


_PRODUCTS = {
    "direct": _direct,
    "grid": _on(None),
    "lebedev": _on("lebedev"),
    "gauss_legendre": _on("gauss_legendre"),
    "antipodal": _antipodal,
    "separable": _separable,
    "fourier": _fourier,
}
