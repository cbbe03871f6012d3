"""What a group's generators do in a representation: derivatives at the identity, and matrices; float64 NumPy.

A linear map is equivariant to the whole group iff it commutes with the generators of its Lie algebra and with
its discrete generators (Finzi, Welling, Wilson, "A practical method for constructing equivariant multilayer
perceptrons for arbitrary matrix groups", ICML 2021, theorem 1).
"""

import functools
import math
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from equijax.groups import (
    Dual,
    Group,
    Irreps,
    LieGroup,
    PermutationTensor,
    Pseudoscalar,
    Regular,
    Representation,
    Vector,
    actions,
)
from equijax.groups.irreps import raising

_TOLERANCE = 1e-9


class Generators(NamedTuple):
    """Matrices of a group's generators.

    Attributes:
      algebra: derivatives of the matrices along the basis of the algebra, shape ``(algebra_dim, d, d)``.
      discrete: matrices of the discrete generators, shape ``(count, d, d)``.
    """

    algebra: np.ndarray
    discrete: np.ndarray


@functools.lru_cache(maxsize=1024)
def of_primitive(group: Group, rep: Representation) -> Generators:
    """The generators in one representation.

    Derivatives are exact (forward mode, in double precision), for any representation whose matrices are
    differentiable along ``group.exp``.

    Example:
      >>> from equijax.groups import O
      >>> of_primitive(O(2), Vector()).algebra.tolist(), of_primitive(O(2), Vector()).discrete.tolist()
      ([[[0.0, -1.0], [1.0, 0.0]]], [[[-1.0, 0.0], [0.0, 1.0]]])
    """
    if isinstance(rep, Dual):
        algebra, discrete = of_primitive(group, rep.part)
        return Generators(-np.swapaxes(algebra, 1, 2), np.swapaxes(np.linalg.inv(discrete), 1, 2))
    # Double precision and concrete values, wherever the call comes from: bases are constants.
    with jax.ensure_compile_time_eval(), jax.enable_x64(True):
        size = math.prod(rep.shape(group))
        elements = group.discrete_generators(jnp.float64)
        derivatives = _known_derivatives(group, rep, size)
        if isinstance(rep, Vector) and hasattr(elements, "shape"):
            return Generators(derivatives, np.asarray(elements))
        # One compilation for all is faster than one for every operation.
        options = {"xla_backend_optimization_level": 0, "xla_llvm_disable_expensive_passes": True}
        if derivatives is None:
            both = jax.jit(
                lambda g, a: (jax.jacfwd(lambda a: rep.matrix(group.exp(a)))(a), rep.matrix(g)),
                compiler_options=options,
            )
            derivatives, discrete = both(elements, jnp.zeros(group.algebra_dim, jnp.float64))
            derivatives = np.moveaxis(np.asarray(derivatives), -1, 0)
        elif actions.batch_shape(elements)[0]:
            discrete = jax.jit(rep.matrix, compiler_options=options)(elements)
        else:
            discrete = np.zeros((0, size, size))
        return Generators(derivatives, np.asarray(discrete, np.float64))


def _known_derivatives(group: Group, rep: Representation, size: int) -> np.ndarray | None:
    """Derivatives of the matrices along the algebra's basis at the identity, where a formula is known."""
    dim = group.algebra_dim if isinstance(group, LieGroup) else 0
    if isinstance(rep, PermutationTensor | Regular | Pseudoscalar) or not dim:
        return np.zeros((dim, size, size))
    turns = group.linear_algebra() if isinstance(rep, Vector | Irreps) else None
    return _irreps_derivatives(turns, rep) if turns is not None and isinstance(rep, Irreps) else turns


def _irreps_derivatives(turns: np.ndarray, rep: Irreps) -> np.ndarray:
    """Derivatives of Wigner matrices, from those of rotations by the recursion that defines the matrices."""
    lmax = max((degree for _, degree, _ in rep.terms), default=0)
    by_degree = [np.zeros((len(turns), 1, 1)), turns]
    for degree in range(2, lmax + 1):
        c = raising(degree)
        before = np.einsum("ajm,kab,bjn->kmn", c, by_degree[-1], c)
        by_degree.append(before + np.einsum("aim,kij,ajn->kmn", c, turns, c))
    blocks = [by_degree[degree] for copies, degree, _ in rep.terms for _ in range(copies)]
    total, start = np.zeros((len(turns), rep.dim, rep.dim)), 0
    for block in blocks:
        stop = start + block.shape[-1]
        total[:, start:stop, start:stop] = block
        start = stop
    return total


@functools.lru_cache(maxsize=1024)
def of_product(group: Group, reps: tuple[Representation, ...]) -> Generators:
    """The generators in a tensor product: Leibniz's rule for the algebra, Kronecker products otherwise.

    Example:
      >>> from equijax.groups import SO
      >>> of_product(SO(2), (Vector(), Vector())).algebra.shape
      (1, 4, 4)
    """
    if not reps:
        dim = group.algebra_dim if isinstance(group, LieGroup) else 0
        count = actions.batch_shape(jax.eval_shape(lambda: group.discrete_generators()))[0]
        return Generators(np.zeros((dim, 1, 1)), np.ones((count, 1, 1)))
    first, *others = [of_primitive(group, rep) for rep in reps]
    algebra, discrete = first
    for part in others:
        ones = np.eye(algebra.shape[-1]), np.eye(part.algebra.shape[-1])
        algebra = _kronecker(algebra, ones[1][None]) + _kronecker(ones[0][None], part.algebra)
        discrete = _kronecker(discrete, part.discrete)
    return Generators(algebra, discrete)


def _kronecker(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """Kronecker products of matrices along a leading axis, which broadcasts."""
    product = a[:, :, None, :, None] * b[:, None, :, None, :]
    rows = a.shape[1] * b.shape[1]
    return product.reshape(-1, rows, rows)


@functools.lru_cache(maxsize=1024)
def permutations(group: Group, rep: Representation) -> np.ndarray | None:
    """Where the discrete generators send the entries of an array that they permute.

    Returns:
      Integers, shape ``(count, d)``; or None if the representation is not one that permutes entries.

    Example:
      >>> from equijax.groups import S
      >>> permutations(S(3), PermutationTensor(1)).tolist()
      [[1, 0, 2], [1, 2, 0]]
    """
    if isinstance(rep, PermutationTensor) and rep.order == 1:
        read = actions.permutation
    elif isinstance(rep, Regular):
        read = actions.regular_permutation
    else:
        return None
    with jax.ensure_compile_time_eval():
        return np.asarray(read(group.discrete_generators()))


@functools.lru_cache(maxsize=1024)
def is_orthogonal(group: Group, rep: Representation) -> bool:
    """Whether all generators, and so all matrices of a group, are orthogonal.

    Example:
      >>> from equijax.groups import SO, Scaling
      >>> is_orthogonal(SO(3), Vector()), is_orthogonal(Scaling(3), Vector())
      (True, False)
    """
    if rep.is_orthogonal:
        return True
    algebra, discrete = of_primitive(group, rep)
    square = discrete @ np.swapaxes(discrete, 1, 2)
    return bool(
        np.all(np.abs(algebra + np.swapaxes(algebra, 1, 2)) < _TOLERANCE)
        and np.all(np.abs(square - np.eye(square.shape[-1])) < _TOLERANCE)
    )


@functools.lru_cache(maxsize=1024)
def is_trivial(group: Group, rep: Representation) -> bool:
    """Whether the group does nothing in a representation.

    Example:
      >>> from equijax.groups import SO, Translation
      >>> is_trivial(Translation(3), Vector()), is_trivial(SO(3), Pseudoscalar()), is_trivial(SO(3), Vector())
      (True, True, False)
    """
    moved = permutations(group, rep)
    if moved is not None:
        return bool(np.all(moved == np.arange(moved.shape[-1])))
    algebra, discrete = of_primitive(group, rep)
    still = np.abs(discrete - np.eye(discrete.shape[-1])) < _TOLERANCE
    return bool(np.all(np.abs(algebra) < _TOLERANCE) and np.all(still))
