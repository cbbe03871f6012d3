"""KAK decomposition of invertible matrices: ``g = k1 exp(diag a) k2``, a singular-value decomposition.

The logarithms a of the singular values descend; k1 is a rotation, and k2 orthogonal with the sign of g's
determinant. If the singular values are distinct, the pair (k1, k2) is unique up to ``(k1 D, D k2)`` with the
2^(n-1) diagonal rotations D of entries 1 and -1.
"""

import dataclasses

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float

from equijax.groups import rotations
from equijax.groups.base import Element
from equijax.groups.decompositions.polar import linear_matrix, plane_polar_parts
from equijax.groups.linear import stretch
from equijax.numerics import safe


@jax.tree_util.register_dataclass
@dataclasses.dataclass(frozen=True, eq=False)
class KAK:
    """The factors of ``g = left diag(exp(log_values)) right``.

    Attributes:
      left: rotations, shape ``(..., n, n)``.
      log_values: logarithms of the singular values, descending, shape ``(..., n)``.
      right: orthogonal matrices, shape ``(..., n, n)``.

    Example:
      >>> KAK(jnp.eye(2), jnp.zeros(2), jnp.eye(2)).matrix()
      Array([[1., 0.],
             [0., 1.]], dtype=float32)
    """

    left: Float[Array, "... n n"]
    log_values: Float[Array, "... n"]
    right: Float[Array, "... n n"]

    def matrix(self) -> Float[Array, "... n n"]:
        """The matrix g."""
        return stretch(self.left, self.log_values, self.right)

    def inverse_matrix(self) -> Float[Array, "... n n"]:
        """The inverse of g: no matrix is inverted."""
        left, right = (jnp.swapaxes(each, -1, -2) for each in (self.left, self.right))
        return stretch(right, -self.log_values, left)


def kak(g: Element) -> KAK:
    """The KAK decomposition of invertible matrices.

    Derivatives are exact where singular values are distinct. Where two coincide the decomposition is not
    unique: there the derivatives are finite, without a turn in the plane of the two.

    Args:
      g: matrices ``(..., n, n)``, or elements of a group that acts on R^n, of which the linear part is taken.

    Raises:
      TypeError: if g is none of these, or not real floating-point.
      ValueError: if the matrices are not square.

    Example:
      >>> kak(jnp.diag(jnp.array([1.0, jnp.e]))).log_values.round(4)
      Array([1., 0.], dtype=float32)
    """
    matrix = linear_matrix("g", g)
    if matrix.shape[-1] == 2:
        return _kak_plane(matrix)
    left, values, right = _svd(matrix)
    flip = jax.lax.stop_gradient(jnp.where(jnp.linalg.det(left) < 0, -1.0, 1.0).astype(matrix.dtype))
    left = left.at[..., :, 0].multiply(flip[..., None])
    return KAK(left, jnp.log(values), right.at[..., 0, :].multiply(flip[..., None]))


def _kak_plane(matrix: Array) -> KAK:
    """The decomposition in closed form: the stretch is diagonal in axes at half the angle of (p, q)."""
    mean, scale, p, q, rotation = plane_polar_parts(matrix)
    left = rotations.exp(safe.arctan2(q, p)[..., None] / 2, 2)
    half_gap = scale * safe.norm(jnp.stack([p, q], axis=-1))
    values = jnp.stack([mean + half_gap, mean - half_gap], axis=-1)
    return KAK(left, values, jnp.matmul(jnp.swapaxes(left, -1, -2), rotation, precision="highest"))


@jax.custom_jvp
def _svd(matrix: Array) -> tuple[Array, Array, Array]:
    """Singular-value decomposition; equal singular values give no infinite derivatives."""
    return jnp.linalg.svd(matrix)


@_svd.defjvp
def _(primals, tangents):
    u, s, vh = jnp.linalg.svd(primals[0])
    change = jnp.einsum("...ai,...ab,...jb->...ij", u, tangents[0], vh, precision="highest")
    flipped = jnp.swapaxes(change, -1, -2)
    rows, columns = s[..., :, None], s[..., None, :]
    gap = (columns - rows) * (columns + rows)
    distinct = jnp.abs(columns - rows) > 4 * jnp.finfo(s.dtype).eps * jnp.maximum(rows, columns)
    inverse_gap = jnp.where(distinct, 1 / jnp.where(distinct, gap, 1.0), 0.0)
    left_turn = inverse_gap * (change * columns + rows * flipped)
    right_turn = inverse_gap * (rows * change + flipped * columns)
    du = jnp.matmul(u, left_turn, precision="highest")
    dvh = jnp.matmul(jnp.swapaxes(right_turn, -1, -2), vh, precision="highest")
    return (u, s, vh), (du, jnp.diagonal(change, axis1=-2, axis2=-1), dvh)
