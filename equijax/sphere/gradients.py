"""Infinitesimal rotations of signals, and the gradient's two tangential components on a grid.

The operator ``L = r x ∇`` turns a function infinitesimally about the three axes. It maps each degree to
itself by constant matrices, and ``L f`` is the tangential gradient turned by a right angle, so it is finite
everywhere: the gradient needs no polar angle and has no singular pole.
"""

import functools

import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Complex, Float

from equijax.sphere import grids, harmonics
from equijax.sphere.contraction import matrix_product


@functools.cache
def rotation_generators(l: int) -> Float[np.ndarray, "3 2*l+1 2*l+1"]:
    """Matrices ``M`` of ``r x ∇`` on the harmonics of one degree: ``(r x ∇)_a Y_m = Σ_n M[a, m, n] Y_n``.

    Antisymmetric, with the commutators ``[M_x, M_y] = M_z`` and cyclic ones. In closed form, from the ladder
    operators. Coefficients ``c`` of a function become ``c @ M[a]``.

    Args:
      l: the degree.

    Returns:
      Shape ``(3, 2 l + 1, 2 l + 1)``: about x, y and z; float64.

    Raises:
      ValueError: if the degree is negative.
      TypeError: if it is not an integer.

    Example:
      >>> print(rotation_generators(1)[2])  # z x ∇ turns x into -y and y into x
      [[ 0. -1.  0.]
       [ 1.  0.  0.]
       [ 0.  0.  0.]]
    """
    harmonics.check_degree("l", l)
    orders = np.arange(-l, l + 1)
    # L+ Y_m = raising[m] Y_{m+1} for complex harmonics with the Condon-Shortley sign.
    raising = np.diag(np.sqrt(l * (l + 1) - orders[:-1] * (orders[:-1] + 1.0)), 1)
    polar, first, second = 1j * np.diag(orders), 0.5j * (raising + raising.T), 0.5 * (raising - raising.T)
    change = _real_from_complex(l)
    matrices = [(change @ matrix @ change.conj().T).real for matrix in (second, polar, first)]
    generators = np.stack(matrices) + 0.0
    generators.flags.writeable = False
    return generators


def _real_from_complex(l: int) -> Complex[np.ndarray, "2*l+1 2*l+1"]:
    """Real harmonics (rows) as sums of complex ones with the Condon-Shortley sign, ``m = -l … l``."""
    matrix = np.zeros((2 * l + 1, 2 * l + 1), complex)
    matrix[l, l] = 1
    for m in range(1, l + 1):
        sign = (-1) ** m
        matrix[l + m, [l - m, l + m]] = np.array([1, sign]) / np.sqrt(2)
        matrix[l - m, [l - m, l + m]] = np.array([1j, -1j * sign]) / np.sqrt(2)
    return matrix


@functools.cache
def angular_momentum_matrices(grid: grids.SphereGrid, lmax: int) -> Float[np.ndarray, "3 k p"]:
    """Values of ``r x ∇`` of the harmonics at the grid points, by Cartesian component.

    Raises:
      ValueError: if ``lmax`` is negative.

    Example:
      >>> angular_momentum_matrices(grids.smallest_grid(2), 1).shape
      (3, 4, 6)
    """
    values = grids.evaluation_matrix(grid, lmax)
    blocks = [rotation_generators(l) @ values[l * l : (l + 1) ** 2] for l in range(lmax + 1)]
    matrices = np.concatenate(blocks, axis=1)
    matrices.flags.writeable = False
    return matrices


@functools.cache
def gradient_matrices(grid: grids.SphereGrid, lmax: int) -> Float[np.ndarray, "2 k p"]:
    """Values of the harmonics' tangential gradient at the grid points, in an orthonormal frame of each.

    The frames ``(e1, e2)`` are right-handed, ``e1 x e2 = r``, and otherwise arbitrary, so results must not
    depend on them: ``|∇f|² = f1² + f2²``, ``∇f · ∇g = f1 g1 + f2 g2`` and ``r · (∇f x ∇g) = f1 g2 - f2 g1``
    do not.

    Raises:
      ValueError: if ``lmax`` is negative.

    Example:
      >>> gradient_matrices(grids.smallest_grid(2), 1).shape
      (2, 4, 6)
    """
    points = grid.points()
    # The axis that is farthest from r, made orthogonal to it: well conditioned at every point.
    away = np.eye(3)[np.argmin(np.abs(points), axis=1)]
    first = away - np.sum(away * points, axis=1, keepdims=True) * points
    first /= np.linalg.norm(first, axis=1, keepdims=True)
    frame = np.stack([first, np.cross(points, first)])
    turned = np.einsum("akp,fpa->fkp", angular_momentum_matrices(grid, lmax), frame)
    # L = r x ∇, so the components of ∇ are e1 · ∇ = e2 · L and e2 · ∇ = -e1 · L.
    matrices = np.stack([turned[1], -turned[0]])
    matrices.flags.writeable = False
    return matrices


@functools.cache
def _side_by_side(grid: grids.SphereGrid, lmax: int, first: int) -> Float[np.ndarray, "k parts*p8"]:
    """Values (from ``first = 0``) and the components of the gradient of the harmonics, points aligned."""
    parts = (grids.evaluation_matrix(grid, lmax), *gradient_matrices(grid, lmax))[first:]
    matrix = np.concatenate([grids.aligned(part, 1) for part in parts], axis=1)
    matrix.flags.writeable = False
    return matrix


def gradient_values(x, grid: grids.SphereGrid, matmul_dtype=None) -> list[Float[Array, "... p8"]]:
    """Both components of the gradient of a signal, at aligned points as by `grids.aligned_values`.

    Example:
      >>> [part.shape for part in gradient_values(jnp.ones(4), grids.smallest_grid(2))]
      [(8,), (8,)]
    """
    matrix = _side_by_side(grid, harmonics.degree_of(x.shape[-1]), 1)
    return jnp.split(matrix_product(x, matrix, x.dtype, matmul_dtype), 2, axis=-1)


def jet_values(x, grid: grids.SphereGrid, matmul_dtype=None) -> list[Float[Array, "... p8"]]:
    """Values of a signal and both components of its gradient, by one matrix product, at aligned points.

    Example:
      >>> [part.shape for part in jet_values(jnp.ones(4), grids.smallest_grid(2))]
      [(8,), (8,), (8,)]
    """
    matrix = _side_by_side(grid, harmonics.degree_of(x.shape[-1]), 0)
    return jnp.split(matrix_product(x, matrix, x.dtype, matmul_dtype), 3, axis=-1)
