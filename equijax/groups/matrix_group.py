"""A group of matrices written by its generators: a symmetry of one's own, in a few lines."""

import dataclasses
import functools
from collections.abc import Callable

import jax
import jax.numpy as jnp
import numpy as np

from equijax.groups.base import Group
from equijax.groups.linear import LinearGroup
from equijax.numerics import check

_MAX_LISTED = 5000
_LETTERS = 16
_TOLERANCE = 1e-9


@dataclasses.dataclass(frozen=True, repr=False)
class MatrixGroup(LinearGroup):
    """The group that matrices generate: exponentials of an algebra, discrete generators, or random elements.

    Everything works for it: `Vector` is the space that it acts on, tensors, sums and duals are made from it,
    and `equijax.equivariance.basis`, layers and tests take it as any other group.

    The algebra is completed by commutators and orthogonalised in the given order; generators that are
    orthogonal already (in the Frobenius product) and close under commutators stay the basis as they are. A
    group without an algebra whose discrete generators make at most 5000 matrices is finite, and lists them.

    `sample` calls ``sampler``, if there is one. Otherwise a finite group is sampled uniformly; any other by
    ``exp(a) w exp(b)``, with coordinates a and b uniform in ``[-bound, bound]`` and w a product of 16
    matrices, each drawn from the discrete generators, their inverses and the identity. A group given by a
    sampler alone is taken to be what 16 samples generate.

    Elements are plain arrays ``(..., n, n)`` if all generators are orthogonal matrices (then `Irreps` act,
    for n = 3), and `LinearMap` otherwise. `exp` and `log` are as in `LinearGroup`.

    Attributes:
      name: what it prints as; part of what groups are compared by.
      algebra: matrices ``(count, n, n)`` whose exponentials belong to the group.
      discrete: invertible matrices ``(count, n, n)`` that belong to the group.
      sampler: a function of a key, a shape of batch axes and a dtype that returns matrices
        ``(*shape, n, n)`` of the group; state its measure where you define it.
      haar: whether the group is compact and ``sampler`` draws from Haar measure.
      bound: the largest sampled coordinate of the algebra, without a sampler.

    Raises:
      TypeError: if ``sampler`` is not a function.
      ValueError: if there are no generators at all, or matrices are not square, of one size, finite, and (the
        discrete ones) invertible; if ``haar`` is given without a sampler; or if ``bound`` is not positive.

    Example:
      >>> from equijax.groups import Vector
      >>> boosts = MatrixGroup("boosts", algebra=[[[0, 1], [1, 0]]])
      >>> boosts, boosts.algebra_dim, Vector().shape(boosts)
      (boosts, 1, (2,))
      >>> quarter = MatrixGroup("quarter", discrete=[[[0, -1], [1, 0]]])
      >>> quarter.order
      4
    """

    name: str
    algebra: tuple = ()
    discrete: tuple = ()
    sampler: Callable | None = None
    haar: bool = False
    bound: float = 1.0

    def __post_init__(self):
        for field in ("algebra", "discrete"):
            object.__setattr__(self, field, _frozen(field, getattr(self, field)))
        if self.sampler is not None:
            check.function("sampler", self.sampler)
        check.positive("bound", self.bound)
        if not (self.algebra or self.discrete or self.sampler):
            raise ValueError("algebra, discrete or sampler must be given, got none of them")
        if self.haar and self.sampler is None:
            raise ValueError("haar must be False without a sampler, got True")
        sizes = {len(matrix) for matrix in (*self.algebra, *self.discrete)}
        if len(sizes) > 1:
            raise ValueError(
                f"algebra and discrete must hold matrices of one size, got sizes {sorted(sizes)}"
            )
        if self.discrete:
            singular = np.linalg.svd(np.array(self.discrete), compute_uv=False)
            if np.any(singular[:, -1] < _TOLERANCE * singular[:, 0]):
                raise ValueError("discrete must hold invertible matrices, got a singular one")

    def __repr__(self):
        return self.name

    @property
    def size(self):
        """The number of rows of the matrices."""
        given = (*self.algebra, *self.discrete)
        return len(given[0]) if given else _sampled_matrices(self).shape[-1]

    @property
    def is_orthogonal(self):
        """Whether all generators are orthogonal matrices; elements are plain arrays then."""
        return _is_orthogonal(self)

    @property
    def is_finite(self):
        """Whether the discrete generators are all there is, and make at most 5000 matrices."""
        return not self.algebra and bool(self.discrete) and _listed(self) is not None

    @property
    def is_compact(self):
        """Whether samples are from Haar measure: for a finite group, or as ``haar`` says."""
        return self.haar or (self.is_finite and self.sampler is None)

    @property
    def order(self):
        """The number of matrices, if they are finitely many."""
        return len(_listed(self)) if self.is_finite else super().order

    def _elements(self):
        return self._wrap(jnp.asarray(_listed(self), jnp.result_type(float)))

    def _algebra_basis(self):
        return _completed(self.algebra, self.size)

    def _discrete_generators(self, dtype):
        if self.discrete or self.algebra:
            matrices = np.array(self.discrete).reshape(-1, self.size, self.size)
            return self._wrap(jnp.asarray(matrices, dtype))
        return Group._discrete_generators(self, dtype)

    def _sample(self, key, shape, dtype):
        if self.sampler is not None:
            matrices = jnp.asarray(self.sampler(key, shape, dtype), dtype)
            check.shape("sampler(key, shape, dtype)", matrices, f"{' '.join(map(str, shape))} n n")
            return self._wrap(matrices)
        if self.is_finite:
            index = jax.random.randint(key, shape, 0, self.order)
            return self._wrap(jnp.asarray(_listed(self), dtype)[index])
        first, second, word = jax.random.split(key, 3)
        dim = self.algebra_dim
        ends = [
            self._matrix(self._exp(jax.random.uniform(each, (*shape, dim), dtype, -self.bound, self.bound)))
            for each in (first, second)
        ]
        letters = jnp.asarray(_alphabet(self.discrete, self.size), dtype)
        drawn = letters[jax.random.randint(word, (_LETTERS, *shape), 0, len(letters))]
        for letter in drawn if self.discrete else ():
            ends[0] = jnp.matmul(ends[0], letter, precision="highest")
        return self._wrap(jnp.matmul(*ends, precision="highest"))


def _frozen(name: str, matrices) -> tuple:
    """Matrices as nested tuples of floats, which hash."""
    array = np.asarray(matrices, np.float64)
    if array.size == 0:
        return ()
    if array.ndim != 3 or array.shape[1] != array.shape[2] or not np.all(np.isfinite(array)):
        raise ValueError(f"{name} must hold finite square matrices, shape (count, n, n), got {array.shape}")
    return tuple(tuple(tuple(row) for row in matrix) for matrix in array.tolist())


@functools.lru_cache(maxsize=64)
def _completed(algebra: tuple, size: int) -> np.ndarray:
    """An orthogonal basis of the Lie algebra that matrices generate, read-only."""
    found: list[np.ndarray] = []
    waiting = [np.array(matrix) for matrix in algebra]
    while waiting:
        matrix = waiting.pop(0)
        rest = matrix.copy()
        for other in found:
            rest = rest - other * np.sum(other * rest) / np.sum(other**2)
        if np.linalg.norm(rest) > _TOLERANCE * max(1.0, np.linalg.norm(matrix)):
            waiting += [rest @ other - other @ rest for other in found]
            found.append(rest)
    basis = np.array(found).reshape(-1, size, size)
    basis.flags.writeable = False
    return basis


@functools.lru_cache(maxsize=64)
def _alphabet(discrete: tuple, size: int) -> np.ndarray:
    """The discrete generators, their inverses and the identity."""
    matrices = np.array(discrete).reshape(-1, size, size)
    return np.concatenate([np.eye(size)[None], matrices, np.linalg.inv(matrices)])


@functools.lru_cache(maxsize=64)
def _listed(group: MatrixGroup) -> np.ndarray | None:
    """All products of the discrete generators, the identity first; None if they are too many."""
    generators = np.array(group.discrete)
    found = {_code(np.eye(group.size)): np.eye(group.size)}
    newest = list(found.values())
    while newest:
        products = (new @ generator for new in newest for generator in generators)
        newest = []
        for product in products:
            if np.abs(product).max() < 1e6 and found.setdefault(_code(product), product) is product:
                newest.append(product)
            if np.abs(product).max() >= 1e6 or len(found) > _MAX_LISTED:
                return None
    table = np.stack(list(found.values()))
    table.flags.writeable = False
    return table


def _code(matrix: np.ndarray) -> bytes:
    """A key for matrices that are equal up to rounding."""
    return (np.round(matrix, 6) + 0.0).tobytes()


@functools.lru_cache(maxsize=64)
def _sampled_matrices(group: MatrixGroup) -> np.ndarray:
    """Four samples."""
    with jax.ensure_compile_time_eval(), jax.enable_x64(True):
        return np.asarray(group.sampler(jax.random.key(0), (4,), jnp.dtype(jnp.float64)))


@functools.lru_cache(maxsize=64)
def _is_orthogonal(group: MatrixGroup) -> bool:
    """Whether generators, or samples where there are none, are orthogonal."""
    matrices = np.array(group.discrete).reshape(-1, group.size, group.size)
    if not (group.algebra or group.discrete):
        matrices = _sampled_matrices(group)
    square = matrices @ np.swapaxes(matrices, 1, 2)
    basis = _completed(group.algebra, group.size)
    return bool(
        np.all(np.abs(square - np.eye(group.size)) < 1e-6)
        and np.all(np.abs(basis + np.swapaxes(basis, 1, 2)) < _TOLERANCE)
    )
