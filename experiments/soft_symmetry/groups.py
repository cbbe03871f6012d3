"""The groups of the tasks: rotations about one axis, and all of them."""

import functools

import numpy as np

from equijax.groups import MatrixGroup

PLANES = ("xy", "yz", "xz")
_AXIS = {"xy": 2, "yz": 0, "xz": 1}


@functools.lru_cache
def plane_group(plane: str) -> MatrixGroup:
    """The group O(2) of a coordinate plane in R^3: turns about the third axis, and a reflection of the plane.

    The three generate O(3). In the notation of Kim et al., O(2)_xy keeps z.

    Args:
      plane: one of :data:`PLANES`.

    Example:
      >>> plane_group("xy"), plane_group("xy").algebra_dim
      (O(2)_xy, 1)
    """
    first, second = (axis for axis in range(3) if axis != _AXIS[plane])
    turn = np.zeros((3, 3))
    turn[first, second], turn[second, first] = -1.0, 1.0
    flip = np.eye(3)
    flip[first, first] = -1.0
    return MatrixGroup(f"O(2)_{plane}", algebra=turn[None], discrete=flip[None])
