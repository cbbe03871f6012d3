"""The symmetric group S(n). Elements are integer arrays ``(..., n)``: ``g[i]`` is where point ``i`` goes."""

import dataclasses
import functools
import itertools
import math

import jax
import jax.numpy as jnp
import numpy as np

from equijax.groups import actions
from equijax.groups.base import MAX_ELEMENTS, Group, check_size


@dataclasses.dataclass(frozen=True, repr=False)
class S(Group):
    """The permutations of n points.

    The product is ``(g h)[i] = g[h[i]]``, and ``PermutationTensor(1)`` acts by ``(g x)[g[i]] = x[i]``.
    `sample` draws from the uniform distribution. Elements are listed in lexicographic order. `matrix` is the
    permutation matrix.

    Attributes:
      n: the number of points, at least 1.

    Raises:
      TypeError: if ``n`` is not an integer.
      ValueError: if ``n`` is below 1.

    Example:
      >>> S(8), S(8).order
      (S(8), 40320)
    """

    n: int
    is_finite = True
    is_compact = True

    def __post_init__(self):
        check_size("n", self.n, 1)

    @property
    def order(self):
        """The number of permutations, n!."""
        return math.factorial(self.n)

    def _identity(self, shape, dtype):
        return jnp.broadcast_to(jnp.arange(self.n, dtype=jnp.int32), (*shape, self.n))

    def _compose(self, g, h):
        batch = jnp.broadcast_shapes(g.shape[:-1], h.shape[:-1])
        g, h = (jnp.broadcast_to(each, (*batch, self.n)) for each in (g, h))
        return jnp.take_along_axis(g, h, axis=-1)

    def _inverse(self, g):
        return jnp.argsort(g, axis=-1).astype(g.dtype)

    def _sample(self, key, shape, dtype):
        points = jnp.broadcast_to(jnp.arange(self.n, dtype=jnp.int32), (*shape, self.n))
        return jax.random.permutation(key, points, axis=-1, independent=True)

    def _elements(self):
        return jnp.asarray(_all_permutations(self.n))

    def _discrete_generators(self, dtype):
        """The exchange of the first two points, and the turn of all."""
        exchange = np.arange(self.n)
        exchange[:2] = exchange[:2][::-1]
        both = np.stack([exchange, np.roll(np.arange(self.n), -1)])
        return jnp.asarray(both if self.n > 1 else both[:0], jnp.int32)

    def _matrix(self, g):
        return jnp.swapaxes(jax.nn.one_hot(g, self.n, dtype=jnp.result_type(float)), -1, -2)


@functools.lru_cache(maxsize=8)
def _all_permutations(n: int) -> np.ndarray:
    """All permutations in lexicographic order, read-only."""
    table = np.array(list(itertools.permutations(range(n))), np.int32)
    table.flags.writeable = False
    return table


def _array_regular_permutation(g):
    """Left multiplication on all permutations, by their lexicographic numbers."""
    g = jnp.asarray(actions.permutation(g))
    n = g.shape[-1]
    if math.factorial(n) > MAX_ELEMENTS:
        raise ValueError(f"g must be a permutation of at most 9 points for Regular, got {n} points")
    images = g[..., _all_permutations(n)]
    # Lexicographic number: digit i counts the later entries that are smaller (Lehmer code).
    later = np.triu(np.ones((n, n), bool), 1)
    digits = jnp.sum((images[..., None, :] < images[..., :, None]) & later, axis=-1)
    return digits @ np.array([math.factorial(n - 1 - i) for i in range(n)], np.int32)


for _type in actions.ARRAY_TYPES:
    actions.regular_permutation.register(_type, _array_regular_permutation)
