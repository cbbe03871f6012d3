"""Handwritten digits in two parts: the small ones that scikit-learn ships, or the test set of MNIST."""

from typing import NamedTuple

import numpy as np
from jaxtyping import Float, Int

import equijax as ej
from equijax.numerics import check

SOURCES = ("scikit-learn", "mnist_t10k")


class Digits(NamedTuple):
    """Images with an axis of channels, and labels.

    Attributes:
      train, test: images with entries between 0 and 1, float32, shape ``(count, side, side, 1)``.
      train_labels, test_labels: shape ``(count,)``, int32.
    """

    train: Float[np.ndarray, "n side side 1"]
    train_labels: Int[np.ndarray, " n"]
    test: Float[np.ndarray, "m side side 1"]
    test_labels: Int[np.ndarray, " m"]


def load_digits(source: str, num_test: int, *, seed: int = 0) -> Digits:
    """All digits of a source, divided at random.

    Args:
      source: one of :data:`SOURCES`: 1797 images of side 8, or 10,000 of side 28.
      num_test: how many are set apart.
      seed: of the division.

    Raises:
      ValueError: if the source is unknown or too small.
      TypeError: if a number is not an integer.
      DataUnavailableError: if the digits are nowhere to be had.

    Example:
      >>> digits = load_digits("scikit-learn", 360)
      >>> digits.train.shape, digits.test.shape
      ((1437, 8, 8, 1), (360, 8, 8, 1))
    """
    check.one_of("source", source, SOURCES)
    check.count("num_test", num_test, 1)
    check.count("seed", seed, 0)
    images, labels = _images(source)
    if num_test >= len(images):
        raise ValueError(f"num_test must be below {len(images)}, got {num_test}")
    order = np.random.default_rng(seed).permutation(len(images))
    images, labels = images[order, :, :, None].astype(np.float32), labels[order].astype(np.int32)
    return Digits(images[num_test:], labels[num_test:], images[:num_test], labels[:num_test])


def _images(source: str) -> tuple[np.ndarray, np.ndarray]:
    """Images with entries between 0 and 1, and labels."""
    if source == "mnist_t10k":
        digits = ej.data.load(source)
        return np.asarray(digits.images, np.float64), np.asarray(digits.labels)
    from sklearn.datasets import load_digits as load  # here, because scikit-learn takes long to import

    digits = load()
    return digits.images / 16, digits.target
