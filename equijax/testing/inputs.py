"""Random and degenerate inputs, by a small integer seed: the inputs at which layers lose their symmetry.

Rows are the entries along the last axis but one: the points of a cloud ``(..., n, d)``. Numbers have two
decimals where the kind allows it, so that a counterexample is short to print.
"""

import numpy as np

from equijax.numerics import check

KINDS = ("normal", "zeros", "coincident", "repeated", "collinear", "coplanar", "ties", "large", "small")
"""What `draw` can draw; all but the first are degenerate."""

EXTREME = 1e3
"""The factor by which large and small inputs differ from normal ones."""


def draw(
    kind: str, shape: tuple[int, ...], *, seed: int = 0, scale: float = 1.0, dtype="float32"
) -> np.ndarray:
    """Draw an array.

    Args:
      kind: ``"normal"``: independent standard normal entries; ``"zeros"``; ``"coincident"``: all rows equal;
        ``"repeated"``: one row stands twice; ``"collinear"``, ``"coplanar"``: rows on a line or in a plane,
        away from the origin; ``"ties"``: entries from {-1, 0, 1}; ``"large"``, ``"small"``: normal, times or
        divided by 1000. A kind that an array has too few axes for falls back to ties.
      shape: the shape.
      seed: a non-negative integer.
      scale: a factor on all entries.
      dtype: floating dtype of the array.

    Raises:
      ValueError: if ``kind`` is not one of `KINDS`.

    Example:
      >>> draw("repeated", (3, 2), seed=1)
      array([[-0.11,  0.16],
             [-1.2 , -0.47],
             [-0.11,  0.16]], dtype=float32)
    """
    check.one_of("kind", kind, KINDS)
    random = np.random.default_rng([seed, KINDS.index(kind)])
    rows = len(shape) >= 2 and shape[-2] >= 2
    if kind in ("coincident", "repeated", "collinear", "coplanar") and not rows:
        kind = "ties"
    if kind == "zeros":
        array = np.zeros(shape)
    elif kind == "ties":
        array = random.integers(-1, 2, shape).astype(float)
    elif kind in ("collinear", "coplanar"):
        dimension = 1 if kind == "collinear" else 2
        coordinates = random.integers(-3, 4, (*shape[:-1], dimension))
        directions = random.normal(size=(dimension, shape[-1])).round(2)
        array = random.normal(size=shape[-1]).round(2) + coordinates @ directions
    else:
        array = random.normal(size=shape).round(2)
        if kind == "coincident":
            array[...] = array[..., :1, :]
        elif kind == "repeated":
            array[..., -1, :] = array[..., 0, :]
        elif kind in ("large", "small"):
            array = array * EXTREME if kind == "large" else array / EXTREME
    return (array * scale).astype(dtype)
