"""Global coordinates of GL(n), SL(n) and SO(n) that do not come from the exponential map.

An element of positive determinant is ``g = exp(X) R``; its coordinates are ``X + log R`` in a basis of the
algebra that is orthonormal in the Frobenius product. Unlike the logarithm of g, which some elements do not
have, they exist everywhere, and ``coordinates(k g k^T)`` is the adjoint action of a rotation k on
``coordinates(g)``. (Mironenco and Forre, ICLR 2024, section 4: xi.)

The rotation part is the principal logarithm: it jumps where the angle passes pi, far from the identity.
`polar_features` does not jump anywhere.
"""

import functools
import math

import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float

from equijax.groups import rotations
from equijax.groups.base import Element
from equijax.groups.decompositions.polar import linear_matrix, polar
from equijax.groups.decompositions.symmetric import exp_symmetric
from equijax.groups.general_linear import GL, SL, traceless_diagonals
from equijax.groups.orthogonal import SO
from equijax.numerics import check


def coordinate_basis(group: GL | SL | SO) -> Float[np.ndarray, "dim n n"]:
    """The basis of the algebra that `coordinates` refers to, float64, read-only.

    First the symmetric matrices: for GL(n) the upper triangle row by row, ``E11``, ``(E12 + E21) / sqrt(2)``
    and so on, for SL(n) those off the diagonal, then traceless diagonals; for SO(n) none. Then the skew ones,
    the generators of `equijax.groups.rotations` over ``sqrt(2)``.

    Raises:
      TypeError: if the group is another.

    Example:
      >>> print(coordinate_basis(SL(2))[[0, 2]].round(3).tolist())
      [[[0.0, 0.707], [0.707, 0.0]], [[0.0, -0.707], [0.707, 0.0]]]
    """
    _check_group(group)
    return _basis(type(group), group.n)


def num_symmetric(group: GL | SL | SO) -> int:
    """How many of the coordinates are those of the stretch; they come first.

    Raises:
      TypeError: if the group is another.

    Example:
      >>> num_symmetric(GL(3)), num_symmetric(SL(3)), num_symmetric(SO(3))
      (6, 5, 0)
    """
    return len(coordinate_basis(group)) - math.comb(group.n, 2)


def coordinates(group: GL | SL | SO, g: Element) -> Float[Array, "... dim"]:
    """Coordinates of elements of positive determinant; zero at the identity.

    Args:
      group: ``GL(n)``, ``SL(n)`` or ``SO(n)``.
      g: elements of it. Where the determinant is not positive, the result is not a number.

    Returns:
      Shape ``(..., n^2)``, ``(..., n^2 - 1)`` or ``(..., n (n - 1) / 2)``. A rotation by angle t has norm
      ``sqrt(2) t``.

    Raises:
      TypeError: if the group is another, or ``g`` is not an element of it.
      ValueError: if the arrays of ``g`` do not have the group's shapes.

    Example:
      >>> from equijax.groups import LinearMap
      >>> coordinates(GL(2), LinearMap(jnp.e * jnp.eye(2))).round(4) + 0.0
      Array([1., 0., 1., 0.], dtype=float32)
    """
    _check_group(group)
    group.check_element("g", g)
    matrix = linear_matrix("g", g)
    factors = polar(matrix)
    turn = rotations.log(factors.rotation) * math.sqrt(2)
    coords = jnp.concatenate([_symmetric_part(group, factors.log_stretch), turn], axis=-1)
    reached = jnp.linalg.det(factors.rotation) > 0
    return jnp.where(reached[..., None], coords, jnp.nan)


def from_coordinates(group: GL | SL | SO, coords: Float[Array, "... dim"]) -> Element:
    """The element with given coordinates, ``exp(X) exp(K)`` of their symmetric and skew parts.

    Args:
      group: ``GL(n)``, ``SL(n)`` or ``SO(n)``.
      coords: any real numbers, shape ``(..., dim)``.

    Raises:
      TypeError: if the group is another, or the coordinates are not real floating-point.
      ValueError: if their last axis has another size.

    Example:
      >>> from_coordinates(SL(2), jnp.zeros(3)).matrix
      Array([[1., 0.],
             [0., 1.]], dtype=float32)
    """
    basis = coordinate_basis(group)
    check.shape("coords", coords, "... dim", dim=len(basis))
    check.floating("coords", coords)
    count = num_symmetric(group)
    rotation = rotations.exp(coords[..., count:] / math.sqrt(2), group.n)
    if count == 0:
        return rotation
    stretch = jnp.asarray(basis[:count], coords.dtype)
    log_stretch = jnp.einsum("...k,kij->...ij", coords[..., :count], stretch, precision="highest")
    return group._wrap(jnp.matmul(exp_symmetric(log_stretch), rotation, precision="highest"))


def polar_features(group: GL | SL | SO, g: Element) -> Float[Array, "... features"]:
    """Numbers that are smooth on the whole group: coordinates of the stretch, and entries of the rotation.

    The rotation is given by its matrix, for n = 2 by cosine and sine of its angle, and so has no jump,
    neither at the identity (as an angle in [0, 2 pi) has) nor at pi.

    Args:
      group: ``GL(n)``, ``SL(n)`` or ``SO(n)``.
      g: elements of it.

    Returns:
      Shape ``(..., num_symmetric + 2)`` for n = 2, ``(..., num_symmetric + n^2)`` otherwise.

    Raises:
      TypeError: if the group is another, or ``g`` is not an element of it.
      ValueError: if the arrays of ``g`` do not have the group's shapes.

    Example:
      >>> polar_features(SL(2), SL(2).identity())
      Array([0., 0., 1., 0.], dtype=float32)
    """
    _check_group(group)
    group.check_element("g", g)
    factors = polar(linear_matrix("g", g))
    entries = factors.rotation.reshape(*factors.rotation.shape[:-2], -1)
    if group.n == 2:
        entries = entries[..., ::2]  # the first column, cosine and sine
    return jnp.concatenate([_symmetric_part(group, factors.log_stretch), entries], axis=-1)


def _symmetric_part(group, log_stretch: Array) -> Array:
    """Coordinates of a symmetric matrix."""
    basis = jnp.asarray(coordinate_basis(group)[: num_symmetric(group)], log_stretch.dtype)
    return jnp.einsum("...ij,kij->...k", log_stretch, basis, precision="highest")


def _check_group(group) -> None:
    """Require one of the groups that have coordinates."""
    if not isinstance(group, GL | SL | SO):
        raise TypeError(f"group must be GL(n), SL(n) or SO(n), got {group!r}")


@functools.lru_cache
def _basis(kind: type, n: int) -> np.ndarray:
    """Symmetric, then skew matrices, orthonormal."""
    pairs = [(i, j) for i in range(n) for j in range(i, n)]
    if kind is SO:
        symmetric = np.zeros((0, n, n))
    elif kind is GL:
        symmetric = np.array([_symmetric_unit(n, i, j) for i, j in pairs])
    else:
        off = [_symmetric_unit(n, i, j) for i, j in pairs if i < j]
        diagonals = traceless_diagonals(n) / np.linalg.norm(traceless_diagonals(n), axis=1, keepdims=True)
        symmetric = np.concatenate([off, diagonals[:, :, None] * np.eye(n)])
    basis = np.concatenate([symmetric, rotations.generators(n) / math.sqrt(2)])
    basis.flags.writeable = False
    return basis


def _symmetric_unit(n: int, i: int, j: int) -> np.ndarray:
    """The symmetric matrix of norm 1 with entries at (i, j) and (j, i)."""
    matrix = np.zeros((n, n))
    matrix[i, j] = matrix[j, i] = 1.0 if i == j else math.sqrt(0.5)
    return matrix
