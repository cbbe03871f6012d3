"""Representations on the space R^n itself: scalars, vectors and points, and their mirror-odd kin."""

import dataclasses

import jax.numpy as jnp

from equijax.groups import actions
from equijax.groups.representation import Representation, linear_shape


@dataclasses.dataclass(frozen=True, repr=False)
class Trivial(Representation):
    """What does not change: scalars, or any array whose trailing axes are all taken as batch.

    It acts for every group, product groups included, and returns its argument as it is (not broadcast against
    the element's batch axes).

    Example:
      >>> Trivial().act(-jnp.eye(3), jnp.array([1.0, 2.0]))
      Array([1., 2.], dtype=float32)
    """

    ndim = 0
    is_orthogonal = True

    def _shape(self, g):
        return ()

    def _act(self, g, x):
        return x

    def _matrix(self, g):
        return jnp.ones((*actions.batch_shape(g), 1, 1))


@dataclasses.dataclass(frozen=True, repr=False)
class Vector(Representation):
    """Displacements, velocities, forces: ``x -> linear_part(g) x``; translations do nothing.

    Example:
      >>> from equijax.groups import E
      >>> Vector().shape(E(3))
      (3,)
    """

    def _shape(self, g):
        return linear_shape(g)

    def _matrix(self, g):
        return jnp.asarray(actions.linear_part(g))


@dataclasses.dataclass(frozen=True, repr=False)
class Pseudovector(Representation):
    """Vectors that keep their sign under inversion, such as a magnetic field: ``x -> det(R) R x``.

    Example:
      >>> Pseudovector().act(-jnp.eye(3), jnp.ones(3))
      Array([1., 1., 1.], dtype=float32)
    """

    def _shape(self, g):
        return linear_shape(g)

    def _matrix(self, g):
        return actions.parity(g)[..., None, None] * actions.linear_part(g)


@dataclasses.dataclass(frozen=True, repr=False)
class Pseudoscalar(Representation):
    """Scalars that change sign under reflections, such as a handedness: ``x -> det(R) x``.

    Example:
      >>> Pseudoscalar().act(-jnp.eye(3), jnp.array(2.0))
      Array(-2., dtype=float32)
    """

    ndim = 0
    is_orthogonal = True

    def _shape(self, g):
        linear_shape(g)  # refuses elements that have no determinant
        return ()

    def _matrix(self, g):
        return actions.parity(g)[..., None, None]


@dataclasses.dataclass(frozen=True, repr=False)
class Point(Representation):
    """Positions: ``x -> linear_part(g) x + translation_part(g)``; affine, so it has no matrix and no dual.

    Example:
      >>> from equijax.groups import Translation
      >>> Point().act(Translation(2).exp(jnp.array([1.0, 2.0])), jnp.zeros(2))
      Array([1., 2.], dtype=float32)
    """

    is_linear = False

    def _shape(self, g):
        return linear_shape(g)

    def _matrix(self, g):
        return jnp.asarray(actions.linear_part(g))

    def _act(self, g, x):
        return super()._act(g, x) + actions.translation_part(g)
