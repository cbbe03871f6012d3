"""The group with one element. Elements are `Unit`, which carries batch axes and nothing else."""

import dataclasses

import jax
import jax.numpy as jnp
from jaxtyping import Array, Int

from equijax.groups import actions
from equijax.groups.base import Group


@jax.tree_util.register_dataclass
@dataclasses.dataclass(frozen=True, eq=False)
class Unit:
    """The identity of the trivial group.

    Attributes:
      place: the element's number, always 0, shape ``(...)``: it carries the batch axes.

    Example:
      >>> from equijax.groups import Trivial
      >>> Trivial().act(Unit(jnp.array(0)), jnp.ones(2))
      Array([1., 1.], dtype=float32)
    """

    place: Int[Array, "..."]


@actions.regular_permutation.register(Unit)
def _(g):
    return g.place[..., None]


@actions.batch_shape.register(Unit)
def _(g):
    return g.place.shape


@dataclasses.dataclass(frozen=True, repr=False)
class TrivialGroup(Group):
    """The group with one element: no symmetry. (`Trivial` is the representation that changes nothing.)

    Example:
      >>> TrivialGroup(), TrivialGroup().order
      (TrivialGroup(), 1)
    """

    is_finite = True
    is_compact = True

    @property
    def order(self):
        """One."""
        return 1

    def _identity(self, shape, dtype):
        return Unit(jnp.zeros(shape, jnp.int32))

    def _compose(self, g, h):
        return Unit(g.place + h.place)

    def _inverse(self, g):
        return g

    def _sample(self, key, shape, dtype):
        return self._identity(shape, dtype)

    def _elements(self):
        return self._identity((1,), jnp.float32)

    def _discrete_generators(self, dtype):
        """None are needed."""
        return self._identity((0,), dtype)

    def _matrix(self, g):
        return jnp.ones((*g.place.shape, 1, 1))
