"""Wreath products: blocks are permuted as wholes, and each block moves within by an element of its own."""

import dataclasses
import itertools
import math
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from equijax.groups import Group, actions, permutation
from equijax.groups.base import element_template
from equijax.groups.blocks import block_diagonal
from equijax.numerics import check
from equijax.weights.power import Power


class Blocks(NamedTuple):
    """An element of a wreath product.

    Attributes:
      base: moves the blocks.
      fibres: for each fibre group an element for each block: the axis of the blocks is the last batch axis.

    Example:
      >>> from equijax.groups import S
      >>> Wreath(S(2), (S(3),)).identity().base
      Array([0, 1], dtype=int32)
    """

    base: Any
    fibres: tuple


@actions.batch_shape.register(Blocks)
def _(g):
    return actions.batch_shape(g.base)


@dataclasses.dataclass(frozen=True, repr=False)
class Wreath(Group):
    """Elements are `Blocks`: fibre ``h`` moves block ``h`` within, and then the base moves the blocks.

    The heads of an attention layer are an example: queries and keys of each head move by a fibre, values by
    another, and heads as wholes by the base. The product is
    ``(b, f) (b', f') = (b b', h -> f[b'(h)] f'[h])``. `sample` draws all parts independently, and `matrix` is
    block diagonal: the base, then each fibre's block matrices.

    Attributes:
      base: a group that permutes points, the blocks: `equijax.groups.S`, `equijax.weights.Monomial`.
      fibres: the groups that move each block within.

    Raises:
      TypeError: if an argument is not a group.
      ValueError: if there is no fibre.

    Example:
      >>> from equijax.groups import S
      >>> heads = Wreath(S(2), (S(3),))
      >>> heads, heads.order, heads.identity().fibres[0].shape
      (Wreath(S(2), fibres=(S(3),)), 72, (2, 3))
    """

    base: Group
    fibres: tuple[Group, ...]

    def __post_init__(self):
        check.instance("base", self.base, Group)
        if not isinstance(self.fibres, tuple) or not self.fibres:
            raise ValueError(f"fibres must be a tuple of at least one group, got {self.fibres!r}")
        for fibre in self.fibres:
            check.instance("fibres", fibre, Group)

    @property
    def blocks(self) -> int:
        """How many blocks there are."""
        return jax.eval_shape(lambda: permutation(self.base.identity())).shape[-1]

    @property
    def is_finite(self):
        """Whether all parts are finite."""
        return all(group.is_finite for group in (self.base, *self.fibres))

    @property
    def is_compact(self):
        """Whether all parts are compact."""
        return all(group.is_compact for group in (self.base, *self.fibres))

    @property
    def order(self):
        """The product of the base's order and of each fibre's to the power of the number of blocks."""
        return self.base.order * math.prod(fibre.order**self.blocks for fibre in self.fibres)

    def _identity(self, shape, dtype):
        inner = (*shape, self.blocks)
        fibres = tuple(fibre._identity(inner, dtype) for fibre in self.fibres)
        return Blocks(self.base._identity(shape, dtype), fibres)

    def _compose(self, g, h):
        order = permutation(h.base)
        fibres = tuple(
            fibre._compose(take_blocks(a, order, fibre), b)
            for fibre, a, b in zip(self.fibres, g.fibres, h.fibres, strict=True)
        )
        return Blocks(self.base._compose(g.base, h.base), fibres)

    def _inverse(self, g):
        base = self.base._inverse(g.base)
        fibres = tuple(
            fibre._inverse(take_blocks(each, permutation(base), fibre))
            for fibre, each in zip(self.fibres, g.fibres, strict=True)
        )
        return Blocks(base, fibres)

    def _sample(self, key, shape, dtype):
        keys = jax.random.split(key, 1 + len(self.fibres))
        inner = (*shape, self.blocks)
        fibres = tuple(fibre._sample(k, inner, dtype) for fibre, k in zip(self.fibres, keys[1:], strict=True))
        return Blocks(self.base._sample(keys[0], shape, dtype), fibres)

    def _elements(self):
        powers = [Power(fibre, self.blocks) for fibre in self.fibres]
        parts = [self.base._elements(), *(power._elements() for power in powers)]
        counts = [self.base.order, *(power.order for power in powers)]
        choices = np.array(list(itertools.product(*map(range, counts)))).T
        base, *fibres = (
            jax.tree.map(lambda leaf, index=index: leaf[index], part)
            for part, index in zip(parts, choices, strict=True)
        )
        return Blocks(base, tuple(fibres))

    def _matrix(self, g):
        moves = jnp.swapaxes(jax.nn.one_hot(permutation(g.base), self.blocks), -1, -2)
        blocks = [self.base._matrix(g.base)]
        for fibre, element in zip(self.fibres, g.fibres, strict=True):
            each = fibre._matrix(element)
            size = self.blocks * each.shape[-1]
            whole = jnp.einsum("...gh,...hij->...gihj", moves, each, precision="highest")
            blocks.append(whole.reshape(*whole.shape[:-4], size, size))
        return block_diagonal(blocks)


def take_blocks(element, order, group: Group):
    """The members of a family in another order: member ``h`` of the result is member ``order[h]``.

    Args:
      element: elements of the group with leading batch axes, the last of which is the family's.
      order: integers, shape ``(..., blocks)``, whose batch axes broadcast against the element's.
      group: the group, which tells the trailing axes.

    Example:
      >>> from equijax.groups import S
      >>> take_blocks(jnp.array([[0, 1], [1, 0]]), jnp.array([1, 0]), S(2))
      Array([[1, 0],
             [0, 1]], dtype=int32)
    """

    def take(leaf, like):
        own = leaf.shape[leaf.ndim - like.ndim :]
        outer = leaf.shape[: leaf.ndim - like.ndim - 1]
        batch = jnp.broadcast_shapes(outer, order.shape[:-1])
        leaf = jnp.broadcast_to(leaf, (*batch, *leaf.shape[len(outer) :]))
        index = jnp.broadcast_to(order, (*batch, order.shape[-1]))
        return jnp.take_along_axis(leaf, index.reshape(*index.shape, *(1,) * len(own)), axis=len(batch))

    return jax.tree.map(take, element, element_template(group))
