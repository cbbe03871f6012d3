"""Rotations SO(n) and orthogonal maps O(n) of R^n. Elements are plain arrays ``(..., n, n)``."""

import dataclasses
import math

import jax
import jax.numpy as jnp
import numpy as np

from equijax.groups import rotations
from equijax.groups.base import check_size
from equijax.groups.lie import LieGroup


class _MatrixGroup(LieGroup):
    """Groups of orthogonal matrices with the Lie algebra so(n)."""

    is_compact = True

    def __post_init__(self):
        check_size("n", self.n, 2)

    @property
    def algebra_dim(self):
        """The dimension of so(n)."""
        return math.comb(self.n, 2)

    def _identity(self, shape, dtype):
        return jnp.broadcast_to(jnp.eye(self.n, dtype=dtype), (*shape, self.n, self.n))

    def _compose(self, g, h):
        return jnp.matmul(g, h, precision="highest")

    def _inverse(self, g):
        return jnp.swapaxes(g, -1, -2)

    def _matrix(self, g):
        return jnp.asarray(g)

    def _algebra_basis(self):
        return rotations.generators(self.n)

    def _linear_algebra(self):
        return self._algebra_basis()

    def _exp(self, a):
        return rotations.exp(a, self.n)

    def _log(self, g):
        return rotations.log(g)


@dataclasses.dataclass(frozen=True, repr=False)
class SO(_MatrixGroup):
    """The rotations of R^n: orthogonal matrices with determinant 1.

    `sample` draws from Haar measure. `exp` and `log` are in closed form for n = 2 and 3, with coordinates as
    in `equijax.groups.rotations`: the angle, and the rotation vector. `log` is defined everywhere for n = 2
    and 3 (at angle pi it returns one of the two logarithms), and for angles below pi - 1e-4 for n >= 4.

    Attributes:
      n: the dimension of the space, at least 2.

    Raises:
      TypeError: if ``n`` is not an integer.
      ValueError: if ``n`` is below 2.

    Example:
      >>> SO(3), SO(3).algebra_dim
      (SO(3), 3)
    """

    n: int

    def _sample(self, key, shape, dtype):
        return rotations.sample(key, self.n, shape, dtype)


@dataclasses.dataclass(frozen=True, repr=False)
class O(_MatrixGroup):  # noqa: E742 the group's name
    """The orthogonal maps of R^n: rotations and reflections.

    `sample` draws from Haar measure. `exp` reaches the rotations only, and `log` is defined for them, as in
    `SO`; the discrete part of the group is a reflection of the first axis.

    Attributes:
      n: the dimension of the space, at least 2.

    Raises:
      TypeError: if ``n`` is not an integer.
      ValueError: if ``n`` is below 2.

    Example:
      >>> g = O(3).sample(jax.random.key(0), (100,))
      >>> set(jnp.sign(jnp.linalg.det(g)).tolist()) == {-1.0, 1.0}
      True
    """

    n: int

    def _sample(self, key, shape, dtype):
        rotation_key, reflection_key = jax.random.split(key)
        rotation = rotations.sample(rotation_key, self.n, shape, dtype)
        sign = jax.random.rademacher(reflection_key, (*shape, 1), dtype)
        return rotation.at[..., 0].multiply(sign)

    def _discrete_generators(self, dtype):
        """The reflection of the first axis."""
        return jnp.asarray(np.diag([-1.0, *[1.0] * (self.n - 1)])[None], dtype)
