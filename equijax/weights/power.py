"""Direct powers of a group: one independent element for each layer of a stack, or each head."""

import dataclasses

import jax
import numpy as np

from equijax.groups import Group
from equijax.groups.base import check_size
from equijax.groups.blocks import block_diagonal
from equijax.numerics import check


@dataclasses.dataclass(frozen=True, repr=False)
class Power(Group):
    """The direct product of equal groups. Elements are those of the group, with one more leading axis.

    Everything goes copy by copy; `matrix` is block diagonal.

    Attributes:
      group: the group.
      copies: how many, at least 1.

    Raises:
      TypeError: if ``group`` is not a group, or ``copies`` not an integer.
      ValueError: if ``copies`` is below 1.

    Example:
      >>> from equijax.groups import S
      >>> Power(S(4), 3), Power(S(4), 3).identity().shape, Power(S(4), 3).order
      (Power(S(4), copies=3), (3, 4), 13824)
    """

    group: Group
    copies: int

    def __post_init__(self):
        check.instance("group", self.group, Group)
        check_size("copies", self.copies, 1)

    @property
    def is_finite(self):
        """Whether the group is finite."""
        return self.group.is_finite

    @property
    def is_compact(self):
        """Whether the group is compact."""
        return self.group.is_compact

    @property
    def order(self):
        """The group's order to the power of the number of copies."""
        return self.group.order**self.copies

    def _identity(self, shape, dtype):
        return self.group._identity((*shape, self.copies), dtype)

    def _compose(self, g, h):
        return self.group._compose(g, h)

    def _inverse(self, g):
        return self.group._inverse(g)

    def _sample(self, key, shape, dtype):
        return self.group._sample(key, (*shape, self.copies), dtype)

    def _elements(self):
        grid = np.indices((self.group.order,) * self.copies).reshape(self.copies, -1).T
        return jax.tree.map(lambda leaf: leaf[grid], self.group._elements())

    def _matrix(self, g):
        matrices = self.group._matrix(g)
        return block_diagonal([matrices[..., copy, :, :] for copy in range(self.copies)])
