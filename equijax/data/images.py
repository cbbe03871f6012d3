"""Parsers of image data sets: digits as grey values in [0, 1] with labels."""

import gzip
import pathlib
from typing import NamedTuple

import numpy as np
from jaxtyping import Float, Int

from equijax.data import registry, store
from equijax.data.errors import DataError

_IDX_UBYTE = 0x08


class DigitImages(NamedTuple):
    """Images of single digits.

    Attributes:
      images: grey values from 0 (paper) to 1 (ink), shape ``(count, height, width)``.
      labels: digits from 0 to 9, shape ``(count,)``.

    Example:
      >>> DigitImages._fields
      ('images', 'labels')
    """

    images: Float[np.ndarray, "count height width"]
    labels: Int[np.ndarray, "count"]


def load_mnist_t10k() -> DigitImages:
    """Load ``mnist_t10k``; see :func:`equijax.data.load`."""
    images, labels = (_idx(_path("mnist_t10k", part)) for part in ("images", "labels"))
    if images.ndim != 3 or labels.shape != images.shape[:1]:
        raise DataError(f"mnist_t10k must hold as many labels as images, got {labels.shape}, {images.shape}")
    return DigitImages(images.astype(np.float32) / 255, labels.astype(np.int32))


def load_usps() -> DigitImages:
    """Load ``usps``; see :func:`equijax.data.load`."""
    with gzip.open(_path("usps", "test")) as stream:
        table = np.loadtxt(stream, dtype=np.float32)
    grey = (table[:, 1:].reshape(-1, 16, 16) + 1) / 2
    return DigitImages(grey, table[:, 0].astype(np.int32))


def parse_idx(content: bytes) -> Int[np.ndarray, "..."]:
    """The array of unsigned bytes in an IDX file.

    Args:
      content: the file, uncompressed: two zero bytes, the type, the number of axes, their sizes as big-endian
        words, and the entries.

    Raises:
      DataError: if it is no IDX file of unsigned bytes, or has another length than it says.

    Example:
      >>> parse_idx(bytes([0, 0, 8, 1, 0, 0, 0, 2, 7, 9]))
      array([7, 9], dtype=uint8)
    """
    if len(content) < 4 or content[:2] != b"\0\0" or content[2] != _IDX_UBYTE:
        raise DataError(f"an IDX file of unsigned bytes must begin with 00 00 08, got {content[:3].hex(' ')}")
    start = 4 + 4 * content[3]
    shape = tuple(int(size) for size in np.frombuffer(content[4:start], ">u4"))
    if len(content) - start != np.prod(shape, dtype=int):
        raise DataError(f"an IDX file of shape {shape} must have as many bytes, got {len(content) - start}")
    return np.frombuffer(content, np.uint8, offset=start).reshape(shape)


def _path(name: str, part: str) -> pathlib.Path:
    """The verified file of a part."""
    entry = registry.ENTRIES[name]
    return store.locate(name, entry.files[part], origin=entry.origin)


def _idx(path: pathlib.Path) -> np.ndarray:
    """The array in a compressed IDX file."""
    with gzip.open(path) as stream:
        return parse_idx(stream.read())
