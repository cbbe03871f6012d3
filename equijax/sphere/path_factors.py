"""Weights of the paths of a full tensor product, as sums of a few products of per-degree factors.

The Gaunt product and the bracket give each path a fixed strength, `couplings.path_norms`. Its reciprocal is
nearly a product of a function of each degree, so that a few such products, applied to the degrees of the
factors and of the result, turn the two products into the Clebsch-Gordan one: exactly for two of them at
degree 2, three at 3, four at 4, within 2% RMS for three at degree 6.
"""

import functools
from typing import NamedTuple

import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float

from equijax.numerics import check
from equijax.sphere import couplings, harmonics
from equijax.sphere.product_fit import fit_products


class DegreeFactors(NamedTuple):
    """Weights of paths ``(l1, l2, l3)`` of rank R: ``w[l1, l2, l3] = Σ_r x[r, l1] y[r, l2] out[r, l3]``.

    The leading axes broadcast with those of the signals: shape ``(channels, rank, l + 1)`` gives every
    channel its own weights.

    Attributes:
      x: factors of the degrees of the first signal, shape ``(..., rank, l1 + 1)``.
      y: of the second, shape ``(..., rank, l2 + 1)``.
      out: of the result, shape ``(..., rank, lmax + 1)``.

    Example:
      >>> DegreeFactors(jnp.ones((2, 3)), jnp.ones((2, 1)), jnp.ones((2, 4))).dense().shape
      (3, 1, 4)
    """

    x: Float[Array, "... rank l1+1"]
    y: Float[Array, "... rank l2+1"]
    out: Float[Array, "... rank lmax+1"]

    def dense(self) -> Float[Array, "... l1+1 l2+1 lmax+1"]:
        """The weight of every triple of degrees, whether or not there is a path."""
        return jnp.einsum("...ra,...rb,...rc->...abc", *self, precision="highest")

    def by_rank(self, x, y):
        """Both signals with their weights, and the map of the weighted sum of products over the ranks.

        With more than one rank, the signals get an axis for it before the last. With one they do not, because
        XLA's gradients are slow with axes of size one.

        Example:
          >>> ones = DegreeFactors(jnp.ones((3, 1)), jnp.ones((3, 1)), jnp.ones((3, 1)))
          >>> x, y, combine = ones.by_rank(jnp.ones(1), jnp.ones(1))
          >>> x.shape, combine(x * y)
          ((3, 1), Array([3.], dtype=float32))
        """
        if self.x.shape[-2] == 1:
            weights = [factor[..., 0, :] for factor in self]
            return *map(harmonics.per_degree, weights[:2], (x, y)), functools.partial(
                harmonics.per_degree, weights[2]
            )
        signals = [harmonics.per_degree(factor, signal[..., None, :]) for factor, signal in zip(self, (x, y))]
        return *signals, lambda z: jnp.sum(harmonics.per_degree(self.out, z), axis=-2)


class PathWeights(NamedTuple):
    """Weights of all paths of a full tensor product.

    Attributes:
      even: of the paths with ``l1 + l2 + l3`` even, relative to the Gaunt product.
      odd: of the paths with ``l1 + l2 + l3`` odd, relative to the bracket product.
    """

    even: DegreeFactors
    odd: DegreeFactors


class PathErrors(NamedTuple):
    """Root mean square, over the paths, of the relative error of their weights.

    Attributes:
      even: of the paths with ``l1 + l2 + l3`` even.
      odd: of the others.
    """

    even: float
    odd: float


def check_factors(name: str, factors: DegreeFactors, degrees: tuple[int, int, int], leading) -> None:
    """Require factors of the degrees of two signals and their product, of one rank.

    Args:
      name: what they are called in messages.
      factors: the argument.
      degrees: largest degrees of the signals and of the result.
      leading: leading axes of the signals, with which those of the factors must broadcast.

    Raises:
      ValueError: if sizes differ, or leading axes do not broadcast.
      TypeError: if they are not `DegreeFactors` of real floating-point arrays.

    Example:
      >>> check_factors("weights", DegreeFactors(*3 * (np.ones((2, 1)),)), (0, 0, 1), ())
      Traceback (most recent call last):
      ValueError: weights.out must have shape (..., rank, 2), rank=2, got (2, 1)
    """
    check.instance(name, factors, DegreeFactors)
    sizes = {}
    for field, factor, degree in zip(DegreeFactors._fields, factors, degrees):
        check.floating(f"{name}.{field}", factor)
        sizes.update(check.shape(f"{name}.{field}", factor, f"... rank {degree + 1}", **sizes))
        harmonics.check_leading_axes(f"{name}.{field}", np.shape(factor)[:-2], "the signals", leading)


def path_weights(
    l1: int,
    l2: int,
    lmax: int,
    rank: int = 1,
    *,
    irrep_normalization: str = "component",
    path_normalization: str = "none",
) -> PathWeights:
    """Weights with which the full tensor product is close to the Clebsch-Gordan one.

    ``tensor_product(x, y, lmax, weights=path_weights(l1, l2, lmax, rank))`` is the sum over all paths of what
    ``e3nn_jax.tensor_product`` returns for them, signs included, up to the errors of `path_weights_errors`.

    Args:
      l1, l2, lmax: largest degrees of the factors and of the result.
      rank: number of products of per-degree factors, for each of the even and the odd paths.
      irrep_normalization: as in e3nn: ``"component"`` (every path alone has unit component variance for
        independent unit-variance factors), ``"norm"`` (a path keeps norms: that of ``component`` times
        ``√((2l1+1)(2l2+1)/(2l3+1))``) or ``"none"`` (Clebsch-Gordan blocks of unit Frobenius norm).
      path_normalization: ``"none"``, or ``"element"`` to divide by the root of the number of paths that end
        in the degree, so that with ``"component"`` the sum of them has unit variance.

    Returns:
      Float64 numpy arrays of shape ``(rank, degree + 1)``. The least-squares fit of the relative errors,
      deterministic, computed once.

    Raises:
      ValueError: if a degree is negative, ``rank`` is below 1 or a normalisation is unknown.
      TypeError: if a degree or the rank is not an integer.

    Example:
      >>> path_weights(1, 1, 1).even.dense()[0, 1, 1].round(4)  # √3 √4π / √3
      Array(3.5449, dtype=float32)
    """
    check.one_of("irrep_normalization", irrep_normalization, ("component", "norm", "none"))
    check.one_of("path_normalization", path_normalization, ("none", "element"))
    _check_sizes(l1, l2, lmax, rank)
    scale_x, scale_y, scale_out = (np.ones(degree + 1) for degree in (l1, l2, lmax))
    if irrep_normalization == "component":
        scale_out = np.sqrt(2 * np.arange(lmax + 1) + 1)
    elif irrep_normalization == "norm":
        scale_x, scale_y = (np.sqrt(2 * np.arange(degree + 1) + 1) for degree in (l1, l2))
    if path_normalization == "element":
        counts = sum(np.sum(couplings.path_norms(p, l1, l2, lmax) > 0, axis=(0, 1)) for p in ("even", "odd"))
        scale_out = scale_out / np.sqrt(np.maximum(counts, 1))
    fits = (_reciprocal_fit(parity, l1, l2, lmax, rank)[0] for parity in ("even", "odd"))
    weights = PathWeights(*(DegreeFactors(f.x * scale_x, f.y * scale_y, f.out * scale_out) for f in fits))
    for factor in (*weights.even, *weights.odd):
        factor.flags.writeable = False
    return weights


def path_weights_errors(l1: int, l2: int, lmax: int, rank: int = 1) -> PathErrors:
    """How far the paths of `path_weights` are from Clebsch-Gordan ones.

    Args:
      l1, l2, lmax: largest degrees of the factors and of the result.
      rank: number of products of per-degree factors.

    Raises:
      ValueError: if a degree is negative or ``rank`` is below 1.
      TypeError: if an argument is not an integer.

    Example:
      >>> errors = path_weights_errors(2, 2, 2, rank=1)
      >>> round(errors.even, 4), errors.odd < 1e-9
      (0.0466, True)
    """
    _check_sizes(l1, l2, lmax, rank)
    return PathErrors(*(_reciprocal_fit(parity, l1, l2, lmax, rank)[1] for parity in ("even", "odd")))


def _check_sizes(l1: int, l2: int, lmax: int, rank: int) -> None:
    """Raise a clear error unless the degrees and the rank are allowed."""
    for name, degree in (("l1", l1), ("l2", l2), ("lmax", lmax)):
        harmonics.check_degree(name, degree)
    check.count("rank", rank, 1)


@functools.cache
def _reciprocal_fit(parity: str, l1: int, l2: int, lmax: int, rank: int) -> tuple[DegreeFactors, float]:
    """Factors of the reciprocal norms of the paths of one parity, and their relative error."""
    norms = couplings.path_norms(parity, l1, l2, lmax)
    mask = norms > 0
    if not mask.any():
        factors = [np.zeros((rank, size)) for size in norms.shape]
        return DegreeFactors(*factors), 0.0
    target = np.where(mask, 1 / np.where(mask, norms, 1), 0)
    factors = fit_products(target, np.where(mask, norms, 0), rank)
    for factor in factors:
        factor.flags.writeable = False
    residual = (np.einsum("ra,rb,rc->abc", *factors) * norms - 1)[mask]
    return DegreeFactors(*factors), float(np.sqrt(np.mean(residual**2)))
