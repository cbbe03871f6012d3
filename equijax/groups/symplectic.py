"""The symplectic group: linear maps of phase space that keep Poisson brackets. Components are ``(q, p)``."""

import dataclasses
import functools

import jax
import jax.numpy as jnp
import numpy as np

from equijax.groups.base import check_size
from equijax.groups.general_linear import check_bound
from equijax.groups.linear import LinearGroup, stretch
from equijax.groups.unitary import U


@functools.lru_cache
def symplectic_form(n: int) -> np.ndarray:
    """The matrix ``J = [[0, 1], [-1, 0]]`` of size 2n, float64, read-only.

    Example:
      >>> symplectic_form(1)
      array([[ 0.,  1.],
             [-1.,  0.]])
    """
    form = np.kron(np.array([[0.0, 1.0], [-1.0, 0.0]]), np.eye(n))
    form.flags.writeable = False
    return form


@dataclasses.dataclass(frozen=True, repr=False)
class Sp(LinearGroup):
    """The real symplectic matrices Sp(2n, R): ``g^T J g = J``; for n = 1 they are SL(2).

    `sample` draws ``K diag(s, 1 / s) L``: K and L from Haar measure on U(n), the orthogonal symplectic
    matrices, and each s log-uniformly from ``[1 / bound, bound]``. Algebra elements are
    ``[[A, B], [C, -A^T]]`` with symmetric B and C; coordinates are the entries of A, then those of B and of C
    on and above the diagonal, each row by row. `log` is the principal logarithm.

    Attributes:
      n: the number of degrees of freedom, half the size of the matrices, at least 1.
      bound: the largest sampled singular value, above 1.

    Raises:
      TypeError: if ``n`` is not an integer.
      ValueError: if ``n`` is below 1, or ``bound`` is not above 1.

    Example:
      >>> Sp(2), Sp(2).algebra_dim, Sp(2).size
      (Sp(2), 10, 4)
    """

    n: int
    bound: float = 2.0

    def __post_init__(self):
        check_size("n", self.n, 1)
        check_bound(self.bound)

    @property
    def size(self):
        """2n."""
        return 2 * self.n

    def _algebra_basis(self):
        return _basis(self.n)

    def _inverse(self, g):
        form = jnp.asarray(symplectic_form(self.n), self._matrix(g).dtype)
        turned = jnp.matmul(form, jnp.swapaxes(self._matrix(g), -1, -2), precision="highest")
        return self._wrap(-jnp.matmul(turned, form, precision="highest"))

    def _sample(self, key, shape, dtype):
        left, right, stretches = jax.random.split(key, 3)
        limit = np.log(self.bound)
        logs = jax.random.uniform(stretches, (*shape, self.n), dtype, -limit, limit)
        left, right = (U(self.n)._sample(each, shape, dtype) for each in (left, right))
        return self._wrap(stretch(left, jnp.concatenate([logs, -logs], axis=-1), right))


@functools.lru_cache
def _basis(n: int) -> np.ndarray:
    """Basis of sp(2n, R), read-only."""
    found = []
    for i in range(n):
        for j in range(n):
            matrix = np.zeros((2 * n, 2 * n))
            matrix[i, j], matrix[n + j, n + i] = 1.0, -1.0
            found.append(matrix)
    for top, left in ((0, n), (n, 0)):
        for i in range(n):
            for j in range(i, n):
                matrix = np.zeros((2 * n, 2 * n))
                matrix[top + i, left + j] = matrix[top + j, left + i] = 1.0
                found.append(matrix)
    basis = np.stack(found)
    basis.flags.writeable = False
    return basis
