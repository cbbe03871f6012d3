"""The other coordinates: logarithms of 2 x 2 matrices, which do not exist everywhere.

Kernels of MacDonald, Ramasinghe and Lucey (CVPR 2022) are functions of the Lie algebra, reached by the
logarithm. A relative element without a real logarithm (two negative eigenvalues, or a Jordan block of one)
has no place there; it is given the coordinates zero, and counted.
"""

import jax.numpy as jnp
from jaxtyping import Array, Bool, Float

from equijax.groups import GL, SL
from equijax.groups.actions import linear_part
from equijax.groups.base import Element
from equijax.groups.decompositions import coordinate_basis
from equijax.numerics import check, safe


def plane_log(matrix: Float[Array, "... 2 2"]) -> tuple[Float[Array, "... 2 2"], Bool[Array, "..."]]:
    """The principal logarithm of 2 x 2 matrices in closed form, and where it exists.

    Returns:
      The logarithm, zero where there is none, and whether there is one: whether no eigenvalue is negative or
      zero. At ``-1`` times the identity, whose logarithms are not principal, there is none.

    Raises:
      ValueError: if the matrices are not 2 x 2.

    Example:
      >>> plane_log(jnp.array([[-2.0, 0.0], [0.0, -0.5]]))[1]
      Array(False, dtype=bool)
    """
    check.shape("matrix", matrix, "... 2 2")
    mean = (matrix[..., 0, 0] + matrix[..., 1, 1]) / 2
    det = matrix[..., 0, 0] * matrix[..., 1, 1] - matrix[..., 0, 1] * matrix[..., 1, 0]
    square = mean**2 - det  # of half the difference of the eigenvalues
    exists = (det > 0) & ((square < 0) | (mean > 0))
    # log m = log sqrt(det) + (m - mean) s, with s = arctanh(root / mean) / root, or the arc tangent's.
    near = jnp.abs(square) < 1e-3 * mean**2
    root = jnp.sqrt(jnp.where(near | ~exists, 1.0, jnp.abs(square)))
    ratio = jnp.where(near & exists, square, 0.0) / jnp.where(mean == 0, 1.0, mean) ** 2
    series = sum(ratio**k / (2 * k + 1) for k in range(8)) / jnp.where(mean == 0, 1.0, mean)
    real = jnp.log(jnp.abs(mean) + root) - jnp.log(jnp.where(exists, det, 1.0)) / 2
    slope = jnp.where(square > 0, real, safe.arctan2(root, mean)) / root
    # A mean below zero with a tiny square is a rotation by almost pi: the arc tangent, not the series.
    slope = jnp.where(near & (mean > 0), series, slope)
    eye = jnp.eye(2, dtype=matrix.dtype)
    log_scale = jnp.log(jnp.where(exists, det, 1.0)) / 2
    log = log_scale[..., None, None] * eye + slope[..., None, None] * (matrix - mean[..., None, None] * eye)
    return jnp.where(exists[..., None, None], log, 0.0), exists


def exponential_features(group: GL | SL, g: Element) -> Float[Array, "... dim"]:
    """Coordinates of the logarithm in the orthonormal basis of `coordinate_basis`; zero where there is none.

    Raises:
      TypeError: if the group has no such basis, or ``g`` is none of its elements.
      ValueError: if the group does not act on the plane.

    Example:
      >>> exponential_features(SL(2), SL(2).identity())
      Array([0., 0., 0.], dtype=float32)
    """
    basis = coordinate_basis(group)
    group.check_element("g", g)
    log, _ = plane_log(linear_part(g))
    return jnp.einsum("...ij,kij->...k", log, jnp.asarray(basis, log.dtype), precision="highest")
