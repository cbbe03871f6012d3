"""What a Lie group is: a group with an exponential map, a logarithm and an adjoint representation."""

import abc

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float

from equijax.groups.base import Element, Group
from equijax.numerics import check


class LieGroup(Group):
    """A group with a Lie algebra: one-parameter subgroups ``t -> exp(t a)``.

    Algebra elements are coordinate vectors ``(..., algebra_dim)`` in the basis that `algebra_basis` gives as
    matrices of the same faithful representation as `Group.matrix`.
    """

    @property
    @abc.abstractmethod
    def algebra_dim(self) -> int:
        """The dimension of the Lie algebra."""

    @abc.abstractmethod
    def _algebra_basis(self) -> np.ndarray:
        """Basis matrices ``(algebra_dim, m, m)``, float64, orthogonal in the Frobenius product."""

    @abc.abstractmethod
    def _exp(self, a: Array) -> Element:
        """The exponential map."""

    @abc.abstractmethod
    def _log(self, g: Element) -> Array:
        """The logarithm."""

    def _discrete_generators(self, dtype):
        """None, as for any connected group; a group with several components overrides it."""
        empty = jax.eval_shape(lambda: self._identity((0,), dtype))
        return jax.tree.map(lambda leaf: jnp.asarray(np.zeros(leaf.shape), leaf.dtype), empty)

    def _linear_algebra(self) -> np.ndarray | None:
        """Derivatives of ``actions.linear_part`` along the basis of the algebra, where a class knows them."""
        return None

    def linear_algebra(self) -> np.ndarray | None:
        """The basis of the algebra as it acts on vectors of R^n: ``d/dt linear_part(exp(t a))`` at ``t = 0``.

        Returns:
          Float64 matrices, shape ``(algebra_dim, n, n)``; or None if the class does not give them, or the
          group does not act on R^n.

        Example:
          >>> from equijax.groups import E
          >>> E(2).linear_algebra().shape
          (3, 2, 2)
        """
        return self._linear_algebra()

    def algebra_basis(self) -> np.ndarray:
        """The basis of the Lie algebra: ``d/dt matrix(exp(t a)) = sum_i a_i basis_i`` at ``t = 0``.

        Returns:
          Float64 matrices, shape ``(algebra_dim, m, m)``, orthogonal in the Frobenius product.

        Example:
          >>> from equijax.groups import SO
          >>> SO(2).algebra_basis()
          array([[[ 0., -1.],
                  [ 1.,  0.]]])
        """
        return self._algebra_basis()

    def exp(self, a: Float[Array, "... dim"]) -> Element:
        """The exponential map, from coordinates in the algebra to group elements.

        Args:
          a: coordinates in `algebra_basis`, shape ``(..., algebra_dim)``.

        Raises:
          ValueError: if the last axis does not have size ``algebra_dim``.
          TypeError: if ``a`` is not real floating-point.

        Example:
          >>> from equijax.groups import SO
          >>> SO(3).exp(jnp.array([0.0, 0.0, jnp.pi / 2])).round(3) + 0.0
          Array([[ 0., -1.,  0.],
                 [ 1.,  0.,  0.],
                 [ 0.,  0.,  1.]], dtype=float32)
        """
        check.shape("a", a, "... dim", dim=self.algebra_dim)
        check.floating("a", a)
        return self._exp(jnp.asarray(a))

    def log(self, g: Element) -> Float[Array, "... dim"]:
        """The principal logarithm, inverse of `exp`; each group's class documents the domain.

        It is defined on the identity component only: discrete parts of an element (reflections, permutations)
        have no logarithm, and are not looked at.

        Returns:
          Coordinates in `algebra_basis`, shape ``(..., algebra_dim)``.

        Raises:
          TypeError: if ``g`` is not an element of this group.
          ValueError: if the arrays of ``g`` do not have this group's shapes.

        Example:
          >>> from equijax.groups import SO
          >>> SO(3).log(SO(3).identity())
          Array([0., 0., 0.], dtype=float32)
        """
        self.check_element("g", g)
        return self._log(g)

    def adjoint(self, g: Element) -> Float[Array, "... dim dim"]:
        """The adjoint representation: ``exp(adjoint(g) a) = g exp(a) g^-1``.

        Returns:
          Matrices acting on algebra coordinates, shape ``(..., algebra_dim, algebra_dim)``.

        Raises:
          TypeError: if ``g`` is not an element of this group.
          ValueError: if the arrays of ``g`` do not have this group's shapes.

        Example:
          >>> from equijax.groups import SO
          >>> SO(3).adjoint(SO(3).identity())
          Array([[1., 0., 0.],
                 [0., 1., 0.],
                 [0., 0., 1.]], dtype=float32)
        """
        matrix, inverse = self.matrix(g), self.matrix(self.inverse(g))
        basis = self._algebra_basis()
        dual = basis / np.maximum(np.sum(basis**2, axis=(1, 2), keepdims=True), 1e-300)
        return jnp.einsum(
            "kab,...ac,icd,...db->...ki",
            jnp.asarray(dual, matrix.dtype),
            matrix,
            jnp.asarray(basis, matrix.dtype),
            inverse,
            precision="highest",
        )
