"""Lorentz transformations: the linear maps of space-time that keep ``t² - x²``. Components are ``(t, x)``."""

import dataclasses
import functools

import jax
import jax.numpy as jnp
import numpy as np

from equijax.groups import rotations
from equijax.groups.base import check_size
from equijax.groups.linear import LinearGroup
from equijax.numerics import check


@functools.lru_cache
def metric(n: int) -> np.ndarray:
    """The metric ``diag(1, -1, ..., -1)`` of a space-time with n dimensions of space, float64, read-only.

    Example:
      >>> metric(1)
      array([[ 1.,  0.],
             [ 0., -1.]])
    """
    table = np.diag([1.0, *[-1.0] * n])
    table.flags.writeable = False
    return table


class _LorentzGroup(LinearGroup):
    """Groups of Lorentz transformations with the Lie algebra so(1, n)."""

    def __post_init__(self):
        check_size("n", self.n, 1)
        check.positive("bound", self.bound)

    @property
    def size(self):
        """n + 1."""
        return self.n + 1

    def _algebra_basis(self):
        return _basis(self.n)

    def _inverse(self, g):
        flip = jnp.asarray(metric(self.n), self._matrix(g).dtype)
        return self._wrap(flip @ jnp.swapaxes(self._matrix(g), -1, -2) @ flip)

    def _proper(self, key, shape, dtype):
        """A rotation, a boost along the first axis, and another rotation."""
        first, second, speed = jax.random.split(key, 3)
        rapidity = jax.random.uniform(speed, shape, dtype, -self.bound, self.bound)
        cosh, sinh = jnp.cosh(rapidity), jnp.sinh(rapidity)
        boost = jnp.broadcast_to(jnp.eye(self.size, dtype=dtype), (*shape, self.size, self.size))
        block = jnp.stack([cosh, sinh, sinh, cosh], axis=-1).reshape(*shape, 2, 2)
        boost = boost.at[..., :2, :2].set(block)
        turns = []
        for turn_key in (first, second):
            turn = jnp.broadcast_to(jnp.eye(self.size, dtype=dtype), boost.shape)
            turns.append(turn.at[..., 1:, 1:].set(rotations.sample(turn_key, self.n, shape, dtype)))
        return jnp.matmul(jnp.matmul(turns[0], boost, precision="highest"), turns[1], precision="highest")


@dataclasses.dataclass(frozen=True, repr=False)
class Lorentz(_LorentzGroup):
    """The proper orthochronous Lorentz transformations SO⁺(1, n): rotations and boosts, a connected group.

    `Vector` is a four-vector ``(t, x, y, z)`` for n = 3; `Vector().dual()` has lower indices. `sample` draws
    a rotation from Haar measure, a boost along the first axis with a rapidity that is uniform in
    ``[-bound, bound]``, and another rotation. Algebra coordinates are the rotation's (as in `SO`), then the n
    rapidities. `log` is the principal logarithm, defined for elements without an eigenvalue on the negative
    real axis.

    Attributes:
      n: the number of dimensions of space, at least 1.
      bound: the largest sampled rapidity, above 0; the default is 76 percent of the speed of light.

    Raises:
      TypeError: if ``n`` is not an integer.
      ValueError: if ``n`` is below 1, or ``bound`` is not positive.

    Example:
      >>> Lorentz(), Lorentz(n=3).algebra_dim
      (Lorentz(), 6)
    """

    n: int = 3
    bound: float = 1.0

    def _sample(self, key, shape, dtype):
        return self._wrap(self._proper(key, shape, dtype))


@dataclasses.dataclass(frozen=True, repr=False)
class FullLorentz(_LorentzGroup):
    """All Lorentz transformations O(1, n): with reflections of space and of time.

    `sample` draws as `Lorentz` does, and reverses time and reflects the first axis of space by fair coins.
    `exp` reaches the proper orthochronous transformations only, and `log` is defined for them.

    Attributes:
      n: the number of dimensions of space, at least 1.
      bound: the largest sampled rapidity, above 0.

    Raises:
      TypeError: if ``n`` is not an integer.
      ValueError: if ``n`` is below 1, or ``bound`` is not positive.

    Example:
      >>> FullLorentz(1).discrete_generators().matrix.tolist()
      [[[-1.0, 0.0], [0.0, 1.0]], [[1.0, 0.0], [0.0, -1.0]]]
    """

    n: int = 3
    bound: float = 1.0

    def _sample(self, key, shape, dtype):
        proper_key, sign_key = jax.random.split(key)
        signs = jax.random.rademacher(sign_key, (*shape, 1, 2), dtype)
        return self._wrap(self._proper(proper_key, shape, dtype).at[..., :2].multiply(signs))

    def _discrete_generators(self, dtype):
        """The reversal of time, and the reflection of the first axis of space."""
        signs = np.ones((2, self.size))
        signs[[0, 1], [0, 1]] = -1
        return self._wrap(jnp.asarray(np.stack([np.diag(row) for row in signs]), dtype))


@functools.lru_cache
def _basis(n: int) -> np.ndarray:
    """Generators of rotations, then of boosts, read-only."""
    turns = rotations.generators(n)
    basis = np.zeros((len(turns) + n, n + 1, n + 1))
    basis[: len(turns), 1:, 1:] = turns
    for axis in range(n):
        basis[len(turns) + axis, 0, axis + 1] = basis[len(turns) + axis, axis + 1, 0] = 1.0
    basis.flags.writeable = False
    return basis
