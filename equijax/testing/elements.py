"""A group's elements sorted by kind: an audit asks of each factor by itself whether a module respects it.

A map that is equivariant to every factor of a product, and to the rotations and the translations of rigid
motions, is equivariant to all that they generate; and the failing kind tells the bug.
"""

import dataclasses
import functools
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array

from equijax import groups


class Kind(NamedTuple):
    """Elements of one kind.

    Attributes:
      name: for example ``S(8)``, ``E(3) turns``, ``E(3) shifts``.
      elements: elements of the whole group, a batch along one leading axis, the identity in all other
        factors.
      permutations: the permutations that the elements are, shape ``(batch, n)``, or None.
      is_finite: whether the factor is finite.
    """

    name: str
    elements: groups.Element
    permutations: np.ndarray | None
    is_finite: bool


@functools.partial(jax.jit, static_argnames=("group", "num", "dtype"))
def sample(group: groups.Group, key: Array, *, num: int, dtype: str) -> groups.Element:
    """Random elements along one leading axis, by a compiled function.

    Example:
      >>> sample(groups.S(4), jax.random.key(0), num=5, dtype="float32").shape
      (5, 4)
    """
    return group.sample(key, (num,), dtype)


def kinds(group: groups.Group, key: Array, *, num: int, dtype: str) -> list[Kind]:
    """Sample elements of every kind.

    Args:
      group: the group.
      key: a JAX random key.
      num: how many elements of each kind.
      dtype: floating dtype of the elements.

    Example:
      >>> group = groups.S(4) * groups.E(3)
      >>> [kind.name for kind in kinds(group, jax.random.key(0), num=2, dtype="float32")]
      ['S(4)', 'E(3) turns', 'E(3) shifts']
    """
    factors = getattr(group, "factors", (group,))
    found = []
    for index, (factor, factor_key) in enumerate(
        zip(factors, jax.random.split(key, len(factors)), strict=True)
    ):
        for suffix, elements in _split(factor, sample(factor, factor_key, num=num, dtype=dtype), num, dtype):
            whole = elements
            if hasattr(group, "factors"):
                whole = tuple(
                    elements if other == index else each.identity((num,), dtype)
                    for other, each in enumerate(factors)
                )
            permutations = _permutations(elements)
            found.append(Kind(f"{factor!r}{suffix}", whole, permutations, factor.is_finite))
    return found


def _split(factor, elements, num: int, dtype) -> list:
    """Elements with a linear part and a translation as elements with one of them each; others as they are."""
    fields = (
        {field.name for field in dataclasses.fields(elements)} if dataclasses.is_dataclass(elements) else ()
    )
    if not {"linear", "translation"} <= set(fields):
        return [("", elements)]
    identity = factor.identity((num,), dtype)
    return [
        (" turns", dataclasses.replace(elements, translation=identity.translation)),
        (" shifts", dataclasses.replace(elements, linear=identity.linear)),
    ]


def _permutations(elements) -> np.ndarray | None:
    """The permutations of points that a batch of elements is, or None if it is something else."""
    leaves = jax.tree.leaves(elements)
    if len(leaves) != 1 or not jnp.issubdtype(leaves[0].dtype, jnp.integer):
        return None
    try:
        return np.asarray(groups.permutation(elements))
    except TypeError:
        return None
