"""Digits that are learnt upright and centred, and tested under affine maps: the protocol of affNIST.

Test sets of affNIST (Tieleman 2013) show MNIST digits on a canvas of 40 x 40 pixels, turned by up to 20
degrees, sheared by up to 0.2, scaled by 0.8 to 1.2 along each axis, and shifted to wherever the digit fits;
the training set shows them centred, not warped. Here the digits come from MNIST's test set, which is split,
or from the digits that scikit-learn ships. A third test set is turned by any angle. Digits that a half turn
changes into others (6 and 9) cannot be told apart there, for any method.
"""

from collections.abc import Mapping
from typing import NamedTuple

import numpy as np
from jaxtyping import Float, Int

import equijax as ej
from equijax.data import DigitImages
from equijax.numerics import check

SOURCES = ("mnist_t10k", "scikit-learn")
CANVAS = 40
TEST_SETS = {"centred": None, "affine": 20.0, "affine, any rotation": 180.0}
"""Test sets, with the largest angle in degrees; None for no map at all."""

_SHEAR, _SCALES = 0.2, (0.8, 1.2)
_INK = 0.1


class AffineDigits(NamedTuple):
    """Images with an axis of channels, and labels.

    Attributes:
      train: centred digits, shape ``(count, side, side, 1)``.
      train_labels: shape ``(count,)``.
      warped: the training digits under maps as in the affine test set, several of each, one after another;
        the labels are those of ``train``, repeated.
      tests: by name of :data:`TEST_SETS`, all of the same digits.
      test_labels: shape ``(count,)``.
    """

    train: Float[np.ndarray, "count side side 1"]
    train_labels: Int[np.ndarray, " count"]
    warped: Float[np.ndarray, "copies side side 1"]
    tests: Mapping[str, Float[np.ndarray, "count side side 1"]]
    test_labels: Int[np.ndarray, " count"]


def load_affine_digits(
    source: str, num_train: int, num_test: int, *, coarseness: int = 2, num_warps: int = 0
) -> AffineDigits:
    """The task.

    Args:
      source: one of :data:`SOURCES`.
      num_train, num_test: digits of each part.
      coarseness: pixels of the canvas that are averaged along each axis: 2 for images of side 20.
      num_warps: how often ``warped`` holds each training digit.

    Raises:
      ValueError: if the source is unknown, has too few digits, or a number is out of range.
      TypeError: if a number is not an integer.
      DataUnavailableError: if the digits are nowhere to be had.

    Example:
      >>> digits = load_affine_digits("scikit-learn", 20, 10)
      >>> digits.train.shape, digits.tests["affine"].shape
      ((20, 20, 20, 1), (10, 20, 20, 1))
    """
    check.one_of("source", source, SOURCES)
    check.count("num_train", num_train, 1)
    check.count("num_test", num_test, 1)
    check.count("num_warps", num_warps, 0)
    check.one_of("coarseness", coarseness, (1, 2, 4))
    images, labels = _digits(source)
    if num_train + num_test > len(images):
        raise ValueError(f"num_train + num_test must be at most {len(images)}, got {num_train + num_test}")
    order = np.random.default_rng(0).permutation(len(images))
    train, test = order[:num_train], order[num_train : num_train + num_test]

    def shown(which, angle, seed):
        random = np.random.default_rng([SOURCES.index(source), seed])
        if angle is None:
            maps = np.broadcast_to(np.eye(2), (len(which), 2, 2))
            warped = on_canvas(images[which], maps, np.zeros((len(which), 2)))
        else:
            maps = draw_maps(random, len(which), angle)
            warped = on_canvas(images[which], maps, _fitting_shifts(random, images[which], maps))
        return _coarse(warped, coarseness)[..., None].astype(np.float32)

    warps = [shown(train, TEST_SETS["affine"], 100 + copy) for copy in range(num_warps)]
    side = CANVAS // coarseness
    return AffineDigits(
        train=shown(train, None, 0),
        train_labels=labels[train],
        warped=np.concatenate(warps) if warps else np.zeros((0, side, side, 1), np.float32),
        tests={name: shown(test, angle, 1 + i) for i, (name, angle) in enumerate(TEST_SETS.items())},
        test_labels=labels[test],
    )


def draw_maps(random: np.random.Generator, count: int, angle: float) -> Float[np.ndarray, "count 2 2"]:
    """Linear maps of affNIST: a rotation by up to an angle in degrees, of a shear, of scales along the axes.

    Example:
      >>> maps = draw_maps(np.random.default_rng(0), 1000, 20.0)
      >>> bool((np.linalg.det(maps) > 0.6).all())
      True
    """
    turn = np.deg2rad(random.uniform(-angle, angle, count))
    shear, scales = random.uniform(-_SHEAR, _SHEAR, count), random.uniform(*_SCALES, (count, 2))
    rotation = np.moveaxis(np.array([[np.cos(turn), -np.sin(turn)], [np.sin(turn), np.cos(turn)]]), -1, 0)
    sheared = np.broadcast_to(np.eye(2), (count, 2, 2)).copy()
    sheared[:, 1, 0] = shear  # along the rows' axis: an italic
    return rotation @ sheared * scales[:, None, :]


def on_canvas(
    images: Float[np.ndarray, "count height width"],
    maps: Float[np.ndarray, "count 2 2"],
    shifts: Float[np.ndarray, "count 2"],
    side: int = CANVAS,
) -> Float[np.ndarray, "count side side"]:
    """Images seen through affine maps about their centres, on a square canvas, by linear interpolation.

    Args:
      images: any size; the outside is zero.
      maps: of coordinates ``(row, column)``.
      shifts: in pixels of the canvas.
      side: of the canvas.

    Example:
      >>> image = np.zeros((1, 4, 4)); image[0, 0, 1] = 1.0
      >>> np.argwhere(on_canvas(image, np.eye(2)[None], np.array([[1.0, 0.0]]), side=6)[0]).tolist()
      [[2, 2]]
    """
    from scipy.ndimage import affine_transform

    middle, target = (np.array(images.shape[1:]) - 1) / 2, (side - 1) / 2
    seen = np.zeros((len(images), side, side), images.dtype)
    for image, linear, shift, out in zip(images, np.linalg.inv(maps), shifts, seen, strict=True):
        offset = middle - linear @ (target + shift)
        affine_transform(image, linear, offset, output_shape=(side, side), output=out, order=1)
    return seen


def _digits(source: str) -> DigitImages:
    """Digits of 28 x 28 pixels."""
    if source == "mnist_t10k":
        return ej.data.load(source)
    from scipy.ndimage import zoom
    from sklearn.datasets import load_digits

    small = load_digits()
    grey = zoom(small.images / 16, (1, 2.5, 2.5), order=1)
    return DigitImages(np.pad(grey, ((0, 0), (4, 4), (4, 4))), small.target)


def _fitting_shifts(random: np.random.Generator, images: np.ndarray, maps: np.ndarray) -> np.ndarray:
    """Shifts that keep each warped digit on the canvas, uniform."""
    middle, half = (np.array(images.shape[1:]) - 1) / 2, (CANVAS - 1) / 2
    shifts = np.zeros((len(images), 2))
    for image, linear, shift in zip(images, maps, shifts, strict=True):
        ink = (np.argwhere(image > _INK) - middle) @ linear.T
        low, high = -half - ink.min(axis=0), half - ink.max(axis=0)
        shift[:] = random.uniform(np.minimum(low, high), np.maximum(low, high))
    return shifts


def _coarse(images: np.ndarray, factor: int) -> np.ndarray:
    """Means over squares of pixels."""
    side = images.shape[1] // factor
    return images.reshape(len(images), side, factor, side, factor).mean(axis=(2, 4))
