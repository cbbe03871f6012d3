import numpy as np
import pytest

from experiments.tasks import shape_normals
from experiments.tasks.shape_normals import SHAPES, draw_surfaces, rotated


@pytest.mark.parametrize("kind", SHAPES)
def test_normals_are_orthogonal_to_the_surface(kind):
    # Near points of a surface lie in the plane orthogonal to the normal, up to second order.
    points, normals = SHAPES[kind](np.random.default_rng(0), 6000)
    np.testing.assert_allclose(np.linalg.norm(normals, axis=1), 1, rtol=1e-12)
    distances = np.linalg.norm(points[:400, None] - points, axis=2)
    distances[np.arange(400), np.arange(400)] = np.inf
    nearest = distances.argmin(axis=1)
    steps = points[nearest] - points[:400]
    same_face = np.abs(np.sum(normals[nearest] * normals[:400], axis=1)) > 0.99
    along = np.abs(np.sum(steps * normals[:400], axis=1)) / np.linalg.norm(steps, axis=1)
    assert same_face.mean() > 0.85
    assert np.median(along[same_face]) < 0.02
    assert np.quantile(along[same_face], 0.95) < 0.1


@pytest.mark.parametrize("kind", ["box", "cylinder", "cone", "superquadric"])
def test_normals_of_convex_shapes_point_outwards(kind):
    points, normals = SHAPES[kind](np.random.default_rng(1), 500)
    assert (np.sum((points - points.mean(axis=0)) * normals, axis=1) > 0).all()


def test_poses():
    upright = draw_surfaces(10, 64, seed=0)
    again = draw_surfaces(10, 64, seed=0)
    np.testing.assert_array_equal(upright.points, again.points)
    np.testing.assert_allclose(np.linalg.norm(upright.points, axis=2).max(axis=1), 1, rtol=1e-12)
    np.testing.assert_allclose(upright.points.mean(axis=1), 0, atol=1e-12)
    # A cylinder that stands upright has normals that are level or vertical, as long as it is not turned.
    vertical = np.abs(upright.normals[1, :, 2])
    np.testing.assert_allclose(np.minimum(vertical, 1 - vertical), 0, atol=1e-12)
    turned = np.abs(draw_surfaces(10, 64, seed=0, pose="SO(3)").normals[1, :, 2])
    assert np.minimum(turned, 1 - turned).max() > 0.05
    moved = rotated(upright, seed=1)
    np.testing.assert_allclose(
        np.linalg.norm(moved.points, axis=2), np.linalg.norm(upright.points, axis=2), rtol=1e-12
    )
    assert shape_normals.POSES == ("I", "SO(3)")


def test_errors_name_the_argument():
    with pytest.raises(ValueError, match=r"pose must be one of 'I', 'SO\(3\)', got 'z'"):
        draw_surfaces(1, 4, seed=0, pose="z")
    with pytest.raises(ValueError, match="num_points must be a number of at least 1"):
        draw_surfaces(1, 0, seed=0)
