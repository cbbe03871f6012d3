import functools

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from equijax.equivariance import frame_average
from equijax.euclid import pca_frame, translation_frame
from equijax.groups import SE, SO, E, O, Point, Rigid, Translation

GROUPS = [O(3), SO(3), E(3, bound=3.0), SE(3, bound=3.0), E(2), SE(2), SO(4)]


@pytest.mark.parametrize("group", GROUPS, ids=repr)
def test_frames_move_with_the_cloud(group, clouds, x64):
    x = jax.random.normal(jax.random.key(0), (6, group.n))
    g = group.sample(jax.random.key(1))
    make = clouds.quick_jit(functools.partial(pca_frame, group=group))
    frame, moved = make(x), make(Point().act(g, x))
    assert frame.size == 2 ** (group.n - isinstance(group, SO | SE))
    expected = type(frame)(
        group, group.compose(jax.tree.map(lambda leaf: leaf[None], g), frame.elements), None
    )
    assert clouds.same_frames(group, moved, expected) < 1e-9
    turned = make(x[::-1])
    assert clouds.same_frames(group, turned, frame) < 1e-9


@pytest.mark.parametrize("group", GROUPS, ids=repr)
def test_elements_are_the_principal_axes(group, x64):
    x = jax.random.normal(jax.random.key(0), (6, group.n))
    frame = pca_frame(x, group=group)
    rigid = isinstance(frame.elements, Rigid)
    linear = frame.elements.linear if rigid else frame.elements
    determinants = np.linalg.det(linear)
    if isinstance(group, SO | SE):
        np.testing.assert_allclose(determinants, 1, rtol=1e-12)
    else:
        assert np.sum(determinants > 0) == frame.size // 2
    relative = np.asarray(x - jnp.mean(x, axis=0)) if rigid else np.asarray(x)
    variances = np.linalg.svd(relative, compute_uv=False)[::-1] ** 2
    for axes in linear:
        np.testing.assert_allclose(axes.T @ relative.T @ relative @ axes, np.diag(variances), atol=1e-11)
    np.testing.assert_allclose(np.sum(frame.weights), 1, rtol=1e-12)
    if rigid:
        np.testing.assert_allclose(frame.elements.translation[0], np.mean(x, axis=0), rtol=1e-12)


@pytest.mark.parametrize("group", [E(3), SE(3)], ids=repr)
def test_flat_clouds_are_exact(group, clouds, x64):
    for name, x in clouds.FLAT.items():
        assert clouds.average_error(pca_frame, group, x) < 1e-13, name


def test_equal_variances_are_not_exact(clouds, x64):
    # Why the weighted frame is there; its tests have the same clouds.
    assert clouds.average_error(pca_frame, SE(3), clouds.SYMMETRIC["cube"]) > 1e-2


def test_tensors_of_flat_clouds_depend_on_the_choice_of_axes(clouds, x64):
    assert clouds.average_error(pca_frame, E(3), clouds.FLAT["collinear"], clouds.tensor) > 1e-3
    assert clouds.average_error(pca_frame, E(3), clouds.FLAT["planar"], clouds.tensor) < 1e-13


def test_averages_jump_where_variances_cross(clouds, x64):
    x = clouds.GENERIC - clouds.GENERIC.mean(0)
    x = np.linalg.svd(x, full_matrices=False)[0]
    direction = np.random.RandomState(1).randn(*x.shape)
    crossing = clouds.slopes(pca_frame, SE(3), x, direction, [1e-2, 1e-5])
    generic = clouds.slopes(pca_frame, SE(3), clouds.GENERIC, direction, [1e-2, 1e-5])
    assert crossing[1] > 100 * crossing[0]
    assert generic[1] < 2 * generic[0]


def test_masked_points_do_not_count(clouds, x64):
    x = jnp.asarray(clouds.GENERIC)
    mask = jnp.arange(8) < 5
    filled = jnp.where(mask[:, None], x, jnp.nan)
    for make in (functools.partial(pca_frame, group=SE(3)), translation_frame):
        got, want = make(filled, mask), make(x[:5])
        for a, b in zip(jax.tree.leaves(got), jax.tree.leaves(want), strict=True):
            np.testing.assert_allclose(a, b, atol=1e-12)
    nothing = pca_frame(filled, jnp.zeros(8, bool), group=E(3))
    np.testing.assert_allclose(nothing.elements.translation, 0)
    assert jnp.all(jnp.isfinite(nothing.elements.linear))
    assert jnp.all(jnp.isfinite(pca_frame(jnp.zeros((0, 3)), group=E(3)).elements.linear))


def test_derivatives_are_finite_for_every_cloud(clouds, x64):
    averaged = clouds.average(pca_frame, SE(3)).__wrapped__
    gradient = clouds.quick_jit(jax.grad(lambda x: jnp.sum(averaged(x)["points"] ** 2)))
    for x in (*clouds.FLAT.values(), *clouds.SYMMETRIC.values()):
        assert jnp.all(jnp.isfinite(gradient(jnp.asarray(x))))


def test_batches_and_transformations(clouds, x64):
    x = jax.random.normal(jax.random.key(3), (2, 3, 5, 3))
    batch = jax.jit(functools.partial(pca_frame, group=E(3)))(x)
    assert (batch.batch_shape, batch.size) == ((2, 3), 8)
    mapped = jax.vmap(jax.vmap(functools.partial(pca_frame, group=E(3))))(x)
    np.testing.assert_allclose(jnp.abs(mapped.elements.linear), jnp.abs(batch.elements.linear), atol=1e-12)
    tiny = pca_frame(1e-30 * x[0, 0].astype(jnp.float32), group=SO(3))
    huge = pca_frame(1e30 * x[0, 0].astype(jnp.float32), group=SO(3))
    np.testing.assert_allclose(jnp.abs(tiny.elements), jnp.abs(huge.elements), atol=1e-4)
    assert tiny.elements.dtype == jnp.float32


def test_the_mean_is_a_frame_of_translations(x64):
    x = jax.random.normal(jax.random.key(0), (6, 3))
    averaged = frame_average(lambda x: x**2, translation_frame, (Point(),), Point())
    shift = jnp.array([1.0, -2.0, 0.5])
    np.testing.assert_allclose(averaged(x + shift), averaged(x) + shift, rtol=1e-12)
    center = jnp.mean(x, axis=0)
    np.testing.assert_allclose(averaged(x), (x - center) ** 2 + center, rtol=1e-12)
    assert translation_frame(x).group == Translation(3)
    np.testing.assert_allclose(jax.jacobian(lambda x: averaged(x)[0, 0])(x)[:, 1:], 0, atol=1e-12)


def test_errors_name_the_argument():
    x = jnp.ones((4, 3))
    with pytest.raises(TypeError, match=r"group must be one of O\(d\), SO\(d\), E\(d\) and SE\(d\)"):
        pca_frame(x, group=Translation(3))
    with pytest.raises(ValueError, match=r"x must have shape \(..., n, d\), d=2, got \(4, 3\)"):
        pca_frame(x, group=E(2))
    with pytest.raises(TypeError, match="x must be a real floating-point array"):
        pca_frame(jnp.ones((4, 3), int), group=E(3))
    with pytest.raises(TypeError, match="mask must be a boolean array"):
        pca_frame(x, jnp.ones(4), group=E(3))
    with pytest.raises(ValueError, match=r"mask must have the shape of x without its last axis, \(4,\)"):
        translation_frame(x, jnp.ones(3, bool))
