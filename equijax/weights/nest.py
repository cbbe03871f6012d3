"""Loop nests: what an operation does with the axes of its arrays.

Every rule describes its operation as a loop nest, as an einsum does: a set of links, each of which is one
loop variable, with the places in the arrays that it runs over. An array that lacks a loop variable is the
same for all its values, and a variable that the output lacks is reduced over. Permutations follow from the
factors alone; families of permutations, scales, signs and matrices are read off the loop nests.
"""

from typing import NamedTuple

from equijax.weights.factors import Axis, Free


class Traced:
    """An array of the traced function, of which only the axes are known.

    Attributes:
      axes: one factored axis for each axis of the array.
      scope: the leading axes of the loops around it (`jax.lax.scan`) that it varies with.
      constant: the number that all its entries equal, where that is known, else None.
      is_data: whether it depends on no parameter.

    Example:
      >>> Traced((Free(3), ()), constant=0.0).constant
      0.0
    """

    __slots__ = ("axes", "constant", "is_data", "scope")

    def __init__(self, axes: tuple[Axis | Free, ...], scope: tuple[Axis, ...] = (), constant=None):
        self.axes, self.scope, self.constant, self.is_data = axes, scope, constant, False

    def axis(self, number: int) -> Axis | Free:
        """The axis of a number; negative numbers are the scope's, the outermost being -1.

        Example:
          >>> Traced(((0,), ()), scope=((7,),)).axis(-1)
          (7,)
        """
        return self.scope[-number - 1] if number < 0 else self.axes[number]


class Stacked(NamedTuple):
    """Arrays that are joined along an axis, but only once an operation needs them as one.

    The heads of queries, keys and values that one layer computes may move by permutations of their own as
    long as they are apart; joined, they would be tied.

    Attributes:
      pieces: the arrays, each of size 1 along the axis.
      axis: the number of the axis.

    Example:
      >>> Stacked((Traced(((),)), Traced(((),))), axis=0).axis
      0
    """

    pieces: tuple[Traced, ...]
    axis: int


class Place(NamedTuple):
    """Where a loop variable runs in an array: entry ``i`` at position ``start + stride * i`` of an axis.

    Attributes:
      array: the array.
      axis: the axis' number, negative for the scope's.
      start, stride: the affine map.
    """

    array: Traced
    axis: int
    start: int = 0
    stride: int = 1


class Link(NamedTuple):
    """One loop variable.

    Attributes:
      axis: its values, as a factored axis.
      places: where it runs; `Free` axes are left out, because the array does not vary along them.
    """

    axis: Axis
    places: tuple[Place, ...]


class Nest(NamedTuple):
    """One operation.

    Attributes:
      operation: the primitive's name, or ``move`` where entries are only moved, ``source`` where the output
        is data that no symmetry changes, ``opaque`` where the linked axes must be left alone.
      inputs: the arrays that go in.
      output: the array that comes out; None for ``opaque``.
      links: the loop variables.
      params: the primitive's parameters.
    """

    operation: str
    inputs: tuple[Traced, ...]
    output: Traced | None
    links: tuple[Link, ...]
    params: dict
