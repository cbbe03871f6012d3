"""Uniform scalings of R^n. Elements are `Dilation`."""

import dataclasses

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float

from equijax.groups import actions
from equijax.groups.base import check_size
from equijax.groups.lie import LieGroup
from equijax.numerics import check


@jax.tree_util.register_dataclass
@dataclasses.dataclass(frozen=True, eq=False)
class Dilation:
    """A scaling ``x -> factor x`` of R^n.

    Attributes:
      factor: positive numbers, shape ``(...)``.
      n: the dimension of the space.

    Example:
      >>> from equijax.groups import Vector
      >>> Vector().act(Dilation(jnp.array(2.0), n=3), jnp.ones(3))
      Array([2., 2., 2.], dtype=float32)
    """

    factor: Float[Array, "..."]
    n: int = dataclasses.field(metadata={"static": True})


@actions.linear_part.register(Dilation)
def _(g):
    return g.factor[..., None, None] * jnp.eye(g.n, dtype=g.factor.dtype)


@actions.orthogonal_part.register(Dilation)
def _(g):
    raise TypeError("g must be a group element that preserves lengths, got Dilation: Irreps do not scale")


@actions.batch_shape.register(Dilation)
def _(g):
    return g.factor.shape


@dataclasses.dataclass(frozen=True, repr=False)
class Scaling(LieGroup):
    """The uniform scalings of R^n by positive factors.

    `sample` draws the factor log-uniformly from ``[1 / bound, bound]``. The algebra coordinate is the
    factor's natural logarithm, and `log` is defined everywhere.

    Attributes:
      n: the dimension of the space, at least 1.
      bound: the largest sampled factor, above 1.

    Raises:
      TypeError: if ``n`` is not an integer.
      ValueError: if ``n`` is below 1, or ``bound`` is not above 1.

    Example:
      >>> Scaling(3).exp(jnp.array([0.0]))
      Dilation(factor=Array(1., dtype=float32), n=3)
    """

    n: int = 1
    bound: float = 2.0

    def __post_init__(self):
        check_size("n", self.n, 1)
        check.positive("bound", self.bound)
        if self.bound <= 1:
            raise ValueError(f"bound must be a number above 1, got {self.bound!r}")

    @property
    def algebra_dim(self):
        """One."""
        return 1

    def _identity(self, shape, dtype):
        return Dilation(jnp.ones(shape, dtype), self.n)

    def _compose(self, g, h):
        return Dilation(g.factor * h.factor, self.n)

    def _inverse(self, g):
        return Dilation(1 / g.factor, self.n)

    def _sample(self, key, shape, dtype):
        limit = np.log(self.bound)
        return Dilation(jnp.exp(jax.random.uniform(key, shape, dtype, -limit, limit)), self.n)

    def _matrix(self, g):
        return actions.linear_part(g)

    def _algebra_basis(self):
        return np.eye(self.n)[None]

    def _linear_algebra(self):
        return self._algebra_basis()

    def _exp(self, a):
        return Dilation(jnp.exp(a[..., 0]), self.n)

    def _log(self, g):
        return jnp.log(g.factor)[..., None]
