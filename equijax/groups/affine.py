"""Invertible affine maps of R^n, and the linear representation that every group of affine maps has."""

import dataclasses
import functools

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float

from equijax.groups import actions
from equijax.groups.base import check_size
from equijax.groups.euclidean import homogeneous
from equijax.groups.general_linear import GL, check_bound, unit_matrices
from equijax.groups.lie import LieGroup
from equijax.groups.linear import coordinates, principal_log
from equijax.groups.representation import Representation, linear_shape
from equijax.numerics import check


@jax.tree_util.register_dataclass
@dataclasses.dataclass(frozen=True, eq=False)
class AffineMap:
    """An affine map ``x -> linear x + translation``.

    Attributes:
      linear: invertible matrices, shape ``(..., n, n)``.
      translation: shape ``(..., n)``, applied after ``linear``.

    Example:
      >>> from equijax.groups import Point
      >>> Point().act(AffineMap(2 * jnp.eye(2), jnp.array([1.0, 0.0])), jnp.array([1.0, 2.0]))
      Array([3., 4.], dtype=float32)
    """

    linear: Float[Array, "... n n"]
    translation: Float[Array, "... n"]


@actions.linear_part.register(AffineMap)
def _(g):
    return g.linear


@actions.orthogonal_part.register(AffineMap)
def _(g):
    raise TypeError("g must be a group element that preserves lengths, got AffineMap: Irreps do not act")


@actions.translation_part.register(AffineMap)
def _(g):
    return g.translation


@actions.batch_shape.register(AffineMap)
def _(g):
    return jnp.broadcast_shapes(g.linear.shape[:-2], g.translation.shape[:-1])


@dataclasses.dataclass(frozen=True, repr=False)
class Affine(LieGroup):
    """The invertible affine maps of R^n.

    `sample` draws the linear part as ``GL(n, bound)`` does, and the translation uniformly from the cube
    ``[-shift, shift]^n``. Algebra coordinates are the entries of the linear part, row by row, then the n of
    the translation. `log` is the principal logarithm of the matrix of size n + 1, defined where the linear
    part has no eigenvalue on the negative real axis. The discrete part of the group is the reflection of the
    first axis.

    Attributes:
      n: the dimension of the space, at least 1.
      bound: the largest sampled singular value, above 1.
      shift: half the side of the cube of sampled translations, in the unit of the coordinates.

    Raises:
      TypeError: if ``n`` is not an integer.
      ValueError: if ``n`` is below 1, ``bound`` is not above 1, or ``shift`` is not positive.

    Example:
      >>> Affine(2), Affine(2).algebra_dim
      (Affine(2), 6)
    """

    n: int
    bound: float = 2.0
    shift: float = 1.0

    def __post_init__(self):
        check_size("n", self.n, 1)
        check_bound(self.bound)
        check.positive("shift", self.shift)

    @property
    def algebra_dim(self):
        """``n² + n``."""
        return self.n**2 + self.n

    def _identity(self, shape, dtype):
        linear = jnp.broadcast_to(jnp.eye(self.n, dtype=dtype), (*shape, self.n, self.n))
        return AffineMap(linear, jnp.zeros((*shape, self.n), dtype))

    def _compose(self, g, h):
        carried = jnp.einsum("...ij,...j->...i", g.linear, h.translation, precision="highest")
        return AffineMap(jnp.matmul(g.linear, h.linear, precision="highest"), carried + g.translation)

    def _inverse(self, g):
        linear = jnp.linalg.inv(g.linear)
        return AffineMap(linear, -jnp.einsum("...ij,...j->...i", linear, g.translation, precision="highest"))

    def _sample(self, key, shape, dtype):
        linear_key, shift_key = jax.random.split(key)
        linear = GL(self.n, bound=self.bound)._sample(linear_key, shape, dtype).matrix
        shift = jax.random.uniform(shift_key, (*shape, self.n), dtype, -self.shift, self.shift)
        return AffineMap(linear, shift)

    def _discrete_generators(self, dtype):
        """The reflection of the first axis."""
        reflection = GL(self.n)._discrete_generators(dtype).matrix
        return AffineMap(reflection, jnp.asarray(np.zeros((1, self.n)), dtype))

    def _matrix(self, g):
        return homogeneous(g.linear, g.translation)

    def _algebra_basis(self):
        return _basis(self.n)

    def _linear_algebra(self):
        return _basis(self.n)[:, : self.n, : self.n]

    def _exp(self, a):
        basis = jnp.asarray(_basis(self.n), a.dtype)
        matrix = jax.scipy.linalg.expm(jnp.einsum("...k,kij->...ij", a, basis, precision="highest"))
        return AffineMap(matrix[..., : self.n, : self.n], matrix[..., : self.n, self.n])

    def _log(self, g):
        return coordinates(principal_log(self._matrix(g)), _basis(self.n))


@functools.lru_cache
def _basis(n: int) -> np.ndarray:
    """Generators of linear maps, then of translations, as homogeneous matrices, read-only."""
    basis = np.zeros((n * n + n, n + 1, n + 1))
    basis[: n * n, :n, :n] = unit_matrices(n)
    basis[n * n :, :n, n] = np.eye(n)
    basis.flags.writeable = False
    return basis


@dataclasses.dataclass(frozen=True, repr=False)
class Homogeneous(Representation):
    """Homogeneous coordinates ``(x, w)`` of points of R^n: linear, where `Point` is affine.

    A point x is ``(x, 1)``, a displacement ``(x, 0)``; matrices are ``[[linear, translation], [0, 1]]``.

    Example:
      >>> from equijax.groups import Translation
      >>> Homogeneous().act(Translation(1).exp(jnp.array([3.0])), jnp.array([2.0, 1.0]))
      Array([5., 1.], dtype=float32)
    """

    def _shape(self, g):
        return (linear_shape(g)[0] + 1,)

    def _matrix(self, g):
        return homogeneous(jnp.asarray(actions.linear_part(g)), jnp.asarray(actions.translation_part(g)))
