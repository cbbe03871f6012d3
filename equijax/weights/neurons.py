"""What a symmetry of weights is made of, for people and for matching: groups of neurons, and rigid axes."""

import dataclasses
from typing import NamedTuple

import numpy as np

from equijax.groups import Group
from equijax.weights.parts import Joined, Part, positions


class ParameterAxis(NamedTuple):
    """An axis of a parameter on which a group of neurons acts.

    Attributes:
      path: the parameter, for example ``params/Dense_0/kernel``.
      axis: the number of the axis.
      parts: what the axis consists of.
      piece: where in the group's elements the piece is that moves it.

    Example:
      >>> ParameterAxis("params/Dense_0/bias", 0, (Part(3, path=(0,)),), (0,)).positions().tolist()
      [[0], [1], [2]]
    """

    path: str
    axis: int
    parts: tuple[Part | Joined, ...]
    piece: tuple[int, ...]

    def positions(self) -> np.ndarray:
        """The positions on the axis that belong to each neuron, int64, shape ``(neurons, places)``.

        Example:
          >>> parts = (Part(2), Part(2, path=(0,)))
          >>> ParameterAxis("params/Conv_0/kernel", 2, parts, (0,)).positions().tolist()
          [[0, 2], [1, 3]]
        """
        return positions(self.parts, self.piece)

    def __str__(self) -> str:
        return f"{self.path}[{self.axis}]"


@dataclasses.dataclass(frozen=True)
class NeuronGroup:
    """Neurons that may be exchanged (or scaled, or mixed) without a change of the network's outputs.

    Attributes:
      name: the module whose neurons they are.
      size: how many there are.
      group: the group that acts on them, once for each member of a family.
      axes: every axis of a parameter that it acts on.
      piece: where in an element of the whole symmetry its own piece is.
      over: the sizes of the stacks that it is a family over, in the order of the piece's leading axes.

    Example:
      >>> from equijax.groups import S
      >>> str(NeuronGroup("Dense_0", 8, S(8), (), (0,)))
      'Dense_0: S(8)'
    """

    name: str
    size: int
    group: Group
    axes: tuple[ParameterAxis, ...]
    piece: tuple[int, ...]
    over: tuple[int, ...] = ()

    def __str__(self) -> str:
        copies = f", one for each of {' x '.join(map(str, self.over))}" if self.over else ""
        places = f" on {', '.join(map(str, self.axes))}" if self.axes else ""
        return f"{self.name}: {self.group!r}{copies}{places}"


class RigidAxis(NamedTuple):
    """An axis of a parameter, or a factor of one, whose entries must stay where they are.

    Attributes:
      path: the parameter.
      axis: the number of the axis.
      size: the number of entries of the factor.
      reason: why it is rigid.

    Example:
      >>> str(RigidAxis("params/Dense_0/kernel", 0, 4, "axis of an input"))
      'params/Dense_0/kernel[0] (4): axis of an input'
    """

    path: str
    axis: int
    size: int
    reason: str

    def __str__(self) -> str:
        return f"{self.path}[{self.axis}] ({self.size}): {self.reason}"


def unique_names(wanted: list[str]) -> list[str]:
    """Names with a number behind all but the first of equal ones.

    Example:
      >>> unique_names(["a", "b", "a"])
      ['a', 'b', 'a (2)']
    """
    counts: dict[str, int] = {}
    names = []
    for name in wanted:
        counts[name] = counts.get(name, 0) + 1
        names.append(name if counts[name] == 1 else f"{name} ({counts[name]})")
    return names
