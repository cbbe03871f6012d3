"""The cyclic group of n turns. Elements are `Turn`."""

import dataclasses
import functools

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Int

from equijax.groups import actions
from equijax.groups.base import Group, check_size


@jax.tree_util.register_dataclass
@dataclasses.dataclass(frozen=True, eq=False)
class Turn:
    """A rotation of the plane by ``steps`` n-ths of a full turn, counter-clockwise.

    It also permutes the n vertices of a regular polygon, or the n places of a periodic sequence:
    ``i -> i + steps`` modulo n.

    Attributes:
      steps: integers in ``[0, n)``, shape ``(...)``.
      n: the number of steps in a full turn.

    Example:
      >>> from equijax.groups import PermutationTensor, Vector
      >>> Vector().act(Turn(jnp.array(1), n=4), jnp.array([1.0, 0.0])).round(6) + 0.0
      Array([0., 1.], dtype=float32)
      >>> PermutationTensor(1).act(Turn(jnp.array(1), n=4), jnp.array([10, 20, 30, 40]))
      Array([40, 10, 20, 30], dtype=int32)
    """

    steps: Int[Array, "..."]
    n: int = dataclasses.field(metadata={"static": True})


@functools.lru_cache
def turn_matrices(n: int) -> np.ndarray:
    """Rotations of the plane by multiples of an n-th of a full turn, shape ``(n, 2, 2)``, float64, read-only.

    Example:
      >>> turn_matrices(2)[1].round(6) + 0.0
      array([[-1.,  0.],
             [ 0., -1.]])
    """
    angle = 2 * np.pi * np.arange(n) / n
    table = np.stack([np.cos(angle), -np.sin(angle), np.sin(angle), np.cos(angle)], axis=-1).reshape(n, 2, 2)
    table.flags.writeable = False
    return table


@actions.linear_part.register(Turn)
def _(g):
    return jnp.asarray(turn_matrices(g.n), jnp.result_type(float))[g.steps]


@actions.permutation.register(Turn)
@actions.regular_permutation.register(Turn)
def _(g):
    return (g.steps[..., None] + jnp.arange(g.n, dtype=jnp.int32)) % g.n


@actions.batch_shape.register(Turn)
def _(g):
    return g.steps.shape


@dataclasses.dataclass(frozen=True, repr=False)
class Cyclic(Group):
    """The n rotations of a regular n-gon.

    `sample` draws uniformly. It acts on the plane (``Vector``), on the n vertices (``PermutationTensor``) and
    on itself (``Regular``). `matrix` is the rotation of the plane.

    Attributes:
      n: the number of elements, at least 1.

    Raises:
      TypeError: if ``n`` is not an integer.
      ValueError: if ``n`` is below 1.

    Example:
      >>> Cyclic(8), Cyclic(8).order
      (Cyclic(8), 8)
    """

    n: int
    is_finite = True
    is_compact = True

    def __post_init__(self):
        check_size("n", self.n, 1)

    @property
    def order(self):
        """The number of elements, n."""
        return self.n

    def _identity(self, shape, dtype):
        return Turn(jnp.zeros(shape, jnp.int32), self.n)

    def _compose(self, g, h):
        return Turn((g.steps + h.steps) % self.n, self.n)

    def _inverse(self, g):
        return Turn(-g.steps % self.n, self.n)

    def _sample(self, key, shape, dtype):
        return Turn(jax.random.randint(key, shape, 0, self.n, jnp.int32), self.n)

    def _elements(self):
        return Turn(jnp.arange(self.n, dtype=jnp.int32), self.n)

    def _discrete_generators(self, dtype):
        """One step."""
        return Turn(jnp.asarray(np.array([1 % self.n]), jnp.int32), self.n)

    def _matrix(self, g):
        return actions.linear_part(g)
