"""Direct products of groups, ``G * H``. Elements are tuples of the factors' elements, in order."""

import dataclasses
import functools
import math

import jax
import jax.numpy as jnp
import numpy as np

from equijax.groups import actions
from equijax.groups.base import Group
from equijax.groups.blocks import block_diagonal
from equijax.groups.lie import LieGroup


def product(*groups: Group) -> "ProductGroup":
    """The direct product of groups; products among the arguments are flattened.

    Raises:
      TypeError: if an argument is not a group.
      ValueError: if there are none.

    Example:
      >>> from equijax.groups import E, S
      >>> product(S(8), E(3)), product(S(8), E(3)).algebra_dim
      (S(8) * E(3), 6)
    """
    factors = []
    for group in groups:
        if not isinstance(group, Group):
            raise TypeError(f"groups must be groups, got {group!r}")
        factors.extend(group.factors if isinstance(group, ProductGroup) else (group,))
    if not factors:
        raise ValueError("groups must hold at least one group, got none")
    lie = any(isinstance(factor, LieGroup) for factor in factors)
    return (LieProductGroup if lie else ProductGroup)(tuple(factors))


@dataclasses.dataclass(frozen=True, repr=False)
class ProductGroup(Group):
    """A direct product of finite groups; `product` and ``G * H`` make it.

    Everything goes factor by factor: an element is a tuple of the factors' elements. `sample` draws the
    factors independently. `matrix` is block diagonal. Elements are listed with the last factor running
    fastest.

    Attributes:
      factors: the groups, in order.

    Example:
      >>> from equijax.groups import Cyclic, S
      >>> (Cyclic(4) * S(3)).order
      24
    """

    factors: tuple[Group, ...]

    def __repr__(self):
        return " * ".join(map(repr, self.factors))

    @property
    def is_finite(self):
        """Whether every factor is finite."""
        return all(factor.is_finite for factor in self.factors)

    @property
    def is_compact(self):
        """Whether every factor is compact."""
        return all(factor.is_compact for factor in self.factors)

    @property
    def order(self):
        """The product of the orders of the factors."""
        return math.prod(factor.order for factor in self.factors)

    def _identity(self, shape, dtype):
        return tuple(factor._identity(shape, dtype) for factor in self.factors)

    def _compose(self, g, h):
        return tuple(factor._compose(a, b) for factor, a, b in zip(self.factors, g, h, strict=True))

    def _inverse(self, g):
        return tuple(factor._inverse(a) for factor, a in zip(self.factors, g, strict=True))

    def _sample(self, key, shape, dtype):
        keys = jax.random.split(key, len(self.factors))
        return tuple(factor._sample(k, shape, dtype) for factor, k in zip(self.factors, keys, strict=True))

    def _elements(self):
        grids = np.indices([factor.order for factor in self.factors]).reshape(len(self.factors), -1)
        return tuple(
            jax.tree.map(lambda leaf, index=index: leaf[index], factor._elements())
            for factor, index in zip(self.factors, grids, strict=True)
        )

    def _discrete_generators(self, dtype):
        """Those of each factor, with the identity in all others."""
        own = [factor._discrete_generators(dtype) for factor in self.factors]
        counts = [actions.batch_shape(elements)[0] for elements in own]
        return tuple(
            jax.tree.map(
                lambda *leaves: jnp.concatenate(leaves),
                *(
                    own[row] if row == column else factor._identity((counts[row],), dtype)
                    for row in range(len(own))
                ),
            )
            for column, factor in enumerate(self.factors)
        )

    def _matrix(self, g):
        return block_diagonal([factor._matrix(a) for factor, a in zip(self.factors, g, strict=True)])


@dataclasses.dataclass(frozen=True, repr=False)
class LieProductGroup(ProductGroup, LieGroup):
    """A direct product in which at least one factor is a Lie group.

    The Lie algebra is the sum of the Lie factors' algebras: coordinates are joined in order, `exp` gives the
    identity of every other factor, and `log` does not look at those.

    Attributes:
      factors: the groups, in order.

    Example:
      >>> from equijax.groups import S, Translation
      >>> (S(2) * Translation(1)).exp(jnp.array([3.0]))
      (Array([0, 1], dtype=int32), Shift(vector=Array([3.], dtype=float32)))
    """

    factors: tuple[Group, ...]

    @property
    def _dims(self) -> list[int]:
        """The algebra's dimension in each factor, 0 where the factor is not a Lie group."""
        return [factor.algebra_dim if isinstance(factor, LieGroup) else 0 for factor in self.factors]

    @property
    def algebra_dim(self):
        """The sum of the dimensions of the Lie factors' algebras."""
        return sum(self._dims)

    def _algebra_basis(self):
        return _block_basis(self)

    def _exp(self, a):
        parts = jnp.split(a, np.cumsum(self._dims)[:-1], axis=-1)
        return tuple(
            factor._exp(part) if isinstance(factor, LieGroup) else factor._identity(a.shape[:-1], a.dtype)
            for factor, part in zip(self.factors, parts, strict=True)
        )

    def _log(self, g):
        logs = [
            factor._log(element)
            for factor, element in zip(self.factors, g, strict=True)
            if isinstance(factor, LieGroup)
        ]
        batch = jnp.broadcast_shapes(*(each.shape[:-1] for each in logs))
        return jnp.concatenate([jnp.broadcast_to(each, (*batch, each.shape[-1])) for each in logs], axis=-1)


@functools.lru_cache(maxsize=64)
def _block_basis(group: LieProductGroup) -> np.ndarray:
    """The factors' basis matrices, each in its factor's diagonal block."""
    sizes = [
        jax.eval_shape(lambda f=factor: f._matrix(f._identity((), jnp.float32))) for factor in group.factors
    ]
    sizes = [size.shape[-1] for size in sizes]
    basis = np.zeros((group.algebra_dim, sum(sizes), sum(sizes)))
    row, start = 0, 0
    for factor, size in zip(group.factors, sizes, strict=True):
        if isinstance(factor, LieGroup):
            block = factor._algebra_basis()
            basis[row : row + len(block), start : start + size, start : start + size] = block
            row += len(block)
        start += size
    basis.flags.writeable = False
    return basis
