"""Unitary groups, as real matrices: C^n is R^(2n), the real parts first, then the imaginary parts.

Multiplication by ``A + iB`` is the matrix ``[[A, -B], [B, A]]``, which is orthogonal where ``A + iB`` is
unitary. Complex-linear maps are those that commute with multiplication by i, as all of ``U(n)`` contains it.
"""

import dataclasses
import functools
import itertools

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Complex, Float

from equijax.groups.base import check_size
from equijax.groups.general_linear import traceless_diagonals
from equijax.groups.linear import LinearGroup
from equijax.numerics import check


def real_matrix(matrix: Complex[Array, "... n n"]) -> Float[Array, "... m m"]:
    """The real matrix of size m = 2n of a complex matrix.

    Raises:
      ValueError: if the matrices are not square.

    Example:
      >>> real_matrix(jnp.array([[1j]]))
      Array([[ 0., -1.],
             [ 1.,  0.]], dtype=float32)
    """
    check.shape("matrix", matrix, "... n n")
    real, imaginary = jnp.real(matrix), jnp.imag(matrix)
    top = jnp.concatenate([real, -imaginary], axis=-1)
    return jnp.concatenate([top, jnp.concatenate([imaginary, real], axis=-1)], axis=-2)


def complex_matrix(matrix: Float[Array, "... m m"]) -> Complex[Array, "... n n"]:
    """The complex matrix of a real one that commutes with multiplication by i: the inverse of `real_matrix`.

    Raises:
      ValueError: if the matrices are not square, or their size is odd.

    Example:
      >>> complex_matrix(jnp.array([[0.0, -1.0], [1.0, 0.0]]))
      Array([[0.+1.j]], dtype=complex64)
    """
    size = check.shape("matrix", matrix, "... m m")["m"]
    if size % 2:
        raise ValueError(f"matrix must have an even size, got {np.shape(matrix)}")
    return matrix[..., : size // 2, : size // 2] + 1j * matrix[..., size // 2 :, : size // 2]


class _UnitaryGroup(LinearGroup):
    """Groups of unitary matrices."""

    is_compact = True
    is_orthogonal = True

    @property
    def size(self):
        """2n."""
        return 2 * self.n

    def _haar(self, key, shape, dtype):
        """Unitary matrices from Haar measure, complex."""
        working = jnp.promote_types(dtype, jnp.float32)
        parts = jax.random.normal(key, (2, *shape, self.n, self.n), working)
        q, r = jnp.linalg.qr(parts[0] + 1j * parts[1])
        diagonal = jnp.diagonal(r, axis1=-2, axis2=-1)
        # The decomposition with a positive diagonal is unique, and so invariant (Mezzadri 2007).
        return q * (diagonal / jnp.abs(diagonal))[..., None, :]


@dataclasses.dataclass(frozen=True, repr=False)
class U(_UnitaryGroup):
    """The unitary matrices of size n, acting on C^n = R^(2n), real parts first.

    Elements are real orthogonal matrices of size 2n (see `real_matrix`, `complex_matrix`), and `Vector` is
    the complex vector. `sample` draws from Haar measure. Algebra coordinates are those of ``i E_jj``, then
    for each pair ``j < k`` of ``E_jk - E_kj`` and ``i (E_jk + E_kj)``. `log` is the principal logarithm,
    defined where -1 is no eigenvalue.

    Attributes:
      n: the complex dimension, at least 1.

    Raises:
      TypeError: if ``n`` is not an integer.
      ValueError: if ``n`` is below 1.

    Example:
      >>> from equijax.groups import Vector
      >>> U(2), U(2).algebra_dim, Vector().shape(U(2))
      (U(2), 4, (4,))
    """

    n: int

    def __post_init__(self):
        check_size("n", self.n, 1)

    def _algebra_basis(self):
        return _basis(self.n, False)

    def _sample(self, key, shape, dtype):
        return real_matrix(self._haar(key, shape, dtype)).astype(dtype)


@dataclasses.dataclass(frozen=True, repr=False)
class SU(_UnitaryGroup):
    """The unitary matrices of size n and determinant one, acting on C^n = R^(2n), real parts first.

    Elements are real orthogonal matrices of size 2n. `sample` draws from Haar measure. Algebra coordinates
    are those of i times the diagonals ``(1, -1, 0, ...)``, ``(1, 1, -2, 0, ...)``, and so on, then as in `U`.
    `log` is the principal logarithm, defined where -1 is no eigenvalue. For SU(2) as the double cover of the
    rotations of space, see `UnitQuaternions`.

    Attributes:
      n: the complex dimension, at least 2.

    Raises:
      TypeError: if ``n`` is not an integer.
      ValueError: if ``n`` is below 2.

    Example:
      >>> SU(3), SU(3).algebra_dim
      (SU(3), 8)
    """

    n: int

    def __post_init__(self):
        check_size("n", self.n, 2)

    def _algebra_basis(self):
        return _basis(self.n, True)

    def _sample(self, key, shape, dtype):
        matrix = self._haar(key, shape, dtype)
        # Dividing the first column by the determinant maps Haar measure of U(n) to that of SU(n).
        matrix = matrix.at[..., 0].multiply(jnp.conj(jnp.linalg.det(matrix))[..., None])
        return real_matrix(matrix).astype(dtype)


@functools.lru_cache
def _basis(n: int, special: bool) -> np.ndarray:
    """Basis of u(n) or su(n), as real matrices, read-only."""
    diagonals = traceless_diagonals(n) if special else np.eye(n)
    found = [1j * np.diag(row) for row in diagonals]
    for j, k in itertools.combinations(range(n), 2):
        unit = np.zeros((n, n))
        unit[j, k] = 1.0
        found += [unit - unit.T, 1j * (unit + unit.T)]
    table = np.stack(found)
    top = np.concatenate([table.real, -table.imag], axis=-1)
    basis = np.concatenate([top, np.concatenate([table.imag, table.real], axis=-1)], axis=-2)
    basis.flags.writeable = False
    return basis
