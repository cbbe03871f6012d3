"""Exponential, logarithm and eigenvalues of symmetric matrices, safe to differentiate.

For n = 2 they are in closed form. For n >= 3 derivatives of the first order are exact everywhere, also where
eigenvalues coincide (Daleckii and Krein: divided differences in place of quotients of gaps).
"""

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float

from equijax.groups.decompositions import hyperbolic
from equijax.numerics import check


def exp_symmetric(x: Float[Array, "... n n"]) -> Float[Array, "... n n"]:
    """The exponential of symmetric matrices: symmetric, and positive definite.

    Args:
      x: symmetric matrices; not checked.

    Raises:
      ValueError: if the matrices are not square.
      TypeError: if they are not real floating-point.

    Example:
      >>> exp_symmetric(jnp.array([[0.0, 1.0], [1.0, 0.0]])).round(4)
      Array([[1.5431, 1.1752],
             [1.1752, 1.5431]], dtype=float32)
    """
    n = check.shape("x", x, "... n n")["n"]
    check.floating("x", x)
    if n != 2:
        return _exp_general(x)
    mean, p, q = plane_parts(x)
    square = p**2 + q**2
    return jnp.exp(mean)[..., None, None] * plane_matrix(
        hyperbolic.cosh_root(square), *(hyperbolic.sinhc(square) * part for part in (p, q))
    )


@jax.custom_jvp
def _exp_general(x: Array) -> Array:
    """The exponential by eigenvectors."""
    return _from_eigen(*jnp.linalg.eigh(x))


def _from_eigen(values: Array, vectors: Array) -> Array:
    """The exponential from eigenvalues and eigenvectors."""
    return jnp.matmul(
        vectors * jnp.exp(values)[..., None, :], jnp.swapaxes(vectors, -1, -2), precision="highest"
    )


@_exp_general.defjvp
def _(primals, tangents):
    values, vectors = jnp.linalg.eigh(primals[0])
    inner = in_basis(jnp.swapaxes(vectors, -1, -2), tangents[0])
    mean = (values[..., :, None] + values[..., None, :]) / 2
    half_gap = (values[..., :, None] - values[..., None, :]) / 2
    # (exp(a) - exp(b)) / (a - b) = exp((a + b) / 2) sinh(d) / d, d = (a - b) / 2.
    divided_difference = jnp.exp(mean) * hyperbolic.sinhc(half_gap**2)
    return _from_eigen(values, vectors), in_basis(vectors, inner * divided_difference)


def in_basis(vectors: Float[Array, "... n n"], inner: Float[Array, "... n n"]) -> Float[Array, "... n n"]:
    """The product ``vectors inner vectors^T``.

    Example:
      >>> in_basis(jnp.eye(2), jnp.ones((2, 2)))
      Array([[1., 1.],
             [1., 1.]], dtype=float32)
    """
    return jnp.einsum("...ai,...ij,...bj->...ab", vectors, inner, vectors, precision="highest")


@jax.custom_jvp
def eigenvalues(x: Float[Array, "... n n"]) -> Float[Array, "... n"]:
    """Eigenvalues of symmetric matrices, ascending.

    The derivative of a symmetric function of them is exact wherever it exists, also at equal eigenvalues.

    Example:
      >>> eigenvalues(jnp.diag(jnp.array([2.0, 1.0])))
      Array([1., 2.], dtype=float32)
    """
    check.shape("x", x, "... n n")
    return jnp.linalg.eigvalsh(x)


@eigenvalues.defjvp
def _(primals, tangents):
    values, vectors = jnp.linalg.eigh(primals[0])
    change = jnp.einsum("...ji,...jk,...ki->...i", vectors, tangents[0], vectors, precision="highest")
    return values, change


def log_sinhc_gaps(x: Float[Array, "... n n"]) -> Float[Array, "..."]:
    """``sum_{i<j} log(sinh(d_ij) / d_ij)``, with the gaps ``d_ij`` between eigenvalues of symmetric matrices.

    This is by how much the volume of symmetric space grows along a geodesic (Helgason).

    Raises:
      ValueError: if the matrices are not square.
      TypeError: if they are not real floating-point.

    Example:
      >>> float(log_sinhc_gaps(jnp.eye(3)))
      0.0
    """
    n = check.shape("x", x, "... n n")["n"]
    check.floating("x", x)
    if n == 2:
        _, p, q = plane_parts(x)
        return hyperbolic.log_sinhc(4 * (p**2 + q**2))
    values = eigenvalues(x)
    i, j = jnp.triu_indices(n, 1)
    return jnp.sum(hyperbolic.log_sinhc((values[..., i] - values[..., j]) ** 2), axis=-1)


def plane_parts(x: Float[Array, "... 2 2"]) -> tuple[Float[Array, "..."], ...]:
    """The numbers ``m, p, q`` of symmetric matrices ``[[m + p, q], [q, m - p]]``.

    Example:
      >>> [float(part) for part in plane_parts(jnp.array([[3.0, 4.0], [4.0, 1.0]]))]
      [2.0, 1.0, 4.0]
    """
    check.shape("x", x, "... 2 2")
    return (x[..., 0, 0] + x[..., 1, 1]) / 2, (x[..., 0, 0] - x[..., 1, 1]) / 2, x[..., 0, 1]


def plane_matrix(
    m: Float[Array, "..."], p: Float[Array, "..."], q: Float[Array, "..."]
) -> Float[Array, "... 2 2"]:
    """The symmetric matrices ``[[m + p, q], [q, m - p]]``: the inverse of `plane_parts`.

    Example:
      >>> plane_matrix(*jnp.array([2.0, 1.0, 4.0]))
      Array([[3., 4.],
             [4., 1.]], dtype=float32)
    """
    return jnp.stack([jnp.stack([m + p, q], axis=-1), jnp.stack([q, m - p], axis=-1)], axis=-2)
