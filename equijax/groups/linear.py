"""What groups of real matrices have in common: elements, products, exponential and principal logarithm.

Elements of a group of orthogonal matrices are plain arrays, on which irreps act, too. Elements of any other
group are `LinearMap`, which tells that they do not preserve lengths.
"""

import abc
import dataclasses

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float

from equijax.groups import actions
from equijax.groups.lie import LieGroup
from equijax.numerics import check


@jax.tree_util.register_dataclass
@dataclasses.dataclass(frozen=True, eq=False)
class LinearMap:
    """An invertible linear map of R^n.

    Attributes:
      matrix: shape ``(..., n, n)``.

    Example:
      >>> from equijax.groups import Vector
      >>> Vector().act(LinearMap(2 * jnp.eye(2)), jnp.ones(2))
      Array([2., 2.], dtype=float32)
    """

    matrix: Float[Array, "... n n"]


@actions.linear_part.register(LinearMap)
def _(g):
    return g.matrix


@actions.orthogonal_part.register(LinearMap)
def _(g):
    raise TypeError("g must be a group element that preserves lengths, got LinearMap: Irreps do not act")


@actions.batch_shape.register(LinearMap)
def _(g):
    return g.matrix.shape[:-2]


def principal_log(matrix: Float[Array, "... n n"]) -> Float[Array, "... n n"]:
    """The principal logarithm of a matrix, whose eigenvalues have imaginary parts between -pi and pi.

    Square roots by the iteration of Denman and Beavers, then the series of the inverse hyperbolic tangent;
    smooth, unlike an eigenvalue method. Accurate to a few hundred units in the last place for matrices with a
    logarithm of norm up to about 6 and a moderate condition number.

    Args:
      matrix: no eigenvalue may be zero or on the negative real axis.

    Raises:
      ValueError: if the matrices are not square.

    Example:
      >>> principal_log(jnp.diag(jnp.array([1.0, jnp.e]))).round(4)
      Array([[0., 0.],
             [0., 1.]], dtype=float32)
    """
    check.shape("matrix", matrix, "... n n")
    matrix = jnp.asarray(matrix)
    eye = jnp.broadcast_to(jnp.eye(matrix.shape[-1], dtype=matrix.dtype), matrix.shape)

    def halve(_, roots):
        y, z = roots
        return (y + jnp.linalg.inv(z)) / 2, (z + jnp.linalg.inv(y)) / 2

    def root(_, x):
        return jax.lax.fori_loop(0, 14, halve, (x, eye))[0]

    halvings = 4
    matrix = jax.lax.fori_loop(0, halvings, root, matrix)
    cayley = jnp.linalg.solve(matrix + eye, matrix - eye)
    square = jnp.matmul(cayley, cayley, precision="highest")
    series = jnp.zeros_like(square)
    for k in reversed(range(13)):
        series = eye / (2 * k + 1) + jnp.matmul(square, series, precision="highest")
    return 2 ** (halvings + 1) * jnp.matmul(cayley, series, precision="highest")


class LinearGroup(LieGroup):
    """A group of real matrices that acts on R^n by them (`Vector`); `matrix` is the matrix itself.

    A subclass gives the size, the basis of the algebra and a sampler. `exp` is the matrix exponential, and
    `log` the principal logarithm: it is defined for elements without an eigenvalue on the negative real axis,
    and inverts `exp` where the eigenvalues of the algebra element have imaginary parts between -pi and pi.
    """

    is_orthogonal: bool = False
    """Whether all matrices are orthogonal; then elements are plain arrays."""

    @property
    @abc.abstractmethod
    def size(self) -> int:
        """The number of rows of a matrix."""

    def _wrap(self, matrix: Array):
        """The element with a matrix."""
        return matrix if self.is_orthogonal else LinearMap(matrix)

    def _matrix(self, g):
        return jnp.asarray(g) if self.is_orthogonal else jnp.asarray(g.matrix)

    @property
    def algebra_dim(self):
        """The number of matrices in the basis of the algebra."""
        return len(self._algebra_basis())

    def _identity(self, shape, dtype):
        return self._wrap(jnp.broadcast_to(jnp.eye(self.size, dtype=dtype), (*shape, self.size, self.size)))

    def _compose(self, g, h):
        return self._wrap(jnp.matmul(self._matrix(g), self._matrix(h), precision="highest"))

    def _inverse(self, g):
        matrix = self._matrix(g)
        return self._wrap(jnp.swapaxes(matrix, -1, -2) if self.is_orthogonal else jnp.linalg.inv(matrix))

    def _linear_algebra(self):
        return self._algebra_basis()

    def _exp(self, a):
        basis = jnp.asarray(self._algebra_basis(), a.dtype)
        return self._wrap(jax.scipy.linalg.expm(jnp.einsum("...k,kij->...ij", a, basis, precision="highest")))

    def _log(self, g):
        return coordinates(principal_log(self._matrix(g)), self._algebra_basis())


def coordinates(matrix: Float[Array, "... n n"], basis: Float[Array, "k n n"]) -> Float[Array, "... k"]:
    """The coordinates of algebra elements in a basis that is orthogonal in the Frobenius product.

    Raises:
      ValueError: if the matrices do not have the basis' size.

    Example:
      >>> coordinates(jnp.eye(2), 2 * jnp.eye(2)[None])
      Array([0.5], dtype=float32)
    """
    k, n, _ = basis.shape
    check.shape("matrix", matrix, f"... {n} {n}")
    dual = basis / (basis**2).sum(axis=(1, 2)).reshape(k, 1, 1)
    return jnp.einsum("...ij,kij->...k", matrix, jnp.asarray(dual, matrix.dtype), precision="highest")


def stretch(left: Float[Array, "... n n"], logs: Float[Array, "... n"], right: Float[Array, "... n n"]):
    """The product ``left diag(exp(logs)) right``.

    Raises:
      ValueError: if shapes do not match.

    Example:
      >>> stretch(jnp.eye(2), jnp.zeros(2), jnp.eye(2))
      Array([[1., 0.],
             [0., 1.]], dtype=float32)
    """
    n = check.shape("left", left, "... n n")["n"]
    check.shape("logs", logs, "... n", n=n)
    check.shape("right", right, "... n n", n=n)
    return jnp.matmul(left * jnp.exp(logs)[..., None, :], right, precision="highest")
