"""Iwasawa decomposition of invertible matrices: ``g = k exp(diag t) u``, rotation, scaling of axes, shears.

It is the QR decomposition with a positive diagonal (Gram-Schmidt on the columns): k orthogonal with the sign
of g's determinant, t the logarithms of the diagonal, u upper triangular with ones on the diagonal. All three
are unique and smooth in g.
"""

import dataclasses

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float

from equijax.groups.base import Element
from equijax.groups.decompositions.polar import linear_matrix


@jax.tree_util.register_dataclass
@dataclasses.dataclass(frozen=True, eq=False)
class Iwasawa:
    """The factors of ``g = rotation diag(exp(log_scale)) unipotent``.

    Attributes:
      rotation: orthogonal matrices, shape ``(..., n, n)``.
      log_scale: logarithms of the scaling of each axis, shape ``(..., n)``.
      unipotent: upper triangular matrices with ones on the diagonal, shape ``(..., n, n)``.

    Example:
      >>> Iwasawa(jnp.eye(2), jnp.zeros(2), jnp.array([[1.0, 3.0], [0.0, 1.0]])).matrix()
      Array([[1., 3.],
             [0., 1.]], dtype=float32)
    """

    rotation: Float[Array, "... n n"]
    log_scale: Float[Array, "... n"]
    unipotent: Float[Array, "... n n"]

    def matrix(self) -> Float[Array, "... n n"]:
        """The matrix g."""
        return jnp.matmul(
            self.rotation, jnp.exp(self.log_scale)[..., :, None] * self.unipotent, precision="highest"
        )

    def inverse_matrix(self) -> Float[Array, "... n n"]:
        """The inverse of g, by back substitution."""
        turned_back = jnp.exp(-self.log_scale)[..., :, None] * jnp.swapaxes(self.rotation, -1, -2)
        unipotent, turned_back = jnp.broadcast_arrays(self.unipotent, turned_back)
        return jax.scipy.linalg.solve_triangular(unipotent, turned_back, lower=False, unit_diagonal=True)


def iwasawa(g: Element) -> Iwasawa:
    """The Iwasawa decomposition of invertible matrices.

    Args:
      g: matrices ``(..., n, n)``, or elements of a group that acts on R^n, of which the linear part is taken.

    Raises:
      TypeError: if g is none of these, or not real floating-point.
      ValueError: if the matrices are not square.

    Example:
      >>> factors = iwasawa(jnp.array([[0.0, -2.0], [1.0, 4.0]]))
      >>> factors.unipotent.round(4)
      Array([[1., 4.],
             [0., 1.]], dtype=float32)
    """
    q, r = jnp.linalg.qr(linear_matrix("g", g))
    diagonal = jnp.diagonal(r, axis1=-2, axis2=-1)
    signs = jnp.where(diagonal < 0, -1.0, 1.0).astype(r.dtype)
    return Iwasawa(q * signs[..., None, :], jnp.log(signs * diagonal), r / diagonal[..., :, None])
