"""All linear maps that commute with a group: bases, and the orthogonal projector onto them.

For a group that acts by ``rho_in`` and ``rho_out`` these are the matrices W such that ``rho_out(g) W = W
rho_in(g)`` for all g. They are found block by block: representations are split into tensor types
(`equijax.equivariance.tensor_types`), and each pair of types is solved once
(`equijax.equivariance.intertwiners`), so that no matrix of size ``(n_out n_in)²`` is ever made. Finzi,
Welling, Wilson, "A practical method for constructing equivariant multilayer perceptrons for arbitrary matrix
groups", ICML 2021. For a compact group that acts by orthogonal matrices the projector is the Reynolds
average; it exists for any group, but depends on the inner product (here Frobenius) otherwise.
"""

import dataclasses
import functools
import math

import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float

from equijax.equivariance import intertwiners, products, signature, tensor_types
from equijax.equivariance.intertwiners import Space
from equijax.equivariance.null_space import Gap
from equijax.equivariance.tensor_types import Block, places, start_of, taken
from equijax.groups import Group, Representation
from equijax.numerics import check

MAX_ENTRIES = 2**27
"""A dense basis with more entries than this (a gigabyte) is refused."""


@dataclasses.dataclass(frozen=True, eq=False, repr=False)
class Projector:
    """The space of equivariant linear maps of two representations; `projector` makes it.

    Matrices act on flattened arrays. The maps between all copies of an input's and of an output's tensor type
    are given by coefficients of shape ``(out_copies, in_copies, space.dim)``.

    Attributes:
      group, in_rep, out_rep: what it was made for.
      in_blocks, out_blocks: the tensor types of the representations, with the places of their copies.
      spaces: the maps of each pair of types that have any, by (number of the output's block, of the input's).
    """

    group: Group
    in_rep: Representation
    out_rep: Representation
    in_blocks: tuple[Block, ...]
    out_blocks: tuple[Block, ...]
    spaces: dict[tuple[int, int], Space]

    def __repr__(self):
        return f"projector({self.group!r}, {self.in_rep!r}, {self.out_rep!r})"

    @property
    def shape(self) -> tuple[int, int]:
        """The shape ``(n_out, n_in)`` of the matrices."""
        return tuple(sum(block.index.size for block in side) for side in (self.out_blocks, self.in_blocks))

    @property
    def coefficient_shapes(self) -> dict[tuple[int, int], tuple[int, int, int]]:
        """The shape ``(out_copies, in_copies, dim)`` of the coefficients of each pair of blocks."""
        return {
            (row, column): (self.out_blocks[row].copies, self.in_blocks[column].copies, space.dim)
            for (row, column), space in self.spaces.items()
        }

    @property
    def dim(self) -> int:
        """The number of independent equivariant maps; the trace of the projector."""
        return sum(math.prod(shape) for shape in self.coefficient_shapes.values())

    @property
    def gap(self) -> Gap:
        """What the rank was decided by: the worst of all pairs of types."""
        return intertwiners.worst_gap([space.gap for space in self.spaces.values()])

    def coefficients(self, matrix: Float[Array, "... o i"]) -> dict[tuple[int, int], Array]:
        """The inner products of a matrix with the basis.

        Args:
          matrix: shape ``(..., n_out, n_in)``.

        Returns:
          For each pair of blocks, shape ``(..., out_copies, in_copies, dim)``.

        Raises:
          ValueError: if the shape does not match.
          TypeError: if the matrix is not real floating-point.

        Example:
          >>> from equijax.groups import SO, Vector
          >>> projector(SO(3), Vector(), Vector()).coefficients(jnp.eye(3))[0, 0].round(4)
          Array([[[1.7321]]], dtype=float32)
        """
        check.shape("matrix", matrix, f"... {self.shape[0]} {self.shape[1]}")
        check.floating("matrix", matrix)
        rows, columns = places(self.out_blocks), places(self.in_blocks)
        ordered = taken(taken(jnp.asarray(matrix), rows, -2), columns, -1)
        found = {}
        for (row, column), space in self.spaces.items():
            out, into = self.out_blocks[row], self.in_blocks[column]
            top, left = start_of(self.out_blocks, row), start_of(self.in_blocks, column)
            part = ordered[..., top : top + out.index.size, left : left + into.index.size]
            part = part.reshape(*part.shape[:-2], out.copies, out.size, into.copies, into.size)
            found[row, column] = space.coefficients(jnp.swapaxes(part, -3, -2))
        return found

    def check_coefficients(self, coefficients: dict[tuple[int, int], Array]) -> None:
        """Require coefficients of every pair of blocks.

        Raises:
          ValueError: if a pair is missing, or a shape does not match.

        Example:
          >>> from equijax.groups import SO, Vector
          >>> projector(SO(3), Vector(), Vector()).check_coefficients({})
          Traceback (most recent call last):
          ValueError: coefficients must be given for the pairs [(0, 0)], got []
        """
        shapes = self.coefficient_shapes
        if set(coefficients) != set(shapes):
            raise ValueError(
                f"coefficients must be given for the pairs {sorted(shapes)}, got {sorted(coefficients)}"
            )
        for pair, shape in shapes.items():
            check.shape(f"coefficients[{pair}]", coefficients[pair], f"... {shape[0]} {shape[1]} {shape[2]}")

    def combine(self, coefficients: dict[tuple[int, int], Array]) -> Float[Array, "... o i"]:
        """The matrix with given coefficients: the inverse of `coefficients` on equivariant matrices.

        Args:
          coefficients: for each pair of blocks, shape ``(..., out_copies, in_copies, dim)``.

        Returns:
          The matrix, shape ``(..., n_out, n_in)``.

        Raises:
          ValueError: if a pair is missing, or a shape does not match.

        Example:
          >>> from equijax.groups import SO, Vector
          >>> projector(SO(2), Vector(), Vector()).dim
          2
        """
        self.check_coefficients(coefficients)
        dtype = jnp.result_type(*coefficients.values()) if coefficients else jnp.result_type(float)
        batch = jnp.broadcast_shapes(*(each.shape[:-3] for each in coefficients.values()))
        rows = []
        for row, out in enumerate(self.out_blocks):
            parts = []
            for column, into in enumerate(self.in_blocks):
                size = (*batch, out.index.size, into.index.size)
                space = self.spaces.get((row, column))
                if space is None:
                    parts.append(jnp.zeros(size, dtype))
                    continue
                maps = jnp.swapaxes(space.combine(coefficients[row, column]), -3, -2)
                parts.append(jnp.broadcast_to(maps.reshape(*maps.shape[:-4], *size[-2:]), size))
            rows.append(jnp.concatenate(parts, axis=-1) if parts else jnp.zeros((*batch, out.index.size, 0)))
        ordered = jnp.concatenate(rows, axis=-2) if rows else jnp.zeros((*batch, *self.shape), dtype)
        ordered = taken(ordered, np.argsort(places(self.out_blocks)), -2)
        return taken(ordered, np.argsort(places(self.in_blocks)), -1)

    def apply(
        self, coefficients: dict[tuple[int, int], Array], x: Float[Array, "... i"]
    ) -> Float[Array, "... o"]:
        """Multiply vectors by the matrix with given coefficients, without making it where that is cheaper.

        Args:
          coefficients: as for `combine`, without batch axes.
          x: shape ``(..., n_in)``.

        Returns:
          Shape ``(..., n_out)``.

        Raises:
          ValueError: if a pair of blocks is missing, or a shape does not match.

        Example:
          >>> from equijax.groups import SO, Vector
          >>> space = projector(SO(3), Vector(), Vector())
          >>> space.apply(space.coefficients(2 * jnp.eye(3)), jnp.array([1.0, 2.0, 3.0])).round(4)
          Array([2., 4., 6.], dtype=float32)
        """
        check.shape("x", x, f"... {self.shape[1]}")
        return products.apply(self, coefficients, x)

    def project(self, matrix: Float[Array, "... o i"]) -> Float[Array, "... o i"]:
        """The nearest equivariant matrix, in the Frobenius norm.

        Args:
          matrix: shape ``(..., n_out, n_in)``.

        Raises:
          ValueError, TypeError: as `coefficients`.

        Example:
          >>> from equijax.groups import SO, Vector
          >>> projector(SO(3), Vector(), Vector()).project(jnp.diag(jnp.array([1.0, 2.0, 6.0]))).round(4)
          Array([[3., 0., 0.],
                 [0., 3., 0.],
                 [0., 0., 3.]], dtype=float32)
        """
        found = self.coefficients(matrix)
        return self.combine(found) if found else jnp.zeros_like(matrix)

    def residual(self, matrix: Float[Array, "... o i"]) -> Float[Array, "... o i"]:
        """What is not equivariant in a matrix: the matrix minus its projection.

        Args:
          matrix: shape ``(..., n_out, n_in)``.

        Raises:
          ValueError, TypeError: as `coefficients`.

        Example:
          >>> from equijax.groups import SO, Vector
          >>> projector(SO(3), Vector(), Vector()).residual(jnp.diag(jnp.array([1.0, 2.0, 6.0]))).round(4)
          Array([[-2.,  0.,  0.],
                 [ 0., -1.,  0.],
                 [ 0.,  0.,  3.]], dtype=float32)
        """
        return matrix - self.project(matrix)

    def basis(self) -> Float[np.ndarray, "k o i"]:
        """The orthonormal basis as one dense array, float64, shape ``(dim, n_out, n_in)``.

        Basis elements are in the order of the coefficients: pairs of blocks, then copies of the output's
        type, copies of the input's, and the basis of the pair.

        Raises:
          ValueError: if it would have more than 2^27 entries.

        Example:
          >>> from equijax.groups import PermutationTensor, S
          >>> projector(S(2), PermutationTensor(1), PermutationTensor(1)).basis().round(4).tolist()
          [[[0.7071, 0.0], [0.0, 0.7071]], [[0.0, 0.7071], [0.7071, 0.0]]]
        """
        entries = self.dim * math.prod(self.shape)
        if entries > MAX_ENTRIES:
            raise ValueError(
                f"a dense basis must have at most {MAX_ENTRIES} entries, {self!r} has dimension {self.dim} "
                f"and matrices of shape {self.shape}; use projector(...), which works with coefficients"
            )
        dense, start = np.zeros((self.dim, *self.shape)), 0
        for (row, column), space in self.spaces.items():
            matrices = space.matrices
            out, into = self.out_blocks[row], self.in_blocks[column]
            for rows in out.index.reshape(out.copies, -1):
                for columns in into.index.reshape(into.copies, -1):
                    dense[start : start + len(matrices), rows[:, None], columns] = matrices
                    start += len(matrices)
        return dense


def projector(group: Group, in_rep: Representation, out_rep: Representation) -> Projector:
    """The orthogonal projector onto the equivariant linear maps of two representations.

    It works for every linear representation of every group: sums, copies, tensor products, duals, outer
    products for a product group, and groups that a user writes (`equijax.groups.MatrixGroup`). Solutions are
    cached. The result does not depend on JAX's precision, and may be asked for within ``jit``.

    Args:
      group: the group.
      in_rep: how it acts on inputs; arrays with several axes are flattened (row-major).
      out_rep: how it acts on outputs.

    Returns:
      A `Projector`, with ``project``, ``residual``, ``basis``, ``dim`` and ``gap``.

    Raises:
      TypeError: if an argument is not a group or a representation, a representation is affine, or the group
        does not have it.
      ValueError: if arrays that permutations act on are too large to list the orbits of.
      ArithmeticError: if the rank of the constraints is not clear.

    Example:
      >>> from equijax.groups import O, PermutationTensor, S, Vector
      >>> projector(O(3), Vector() * Vector(), Vector() * Vector()).dim
      3
      >>> projector(S(50), PermutationTensor(2), PermutationTensor(2)).dim
      15
      >>> clouds = PermutationTensor(1) @ Vector()
      >>> projector(S(5) * O(3), clouds, clouds).dim
      2
    """
    signature.check_group(group)
    tensor_types.check_linear("in_rep", group, in_rep)
    tensor_types.check_linear("out_rep", group, out_rep)
    return _projector(group, in_rep, out_rep)


@functools.lru_cache(maxsize=256)
def _projector(group: Group, in_rep: Representation, out_rep: Representation) -> Projector:
    """Solve every pair of blocks."""
    groups = tensor_types.factors(group, in_rep, out_rep)
    in_blocks, out_blocks = tensor_types.split(groups, in_rep), tensor_types.split(groups, out_rep)
    spaces = {}
    for row, out in enumerate(out_blocks):
        for column, into in enumerate(in_blocks):
            space = intertwiners.solve(groups, out.type, into.type)
            if space.dim:
                spaces[row, column] = space
    return Projector(group, in_rep, out_rep, in_blocks, out_blocks, spaces)


def basis(group: Group, in_rep: Representation, out_rep: Representation) -> Float[np.ndarray, "k o i"]:
    """An orthonormal basis of the equivariant linear maps of two representations.

    Args:
      group, in_rep, out_rep: as for `projector`, which gives the same space without a dense array, and the
        gap in the spectrum that the dimension was decided by.

    Returns:
      Matrices on flattened arrays, orthonormal in the Frobenius product: float64, shape
      ``(dimension, n_out, n_in)``.

    Raises:
      TypeError, ArithmeticError: as `projector`.
      ValueError: as `projector`, or if the array would have more than 2^27 entries.

    Example:
      >>> from equijax.groups import SO, Trivial, Vector
      >>> basis(SO(2), Vector(), Vector()).shape
      (2, 2, 2)
      >>> basis(SO(3), Vector() * Vector(), Vector()).shape  # the cross product
      (1, 3, 9)
    """
    return projector(group, in_rep, out_rep).basis()
