"""Whether one set of arrays is a linear function of another: y_k(g) = D_g y_k(1) for samples k and unknown
D_g.

Maps are tried from the most to the least structured, and the first that holds on held-out samples decides:

* ``same``: D_g = 1.
* ``permuted``: D_g permutes the entries along some axes: by the permutation that the element is, or one found
  by matching entries.
* ``linear``: a least-squares fit of D_g that acts on some of the axes and is shared by the indices of the
  others (nodes, channels, batch), over all subsets of axes for which the samples suffice.

A homogeneous linear map can imitate a shift wherever the samples satisfy l(y) = 1 for some linear functional
l (a constant entry, say, or centred points to which a bias was added). Entries that are the same under g are
therefore left out of a fit first, and a fit on entries with such a functional does not count.
"""

import itertools
import math
from typing import NamedTuple

import numpy as np
import scipy.spatial

MAX_FIT = 128
"""Fits of larger matrices D_g than this are tried only where there are twice as many samples."""

_MAX_MATCH = 200_000
_SPLIT = 0.75
_CONSTANT = 0.1
"""A functional of the samples whose relative deviation from a constant is below this counts as constant."""
_SOFT = {"float32": 1e-2, "float64": 1e-4}
"""Entries smaller than this, relative to the largest of their array, are judged by this size."""


class Samples(NamedTuple):
    """Outputs of one call at many inputs, before and after the inputs moved.

    Attributes:
      still: y_k(1), shape ``(samples, *axes)``.
      moved: y_k(g), the same shape.
      rtol: what counts as zero, relative.
      precision: ``float32`` or ``float64``: in what the outputs were computed.
      weights: what each sample was multiplied by, shape ``(samples,)``; ones if None.
    """

    still: np.ndarray
    moved: np.ndarray
    rtol: float
    precision: str
    weights: np.ndarray | None = None


class Relation(NamedTuple):
    """What relates the two.

    Attributes:
      kind: ``same``, ``permuted``, ``linear``, ``isometric``, ``shifted``, ``affine``, ``mixed``, ``none``,
        ``undetermined`` or ``not finite``.
      residual: the largest root-mean-square residual of an entry on held-out samples, relative to the entry.
    """

    kind: str
    residual: float


def relate(samples: Samples, *, permutation: np.ndarray | None = None, is_finite: bool = False) -> Relation:
    """Find the most structured map from the still to the moved outputs.

    Args:
      samples: the outputs.
      permutation: the permutation that the group element is, if it is one. Then only ``same`` and
        ``permuted``
        count as symmetric: a matrix W that mixes nodes gives the linear relation W P W^-1, and yet no
          symmetry.
      is_finite: whether the element is of a finite group, which may permute the entries.

    Returns:
      The relation. Where none holds: ``shifted`` if the difference is the same for all samples, ``affine`` if
      a linear map and a shift together hold, ``mixed`` if a linear map holds where only a permutation should,
      ``undetermined`` if there are too few samples for every fit, else ``none``.

    Example:
      >>> y = np.random.default_rng(0).normal(size=(40, 5, 2))
      >>> turn = np.array([[0.0, -1.0], [1.0, 0.0]])
      >>> relate(Samples(y, y @ turn.T, 1e-7, "float64")).kind
      'linear'
      >>> relate(Samples(y + 1, y @ turn.T + 1, 1e-7, "float64")).kind
      'affine'
    """
    if samples.still.size == 0:
        return Relation("same", 0.0)
    if not (np.isfinite(samples.still).all() and np.isfinite(samples.moved).all()):
        return Relation("not finite", float("nan"))
    if samples.still.ndim == 1:  # a scalar is a vector of one entry: only then has D_g an axis to act on
        samples = samples._replace(still=samples.still[:, None], moved=samples.moved[:, None])
    raw, samples = samples, _normalised(samples)
    residual = _residual(samples.still, samples.moved, samples)
    if residual <= samples.rtol:
        return Relation("same", residual)
    best = residual
    if permutation is not None or is_finite:
        residual = _permuted_residual(samples, permutation)
        if residual <= samples.rtol:
            return Relation("permuted", residual)
        best = min(best, residual)
    fit = _best_fit(samples)
    if fit.kind == "linear" and permutation is None:
        return fit
    difference = raw.moved - raw.still
    shift = _residual(difference, np.broadcast_to(difference.mean(0), difference.shape), raw)
    if shift <= samples.rtol:
        return Relation("shifted", best)
    if fit.kind == "linear":
        return Relation("mixed", best)
    return fit._replace(residual=min(fit.residual, best))


def _normalised(samples: Samples) -> Samples:
    """Scale each sample to size one, so that no sample dominates a fit."""
    axes = tuple(range(1, samples.still.ndim))
    squares = np.mean(samples.still**2, axes) + np.mean(samples.moved**2, axes)
    weights = 1 / np.sqrt(np.where(squares > 0, squares, 1))
    spread = weights.reshape(-1, *(1 for _ in axes))
    return samples._replace(still=samples.still * spread, moved=samples.moved * spread, weights=weights)


def _soft_scale(squares: np.ndarray, precision: str) -> np.ndarray:
    """Entry sizes from mean squares, none much below the largest."""
    floor = _SOFT[precision] ** 2 * np.max(squares, initial=0.0)
    return np.sqrt(np.where(floor > 0, squares + floor, 1))


def _residual(expected, got, samples: Samples) -> float:
    """The largest root-mean-square difference of an entry over samples, relative to the entry's size."""
    squares = np.mean(samples.still**2 + samples.moved**2, axis=0) / 2
    difference = np.sqrt(np.mean((expected - got) ** 2, axis=0))
    return float(np.max(difference / _soft_scale(squares, samples.precision), initial=0.0))


def _subsets(axes):
    """All subsets of the axes, the smaller first."""
    return itertools.chain.from_iterable(itertools.combinations(axes, k) for k in range(len(axes) + 1))


def _permuted_residual(samples: Samples, permutation: np.ndarray | None) -> float:
    """The smallest residual of a permutation: the known one along some axes, or one found by matching."""
    shape = samples.still.shape[1:]
    best = float("inf")
    if permutation is not None:
        inverse = np.argsort(permutation)
        for subset in _subsets([axis for axis, size in enumerate(shape) if size == len(inverse)]):
            expected = samples.still
            for axis in subset:
                expected = np.take(expected, inverse, axis=axis + 1)
            best = min(best, _residual(expected, samples.moved, samples))
            if best <= samples.rtol:
                return best
    for subset in _subsets(range(len(shape))):
        if subset and math.prod(shape[axis] for axis in subset) <= _MAX_MATCH:
            best = min(best, _matched_residual(samples, subset))
            if best <= samples.rtol:
                return best
    return best


def _matched_residual(samples: Samples, subset) -> float:
    """The residual after matching each moved slice along some axes with the nearest still slice."""
    still, moved = (_slices(array, subset) for array in (samples.still, samples.moved))
    if len(subset) == samples.still.ndim - 1 > 1 and _has_distinct_constants(
        still / samples.weights, samples.rtol
    ):
        return float("inf")  # matching entry by entry would move all but the constants
    # A few random projections tell slices apart; the residual is then of all their entries.
    project = np.random.default_rng(0).normal(size=(still.shape[1], 8)) / still.shape[1] ** 0.5
    _, source = scipy.spatial.cKDTree(still @ project).query(moved @ project)
    inverse = still[source]
    axes = [axis + 1 for axis in subset]
    others = [axis for axis in range(samples.still.ndim) if axis not in axes]
    order = np.argsort(axes + others)
    shape = [samples.still.shape[axis] for axis in axes + others]
    return _residual(inverse.reshape(shape).transpose(order), samples.moved, samples)


def _slices(array: np.ndarray, subset) -> np.ndarray:
    """One row for each index along some axes: all samples and all indices of the other axes."""
    axes = [axis + 1 for axis in subset]
    rows = math.prod(array.shape[axis] for axis in axes)
    return np.moveaxis(array, axes, range(len(axes))).reshape(rows, -1)


def _has_distinct_constants(rows: np.ndarray, rtol: float) -> bool:
    """Whether some rows are constant, not zero, and not all equal."""
    scale = np.sqrt(np.mean(rows**2))
    means, spreads = rows.mean(1), rows.std(1)
    constants = means[(spreads <= rtol * scale) & (np.abs(means) > rtol * scale)]
    return constants.size > 0 and np.ptp(constants) > rtol * scale


def _best_fit(samples: Samples) -> Relation:
    """Least squares over all choices of the axes that D_g acts on."""
    shape = samples.still.shape[1:]
    same = _same_entries(samples)
    found = Relation("undetermined", float("inf"))
    choices = sorted(
        _subsets(range(len(shape))), key=lambda subset: math.prod(shape[axis] for axis in subset)
    )
    most = max(MAX_FIT, len(samples.still) // 2)
    for subset in choices:
        if math.prod(shape[axis] for axis in subset) > most:
            break
        for keep_same in (False, True):
            relation = _fit(samples, subset, same, keep_same)
            if relation is None:
                continue
            if relation.kind == "linear":
                return relation
            if not subset:
                continue  # that no single number relates all entries says nothing
            rank = {"undetermined": 0, "none": 1, "affine": 2}
            if (rank[relation.kind], -relation.residual) > (rank[found.kind], -found.residual):
                found = relation
    return _isometry(samples) if found.kind == "undetermined" else found


def _same_entries(samples: Samples) -> np.ndarray:
    """Which entries are the same before and after, a mask over the axes."""
    squares = np.mean(samples.still**2 + samples.moved**2, axis=0) / 2
    difference = np.sqrt(np.mean((samples.still - samples.moved) ** 2, axis=0))
    return difference <= samples.rtol * _soft_scale(squares, samples.precision)


def _fit(samples: Samples, subset, same: np.ndarray, keep_same: bool) -> Relation | None:
    """Fit one D_g that acts on some axes, on all their entries or only those that change; None if idle."""
    others = [axis for axis in range(same.ndim) if axis not in subset]
    columns = ~same.transpose(*others, *subset).reshape(-1, math.prod(same.shape[a] for a in subset)).all(0)
    if keep_same:
        if columns.all():
            return None
        columns[:] = True
    still, moved = (_rows(array, others, subset)[..., columns] for array in (samples.still, samples.moved))
    scale = _soft_scale(np.mean(still**2 + moved**2, axis=(0, 1)) / 2, samples.precision)
    still, moved = still / scale, moved / scale
    constant = np.broadcast_to(samples.weights[:, None, None], (*still.shape[:-1], 1))
    table = np.concatenate([still, constant, moved], axis=-1)
    order = np.random.default_rng(0).permutation(len(table))
    train, test = np.split(order, [int(_SPLIT * len(order))])
    width = still.shape[-1]
    x, one, y = _columns(table[train], width, max(2 * width, 192))
    x_test, one_test, y_test = _columns(table[test], width, 1024)
    solve = _pseudo_inverse(x, samples.precision)
    if solve is None:
        return Relation("undetermined", float("inf"))
    residual = _column_residual(x_test @ (solve @ y), y_test)
    if residual <= samples.rtol:
        # Where some functional of the samples is constant, the map may hide a shift.
        hidden = _column_residual(x_test @ (solve @ one), one_test) <= _CONSTANT * np.mean(one_test)
        return Relation("affine" if hidden else "linear", residual)
    solve = _pseudo_inverse(np.concatenate([x, one], axis=1), samples.precision)
    if solve is not None:
        shifted = np.concatenate([x_test, one_test], axis=1) @ (solve @ y)
        if _column_residual(shifted, y_test) <= samples.rtol:
            return Relation("affine", residual)
    return Relation("none", residual)


def _rows(array: np.ndarray, others, subset) -> np.ndarray:
    """Arrange as (samples, indices of the other axes, entries of the acting axes)."""
    axes = [0, *(axis + 1 for axis in others), *(axis + 1 for axis in subset)]
    width = math.prod(array.shape[axis + 1] for axis in subset)
    return array.transpose(axes).reshape(len(array), -1, width)


def _columns(table: np.ndarray, width: int, most: int) -> list[np.ndarray]:
    """At most so many rows of a table, at random, split into still entries, constant, moved entries."""
    rows = table.reshape(-1, table.shape[-1])
    if len(rows) > most:
        rows = rows[np.random.default_rng(1).choice(len(rows), most, replace=False)]
    return np.split(rows, [width, width + 1], axis=1)


def _pseudo_inverse(x: np.ndarray, precision: str) -> np.ndarray | None:
    """The pseudo-inverse, or None where there are too few rows for its rank to be known."""
    u, s, vt = np.linalg.svd(x, full_matrices=False)
    keep = s > 100 * np.finfo(precision).eps * np.max(s, initial=0.0)
    rank = int(keep.sum())
    if len(x) < 1.5 * rank + 4:
        return None
    return (vt[:rank].T / s[:rank]) @ u[:, :rank].T


def _column_residual(expected: np.ndarray, got: np.ndarray) -> float:
    """The largest root-mean-square difference of a column (columns have about size one)."""
    return float(np.max(np.sqrt(np.mean((expected - got) ** 2, axis=0)), initial=0.0))


def _isometry(samples: Samples) -> Relation:
    """With too few samples for any fit: whether an orthogonal D_g exists, by comparing all inner products."""
    still, moved = (array.reshape(len(array), -1) for array in (samples.still, samples.moved))
    before, after = still @ still.T, moved @ moved.T
    residual = float(np.max(np.abs(before - after)) / np.max(np.abs(before), initial=1e-300))
    return Relation("isometric" if residual <= samples.rtol else "undetermined", residual)


def rank(still: np.ndarray, precision: str) -> int:
    """The rank of the samples of one call's output, flattened; at most the number of samples.

    Args:
      still: outputs, shape ``(samples, *axes)``.
      precision: ``float32`` or ``float64``.

    Example:
      >>> rank(np.random.default_rng(0).normal(size=(9, 1, 2)) * np.ones((3, 1)), "float64")
      2
    """
    flat = still.reshape(len(still), -1)
    if not np.isfinite(flat).all():
        return 0
    if flat.shape[1] > 1024:
        flat = flat @ np.random.default_rng(0).normal(size=(flat.shape[1], 1024)) / 32
    s = np.linalg.svd(flat, compute_uv=False)
    return int(np.sum(s > 100 * np.finfo(precision).eps * np.max(s, initial=0.0)))
