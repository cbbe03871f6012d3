"""Polar decomposition of invertible matrices: a stretch times a rotation, in three forms.

Every invertible matrix is ``g = P R`` with one symmetric positive-definite P and one orthogonal R. The
library works with the Cartan form ``g = exp(X) R``, X symmetric, in which the map is a diffeomorphism onto
all of GL(n): it reaches what the exponential map of the group does not. ``P = exp(X)`` and
``S = P^2 = g g^T`` are the other forms. For g of determinant one, X is traceless. (Mironenco and Forre, "Lie
Group Decompositions for Equivariant Neural Networks", ICLR 2024, section 3.)

Nothing is computed from ``g g^T``, which would square the condition number.
"""

import dataclasses

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float

from equijax.groups import actions
from equijax.groups.base import Element
from equijax.groups.decompositions import hyperbolic
from equijax.groups.decompositions.symmetric import exp_symmetric, in_basis, plane_matrix
from equijax.numerics import check, safe


@jax.tree_util.register_dataclass
@dataclasses.dataclass(frozen=True, eq=False)
class Polar:
    """The Cartan form ``g = exp(log_stretch) rotation``.

    Attributes:
      log_stretch: symmetric matrices, half the logarithm of ``g g^T``, shape ``(..., n, n)``.
      rotation: orthogonal matrices with the sign of g's determinant, shape ``(..., n, n)``.

    Example:
      >>> Polar(jnp.zeros((2, 2)), jnp.eye(2)).matrix()
      Array([[1., 0.],
             [0., 1.]], dtype=float32)
    """

    log_stretch: Float[Array, "... n n"]
    rotation: Float[Array, "... n n"]

    def matrix(self) -> Float[Array, "... n n"]:
        """The matrix g."""
        return jnp.matmul(exp_symmetric(self.log_stretch), self.rotation, precision="highest")

    def inverse_matrix(self) -> Float[Array, "... n n"]:
        """The inverse of g, ``rotation^T exp(-log_stretch)``: no matrix is inverted."""
        turned_back = jnp.swapaxes(self.rotation, -1, -2)
        return jnp.matmul(turned_back, exp_symmetric(-self.log_stretch), precision="highest")


@jax.tree_util.register_dataclass
@dataclasses.dataclass(frozen=True, eq=False)
class StretchRotation:
    """The form ``g = stretch rotation``.

    Attributes:
      stretch: symmetric positive-definite matrices P, shape ``(..., n, n)``.
      rotation: orthogonal matrices, shape ``(..., n, n)``.

    Example:
      >>> StretchRotation(2 * jnp.eye(2), jnp.eye(2)).matrix()
      Array([[2., 0.],
             [0., 2.]], dtype=float32)
    """

    stretch: Float[Array, "... n n"]
    rotation: Float[Array, "... n n"]

    def matrix(self) -> Float[Array, "... n n"]:
        """The matrix g."""
        return jnp.matmul(self.stretch, self.rotation, precision="highest")


@jax.tree_util.register_dataclass
@dataclasses.dataclass(frozen=True, eq=False)
class GramRotation:
    """The form ``g = gram^(1/2) rotation``: a point of the symmetric space and an element of its stabiliser.

    Attributes:
      gram: ``S = g g^T``, shape ``(..., n, n)``; the group acts on it by ``S -> h S h^T``.
      rotation: orthogonal matrices, shape ``(..., n, n)``.

    Example:
      >>> GramRotation(4 * jnp.eye(2), jnp.eye(2)).matrix()
      Array([[2., 0.],
             [0., 2.]], dtype=float32)
    """

    gram: Float[Array, "... n n"]
    rotation: Float[Array, "... n n"]

    def matrix(self) -> Float[Array, "... n n"]:
        """The matrix g."""
        root = exp_symmetric(log_positive(self.gram) / 2)
        return jnp.matmul(root, self.rotation, precision="highest")


def polar(g: Element) -> Polar:
    """The Cartan form ``g = exp(X) R`` of invertible matrices.

    Derivatives are exact everywhere, also where singular values coincide, as at the identity; for n = 2 those
    of any order, for n >= 3 those of the first order (higher ones need distinct singular values).

    Args:
      g: matrices ``(..., n, n)``, or elements of a group that acts on R^n, of which the linear part is taken.

    Raises:
      TypeError: if g is none of these, or not real floating-point.
      ValueError: if the matrices are not square.

    Example:
      >>> polar(jnp.array([[0.0, -2.0], [2.0, 0.0]])).rotation
      Array([[ 0., -1.],
             [ 1.,  0.]], dtype=float32)
    """
    matrix = linear_matrix("g", g)
    return Polar(*(_polar_plane(matrix) if matrix.shape[-1] == 2 else _polar_general(matrix)))


def polar_stretch(g: Element) -> StretchRotation:
    """The form ``g = P R`` of invertible matrices; arguments and errors as for `polar`.

    Example:
      >>> polar_stretch(jnp.array([[0.0, -2.0], [2.0, 0.0]])).stretch
      Array([[2., 0.],
             [0., 2.]], dtype=float32)
    """
    factors = polar(g)
    return StretchRotation(exp_symmetric(factors.log_stretch), factors.rotation)


def polar_gram(g: Element) -> GramRotation:
    """The form ``g = S^(1/2) R`` of invertible matrices; arguments and errors as for `polar`.

    Example:
      >>> polar_gram(jnp.array([[0.0, -2.0], [2.0, 0.0]])).gram
      Array([[4., 0.],
             [0., 4.]], dtype=float32)
    """
    matrix = linear_matrix("g", g)
    gram = jnp.matmul(matrix, jnp.swapaxes(matrix, -1, -2), precision="highest")
    return GramRotation(gram, polar(matrix).rotation)


def log_positive(p: Float[Array, "... n n"]) -> Float[Array, "... n n"]:
    """The symmetric logarithm of symmetric positive-definite matrices.

    Args:
      p: symmetric positive-definite matrices; not checked.

    Raises:
      TypeError: if they are not real floating-point.
      ValueError: if they are not square.

    Example:
      >>> log_positive(jnp.diag(jnp.array([1.0, jnp.e]))).round(4)
      Array([[0., 0.],
             [0., 1.]], dtype=float32)
    """
    check.shape("p", p, "... n n")
    check.floating("p", p)
    return polar(p).log_stretch


def linear_matrix(name: str, g: Element) -> Float[Array, "... n n"]:
    """The linear part of an element, or the matrices themselves, checked.

    Raises:
      TypeError: if they are not real floating-point.
      ValueError: if they are not square.

    Example:
      >>> linear_matrix("g", jnp.ones((2, 3)))
      Traceback (most recent call last):
      ValueError: g must have shape (..., n, n), got (2, 3)
    """
    matrix = g if isinstance(g, actions.ARRAY_TYPES) else actions.linear_part(g)
    check.floating(name, matrix)
    check.shape(name, matrix, "... n n")
    return jnp.asarray(matrix)


def plane_polar_parts(matrix: Float[Array, "... 2 2"]) -> tuple[Array, Array, Array, Array, Array]:
    """The polar decomposition of 2 x 2 matrices in numbers, in closed form.

    Returns:
      ``half_log_det, scale, p, q, rotation``: the logarithm of the stretch is ``half_log_det`` times the
      identity and ``scale`` times ``[[p, q], [q, -p]]``.

    Example:
      >>> parts = plane_polar_parts(2 * jnp.eye(2))
      >>> round(float(parts[0]), 4), float(parts[2])
      (0.6931, 0.0)
    """
    a, b, c, d = (matrix[..., i, j] for i in range(2) for j in range(2))
    det = a * d - b * c
    # A reflection of the second column makes the determinant positive, and goes back into the rotation.
    sign = jax.lax.stop_gradient(jnp.where(det < 0, -1.0, 1.0).astype(matrix.dtype))
    b, d, det = sign * b, sign * d, sign * det
    # The matrix is m times a rotation plus r times a reflection, and its singular values are m + r and m - r.
    m = safe.norm(jnp.stack([a + d, c - b], axis=-1)) / 2
    cosine, sine = (a + d) / (2 * m), (c - b) / (2 * m)
    f, h = (a - d) / 2, (b + c) / 2
    p, q = f * cosine - h * sine, f * sine + h * cosine
    square = p**2 + q**2
    near = square < 0.05 * m**2
    r = jnp.sqrt(jnp.where(near, m**2, square))
    # arctanh(r / m) = log((m + r) / sqrt(m^2 - r^2)), without the cancellation in 1 - r / m.
    far = (jnp.log(m + r) - jnp.log(det) / 2) / r
    ratio = jnp.where(near, square, 0.0) / m**2
    scale = jnp.where(near, hyperbolic.arctanhc(ratio) / m, far)
    rotation = jnp.stack(
        [jnp.stack([cosine, -sign * sine], axis=-1), jnp.stack([sine, sign * cosine], axis=-1)], axis=-2
    )
    return jnp.log(det) / 2, scale, p, q, rotation


def _polar_plane(matrix: Array) -> tuple[Array, Array]:
    """Logarithm of the stretch, and rotation, in closed form."""
    mean, scale, p, q, rotation = plane_polar_parts(matrix)
    return plane_matrix(mean, scale * p, scale * q), rotation


@jax.custom_jvp
def _polar_general(matrix: Array) -> tuple[Array, Array]:
    """Logarithm of the stretch, and rotation, by singular values."""
    return _from_svd(*jnp.linalg.svd(matrix))


def _from_svd(u: Array, values: Array, vh: Array) -> tuple[Array, Array]:
    """Both factors from a singular-value decomposition."""
    log_stretch = jnp.matmul(u * jnp.log(values)[..., None, :], jnp.swapaxes(u, -1, -2), precision="highest")
    return log_stretch, jnp.matmul(u, vh, precision="highest")


@_polar_general.defjvp
def _(primals, tangents):
    u, values, vh = jnp.linalg.svd(primals[0])
    log_stretch, rotation = _from_svd(u, values, vh)
    # In the basis u, with dg R^T = dP + P w and w = dR R^T skew: the skew part gives w, the rest is dP.
    change = jnp.einsum("...ai,...ab,...jb->...ij", u, tangents[0], vh, precision="highest")
    rows, columns = values[..., :, None], values[..., None, :]
    turn = (change - jnp.swapaxes(change, -1, -2)) / (rows + columns)
    logs = jnp.log(values)
    half_gap = (logs[..., :, None] - logs[..., None, :]) / 2
    divided_difference = 1 / (jnp.sqrt(rows * columns) * hyperbolic.sinhc(half_gap**2))
    log_change = (change - rows * turn) * divided_difference
    log_change, turn = in_basis(u, log_change), in_basis(u, turn)
    return (log_stretch, rotation), (log_change, jnp.matmul(turn, rotation, precision="highest"))
