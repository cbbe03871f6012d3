"""Products of arrays that carry their irreps, for models written with e3nn: no parity is ever lost.

``e3nn_jax.tensor_product(x, y, filter_ir_out=...)`` returns every path on its own, for every pair of
channels. `irreps_product` is channel by channel and returns the sum of the paths into each irrep, with
weights of the paths of low rank: what a network keeps of the product after its next linear layer, at a
fraction of the cost.
"""

import functools
import itertools
from typing import Any

import jax.numpy as jnp
import numpy as np

from equijax.numerics import check
from equijax.sphere import bracket, couplings, full_product, gaunt, harmonics, moments
from equijax.sphere.full_terms import full_terms
from equijax.sphere.path_factors import DegreeFactors, PathWeights
from equijax.sphere.signals import (
    ParitySignals,
    irreps_from_signals,
    kept_irreps,
    signals_from_irreps,
)

PATHS = ("all", "even", "odd")


def irreps_product(
    x: Any,
    y: Any,
    *,
    paths: str = "all",
    filter_ir_out=None,
    method: str = "auto",
    weights: PathWeights | DegreeFactors | None = None,
    normalization: str = "integral",
    matmul_dtype=None,
):
    """Channel-wise product of two ``e3nn_jax.IrrepsArray``.

    ``x`` and ``y`` are split into signals of natural and of pseudo parity, all pairs of signals are
    multiplied, and each result goes to the parity that it has: the result is equivariant under O(3).

    Args:
      x, y: ``e3nn_jax.IrrepsArray`` with equal multiplicities, such as ``8x0e+8x1o``, and as many channels as
        each other, or one of them one channel; leading axes broadcast. (After e3nn's ``mul_to_axis`` the
        channels are a leading axis and the multiplicities one.)
      paths: ``"all"`` (Gaunt product and bracket), ``"even"`` (the Gaunt product alone) or ``"odd"`` (the
        bracket alone).
      filter_ir_out: which irreps to keep, as in ``e3nn_jax.tensor_product``: a string such as ``"0e+1o"``, or
        a sequence of irreps; every irrep that a path leads to if None.
      method: of `tensor_product`; for ``"even"`` any of `gaunt_product`.
      weights: `PathWeights` for all paths, `DegreeFactors` for even or odd ones; the same for all pairs of
        parities. Their degrees run from 0 to the largest degree of ``x``, of ``y`` and of the result.
      normalization: ``"integral"``, or ``"component"``: each irrep of the result has unit component variance
        when the components of ``x`` and ``y`` are independent with unit variance and weights are one. The
        factors count only the irreps that ``x`` and ``y`` have.
      matmul_dtype: round the operands of all matrix products to this dtype, and sum in float32: see
        `gaunt_product`.

    Returns:
      An ``e3nn_jax.IrrepsArray``: ``channels`` copies of each kept irrep that a path leads to, sorted.

    Raises:
      ValueError: if multiplicities differ, leading axes do not broadcast, ``paths``, the method or the
        normalisation is unknown, the filter cannot be read, or weights have the wrong size.
      TypeError: if ``x`` or ``y`` is not an ``IrrepsArray``, or ``weights`` are of another kind than
        ``paths`` asks for.

    Example:
      >>> import e3nn_jax
      >>> x = e3nn_jax.IrrepsArray("1o", jnp.array([1.0, 0.0, 0.0]))
      >>> y = e3nn_jax.IrrepsArray("1o", jnp.array([0.0, 1.0, 0.0]))
      >>> irreps_product(x, y).irreps, e3nn_jax.tensor_product(x, y).irreps
      (1x0e+1x1e+1x2e, 1x0e+1x1e+1x2e)
      >>> irreps_product(x, y, filter_ir_out="0e+1o+1e")  # the cross product is a pseudovector
      1x0e+1x1e [0.         0.         0.         0.48860252]
    """
    check.one_of("paths", paths, PATHS)
    check.one_of("normalization", normalization, moments.NORMALIZATIONS)
    signals_x, signals_y = signals_from_irreps(x, name="x"), signals_from_irreps(y, name="y")
    _check_channels(signals_x, signals_y)
    options = {"method": method, "matmul_dtype": matmul_dtype}
    variances = _variances(x.irreps, y.irreps, paths)
    kept = kept_irreps(filter_ir_out)
    reached = [ir for ir in variances if kept is None or ir in kept]
    if not reached:
        return _nothing(x, y)
    if weights is not None:
        check.instance("weights", weights, PathWeights if paths == "all" else DegreeFactors)
    signals = _sum_of_pairs(signals_x, signals_y, reached, paths, weights, options)
    if normalization == "component":
        signals = ParitySignals(*map(functools.partial(_unit_variance, variances), signals, (1, -1)))
    return irreps_from_signals(signals, [f"{l}{'e' if p == 1 else 'o'}" for l, p in reached])


def _check_channels(x: ParitySignals, y: ParitySignals) -> None:
    """Require that numbers of channels agree or one is 1, and that leading axes broadcast."""
    first, second = (next(part for part in signals if part is not None) for signals in (x, y))
    if first.shape[-2] != second.shape[-2] and 1 not in (first.shape[-2], second.shape[-2]):
        raise ValueError(f"y must have the {first.shape[-2]} channels of x, or one, got {second.shape[-2]}")
    harmonics.check_leading_axes("y", second.shape[:-2], "x", first.shape[:-2])


def _variances(irreps_x, irreps_y, paths: str) -> dict[tuple[int, int], float]:
    """The irreps that paths lead to, and the component variance of each for unit-variance factors."""
    variances: dict[tuple[int, int], float] = {}
    present = ({(ir.l, ir.p) for mul, ir in irreps if mul} for irreps in (irreps_x, irreps_y))
    for (l1, p1), (l2, p2) in itertools.product(*present):
        for l3 in range(abs(l1 - l2), l1 + l2 + 1):
            even = (l1 + l2 + l3) % 2 == 0
            if paths in ("all", "even" if even else "odd"):
                norm = couplings.gaunt_norm(l1, l2, l3) if even else couplings.bracket_norm(l1, l2, l3)
                variance = norm**2 / (2 * l3 + 1)
                variances[l3, p1 * p2] = variances.get((l3, p1 * p2), 0.0) + variance
    return variances


def _nothing(x, y):
    """An array without irreps, with the leading axes of a product."""
    import e3nn_jax  # here, because it is slow to import

    leading = np.broadcast_shapes(x.shape[:-1], y.shape[:-1])
    return e3nn_jax.IrrepsArray("", jnp.zeros((*leading, 0), jnp.result_type(x.array, y.array)))


def _sum_of_pairs(x: ParitySignals, y: ParitySignals, reached, paths: str, weights, options):
    """Products of all pairs of signals, added up by their parity.

    With both kinds of signals, the products of ``natural + pseudo`` and of ``natural - pseudo`` are half as
    many as the pairs and say as much: with sums ``e₊, o₊`` and ``e₋, o₋`` of the even and of the odd paths
    of the two, the natural result is half of ``e₊ + e₋ + o₊ - o₋`` and the pseudo one half of
    ``e₊ - e₋ + o₊ + o₋``, because odd paths change the kind.
    """
    dtype = jnp.result_type(*(part for part in (*x, *y) if part is not None))
    ndim = max(part.ndim for part in (*x, *y) if part is not None)
    (sign_x, x), (sign_y, y) = _transform(x, ndim, dtype), _transform(y, ndim, dtype)
    sign, lmax = sign_x * sign_y, max(l for l, _ in reached)
    kinds = sorted({p * (-1) ** l * sign for l, p in reached}, reverse=True)
    if paths == "all" and max(len(x), len(y)) == 1 and len(kinds) == 1:
        paths = "even" if kinds == [1] else "odd"
        weights = getattr(weights, paths, weights)
    if paths == "all":
        check.one_of("method", options["method"], bracket.METHODS)
        terms = full_terms(x, y, lmax, weights=weights, **options)
        results = {kind: terms.project(*_of_kind(terms.even, terms.odd, kind)) for kind in kinds}
    else:
        part = _paths_of_one_parity(x, y, lmax, paths, weights, options)
        results = {kind: _of_kind(part, part, kind)[("even", "odd").index(paths)] for kind in kinds}
    return ParitySignals(results.get(sign), results.get(-sign))


def _transform(signals: ParitySignals, ndim: int, dtype):
    """Sum and difference of both signals along a new first axis, or the only one and the sign of its kind."""
    natural, pseudo = signals
    both = natural is not None and pseudo is not None
    parts = [natural + pseudo, natural - pseudo] if both else [pseudo if natural is None else natural]
    stacked = jnp.stack(parts).astype(dtype)
    shape = (len(parts), *(1,) * (ndim + 1 - stacked.ndim), *stacked.shape[1:])
    return -1 if natural is None else 1, stacked.reshape(shape)


def _of_kind(even, odd, kind: int):
    """The even and the odd terms of the natural result (kind 1) or of the pseudo one (kind -1)."""
    if len(even) == 1:
        return (even[0], None) if kind == 1 else (None, odd[0])
    return (even[0] + kind * even[1]) / 2, (odd[0] - kind * odd[1]) / 2


def _paths_of_one_parity(x, y, lmax: int, paths: str, weights, options):
    """The Gaunt product or the bracket."""
    product = {"even": gaunt.gaunt_product, "odd": bracket.bracket_product}[paths]
    configured = functools.partial(product, **options)
    if weights is None:
        return configured(x, y, lmax)
    return full_product.sum_of_ranks(configured, x, y, lmax, weights, name="weights")


def _unit_variance(variances, signal, sign: int):
    """A signal with unit component variance in every degree that is reached."""
    if signal is None:
        return None
    degrees = range(harmonics.degree_of(signal.shape[-1]) + 1)
    deviations = np.sqrt([variances.get((l, sign * (-1) ** l), 0.0) for l in degrees])
    return bracket.unit_variance(signal, deviations)
