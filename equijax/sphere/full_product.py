"""The tensor product of two functions on the sphere with all Clebsch-Gordan paths: Gaunt plus bracket.

The Gaunt product has the paths with ``l1 + l2 + l3`` even, the bracket those with an odd sum. Both are taken
on one grid, where a signal has its value and the two components of its gradient. Weights of paths are sums of
a few products of per-degree factors (`PathWeights`).
"""

import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float

from equijax.numerics import check
from equijax.sphere import bracket, couplings, harmonics, moments, operands
from equijax.sphere.contraction import check_matmul_dtype
from equijax.sphere.full_terms import full_terms
from equijax.sphere.path_factors import DegreeFactors, PathWeights, check_factors


def tensor_product(
    x: Float[Array, "... (l1+1)**2"],
    y: Float[Array, "... (l2+1)**2"],
    lmax: int | None = None,
    *,
    method: str = "auto",
    weights: PathWeights | None = None,
    normalization: str = "integral",
    matmul_dtype=None,
) -> Float[Array, "... (lmax+1)**2"]:
    """Sum of the Gaunt product and the bracket of two signals: every path ``l1, l2 -> l3`` once.

    Equivariant under rotations. Under reflections its two parts have opposite parity: `tensor_product_parts`
    keeps them apart, and `irreps_product` does so for arrays that carry their irreps.

    Args:
      x, y: coefficients in the orthonormal real basis (e3nn's ``integral`` normalisation), degrees in
        order; leading axes broadcast.
      lmax: largest degree of the result, which is exact for every degree; ``l1 + l2`` unless given.
      method: ``"direct"`` (tables, O(L⁶) a row), ``"grid"`` (values and gradients on one quadrature
        grid, O(L⁴)) or ``"auto"``: direct while both degrees are at most 1, else the grid.
      weights: factors of the weights of the paths, cast to the dtype of the result; ones if None.
        `path_weights` gives those that make the product the Clebsch-Gordan one.
      normalization: ``"integral"`` for the sum itself; ``"component"`` divides every degree of the result by
        the standard deviation that its components have when those of ``x`` and ``y`` are independent with
        unit variance and all weights are one.
      matmul_dtype: round the operands of all matrix products to this dtype, and sum in float32: see
        `gaunt_product`.

    Returns:
      Shape ``(..., (lmax + 1)²)``, in the common dtype of ``x`` and ``y``.

    Raises:
      ValueError: if the size of a last axis is not a square, leading axes do not broadcast, ``lmax`` is
        negative, weights have the wrong size, or the method or normalisation is unknown.
      TypeError: if ``x``, ``y`` or a weight is not a real floating-point array, ``lmax`` is not an integer,
        ``weights`` are not `PathWeights`, or ``matmul_dtype`` is no floating-point dtype.

    Example:
      >>> x, y = jnp.array([0.0, 1.0, 0.0, 0.0]), jnp.array([0.0, 1.0, 1.0, 0.0])
      >>> print(np.asarray(tensor_product(x, y, 1)).round(4))  # x · y and x x y
      [0.2821 0.     0.     0.4886]
    """
    x, y, l1, l2, lmax = _prepare(x, y, lmax, method, normalization, matmul_dtype)
    terms = full_terms(x, y, lmax, method=method, weights=weights, matmul_dtype=matmul_dtype)
    z = terms.project(terms.even, terms.odd)
    if normalization == "component":
        z = bracket.unit_variance(z, couplings.output_deviations(("even", "odd"), l1, l2, lmax))
    return z


def tensor_product_parts(
    x: Float[Array, "... (l1+1)**2"],
    y: Float[Array, "... (l2+1)**2"],
    lmax: int | None = None,
    *,
    method: str = "auto",
    weights: PathWeights | None = None,
    normalization: str = "integral",
    matmul_dtype=None,
) -> tuple[Float[Array, "... (lmax+1)**2"], Float[Array, "... (lmax+1)**2"]]:
    """The Gaunt product and the bracket of two signals, separately, for little more than their sum costs.

    Args:
      x, y, lmax, method, weights, matmul_dtype: as in `tensor_product`.
      normalization: as in `tensor_product`; ``"component"`` gives each part unit variance.

    Returns:
      The sum of the even paths, whose parity is the product of the factors' parities, and that of the odd
      paths, whose parity is the opposite (each relative to natural parity ``(-1)^l``).

    Raises:
      ValueError: as in `tensor_product`.
      TypeError: as in `tensor_product`.

    Example:
      >>> x, y = jnp.array([0.0, 1.0, 0.0, 0.0]), jnp.array([0.0, 1.0, 1.0, 0.0])
      >>> even, odd = tensor_product_parts(x, y, 1)
      >>> print(np.asarray(even).round(4), np.asarray(odd).round(4))
      [0.2821 0.     0.     0.    ] [0.     0.     0.     0.4886]
    """
    x, y, l1, l2, lmax = _prepare(x, y, lmax, method, normalization, matmul_dtype)
    terms = full_terms(x, y, lmax, method=method, weights=weights, matmul_dtype=matmul_dtype)
    even, odd = terms.project(terms.even, None), terms.project(None, terms.odd)
    if normalization == "component":
        even = bracket.unit_variance(even, couplings.output_deviations(("even",), l1, l2, lmax))
        odd = bracket.unit_variance(odd, couplings.output_deviations(("odd",), l1, l2, lmax))
    return even, odd


def _prepare(x, y, lmax: int | None, method: str, normalization: str, matmul_dtype):
    """Check the arguments; return the factors, their degrees and ``lmax``."""
    check.one_of("method", method, bracket.METHODS)
    check.one_of("normalization", normalization, moments.NORMALIZATIONS)
    check_matmul_dtype(matmul_dtype)
    return operands.prepare(x, y, lmax)


def sum_of_ranks(product, x, y, lmax: int, factors: DegreeFactors, *, name: str = "factors"):
    """Sum over the ranks of factors of a product with their per-degree weights.

    Args:
      product: `gaunt_product` or `bracket_product`, with their options.
      x, y, lmax: as in the product.
      factors: the weights of its paths.
      name: what the factors are called in messages.

    Raises:
      ValueError: if factors do not have the degrees of the signals, or leading axes do not broadcast.
      TypeError: if they are not `DegreeFactors` of real floating-point arrays.

    Example:
      >>> from equijax.sphere import gaunt_product
      >>> one = DegreeFactors(jnp.ones((3, 1)), jnp.ones((3, 1)), jnp.ones((3, 1)))
      >>> z = sum_of_ranks(gaunt_product, jnp.ones(1), jnp.ones(1), 0, one)
      >>> print(np.asarray(z).round(4))  # 3 / √4π
      [0.8463]
    """
    degrees = (*(harmonics.degree_of(signal.shape[-1]) for signal in (x, y)), lmax)
    check_factors(name, factors, degrees, np.broadcast_shapes(x.shape[:-1], y.shape[:-1]))
    x, y, combine = DegreeFactors(*(jnp.asarray(factor, x.dtype) for factor in factors)).by_rank(x, y)
    return combine(product(x, y, lmax))
