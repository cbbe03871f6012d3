"""The dihedral group of a regular n-gon: turns and flips. Elements are `TurnFlip`."""

import dataclasses

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Int

from equijax.groups import actions
from equijax.groups.base import Group, check_size
from equijax.groups.cyclic import turn_matrices


@jax.tree_util.register_dataclass
@dataclasses.dataclass(frozen=True, eq=False)
class TurnFlip:
    """A flip of the plane, ``(x, y) -> (x, -y)``, if ``flip`` is 1, then ``steps`` n-ths of a full turn.

    It permutes the n vertices of a regular polygon, which stand at angles ``2 pi i / n``:
    ``i -> steps + i`` or ``i -> steps - i`` modulo n.

    Attributes:
      steps: integers in ``[0, n)``, shape ``(...)``.
      flip: 0 or 1, shape ``(...)``.
      n: the number of steps in a full turn.

    Example:
      >>> from equijax.groups import PermutationTensor
      >>> PermutationTensor(1).act(TurnFlip(jnp.array(0), jnp.array(1), n=4), jnp.array([10, 20, 30, 40]))
      Array([10, 40, 30, 20], dtype=int32)
    """

    steps: Int[Array, "..."]
    flip: Int[Array, "..."]
    n: int = dataclasses.field(metadata={"static": True})


def _sign(flip):
    """1 without a flip, -1 with one."""
    return 1 - 2 * flip


@actions.linear_part.register(TurnFlip)
def _(g):
    turn = jnp.asarray(turn_matrices(g.n), jnp.result_type(float))[g.steps]
    mirror = jnp.stack([jnp.ones_like(g.flip), _sign(g.flip)], axis=-1)
    return turn * mirror[..., None, :]


@actions.permutation.register(TurnFlip)
def _(g):
    points = jnp.arange(g.n, dtype=jnp.int32)
    return (g.steps[..., None] + _sign(g.flip)[..., None] * points) % g.n


@actions.regular_permutation.register(TurnFlip)
def _(g):
    # Element number flip * n + steps; g (k, f) = (steps + sign(flip) k, flip xor f).
    steps = actions.permutation(g)
    flipped = jnp.stack([g.flip, 1 - g.flip], axis=-1)[..., None]
    return (flipped * g.n + steps[..., None, :]).reshape(*steps.shape[:-1], 2 * g.n)


@actions.batch_shape.register(TurnFlip)
def _(g):
    return jnp.broadcast_shapes(g.steps.shape, g.flip.shape)


@dataclasses.dataclass(frozen=True, repr=False)
class Dihedral(Group):
    """The n rotations and n reflections of a regular n-gon.

    `sample` draws uniformly. It acts on the plane (``Vector``), on the n vertices (``PermutationTensor``) and
    on itself (``Regular``). Elements are listed rotations first. `matrix` is the orthogonal map of the plane.

    Attributes:
      n: the number of vertices, at least 1.

    Raises:
      TypeError: if ``n`` is not an integer.
      ValueError: if ``n`` is below 1.

    Example:
      >>> Dihedral(4), Dihedral(4).order
      (Dihedral(4), 8)
    """

    n: int
    is_finite = True
    is_compact = True

    def __post_init__(self):
        check_size("n", self.n, 1)

    @property
    def order(self):
        """The number of elements, 2 n."""
        return 2 * self.n

    def _identity(self, shape, dtype):
        return TurnFlip(jnp.zeros(shape, jnp.int32), jnp.zeros(shape, jnp.int32), self.n)

    def _compose(self, g, h):
        return TurnFlip((g.steps + _sign(g.flip) * h.steps) % self.n, g.flip ^ h.flip, self.n)

    def _inverse(self, g):
        # A rotation turns back; a reflection is its own inverse.
        return TurnFlip(-_sign(g.flip) * g.steps % self.n, g.flip, self.n)

    def _sample(self, key, shape, dtype):
        steps_key, flip_key = jax.random.split(key)
        steps = jax.random.randint(steps_key, shape, 0, self.n, jnp.int32)
        return TurnFlip(steps, jax.random.randint(flip_key, shape, 0, 2, jnp.int32), self.n)

    def _elements(self):
        flip, steps = np.divmod(np.arange(2 * self.n, dtype=np.int32), np.int32(self.n))
        return TurnFlip(jnp.asarray(steps), jnp.asarray(flip), self.n)

    def _discrete_generators(self, dtype):
        """One step, and the flip."""
        return TurnFlip(
            jnp.asarray(np.array([1 % self.n, 0]), jnp.int32), jnp.asarray(np.arange(2), jnp.int32), self.n
        )

    def _matrix(self, g):
        return actions.linear_part(g)
