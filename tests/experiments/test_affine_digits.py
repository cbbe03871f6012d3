import os

import numpy as np
import pytest

from experiments.tasks import affine_digits
from experiments.tasks.affine_digits import draw_maps, load_affine_digits, on_canvas

needs_files = pytest.mark.skipif(not os.environ.get("EQUIJAX_DATA"), reason="EQUIJAX_DATA is not set")


def test_maps_are_those_of_affnist():
    maps = draw_maps(np.random.default_rng(0), 2000, 20.0)
    # A rotation of a shear of scales: R has the angle of the second column, as scales are positive.
    angle = np.rad2deg(np.arctan2(-maps[:, 0, 1], maps[:, 1, 1]))
    assert 18 < np.abs(angle).max() <= 20
    turned_back = np.einsum("nba,nbc->nac", rotations(angle), maps)
    np.testing.assert_allclose(turned_back[:, 0, 1], 0, atol=1e-12)
    scales = turned_back[:, [0, 1], [0, 1]]
    assert 0.8 <= scales.min() < 0.81
    assert 1.19 < scales.max() <= 1.2
    assert 0.19 < np.abs(turned_back[:, 1, 0] / scales[:, 0]).max() <= 0.2
    assert np.abs(np.arctan2(*draw_maps(np.random.default_rng(0), 2000, 180.0)[:, ::-1, 1].T)).max() > 3


def rotations(degrees):
    cosine, sine = np.cos(np.deg2rad(degrees)), np.sin(np.deg2rad(degrees))
    return np.moveaxis(np.array([[cosine, -sine], [sine, cosine]]), -1, 0)


def test_images_are_seen_through_maps():
    random = np.random.default_rng(0)
    images = random.uniform(size=(2, 28, 28))
    quarter = np.broadcast_to([[0.0, -1.0], [1.0, 0.0]], (2, 2, 2))
    plain = on_canvas(images, np.broadcast_to(np.eye(2), (2, 2, 2)), np.zeros((2, 2)))
    np.testing.assert_allclose(plain[:, 6:34, 6:34], images, atol=1e-12)
    turned = on_canvas(images, quarter, np.zeros((2, 2)))
    # (row, column) -> (-column, row)
    np.testing.assert_allclose(turned, np.rot90(plain, 1, axes=(1, 2)), atol=1e-12)
    shifted = on_canvas(images, np.broadcast_to(np.eye(2), (2, 2, 2)), np.array([[3.0, -2.0]] * 2))
    np.testing.assert_allclose(shifted, np.roll(plain, (3, -2), (1, 2)), atol=1e-12)


def test_the_task():
    digits = load_affine_digits("scikit-learn", 60, 30, num_warps=2)
    assert digits.train.shape == (60, 20, 20, 1)
    assert digits.warped.shape == (120, 20, 20, 1)
    assert {name: images.shape for name, images in digits.tests.items()} == dict.fromkeys(
        affine_digits.TEST_SETS, (30, 20, 20, 1)
    )
    for images in (digits.train, digits.warped, *digits.tests.values()):
        assert images.dtype == np.float32
        assert images.min() >= 0
        # No ink is lost: the mass changes by the determinant alone.
        mass = images.sum(axis=(1, 2, 3))
        assert mass.min() > 5
    ratio = digits.tests["affine"].sum(axis=(1, 2, 3)) / digits.tests["centred"].sum(axis=(1, 2, 3))
    assert 0.6 < ratio.min() < ratio.max() < 1.5
    again = load_affine_digits("scikit-learn", 60, 30, num_warps=2)
    np.testing.assert_array_equal(again.tests["affine"], digits.tests["affine"])
    np.testing.assert_array_equal(again.test_labels, digits.test_labels)
    finer = load_affine_digits("scikit-learn", 5, 5, coarseness=1)
    assert finer.train.shape == (5, 40, 40, 1)


@needs_files
def test_real_digits():
    digits = load_affine_digits("mnist_t10k", 50, 50)
    assert set(digits.test_labels) == set(range(10))
    assert 0.8 < digits.train.max() <= 1


def test_wrong_arguments_are_named():
    with pytest.raises(ValueError, match="source must be one of 'mnist_t10k', 'scikit-learn', got 'emnist'"):
        load_affine_digits("emnist", 1, 1)
    with pytest.raises(ValueError, match=r"num_train \+ num_test must be at most 1797, got 3000"):
        load_affine_digits("scikit-learn", 2000, 1000)
    with pytest.raises(ValueError, match="coarseness must be one of 1, 2, 4, got 3"):
        load_affine_digits("scikit-learn", 5, 5, coarseness=3)
