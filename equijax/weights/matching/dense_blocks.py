"""Arrays as dense blocks: one dimension for each part of their axes, and one block for each segment.

An axis that consists of parts (a flattened image, heads times features) or of segments one after the other (a
fused projection, concatenated skip connections) hides what permutations act on. In a block each of them acts
on a dimension of its own. NumPy and JAX arrays are both taken; what comes is what is returned.
"""

from collections.abc import Iterator, Sequence

import jax.numpy as jnp
import numpy as np

from equijax.weights.parts import Joined, Part, size_of

Axes = tuple[tuple[Part | Joined, ...], ...]


def namespace(array):
    """The module whose functions take an array: numpy or jax.numpy.

    Example:
      >>> namespace(np.ones(1)).__name__, namespace(jnp.ones(1)).__name__
      ('numpy', 'jax.numpy')
    """
    return np if isinstance(array, np.ndarray | np.generic) else jnp


def block_parts(axes: Axes) -> list[tuple[Part, ...]]:
    """The parts of each block of an array, one for each of the block's dimensions.

    Args:
      axes: the parts of each axis of the array, as of `equijax.weights.ParameterAction`.

    Example:
      >>> axes = ((Part(2),), (Joined(((Part(3),), (Part(4), Part(5)))),))
      >>> [[part.size for part in block] for block in block_parts(axes)]
      [[2, 3], [2, 4, 5]]
    """
    return list(_chains(_chain(axes)))


def split(array, axes: Axes) -> list:
    """The blocks of an array, in the order of `block_parts`.

    Example:
      >>> axes = ((Joined(((Part(1),), (Part(2), Part(2)))),),)
      >>> [block.tolist() for block in split(np.arange(5), axes)]
      [[0], [[1, 2], [3, 4]]]
    """
    chain = _chain(axes)
    return list(_split(array.reshape(_sizes(chain)), chain))


def join(blocks: Sequence, axes: Axes):
    """The array of some blocks: the inverse of `split`.

    Example:
      >>> axes = ((Joined(((Part(1),), (Part(2), Part(2)))),),)
      >>> join([np.array([0]), np.array([[1, 2], [3, 4]])], axes).tolist()
      [0, 1, 2, 3, 4]
    """
    whole = _join(iter(blocks), _chain(axes))
    return whole.reshape(tuple(size_of(axis) for axis in axes))


def _chain(axes: Axes) -> tuple[Part | Joined, ...]:
    """The parts of all axes."""
    return tuple(part for axis in axes for part in axis)


def _sizes(chain) -> tuple[int, ...]:
    """The size of each part."""
    return tuple(part.size for part in chain)


def _opened(chain) -> tuple[int, list]:
    """The place of the first joined part, and the chains with each of its segments in its place."""
    place = next((i for i, part in enumerate(chain) if isinstance(part, Joined)), -1)
    if place < 0:
        return place, []
    return place, [(*chain[:place], *segment, *chain[place + 1 :]) for segment in chain[place].segments]


def _chains(chain) -> Iterator[tuple[Part, ...]]:
    """The chains of the blocks."""
    place, inner = _opened(chain)
    if place < 0:
        yield chain
    for each in inner:
        yield from _chains(each)


def _split(array, chain) -> Iterator:
    """The blocks of an array that has one dimension for each part of the chain."""
    place, inner = _opened(chain)
    if place < 0:
        yield array
    start = 0
    for each, segment in zip(inner, chain[place].segments if inner else (), strict=True):
        stop = start + size_of(segment)
        yield from _split(array[(slice(None),) * place + (slice(start, stop),)].reshape(_sizes(each)), each)
        start = stop


def _join(blocks: Iterator, chain):
    """The array that has one dimension for each part of the chain."""
    place, inner = _opened(chain)
    if place < 0:
        return next(blocks)
    whole = _sizes(chain)
    pieces = [_join(blocks, each).reshape(*whole[:place], -1, *whole[place + 1 :]) for each in inner]
    return namespace(pieces[0]).concatenate(pieces, axis=place)
