"""The adjoint representation: how a Lie group acts on its own algebra."""

import dataclasses

from equijax.groups.lie import LieGroup
from equijax.groups.representation import Representation


@dataclasses.dataclass(frozen=True, repr=False)
class Adjoint(Representation):
    """Algebra coordinates ``a``, on which g acts such that ``exp(act(g, a)) = g exp(a) g^-1``.

    Attributes:
      group: the Lie group whose algebra it is; only its own elements act.

    Raises:
      TypeError: if ``group`` is not a Lie group.

    Example:
      >>> from equijax.groups import SE
      >>> Adjoint(SE(3)), Adjoint(SE(3)).shape(SE(3))
      (Adjoint(SE(3)), (6,))
    """

    group: LieGroup

    def __post_init__(self):
        if not isinstance(self.group, LieGroup):
            raise TypeError(f"group must be a Lie group, got {self.group!r}")

    def _shape(self, g):
        self.group.check_element("g", g)
        return (self.group.algebra_dim,)

    def _matrix(self, g):
        return self.group.adjoint(g)
