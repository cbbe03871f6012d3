"""Solving for equivariant linear maps: all matrices B with ``X_k B = B Y_k`` for every generator k.

1. A symmetric element u of the group algebra, the same combination of products of generators on both sides,
   is diagonalised: an equivariant B maps eigenspaces of u to those of the same eigenvalue. For a generic u
   this leaves (sum over irreps of dimension times multiplicities) unknowns instead of ``d_out d_in``. Any
   group of orthogonal matrices, and any whose algebra is closed under transposition, has such a u; without
   one, all entries of B are unknown.
2. The constraints on what is left make a positive semi-definite matrix, whose entries are products of entries
   of X_k and Y_k: no constraint is ever written out. Its null space is found by eigenvalues where it is
   small, and by Chebyshev-filtered subspace iteration with operators alone (Zhou et al. 2006) where it is
   large.
3. The null space is unique, a basis of it is not: rows are chosen by pivoting, so that the result does not
   depend on rounding.
"""

from typing import NamedTuple

import numpy as np

MAX_DENSE = 2500
"""With more unknowns than this, the null space is found by iteration."""

_ZERO = 1e-6
"""Singular values below this, relative to the largest, are zero."""


class Gap(NamedTuple):
    """What the rank was decided by, relative to the largest singular value of the constraints.

    Attributes:
      null: the largest residual of a basis element: what was taken for zero.
      rest: the smallest singular value that was not; 1.0 if there is none.
    """

    null: float
    rest: float


Constraint = tuple[np.ndarray, np.ndarray]
"""A pair of matrices X and Y, which asks for ``X B = B Y``."""


def solve(
    algebra: list[Constraint], discrete: list[Constraint], *, max_dense: int = MAX_DENSE
) -> tuple[np.ndarray, Gap]:
    """An orthonormal basis of the matrices that satisfy all constraints.

    Args:
      algebra: derivatives (X, Y) of the output's and the input's matrices, of shapes ``(d_out, d_out)`` and
        ``(d_in, d_in)``.
      discrete: matrices of discrete generators, likewise.
      max_dense: the number of unknowns up to which they are solved for at once.

    Returns:
      The basis, float64, shape ``(dimension, d_out, d_in)``, and the gap.

    Raises:
      ArithmeticError: if singular values do not fall into zeros and others.

    Example:
      >>> turn = np.array([[0.0, -1.0], [1.0, 0.0]])
      >>> basis, gap = solve([(turn, turn)], [])
      >>> basis.shape, gap.null < 1e-12 < gap.rest
      ((2, 2, 2), True)
    """
    everything = [scaled for pair in (*algebra, *discrete) if (scaled := _normalise(*pair)) is not None]
    rows, columns = (*algebra, *discrete)[0][0].shape[0], (*algebra, *discrete)[0][1].shape[0]
    if not everything:
        return np.eye(rows * columns).reshape(-1, rows, columns), Gap(0.0, 1.0)
    u_out, u_in = _symmetric_element(algebra, discrete)
    left, right, a, b = _matching_eigenvectors(u_out, u_in)
    if not len(a):
        return np.zeros((0, rows, columns)), Gap(0.0, 1.0)
    rotated = [(left.T @ x @ left, right.T @ y @ right) for x, y in everything]
    if len(a) <= max_dense:
        null, rest = _null_space_dense(rotated, a, b)
    else:
        null, rest = _null_space_iterative(rotated, a, b)
    if not null.shape[1]:
        return np.zeros((0, rows, columns)), Gap(0.0, rest)
    basis = np.zeros((null.shape[1], rows, columns))
    basis[:, a, b] = null.T
    basis = _pivoted(left @ basis @ right.T)
    return basis, _checked_gap(everything, basis, rest)


def _normalise(x: np.ndarray, y: np.ndarray) -> Constraint | None:
    """The constraint at unit scale, or None if every matrix satisfies it."""
    shift = (np.trace(x) + np.trace(y)) / (len(x) + len(y))
    x, y = x - shift * np.eye(len(x)), y - shift * np.eye(len(y))
    scale = np.sqrt(max(np.abs(x @ x.T).sum(1).max(), np.abs(y @ y.T).sum(1).max()))
    return (x / scale, y / scale) if scale > 1e-9 else None


def _symmetric_element(algebra, discrete) -> tuple[np.ndarray, np.ndarray]:
    """A generic element of the group algebra that is symmetric on both sides; zero if none is known."""
    random = np.random.default_rng(0)
    total = None
    if algebra:
        x, y = (np.stack(side) for side in zip(*algebra))
        for _ in range(3 if _closed_under_transposition(x, y) else 0):
            weights = random.normal(size=len(x)) / np.sqrt(len(x))
            moved = [np.tensordot(weights, side, 1) for side in (x, y)]
            total = _plus(total, [each.T @ each for each in moved])
    orthogonal = [pair for pair in discrete if all(_is_orthogonal(each) for each in pair)]
    for _ in range(6 if orthogonal else 0):
        word = [np.eye(len(each)) for each in orthogonal[0]]
        for step in random.integers(0, len(orthogonal), random.integers(1, 7)):
            word = [each @ other for each, other in zip(word, orthogonal[step])]
        weight = random.uniform(0.5, 1)
        total = _plus(total, [weight * (each + each.T) for each in word])
    if total is None:
        x, y = (*algebra, *discrete)[0]
        return np.zeros_like(x), np.zeros_like(y)
    return tuple(total)


def _plus(total, pair):
    """The sum of two pairs of matrices."""
    return pair if total is None else [a + b for a, b in zip(total, pair)]


def _is_orthogonal(matrix: np.ndarray) -> bool:
    """Whether a matrix is orthogonal."""
    return bool(np.abs(matrix @ matrix.T - np.eye(len(matrix))).max() < 1e-10)


def _closed_under_transposition(x: np.ndarray, y: np.ndarray) -> bool:
    """Whether the transposes of the generators are one combination of generators on both sides."""
    flat = np.concatenate([x.reshape(len(x), -1), y.reshape(len(y), -1)], axis=1)
    turned = [np.swapaxes(side, 1, 2).reshape(len(side), -1) for side in (x, y)]
    turned = np.concatenate(turned, axis=1)
    if np.abs(turned + flat).max() < 1e-12:
        return True
    gram = flat @ flat.T
    missed = turned - turned @ flat.T @ np.linalg.pinv(gram, rcond=1e-10, hermitian=True) @ flat
    return bool(np.abs(missed).max() < 1e-9 * max(1.0, np.abs(flat).max()))


def _matching_eigenvectors(u_out, u_in):
    """Eigenvectors of both sides, and the pairs (a, b) of them that belong to equal eigenvalues."""
    values_out, left = np.linalg.eigh(u_out)
    values_in, right = np.linalg.eigh(u_in)
    scale = max(np.abs(values_out).max(), np.abs(values_in).max(), 1e-300)
    joined = np.concatenate([values_out, values_in])
    order = np.argsort(joined, kind="stable")
    cluster = np.empty(len(joined), np.int64)
    # Too coarse a tolerance only leaves more unknowns.
    cluster[order] = np.cumsum(np.diff(joined[order], prepend=joined[order[0]]) > 1e-8 * scale)
    a, b = np.nonzero(cluster[: len(values_out), None] == cluster[None, len(values_out) :])
    return left, right, a, b


def _null_space_dense(constraints: list[Constraint], a: np.ndarray, b: np.ndarray):
    """Null vectors ``(unknowns, dimension)`` by eigenvalues, and the smallest other singular value."""
    gram = np.zeros((len(a), len(a)))
    same_a, same_b = a[:, None] == a, b[:, None] == b
    for x, y in constraints:
        # <X E_ab - E_ab Y, X E_cd - E_cd Y>, for unit matrices E.
        gram += np.where(same_b, (x.T @ x)[a[:, None], a], 0.0)
        gram += np.where(same_a, (y @ y.T)[b[:, None], b], 0.0)
        cross = x[a[:, None], a] * y[b[:, None], b]
        gram -= cross + cross.T
    values, vectors = np.linalg.eigh(gram)
    singular = np.sqrt(np.maximum(values, 0.0))
    largest = max(singular[-1], 1e-300)
    count = int(np.sum(singular < _ZERO * max(largest, 1.0)))
    rest = singular[count] / largest if count < len(singular) else 1.0
    return vectors[:, :count], float(rest)


def _null_space_iterative(constraints: list[Constraint], a: np.ndarray, b: np.ndarray):
    """As `_null_space_dense`, by operators alone."""
    shape = constraints[0][0].shape[0], constraints[0][1].shape[0]

    def apply(vectors):
        matrices = np.zeros((vectors.shape[1], *shape))
        matrices[:, a, b] = vectors.T
        image = np.zeros_like(matrices)
        for x, y in constraints:
            residual = x @ matrices - matrices @ y
            image += x.T @ residual - residual @ y.T
        return image[:, a, b].T

    random = np.random.default_rng(0)
    block = np.linalg.qr(random.normal(size=(len(a), min(32, len(a)))))[0]
    largest = _largest_eigenvalue(apply, block[:, :1])
    # Constraints are at unit scale: an eigenvalue below the square of _ZERO is zero.
    cutoff, before = largest / 4, None
    for _ in range(400):
        block = np.linalg.qr(_chebyshev(apply, block, cutoff, largest))[0]
        values, turn = np.linalg.eigh(block.T @ apply(block))
        block = block @ turn
        count = int(np.sum(values < _ZERO**2 * largest))
        if count > 0.75 * block.shape[1] and block.shape[1] < len(a):
            more = random.normal(size=(len(a), min(block.shape[1], len(a) - block.shape[1])))
            block, before = np.linalg.qr(np.concatenate([block, more], axis=1))[0], None
            continue
        rest = values[count] if count < len(values) else largest
        if count == len(a) or (before is not None and before[0] == count and before[1] < 1.01 * rest):
            null = block[:, :count]
            if np.linalg.norm(apply(null)) <= 1e-13 * largest * np.sqrt(len(a)):
                return null, float(np.sqrt(rest / largest))
        before = count, rest
        cutoff = min(max(values[-1], 1e-5 * largest), largest / 2)
    raise ArithmeticError(
        f"the null space of {len(a)} unknowns was not found: the smallest singular values, relative to the "
        f"largest, are {np.sqrt(np.maximum(values[:5], 0) / largest)}"
    )


def _largest_eigenvalue(apply, vector: np.ndarray) -> float:
    """An upper bound of the largest eigenvalue, by the power method."""
    value = 1.0
    for _ in range(30):
        vector = apply(vector)
        value = float(np.linalg.norm(vector))
        vector = vector / max(value, 1e-300)
    return 1.1 * value


def _chebyshev(apply, block: np.ndarray, low: float, high: float, degree: int = 20) -> np.ndarray:
    """Damp what belongs to eigenvalues between ``low`` and ``high``, by a Chebyshev polynomial."""
    center, half = (high + low) / 2, (high - low) / 2
    before, now = block, (apply(block) - center * block) / half
    for _ in range(2, degree + 1):
        before, now = now, 2 * (apply(now) - center * now) / half - before
        size = np.linalg.norm(now, axis=0)
        before, now = before / size, now / size
    return now


def _pivoted(basis: np.ndarray) -> np.ndarray:
    """The orthonormal basis of the same space that Gram-Schmidt makes of columns of its projector.

    The next column is always the longest, the first one of those that are equal up to rounding.
    """
    count, flat = len(basis), basis.reshape(len(basis), -1)
    columns, rotation = flat.copy(), np.zeros((count, count))
    norms = np.sum(columns**2, axis=0)
    for row in range(count):
        pivot = int(np.argmax(norms > norms.max() * (1 - 1e-6)))
        direction = columns[:, pivot] / np.sqrt(norms[pivot])
        # Twice is enough to stay orthogonal.
        for _ in range(2):
            direction = direction - rotation[:row].T @ (rotation[:row] @ direction)
            direction /= np.linalg.norm(direction)
        rotation[row] = direction
        columns = columns - np.outer(direction, direction @ columns)
        norms = np.sum(columns**2, axis=0)
    found = (rotation @ flat).reshape(basis.shape)
    return np.where(np.abs(found) < 1e-14, 0.0, found)


def _checked_gap(constraints: list[Constraint], basis: np.ndarray, rest: float) -> Gap:
    """The gap, with the basis' true residuals; refuses one that is not clear."""
    residual = [np.sqrt(np.sum((x @ basis - basis @ y) ** 2, axis=(1, 2))) for x, y in constraints]
    null = float(np.max(residual, initial=0.0))
    if null > 1e-9 or rest < 1e3 * null:
        raise ArithmeticError(
            f"the rank of the constraints is not clear: singular values up to {null:.2g} were taken for "
            f"zero, and the next is {rest:.2g}, relative to the largest"
        )
    return Gap(null, rest)
