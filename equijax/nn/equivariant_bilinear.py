"""Cheap products of equivariant features: tensors contracted with tensors, channel by channel.

A linear map and a gated non-linearity make no new tensors out of vectors; products do: scalars times tensors,
outer and inner products, matrices times vectors. Finzi, Welling, Wilson, ICML 2021, section 7, has products
of the kind that contract all axes of one of the two.
"""

import collections
import functools
import itertools
import math
import string
from typing import NamedTuple

import flax.linen as nn
import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float

from equijax.equivariance import generators, tensor_types
from equijax.groups import Group, Representation
from equijax.nn.equivariant_dense import flattened


class _Contraction(NamedTuple):
    """A product of two blocks that has the type of a third.

    Attributes:
      left, right, out: numbers of the blocks.
      axes: the axes of left, right and result, as letters for ``einsum``.
      summed: the number of terms in a sum of products.
    """

    left: int
    right: int
    out: int
    axes: tuple[str, str, str]
    summed: int


class EquivariantBilinear(nn.Module):
    """Products of features with features of the same input, of the input's own representation.

    For every two tensor types whose product has a third type, the first copy of one is multiplied by the
    first of the other, the second by the second, and so on until one of the three has no more; each product
    has a learned weight and is added to one copy of the result. Mixing copies is the business of the dense
    layers before and after. Along axes that are permuted in all three types, products are pointwise. The cost
    is that of a few activations, not of a matrix.

    Attributes:
      group: the group.
      rep: the representation of input and result.
      scale: standard deviation of the result at first, at most, for independent inputs of unit variance.

    Example:
      >>> import jax
      >>> from equijax.groups import O, Trivial, Vector
      >>> layer = EquivariantBilinear(O(3), 4 * Trivial() + 2 * Vector())
      >>> y, variables = layer.init_with_output(jax.random.key(0), jnp.ones((5, 10)))
      >>> y.shape, len(variables["params"])
      ((5, 10), 3)
    """

    group: Group
    rep: Representation
    scale: float = 0.1

    @nn.compact
    def __call__(self, x: Float[Array, "..."]) -> Float[Array, "..."]:
        """Multiply.

        Args:
          x: shape ``(..., *rep.shape(group))``.

        Returns:
          The same shape.

        Raises:
          ValueError: if the trailing axes of ``x`` are not those of the representation.
          TypeError: if ``x`` is not a real floating-point array, or the group does not have the
            representation, or it is affine.
        """
        tensor_types.check_linear("rep", self.group, self.rep)
        shape, x = x.shape, flattened("x", x, self.group, self.rep)
        blocks, contractions = _contractions(self.group, self.rep)
        batch = x.shape[:-1]
        values = [
            tensor_types.taken(x, block.index.ravel(), -1).reshape(*batch, *block.index.shape)
            for block in blocks
        ]
        totals = [jnp.zeros_like(value) for value in values]
        number, filled = collections.Counter(each.out for each in contractions), collections.Counter()
        for left, right, out, axes, summed in contractions:
            copies = blocks[out].copies
            count = min(copies, blocks[left].copies, blocks[right].copies)
            # Results go to one channel after the other, round and round.
            start = min(filled[out] % copies, copies - count)
            filled[out] += count
            deviation = self.scale / math.sqrt(number[out] * summed)
            weight = self.param(f"weight_{left}_{right}_{out}", nn.initializers.normal(deviation), (count,))
            product = _contract(
                jax.lax.slice_in_dim(values[left], 0, count, axis=len(batch)),
                jax.lax.slice_in_dim(values[right], 0, count, axis=len(batch)),
                axes,
            )
            product = product * weight.reshape(-1, *[1] * len(axes[2])).astype(x.dtype)
            widths = [(0, 0)] * product.ndim
            widths[len(batch)] = (start, copies - start - count)
            totals[out] = totals[out] + jnp.pad(product, widths)
        joined = [total.reshape(*batch, -1) for total in totals]
        joined = jnp.concatenate(joined, axis=-1) if joined else x
        return tensor_types.taken(joined, np.argsort(tensor_types.places(blocks)), -1).reshape(shape)


def _contract(left: Array, right: Array, axes: tuple[str, str, str]) -> Array:
    """The sum of products, pointwise along all axes before the named ones.

    Axes of tensors are short: written as a product and a sum it is one loop, as a matrix product it would be
    a call for every channel.
    """
    summed = [axis for axis in axes[0] if axis not in axes[2]]
    product = 1.0
    for array, own in ((left, axes[0]), (right, axes[1])):
        start = array.ndim - len(own)
        present = [axis for axis in (*axes[2], *summed) if axis in own]
        array = jnp.transpose(array, (*range(start), *(start + own.index(axis) for axis in present)))
        missing = [start + place for place, axis in enumerate((*axes[2], *summed)) if axis not in own]
        product = product * jnp.expand_dims(array, missing)
    return jnp.sum(product, axis=range(product.ndim - len(summed), product.ndim)) if summed else product


@functools.lru_cache(maxsize=256)
def _contractions(group: Group, rep: Representation):
    """The blocks of a representation, and all products of two of them that are of the type of a block."""
    groups = tensor_types.factors(group, rep)
    blocks = tensor_types.split(groups, rep)
    flat = [[(place, part) for place, parts in enumerate(block.type) for part in parts] for block in blocks]
    by_length = sorted(range(len(blocks)), key=lambda number: -len(flat[number]))
    found = []
    for left, right in itertools.combinations_with_replacement(by_length, 2):
        for out in range(len(blocks)):
            axes = _matched(groups, flat[left], flat[right], flat[out])
            if axes is not None:
                sizes = dict(zip(axes[0], blocks[left].index.shape[1:], strict=True))
                summed = math.prod(size for axis, size in sizes.items() if axis not in axes[2])
                found.append(_Contraction(left, right, out, axes, summed))
    return blocks, tuple(found)


def _matched(groups, left: list, right: list, out: list) -> tuple[str, str, str] | None:
    """Letters for the axes of a product, or None if there is none.

    The result has some of the left's axes and some of the right's; the others are contracted in pairs. Axes
    that are permuted alike in all three are shared.
    """
    letters = string.ascii_lowercase
    names = [list(letters[: len(left)]), list(letters[len(left) : len(left) + len(right)])]
    wanted, open_left, open_right = list(enumerate(out)), list(enumerate(left)), list(enumerate(right))
    result = [""] * len(out)
    permuted = [[each for each in side if _is_permuted(groups, each)] for side in (left, right, out)]
    if permuted[0] == permuted[1] == permuted[2]:
        for part in permuted[0]:
            one, two, three = (_removed(side, part) for side in (open_left, open_right, wanted))
            names[1][two] = result[three] = names[0][one]
    for count in range(len(open_left), -1, -1):
        for kept in itertools.combinations(open_left, count):
            rest, others, free = list(wanted), list(open_right), dict(open_left)
            chosen = {_removed(rest, part): axis for axis, part in kept}
            if None in chosen:
                continue
            from_right = {place: _removed(others, part) for place, part in rest}
            for axis, _ in kept:
                free.pop(axis)
            pairs = [(axis, _removed(others, _dual(groups, part))) for axis, part in free.items()]
            if others or None in from_right.values() or any(other is None for _, other in pairs):
                continue
            for place, axis in chosen.items():
                result[place] = names[0][axis]
            for place, axis in from_right.items():
                result[place] = names[1][axis]
            for axis, other in pairs:
                names[1][other] = names[0][axis]
            return "".join(names[0]), "".join(names[1]), "".join(result)
    return None


def _removed(side: list, part) -> int | None:
    """Take the first axis of a kind out of a list, and return its number; None if there is none."""
    for entry in side:
        if entry[1] == part:
            side.remove(entry)
            return entry[0]
    return None


def _is_permuted(groups, each) -> bool:
    """Whether the group permutes the entries along an axis."""
    return generators.permutations(groups[each[0]], each[1]) is not None


def _dual(groups, each):
    """The dual of a primitive of a factor, in the form that types have."""
    place, part = each
    return each if generators.is_orthogonal(groups[place], part) else (place, part.dual())
