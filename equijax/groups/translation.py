"""Translations of R^n. Elements are `Shift`."""

import dataclasses
import functools

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float

from equijax.groups import actions
from equijax.groups.base import check_size
from equijax.groups.euclidean import homogeneous
from equijax.groups.lie import LieGroup
from equijax.numerics import check


@jax.tree_util.register_dataclass
@dataclasses.dataclass(frozen=True, eq=False)
class Shift:
    """A translation ``x -> x + vector``.

    Attributes:
      vector: shape ``(..., n)``, in the unit of the coordinates.

    Example:
      >>> from equijax.groups import Point
      >>> Point().act(Shift(jnp.array([1.0, 2.0])), jnp.zeros(2))
      Array([1., 2.], dtype=float32)
    """

    vector: Float[Array, "... n"]


@actions.linear_part.register(Shift)
def _(g):
    n = g.vector.shape[-1]
    return jnp.broadcast_to(jnp.eye(n, dtype=g.vector.dtype), (*g.vector.shape, n))


@actions.translation_part.register(Shift)
def _(g):
    return g.vector


@actions.batch_shape.register(Shift)
def _(g):
    return g.vector.shape[:-1]


@dataclasses.dataclass(frozen=True, repr=False)
class Translation(LieGroup):
    """The translations of R^n.

    `sample` draws uniformly from the cube ``[-bound, bound]^n``. Algebra coordinates are the translation
    itself, and `log` is defined everywhere. `matrix` is the affine map's, of size n + 1.

    Attributes:
      n: the dimension of the space, at least 1.
      bound: half the side of the cube of sampled translations, in the unit of the coordinates.

    Raises:
      TypeError: if ``n`` is not an integer.
      ValueError: if ``n`` is below 1, or ``bound`` is not positive.

    Example:
      >>> Translation(3, bound=10.0)
      Translation(3, bound=10.0)
    """

    n: int
    bound: float = 1.0

    def __post_init__(self):
        check_size("n", self.n, 1)
        check.positive("bound", self.bound)

    @property
    def algebra_dim(self):
        """The dimension of the space."""
        return self.n

    def _identity(self, shape, dtype):
        return Shift(jnp.zeros((*shape, self.n), dtype))

    def _compose(self, g, h):
        return Shift(g.vector + h.vector)

    def _inverse(self, g):
        return Shift(-g.vector)

    def _sample(self, key, shape, dtype):
        return Shift(jax.random.uniform(key, (*shape, self.n), dtype, -self.bound, self.bound))

    def _matrix(self, g):
        return homogeneous(actions.linear_part(g), g.vector)

    def _algebra_basis(self):
        return _basis(self.n)

    def _linear_algebra(self):
        return np.zeros((self.n, self.n, self.n))

    def _exp(self, a):
        return Shift(a)

    def _log(self, g):
        return jnp.asarray(g.vector)


@functools.lru_cache
def _basis(n: int) -> np.ndarray:
    """Generators as homogeneous matrices, read-only."""
    basis = np.zeros((n, n + 1, n + 1))
    basis[:, :n, n] = np.eye(n)
    basis.flags.writeable = False
    return basis
