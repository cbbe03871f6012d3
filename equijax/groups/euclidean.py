"""Rigid motions of R^n: SE(n) and E(n). Elements are `Rigid`: ``x -> linear x + translation``."""

import abc
import dataclasses
import functools
import math

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float

from equijax.groups import actions, rotations
from equijax.groups.base import Group, check_size
from equijax.groups.lie import LieGroup
from equijax.groups.orthogonal import SO, O
from equijax.numerics import check


@jax.tree_util.register_dataclass
@dataclasses.dataclass(frozen=True, eq=False)
class Rigid:
    """A rigid motion of R^n.

    Attributes:
      linear: orthogonal matrices, shape ``(..., n, n)``.
      translation: shape ``(..., n)``, applied after ``linear``.

    Example:
      >>> from equijax.groups import Point
      >>> Point().act(Rigid(-jnp.eye(2), jnp.array([1.0, 0.0])), jnp.array([1.0, 2.0]))
      Array([ 0., -2.], dtype=float32)
    """

    linear: Float[Array, "... n n"]
    translation: Float[Array, "... n"]


@actions.linear_part.register(Rigid)
def _(g):
    return g.linear


@actions.translation_part.register(Rigid)
def _(g):
    return g.translation


@actions.batch_shape.register(Rigid)
def _(g):
    return jnp.broadcast_shapes(g.linear.shape[:-2], g.translation.shape[:-1])


def homogeneous(
    linear: Float[Array, "... n n"], translation: Float[Array, "... n"]
) -> Float[Array, "... m m"]:
    """The matrix of size m = n + 1 of an affine map, acting on ``(x, 1)``.

    Raises:
      ValueError: if the sizes do not match.

    Example:
      >>> homogeneous(jnp.eye(1), jnp.array([5.0]))
      Array([[1., 5.],
             [0., 1.]], dtype=float32)
    """
    n = check.shape("linear", linear, "... n n")["n"]
    check.shape("translation", translation, "... n", n=n)
    batch = jnp.broadcast_shapes(linear.shape[:-2], translation.shape[:-1])
    linear = jnp.broadcast_to(linear, (*batch, n, n))
    translation = jnp.broadcast_to(translation, (*batch, n))
    top = jnp.concatenate([linear, translation[..., None]], axis=-1)
    last = jnp.broadcast_to(jnp.eye(n + 1, dtype=top.dtype)[-1:], (*batch, 1, n + 1))
    return jnp.concatenate([top, last], axis=-2)


def _apply(linear: Array, vector: Array) -> Array:
    """Matrix times vector, in full precision on every device."""
    return jnp.einsum("...ij,...j->...i", linear, vector, precision="highest")


@functools.lru_cache
def _basis(n: int) -> np.ndarray:
    """Generators of rotations, then of translations, as homogeneous matrices."""
    turns = rotations.generators(n)
    basis = np.zeros((len(turns) + n, n + 1, n + 1))
    basis[: len(turns), :n, :n] = turns
    basis[len(turns) :, :n, n] = np.eye(n)
    basis.flags.writeable = False
    return basis


class _RigidGroup(LieGroup):
    """Groups of rigid motions; a subclass says which point group they have."""

    def __post_init__(self):
        check_size("n", self.n, 2)
        check.positive("bound", self.bound)

    @property
    @abc.abstractmethod
    def point_group(self) -> Group:
        """The group of the linear parts."""

    @property
    def algebra_dim(self):
        """The rotations' dimension and the translations'."""
        return math.comb(self.n, 2) + self.n

    def _identity(self, shape, dtype):
        return Rigid(self.point_group._identity(shape, dtype), jnp.zeros((*shape, self.n), dtype))

    def _compose(self, g, h):
        linear = self.point_group._compose(g.linear, h.linear)
        return Rigid(linear, _apply(g.linear, h.translation) + g.translation)

    def _inverse(self, g):
        linear = self.point_group._inverse(g.linear)
        return Rigid(linear, -_apply(linear, g.translation))

    def _sample(self, key, shape, dtype):
        linear_key, translation_key = jax.random.split(key)
        translation = jax.random.uniform(translation_key, (*shape, self.n), dtype, -self.bound, self.bound)
        return Rigid(self.point_group._sample(linear_key, shape, dtype), translation)

    def _matrix(self, g):
        return homogeneous(g.linear, g.translation)

    def _algebra_basis(self):
        return _basis(self.n)

    def _linear_algebra(self):
        return _basis(self.n)[:, : self.n, : self.n]

    def _exp(self, a):
        turn, velocity = jnp.split(a, [self.algebra_dim - self.n], axis=-1)
        return Rigid(rotations.exp(turn, self.n), _apply(rotations.exp_integral(turn, self.n), velocity))

    def _log(self, g):
        turn = rotations.log(g.linear)
        carried = rotations.exp_integral(turn, self.n)
        velocity = jnp.linalg.solve(carried, g.translation[..., None])[..., 0]
        batch = actions.batch_shape(g)
        return jnp.concatenate(
            [jnp.broadcast_to(part, (*batch, part.shape[-1])) for part in (turn, velocity)], -1
        )


@dataclasses.dataclass(frozen=True, repr=False)
class SE(_RigidGroup):
    """The proper rigid motions of R^n: rotations and translations.

    `sample` draws the rotation from Haar measure and the translation uniformly from the cube
    ``[-bound, bound]^n``. Algebra coordinates are the rotation's (as in `SO`), then the n of the translation;
    `log` has the domain of the rotation's.

    Attributes:
      n: the dimension of the space, at least 2.
      bound: half the side of the cube of sampled translations, in the unit of the coordinates.

    Raises:
      TypeError: if ``n`` is not an integer.
      ValueError: if ``n`` is below 2, or ``bound`` is not positive.

    Example:
      >>> SE(3), SE(3).algebra_dim
      (SE(3), 6)
    """

    n: int
    bound: float = 1.0

    @property
    def point_group(self):
        """SO(n)."""
        return SO(self.n)


@dataclasses.dataclass(frozen=True, repr=False)
class E(_RigidGroup):
    """The rigid motions of R^n: rotations, reflections and translations.

    `sample` draws the orthogonal map from Haar measure on O(n) and the translation uniformly from the cube
    ``[-bound, bound]^n``. Algebra coordinates are the rotation's (as in `SO`), then the n of the translation;
    `exp` reaches the proper motions only, and `log` is defined for them, with the domain of the rotation's.

    Attributes:
      n: the dimension of the space, at least 2.
      bound: half the side of the cube of sampled translations, in the unit of the coordinates.

    Raises:
      TypeError: if ``n`` is not an integer.
      ValueError: if ``n`` is below 2, or ``bound`` is not positive.

    Example:
      >>> E(3).sample(jax.random.key(0), (5,)).translation.shape
      (5, 3)
    """

    n: int
    bound: float = 1.0

    @property
    def point_group(self):
        """O(n)."""
        return O(self.n)

    def _discrete_generators(self, dtype):
        """The reflection of the first axis."""
        return Rigid(O(self.n)._discrete_generators(dtype), jnp.zeros((1, self.n), dtype))
