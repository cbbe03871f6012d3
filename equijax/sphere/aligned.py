"""The product of signals with a function of a direction, in the frame whose pole is the direction.

There the filter has only ``m = 0``, and each path ``l1, l2 → l3`` is one number for every ``m``: paths with
``l1 + l2 + l3`` even multiply the components ``±m`` alike, paths with an odd sum swap them with opposite
signs (Passaro, Zitnick, "Reducing SO(3) convolutions to SO(2)", ICML 2023; Luo, Chen, Krishnapriyan, ICLR
2024, section 3.3). So each path may have a weight of its own.
"""

import functools
import math

import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float

from equijax.numerics import check
from equijax.sphere import harmonics
from equijax.sphere.bracket import bracket_coefficients
from equijax.sphere.convolution import finish_convolution, prepare_convolution
from equijax.sphere.gaunt import gaunt_coefficients
from equijax.sphere.rotation import Alignment, check_alignment, rotate_from_pole, rotate_to_pole

PARITIES = ("even", "odd", "all")


def aligned_convolution(
    x: Float[Array, "... c k1"],
    alignment: Alignment,
    lmax: int | None = None,
    *,
    filter_lmax: int,
    weights: tuple[Array | None, Array | None, Array | None] | None = None,
    normalization: str = "integral",
) -> Float[Array, "... c k3"]:
    """Gaunt product of signals with the harmonics of a direction, by rotating the direction to the pole.

    The same map as `equijax.sphere.gaunt_convolution`.

    Args:
      x: signals with an axis of channels, which share the direction; ``(l1 + 1)²`` coefficients.
      alignment: from `equijax.sphere.align`, of degree at least ``max(l1, lmax)``; leading axes broadcast
        with those of ``x`` before the channels.
      lmax: largest degree of the result, which is exact; ``l1 + filter_lmax`` unless given.
      filter_lmax: largest degree of the harmonics.
      weights: per-degree weights of ``x``, the harmonics and the result, each ``(..., c, degree + 1)`` or
        None for ones.
      normalization: as in `equijax.sphere.gaunt_convolution`.

    Returns:
      Shape ``(..., c, (lmax + 1)²)``.

    Raises:
      ValueError: if shapes do not agree, the alignment is of too low a degree, a degree is negative or the
        normalisation is unknown.
      TypeError: if an array is not a real floating-point array, a degree is not an integer, ``weights`` is
        not a tuple of three or ``alignment`` is none.

    Example:
      >>> from equijax.sphere.rotation import align
      >>> rotations = align(jnp.ones((5, 3)), 2)
      >>> aligned_convolution(jnp.ones((5, 8, 9)), rotations, 2, filter_lmax=3).shape
      (5, 8, 9)
    """
    x, degree, lmax, weights = prepare_convolution(x, lmax, filter_lmax, weights, normalization)
    check_alignment(alignment, max(degree, lmax), x.shape[:-2])
    weight_x, weight_filter, weight_out = weights
    if weight_x is not None:
        x = harmonics.per_degree(weight_x, x, "weights[0]")
    if weight_filter is None:
        weight_filter = jnp.ones((1, filter_lmax + 1), x.dtype)
    check.floating("weights[1]", weight_filter)
    check.shape("weights[1]", weight_filter, f"... c {filter_lmax + 1}")
    paths = convolution_paths(degree, filter_lmax, lmax)
    by_degree = np.asarray([l2 for _, l2, _ in paths])[None] == np.arange(filter_lmax + 1)[:, None]
    even, _ = _tables(degree, filter_lmax, lmax, "even", "integral")
    z = _convolve(x, alignment, weight_filter, np.arange(filter_lmax + 1), (by_degree @ even, None), lmax)
    return finish_convolution(z, weight_out, degree, filter_lmax, normalization)


def path_convolution(
    x: Float[Array, "... c k1"],
    alignment: Alignment,
    lmax: int,
    *,
    filter_lmax: int,
    weights: Float[Array, "... c paths"],
    parity: str = "even",
    normalization: str = "integral",
) -> Float[Array, "... c k3"]:
    """Convolution with the harmonics of a direction with a weight for every path ``l1, l2 → l3``.

    Equal to a sum of Clebsch-Gordan products, each scaled: even paths couple by `gaunt_coefficients`, odd
    ones by `bracket_coefficients` (``{x, Y}``), or, with ``"component"``, so that each has unit variance. Odd
    paths change parity: with them a result of natural parity is equivariant under rotations only.

    Args:
      x: signals with an axis of channels, which share the direction; ``(l1 + 1)²`` coefficients.
      alignment: from `equijax.sphere.align`, of degree at least ``max(l1, lmax)``.
      lmax: largest degree of the result.
      filter_lmax: largest degree of the harmonics.
      weights: one for each of `convolution_paths`, in its order.
      parity: which paths: ``"even"``, ``"odd"`` or ``"all"``.
      normalization: ``"integral"``; or ``"component"``: results have unit variance for random weights and
        ``x`` of independent components of unit variance and random directions.

    Returns:
      Shape ``(..., c, (lmax + 1)²)``. Without a direction only paths with ``l2 = 0`` are left.

    Raises:
      ValueError: if shapes do not agree, the alignment is of too low a degree, a degree is negative, or the
        parity or the normalisation is unknown.
      TypeError: if an array is not a real floating-point array, a degree is not an integer or ``alignment``
        is none.

    Example:
      >>> from equijax.sphere.rotation import align
      >>> weights = jnp.ones((5, 8, len(convolution_paths(2, 2, 2, parity="all"))))
      >>> path_convolution(
      ...     jnp.ones((5, 8, 9)), align(jnp.ones((5, 3)), 2), 2, filter_lmax=2, weights=weights, parity="all"
      ... ).shape
      (5, 8, 9)
    """
    x, degree, lmax, _ = prepare_convolution(x, lmax, filter_lmax, None, normalization)
    check_alignment(alignment, max(degree, lmax), x.shape[:-2])
    paths = convolution_paths(degree, filter_lmax, lmax, parity=parity)
    check.floating("weights", weights)
    check.shape("weights", weights, f"... c {len(paths)}")
    degrees = np.asarray([l2 for _, l2, _ in paths], int)
    tables = _tables(degree, filter_lmax, lmax, parity, normalization)
    return _convolve(x, alignment, weights, degrees, tables, lmax)


@functools.cache
def convolution_paths(
    degree: int, filter_lmax: int, lmax: int, *, parity: str = "even"
) -> tuple[tuple[int, int, int], ...]:
    """The paths ``(l1, l2, l3)`` from signals and harmonics to results, in the order of their weights.

    Args:
      degree: largest degree of the signals.
      filter_lmax: largest degree of the harmonics.
      lmax: largest degree of the results.
      parity: of ``l1 + l2 + l3``: ``"even"``, ``"odd"`` or ``"all"``.

    Raises:
      ValueError: if a degree is negative or the parity is unknown.
      TypeError: if a degree is not an integer.

    Example:
      >>> convolution_paths(1, 1, 1)
      ((0, 0, 0), (0, 1, 1), (1, 0, 1), (1, 1, 0))
      >>> len(convolution_paths(4, 4, 4)), len(convolution_paths(4, 4, 4, parity="all"))
      (42, 65)
    """
    for name, value in (("degree", degree), ("filter_lmax", filter_lmax), ("lmax", lmax)):
        harmonics.check_degree(name, value)
    check.one_of("parity", parity, PARITIES)
    wanted = {"even": (0,), "odd": (1,), "all": (0, 1)}[parity]
    return tuple(
        (l1, l2, l3)
        for l1 in range(degree + 1)
        for l2 in range(filter_lmax + 1)
        for l3 in range(abs(l1 - l2), min(l1 + l2, lmax) + 1)
        if (l1 + l2 + l3) % 2 in wanted
    )


def _convolve(x, alignment: Alignment, weights, degrees: np.ndarray, tables, lmax: int):
    """Rotate, multiply, rotate back; terms with a degree above 0 of the filter need a direction."""
    directed = alignment.directed[..., None, None].astype(x.dtype)
    weights = jnp.asarray(weights, x.dtype) * jnp.where(degrees > 0, directed, 1.0)
    even, odd = (
        None if table is None else jnp.matmul(weights, jnp.asarray(table, x.dtype), precision="highest")
        for table in tables
    )
    return rotate_from_pole(_mix(rotate_to_pole(x, alignment), even, odd, lmax), alignment)


def _mix(x: Array, even: Array | None, odd: Array | None, lmax: int) -> Array:
    """Multiply the components of equal order of every pair of degrees, mirrored (``m → -m``) on odd paths.

    The arrays are split at once: the transpose of that is one concatenation, whereas the transpose of many
    slices is a sum of as many arrays of full size, and takes ten times as long.
    """
    degree = harmonics.signal_degree("x", x)
    parts = jnp.split(x, [(l + 1) ** 2 for l in range(degree)], axis=-1)
    pairs = _pairs(degree, lmax)
    ends = np.cumsum([2 * min(pair) + 1 for pair in pairs])[:-1]
    blocks = [None if t is None else dict(zip(pairs, jnp.split(t, ends, axis=-1))) for t in (even, odd)]
    results = [0.0] * (lmax + 1)
    for l3, l1 in pairs:
        beyond = max(l1 - l3, 0)
        middle = parts[l1][..., beyond : 2 * l1 + 1 - beyond]
        same, mirrored = (None if block is None else block[l3, l1] for block in blocks)
        part = 0.0 if same is None else middle * same
        part = part if mirrored is None else part + middle[..., ::-1] * mirrored
        missing = max(l3 - l1, 0)
        results[l3] += jnp.pad(part, [(0, 0)] * (part.ndim - 1) + [(missing, missing)])
    return jnp.concatenate(results, axis=-1)


def _pairs(degree: int, lmax: int) -> list[tuple[int, int]]:
    """Pairs of degrees of the result and of the signal, in the order of the tables' columns."""
    return [(l3, l1) for l3 in range(lmax + 1) for l1 in range(degree + 1)]


@functools.lru_cache(maxsize=64)
def _tables(
    degree: int, filter_lmax: int, lmax: int, parity: str, normalization: str
) -> tuple[Float[np.ndarray, "paths slots"] | None, Float[np.ndarray, "paths slots"] | None]:
    """Of every path, the numbers that multiply the components (even) or the mirrored components (odd).

    Slots run over ``l3``, then ``l1``, then the orders that both have; None for a parity without paths.
    """
    paths = convolution_paths(degree, filter_lmax, lmax, parity=parity)
    pairs = _pairs(degree, lmax)
    starts = dict(zip(pairs, np.cumsum([0] + [2 * min(pair) + 1 for pair in pairs])))
    tables = np.zeros((2, len(paths), sum(2 * min(pair) + 1 for pair in pairs)))
    arrivals = np.bincount([l3 for _, _, l3 in paths], minlength=lmax + 1)
    for row, (l1, l2, l3) in enumerate(paths):
        odd = (l1 + l2 + l3) % 2
        block = (bracket_coefficients if odd else gaunt_coefficients)(l1, l2, l3)
        scale = math.sqrt((2 * l2 + 1) / (4 * math.pi))
        if normalization == "component":
            scale = math.sqrt((2 * l2 + 1) * (2 * l3 + 1) / np.sum(block**2) / arrivals[l3])
        orders = np.arange(-min(l1, l3), min(l1, l3) + 1)
        slots = starts[l3, l1] + np.arange(len(orders))
        tables[odd, row, slots] = scale * block[l1 + (-orders if odd else orders), l2, l3 + orders]
    kept = {"even": (True, False), "odd": (False, True), "all": (True, True)}[parity]
    return tuple(table if keep else None for table, keep in zip(tables, kept))
