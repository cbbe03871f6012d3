"""Unit quaternions: the double cover SU(2) = Spin(3) of the rotations of space. Elements are `Quaternion`."""

import dataclasses
import functools

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float

from equijax.groups import actions, rotations
from equijax.groups.lie import LieGroup
from equijax.groups.representation import Representation
from equijax.numerics import check, safe, trigonometry


@jax.tree_util.register_dataclass
@dataclasses.dataclass(frozen=True, eq=False)
class Quaternion:
    """A unit quaternion ``w + x i + y j + z k``, which turns vectors v to ``q v q^-1``; q and -q turn alike.

    Attributes:
      components: ``(w, x, y, z)`` of length one, shape ``(..., 4)``.

    Example:
      >>> from equijax.groups import Vector
      >>> Vector().act(Quaternion(jnp.array([0.0, 0.0, 0.0, -1.0])), jnp.array([1.0, 2.0, 3.0]))
      Array([-1., -2.,  3.], dtype=float32)
    """

    components: Float[Array, "... 4"]


@actions.linear_part.register(Quaternion)
def _(g):
    return rotations.from_quaternion(g.components)


@actions.batch_shape.register(Quaternion)
def _(g):
    return g.components.shape[:-1]


def multiplication(q: Float[Array, "... 4"]) -> Float[Array, "... 4 4"]:
    """The matrix of multiplication by a quaternion from the left.

    Raises:
      ValueError: if the last axis is not 4.

    Example:
      >>> multiplication(jnp.array([0.0, 1.0, 0.0, 0.0])) @ jnp.array([0.0, 0.0, 1.0, 0.0])  # i j = k
      Array([0., 0., 0., 1.], dtype=float32)
    """
    check.shape("q", q, "... 4")
    return jnp.einsum("...k,kij->...ij", q, jnp.asarray(_units(), jnp.result_type(q)), precision="highest")


@functools.lru_cache
def _units() -> np.ndarray:
    """Matrices of multiplication by 1, i, j and k from the left, shape ``(4, 4, 4)``, read-only."""
    table = np.zeros((4, 4, 4))
    table[0] = np.eye(4)
    for unit in range(3):
        one, two, three = unit + 1, (unit + 1) % 3 + 1, (unit + 2) % 3 + 1
        table[one, one, 0], table[one, 0, one] = 1.0, -1.0
        table[one, three, two], table[one, two, three] = 1.0, -1.0
    table.flags.writeable = False
    return table


@dataclasses.dataclass(frozen=True, repr=False)
class UnitQuaternions(LieGroup):
    """The quaternions of length one, which cover SO(3) twice: SU(2), or Spin(3).

    They turn vectors of R^3 (`Vector`, `Irreps` and their kin), and act on `Spinor` by multiplication, where
    -1 is not the identity. `matrix` is multiplication from the left, of size 4. `sample` draws from Haar
    measure. Algebra coordinates are the rotation vector, as in ``SO(3)``; `log` is defined everywhere but at
    -1, with angles below 2 pi.

    Example:
      >>> UnitQuaternions(), UnitQuaternions().algebra_dim
      (UnitQuaternions(), 3)
    """

    is_compact = True

    @property
    def algebra_dim(self):
        """Three."""
        return 3

    def _identity(self, shape, dtype):
        return Quaternion(jnp.broadcast_to(jnp.eye(4, dtype=dtype)[0], (*shape, 4)))

    def _compose(self, g, h):
        matrix = multiplication(g.components)
        return Quaternion(jnp.einsum("...ij,...j->...i", matrix, h.components, precision="highest"))

    def _inverse(self, g):
        return Quaternion(g.components * jnp.asarray([1, -1, -1, -1], g.components.dtype))

    def _sample(self, key, shape, dtype):
        return Quaternion(safe.normalize(jax.random.normal(key, (*shape, 4), dtype)))

    def _matrix(self, g):
        return multiplication(g.components)

    def _algebra_basis(self):
        return _units()[1:] / 2

    def _linear_algebra(self):
        return rotations.generators(3)

    def _exp(self, a):
        square = jnp.sum(a**2, axis=-1, keepdims=True) / 4
        cosine = 1 - square * trigonometry.cosc(square)
        return Quaternion(jnp.concatenate([cosine, a / 2 * trigonometry.sinc(square)], axis=-1))

    def _log(self, g):
        w, vector = g.components[..., :1], g.components[..., 1:]
        square = jnp.sum(vector**2, axis=-1, keepdims=True)
        near = (square < 1e-2) & (w > 0)
        # arcsin(s) / s as a series in s^2; the first term left out is below 1e-17.
        small, series, coefficient = jnp.where(near, square, 0.0), jnp.zeros_like(square), 1.0
        for k in range(8):
            series = series + coefficient / (2 * k + 1) * small**k
            coefficient *= (2 * k + 1) / (2 * k + 2)
        sine = jnp.sqrt(jnp.where(near | (square == 0), 1.0, square))
        return 2 * vector * jnp.where(near, series, jnp.arctan2(sine, w) / sine)


@dataclasses.dataclass(frozen=True, repr=False)
class Spinor(Representation):
    """Spinors: quaternions (or pairs of complex numbers) as four reals, multiplied by the element.

    A full turn changes their sign.

    Example:
      >>> turn = UnitQuaternions().exp(jnp.array([0.0, 0.0, 2 * jnp.pi]))
      >>> Spinor().act(turn, jnp.array([1.0, 0.0, 0.0, 0.0])).round(4) + 0.0
      Array([-1.,  0.,  0.,  0.], dtype=float32)
    """

    is_orthogonal = True

    def _shape(self, g):
        if not isinstance(g, Quaternion):
            raise TypeError(f"g must be a Quaternion, got {type(g).__name__}")
        return (4,)

    def _matrix(self, g):
        return multiplication(g.components)
