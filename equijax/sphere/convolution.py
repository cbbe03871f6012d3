"""The product of signals with a function of a direction, on a grid: no rotation, no special case at poles.

The filter ``Σ_l w_l Y_l(r)`` depends on the channel by one weight a degree, so its values are sums of
Legendre polynomials of the cosine between ``r`` and the grid points, which all channels share: the
convolution of Luo, Chen, Krishnapriyan, ICLR 2024, section 3.3, at the cost of one weighted sum of
``lmax + 1`` numbers a point, channel and edge. See `equijax.sphere.aligned` for the way by rotation.
"""

import functools
import math

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float

from equijax.numerics import check
from equijax.sphere import grids, harmonics, moments
from equijax.sphere.contraction import check_matmul_dtype, matrix_product


def gaunt_convolution(
    x: Float[Array, "... c k1"],
    vectors: Float[Array, "... 3"],
    lmax: int | None = None,
    *,
    filter_lmax: int,
    weights: tuple[Array | None, Array | None, Array | None] | None = None,
    normalization: str = "integral",
    matmul_dtype=None,
) -> Float[Array, "... c k3"]:
    """Gaunt product of signals with the harmonics of a direction: ``gaunt_product(x, Y(r), lmax)``.

    Args:
      x: signals with an axis of channels, which share the direction; ``(l1 + 1)²`` coefficients.
      vectors: of any length; leading axes broadcast with those of ``x`` before the channels. A zero vector
        has no direction: its harmonics of degree above 0 are zero.
      lmax: largest degree of the result, which is exact; ``l1 + filter_lmax`` unless given.
      filter_lmax: largest degree of the harmonics.
      weights: per-degree weights of ``x``, the harmonics and the result, each ``(..., c, degree + 1)`` or
        None for ones; they may differ between directions, as the outputs of a radial network do.
      normalization: ``"integral"`` for the product of functions; ``"component"`` for harmonics of mean
        square 1 and results of unit variance, for ``x`` of independent components of unit variance and
        random directions (before weights).
      matmul_dtype: round the operands of matrix products to this dtype; sums stay in float32.

    Returns:
      Shape ``(..., c, (lmax + 1)²)``.

    Raises:
      ValueError: if shapes do not agree, a degree is negative or the normalisation is unknown.
      TypeError: if an array is not a real floating-point array, a degree is not an integer, ``weights``
        is not a tuple of three or ``matmul_dtype`` is no floating-point dtype.

    Example:
      >>> gaunt_convolution(jnp.ones((5, 8, 9)), jnp.ones((5, 3)), 2, filter_lmax=3).shape
      (5, 8, 9)
    """
    x, degree, lmax, weights = prepare_convolution(x, lmax, filter_lmax, weights, normalization)
    check.floating("vectors", vectors)
    check.shape("vectors", vectors, "... 3")
    harmonics.check_leading_axes("vectors", jnp.shape(vectors)[:-1], "x", x.shape[:-2])
    weight_x, weight_filter, weight_out = weights
    if weight_x is not None:
        x = harmonics.per_degree(weight_x, x, "weights[0]")
    grid = grids.smallest_grid(degree + filter_lmax + lmax)
    directions = harmonics.spherical_harmonics(filter_lmax, jnp.asarray(vectors, x.dtype))
    if weight_filter is None:
        values = grids.to_grid(directions, grid, matmul_dtype=matmul_dtype)[..., None, :]
    else:
        weight_filter = jnp.asarray(weight_filter, x.dtype)
        values = weighted_values(
            directions, weight_filter, grid, name="weights[1]", matmul_dtype=matmul_dtype
        )
    values = grids.to_grid(x, grid, matmul_dtype=matmul_dtype) * values
    z = grids.from_grid(values, grid, lmax, matmul_dtype=matmul_dtype)
    return finish_convolution(z, weight_out, degree, filter_lmax, normalization)


def finish_convolution(
    z: Float[Array, "... c k"],
    weight: Float[Array, "... c lmax+1"] | None,
    degree: int,
    filter_lmax: int,
    normalization: str,
) -> Float[Array, "... c k"]:
    """Normalise and weight the degrees of a result, as all forms of the convolution do.

    Args:
      z: the product of functions.
      weight: of every degree, or None for ones.
      degree, filter_lmax: largest degrees of the factors.
      normalization: as in `gaunt_convolution`.

    Raises:
      ValueError: if the weight does not fit.
      TypeError: if it is not a real floating-point array.

    Example:
      >>> z = finish_convolution(jnp.ones((1, 1)), None, 0, 0, "component")
      >>> bool(jnp.allclose(z, 4 * math.pi))
      True
    """
    if normalization == "component":
        # The harmonics of mean square 1 are √4π times the orthonormal ones.
        lmax = harmonics.degree_of(z.shape[-1])
        scale = moments.unit_scale(moments.product_deviation(degree, filter_lmax, lmax)) * math.sqrt(
            4 * math.pi
        )
        z = z * jnp.asarray(scale[harmonics.degree_index(lmax)], z.dtype)
    return z if weight is None else harmonics.per_degree(weight, z, "weights[2]")


def prepare_convolution(x, lmax: int | None, filter_lmax: int, weights, normalization: str):
    """Check what the forms of the convolution share; return ``x``, its degree, ``lmax`` and three weights.

    Raises:
      ValueError: if ``x`` has no channel axis or its last axis is not a square, a degree is negative or the
        normalisation is unknown.
      TypeError: if ``x`` is not a real floating-point array, a degree is not an integer or ``weights`` is
        not a tuple of three.

    Example:
      >>> prepare_convolution(jnp.ones((1, 9)), None, 1, None, "integral")[1:]
      (2, 3, (None, None, None))
    """
    check.one_of("normalization", normalization, moments.NORMALIZATIONS)
    degree = harmonics.signal_degree("x", x)
    check.shape("x", x, "... channels k")
    harmonics.check_degree("filter_lmax", filter_lmax)
    lmax = degree + filter_lmax if lmax is None else lmax
    harmonics.check_degree("lmax", lmax)
    if weights is None:
        weights = (None, None, None)
    if not isinstance(weights, tuple | list) or len(weights) != 3:
        raise TypeError(f"weights must be a tuple of those of x, the filter and the result, got {weights!r}")
    return jnp.asarray(x), degree, lmax, tuple(weights)


def weighted_values(
    signal: Float[Array, "... k"],
    weights: Float[Array, "... c lmax+1"],
    grid: grids.SphereGrid,
    *,
    name: str = "weights",
    matmul_dtype=None,
) -> Float[Array, "... c p"]:
    """Values on a grid of one signal with its degrees weighted differently in every channel.

    Equal to ``to_grid(per_degree(weights, signal[..., None, :]), grid)`` at a fraction of its cost: each
    degree is evaluated once, for all channels.

    Args:
      signal: shape ``(..., (lmax + 1)²)``.
      weights: shape ``(..., c, lmax + 1)``.
      grid: where.
      name: what the weights are called in the message.
      matmul_dtype: round the operands of matrix products to this dtype; sums stay in float32.

    Raises:
      ValueError: if shapes do not agree.
      TypeError: if an argument is not a real floating-point array, ``grid`` is not a grid, or
        ``matmul_dtype`` is no floating-point dtype.

    Example:
      >>> weighted_values(jnp.ones((5, 9)), jnp.ones((5, 8, 3)), grids.smallest_grid(4)).shape
      (5, 8, 14)
    """
    lmax = harmonics.signal_degree("signal", signal)
    check.floating(name, weights)
    check.shape(name, weights, f"... c {lmax + 1}")
    harmonics.check_leading_axes(name, jnp.shape(weights)[:-2], "the signal", jnp.shape(signal)[:-1])
    grids.check_grid(grid)
    check_matmul_dtype(matmul_dtype)
    signal, matrix = jnp.asarray(signal), grids.evaluation_matrix(grid, lmax)
    parts = [slice(l * l, (l + 1) ** 2) for l in range(lmax + 1)]
    values = [matrix_product(signal[..., part], matrix[part], signal.dtype, matmul_dtype) for part in parts]
    return _combine(weights, jnp.stack(values, axis=-2))


@jax.custom_jvp
def _combine(weights: Float[Array, "... c l"], values: Float[Array, "... l p"]) -> Float[Array, "... c p"]:
    """A matrix product of few terms, as a sum that fuses with what follows instead of being stored.

    On CPU this takes a quarter to a half of the time; its derivatives reduce over long axes, where matrix
    products are faster, so they are written as such.
    """
    terms = [weights[..., l, None] * values[..., None, l, :] for l in range(values.shape[-2])]
    return functools.reduce(jnp.add, terms)


@_combine.defjvp
def _(primals: tuple, tangents: tuple) -> tuple[Array, Array]:
    """The product rule, with matrix products."""
    (weights, values), (d_weights, d_values) = primals, tangents
    tangent = jnp.matmul(d_weights, values, precision="highest")
    return _combine(weights, values), tangent + jnp.matmul(weights, d_values, precision="highest")
