"""Spaces of equivariant linear maps between two tensor types, each with an orthonormal basis.

A space turns coefficients into matrices and back without ever being larger than it must: a dense basis, or
the labels of orbits, or for a product group the spaces of its factors, whose tensor product it is.
"""

import dataclasses
import functools
import math

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float

from equijax.equivariance import generators, null_space, orbits
from equijax.equivariance.null_space import Gap
from equijax.equivariance.tensor_types import Type
from equijax.groups import SE, SO, E, Group, Irreps, O, Representation, Vector

_DENSE_ORBITS = 2**20
"""Orbits with a basis of at most so many entries are held as a dense basis, which multiplies faster."""

EXACT = Gap(0.0, 1.0)
"""The gap of a space that is known in closed form."""


@dataclasses.dataclass(frozen=True, eq=False)
class DenseSpace:
    """A space given by its basis.

    Attributes:
      matrices: orthonormal in the Frobenius product, float64, shape ``(dim, d_out, d_in)``.
      gap: what the rank was decided by.
    """

    matrices: np.ndarray
    gap: Gap = EXACT

    @property
    def dim(self) -> int:
        """The number of independent maps."""
        return self.matrices.shape[0]

    @property
    def shape(self) -> tuple[int, int]:
        """Rows and columns of a map."""
        return self.matrices.shape[1:]

    def combine(self, coefficients: Float[Array, "... k"]) -> Float[Array, "... o i"]:
        """The maps with the given coefficients."""
        matrices = jnp.asarray(self.matrices, coefficients.dtype)
        return jnp.einsum("...k,koi->...oi", coefficients, matrices, precision="highest")

    def coefficients(self, matrix: Float[Array, "... o i"]) -> Float[Array, "... k"]:
        """The inner products of matrices with the basis."""
        matrices = jnp.asarray(self.matrices, matrix.dtype)
        return jnp.einsum("koi,...oi->...k", matrices, matrix, precision="highest")


@dataclasses.dataclass(frozen=True, eq=False)
class OrbitSpace:
    """Matrices that are constant on orbits; the basis elements are the orbits' indicators, normalised.

    Attributes:
      labels: the number of the orbit of each entry, int32, shape ``(d_out, d_in)``.
      counts: the number of entries of each orbit, shape ``(dim,)``.
    """

    labels: np.ndarray
    counts: np.ndarray
    gap: Gap = EXACT

    @property
    def dim(self) -> int:
        """The number of orbits."""
        return len(self.counts)

    @property
    def shape(self) -> tuple[int, int]:
        """Rows and columns of a map."""
        return self.labels.shape

    @property
    def matrices(self) -> np.ndarray:
        """The basis, dense."""
        hot = self.labels == np.arange(self.dim)[:, None, None]
        return hot / np.sqrt(self.counts)[:, None, None]

    def combine(self, coefficients: Float[Array, "... k"]) -> Float[Array, "... o i"]:
        """The maps with the given coefficients."""
        scaled = coefficients / jnp.asarray(np.sqrt(self.counts), coefficients.dtype)
        return jnp.take(scaled, jnp.asarray(self.labels), axis=-1)

    def coefficients(self, matrix: Float[Array, "... o i"]) -> Float[Array, "... k"]:
        """The inner products of matrices with the basis."""
        # Row by row first: in one sequence, millions of small terms would be lost to rounding.
        rows = len(self.labels)
        places = jnp.asarray(self.labels) + self.dim * jnp.arange(rows, dtype=jnp.int32)[:, None]
        flat = jnp.moveaxis(matrix.reshape(*matrix.shape[:-2], -1), -1, 0)
        sums = jax.ops.segment_sum(flat, places.ravel(), num_segments=rows * self.dim)
        sums = jnp.sum(sums.reshape(rows, self.dim, *flat.shape[1:]), axis=0)
        return jnp.moveaxis(sums, 0, -1) / jnp.asarray(np.sqrt(self.counts), matrix.dtype)


@dataclasses.dataclass(frozen=True, eq=False)
class ProductSpace:
    """The equivariant maps of a product of two groups: tensor products of those of the factors.

    Attributes:
      first, second: the spaces of the factors; coefficients run over the second's the fastest.
    """

    first: "Space"
    second: "Space"

    @property
    def dim(self) -> int:
        """The product of the dimensions."""
        return self.first.dim * self.second.dim

    @property
    def shape(self) -> tuple[int, int]:
        """Rows and columns of a map."""
        return tuple(a * b for a, b in zip(self.first.shape, self.second.shape, strict=True))

    @property
    def gap(self) -> Gap:
        """The worse gap of the factors."""
        return worst_gap([self.first.gap, self.second.gap])

    @property
    def matrices(self) -> np.ndarray:
        """The basis, dense."""
        return np.stack([np.kron(a, b) for a in self.first.matrices for b in self.second.matrices])

    def combine(self, coefficients: Float[Array, "... k"]) -> Float[Array, "... o i"]:
        """The maps with the given coefficients."""
        split = coefficients.reshape(*coefficients.shape[:-1], self.first.dim, self.second.dim)
        inner = jnp.moveaxis(self.second.combine(split), -3, -1)
        outer = jnp.moveaxis(self.first.combine(inner), (-4, -3), (-3, -1))
        return outer.reshape(*coefficients.shape[:-1], *self.shape)

    def coefficients(self, matrix: Float[Array, "... o i"]) -> Float[Array, "... k"]:
        """The inner products of matrices with the basis."""
        axes = [size for pair in zip(self.first.shape, self.second.shape, strict=True) for size in pair]
        outer = jnp.moveaxis(matrix.reshape(*matrix.shape[:-2], *axes), (-3, -1), (-4, -3))
        inner = jnp.moveaxis(self.first.coefficients(outer), -1, -3)
        found = self.second.coefficients(inner)
        return found.reshape(*matrix.shape[:-2], self.dim)


Space = DenseSpace | OrbitSpace | ProductSpace


def worst_gap(gaps: list[Gap]) -> Gap:
    """The largest zero and the smallest singular value that is not zero.

    Example:
      >>> worst_gap([Gap(0.0, 0.5), Gap(1e-15, 1.0)])
      Gap(null=1e-15, rest=0.5)
    """
    return Gap(max((gap.null for gap in gaps), default=0.0), min((gap.rest for gap in gaps), default=1.0))


def solve(groups: tuple[Group, ...], out_type: Type, in_type: Type) -> Space:
    """The equivariant maps between two tensor types of a product of groups.

    Args:
      groups: the factors.
      out_type, in_type: for each factor, the primitive representations of output and input.

    Example:
      >>> solve((SO(3),), ((Vector(), Vector()),), ((Vector(),),)).dim
      1
    """
    found = [_solve_factor(*each) for each in zip(groups, out_type, in_type, strict=True)]
    if any(space.dim == 0 for space in found):
        return DenseSpace(np.zeros((0, *(math.prod(s.shape[side] for s in found) for side in (0, 1)))))
    # A factor that sees only what it leaves alone contributes the number one.
    relevant = [space for space in found if space.shape != (1, 1)] or found[:1]
    return functools.reduce(ProductSpace, relevant)


@functools.lru_cache(maxsize=4096)
def _solve_factor(
    group: Group, out_reps: tuple[Representation, ...], in_reps: tuple[Representation, ...]
) -> Space:
    """The equivariant maps between tensor products of primitive representations of one group."""
    everything = (*out_reps, *in_reps)
    if not everything:
        return DenseSpace(np.ones((1, 1, 1)))
    if all(generators.permutations(group, rep) is not None for rep in everything):
        return _orbit_space(orbits.labels(group, out_reps, in_reps))
    rotates = isinstance(group, SO | O | SE | E) and group.n == 3
    if rotates and (space := _schur(out_reps, in_reps)) is not None:
        return space
    out, into = generators.of_product(group, out_reps), generators.of_product(group, in_reps)
    pairs = [list(zip(*both, strict=True)) for both in zip(out, into, strict=True)]
    return DenseSpace(*null_space.solve(*pairs))


def _orbit_space(labels: np.ndarray) -> Space:
    """The space of matrices that are constant on orbits."""
    counts = np.bincount(labels.ravel())
    space = OrbitSpace(labels, counts)
    return DenseSpace(space.matrices) if labels.size * len(counts) <= _DENSE_ORBITS else space


def _schur(out_reps, in_reps) -> Space | None:
    """Maps between irreps of rotations of R^3 by Schur's lemma; None if a representation is not an irrep."""
    degrees = []
    for reps in (out_reps, in_reps):
        rep = reps[0] if reps else Irreps("0e")
        if len(reps) > 1 or not isinstance(rep, Irreps | Vector):
            return None
        degrees.append(1 if isinstance(rep, Vector) else rep.terms[0][1])
    out, into = (2 * degree + 1 for degree in degrees)
    if out != into:
        return DenseSpace(np.zeros((0, out, into)))
    return DenseSpace(np.eye(out)[None] / np.sqrt(out))
