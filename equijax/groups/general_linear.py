"""The general and the special linear group: all invertible matrices, and those of determinant one."""

import dataclasses
import functools

import jax
import jax.numpy as jnp
import numpy as np

from equijax.groups import rotations
from equijax.groups.base import check_size
from equijax.groups.linear import LinearGroup, stretch
from equijax.numerics import check


def check_bound(bound: float) -> None:
    """Require a bound of singular values.

    Raises:
      ValueError: if it is not above 1.

    Example:
      >>> check_bound(0.5)
      Traceback (most recent call last):
      ValueError: bound must be a number above 1, got 0.5
    """
    check.positive("bound", bound)
    if bound <= 1:
        raise ValueError(f"bound must be a number above 1, got {bound!r}")


@dataclasses.dataclass(frozen=True, repr=False)
class GL(LinearGroup):
    """The invertible matrices of size n.

    `sample` draws ``K diag(s) L``: K from Haar measure on SO(n), L on O(n), and each singular value s
    log-uniformly from ``[1 / bound, bound]``, all independent. The measure is invariant under multiplication
    by orthogonal matrices from both sides, and under inversion. Algebra coordinates are the entries of a
    matrix, row by row. `exp` reaches a part of the matrices of positive determinant; for the discrete part of
    the group, the reflection of the first axis.

    Attributes:
      n: the dimension of the space, at least 1.
      bound: the largest sampled singular value, above 1.

    Raises:
      TypeError: if ``n`` is not an integer.
      ValueError: if ``n`` is below 1, or ``bound`` is not above 1.

    Example:
      >>> GL(2), GL(2).algebra_dim
      (GL(2), 4)
    """

    n: int
    bound: float = 2.0

    def __post_init__(self):
        check_size("n", self.n, 1)
        check_bound(self.bound)

    @property
    def size(self):
        """n."""
        return self.n

    def _algebra_basis(self):
        return unit_matrices(self.n)

    def _sample(self, key, shape, dtype):
        left, right, sign, stretches = jax.random.split(key, 4)
        limit = np.log(self.bound)
        logs = jax.random.uniform(stretches, (*shape, self.n), dtype, -limit, limit)
        matrix = stretch(
            rotations.sample(left, self.n, shape, dtype), logs, rotations.sample(right, self.n, shape, dtype)
        )
        return self._wrap(matrix.at[..., 0].multiply(jax.random.rademacher(sign, (*shape, 1), dtype)))

    def _discrete_generators(self, dtype):
        """The reflection of the first axis."""
        return self._wrap(jnp.asarray(np.diag([-1.0, *[1.0] * (self.n - 1)])[None], dtype))


@dataclasses.dataclass(frozen=True, repr=False)
class SL(LinearGroup):
    """The matrices of size n and determinant one.

    `sample` draws ``K diag(s) L``: K and L from Haar measure on SO(n), and the logarithms of the singular
    values s as half of what is left of independent uniform numbers from ``[-log(bound), log(bound)]`` when
    their mean is subtracted, so that ``1 / bound <= s <= bound``. The measure is invariant under rotations
    from both sides, and under inversion. Algebra coordinates are those of the entries off the diagonal, row
    by row, then of the diagonals ``(1, -1, 0, ...)``, ``(1, 1, -2, 0, ...)``, and so on.

    Attributes:
      n: the dimension of the space, at least 2.
      bound: what sampled singular values do not exceed, above 1.

    Raises:
      TypeError: if ``n`` is not an integer.
      ValueError: if ``n`` is below 2, or ``bound`` is not above 1.

    Example:
      >>> SL(3), SL(3).algebra_dim
      (SL(3), 8)
    """

    n: int
    bound: float = 2.0

    def __post_init__(self):
        check_size("n", self.n, 2)
        check_bound(self.bound)

    @property
    def size(self):
        """n."""
        return self.n

    def _algebra_basis(self):
        return _traceless(self.n)

    def _sample(self, key, shape, dtype):
        left, right, stretches = jax.random.split(key, 3)
        limit = np.log(self.bound)
        logs = jax.random.uniform(stretches, (*shape, self.n), dtype, -limit, limit)
        logs = (logs - jnp.mean(logs, axis=-1, keepdims=True)) / 2
        left, right = (rotations.sample(each, self.n, shape, dtype) for each in (left, right))
        return self._wrap(stretch(left, logs, right))


@functools.lru_cache
def unit_matrices(n: int) -> np.ndarray:
    """The matrices with a single one, row by row, shape ``(n², n, n)``, float64, read-only.

    Example:
      >>> unit_matrices(2)[1]
      array([[0., 1.],
             [0., 0.]])
    """
    basis = np.eye(n * n).reshape(-1, n, n)
    basis.flags.writeable = False
    return basis


@functools.lru_cache
def traceless_diagonals(n: int) -> np.ndarray:
    """Orthogonal diagonals of trace zero, ``(1, -1, 0, ...)``, ``(1, 1, -2, 0, ...)`` and so on.

    Float64, shape ``(n - 1, n)``, read-only.

    Example:
      >>> traceless_diagonals(3)
      array([[ 1., -1.,  0.],
             [ 1.,  1., -2.]])
    """
    rows = np.tril(np.ones((n - 1, n)))
    rows[np.arange(n - 1), np.arange(1, n)] = -np.arange(1, n)
    rows.flags.writeable = False
    return rows


@functools.lru_cache
def _traceless(n: int) -> np.ndarray:
    """Basis of sl(n), read-only."""
    off = unit_matrices(n)[np.flatnonzero(~np.eye(n, dtype=bool))]
    basis = np.concatenate([off, traceless_diagonals(n)[:, :, None] * np.eye(n)])
    basis.flags.writeable = False
    return basis
