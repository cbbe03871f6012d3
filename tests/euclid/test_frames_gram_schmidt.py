import functools

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from equijax.euclid import gram_schmidt_frame, orthonormal_axes
from equijax.groups import SE, SO, E, O, Point, Rigid

GROUPS = [SE(3), E(3), SO(2), O(4)]


@pytest.mark.parametrize("group", GROUPS, ids=repr)
def test_one_element_that_moves_with_the_cloud(group, clouds, x64):
    x = jax.random.normal(jax.random.key(0), (6, group.n))
    make = clouds.quick_jit(functools.partial(gram_schmidt_frame, group=group))
    g = group.sample(jax.random.key(1))
    frame, moved = make(x), make(Point().act(g, x))
    assert frame.size == 1
    expected = group.compose(g, jax.tree.map(lambda leaf: leaf[0], frame.elements))
    np.testing.assert_allclose(group.matrix(moved.elements)[0], group.matrix(expected), atol=1e-12)
    assert clouds.average_error(gram_schmidt_frame, group, x) < 1e-12


def test_axes_agree_with_the_qr_decomposition(x64):
    vectors = np.random.RandomState(0).randn(5, 4)
    axes, lengths = jax.jit(orthonormal_axes, static_argnums=1)(jnp.asarray(vectors), 4)
    q, r = np.linalg.qr(vectors[:4].T)
    np.testing.assert_allclose(axes, q * np.sign(np.diag(r)), atol=1e-12)
    np.testing.assert_allclose(lengths, [*np.abs(np.diag(r)), 0], atol=1e-12)


def test_dependent_vectors_are_passed_over(x64):
    vectors = jnp.array([[0.0, 0, 0], [0, 2, 0], [0, -1e-17, 0], [0, 1, 3], [5, 5, 5]])
    axes, lengths = orthonormal_axes(vectors, 3)
    np.testing.assert_allclose(lengths, [0, 2, 0, 3, 5], atol=1e-12)
    np.testing.assert_allclose(axes, np.array([[0.0, 1, 0], [0, 0, 1], [1, 0, 0]]).T, atol=1e-12)
    axes, lengths = orthonormal_axes(vectors, 1)
    np.testing.assert_allclose(lengths, [0, 2, 0, 0, 0], atol=1e-12)
    np.testing.assert_allclose(axes.T @ axes, np.eye(3), atol=1e-12)


def test_axes_of_no_vectors_are_the_standard_ones():
    axes, lengths = orthonormal_axes(jnp.zeros((2, 0, 3)), 3)
    np.testing.assert_allclose(axes, np.broadcast_to(np.eye(3), (2, 3, 3)))
    assert lengths.shape == (2, 0)


def test_nearly_dependent_vectors_give_orthogonal_axes(x64):
    vectors = np.array([[1.0, 2.0, 3.0], [1.0, 2.0, 3.0]]) + np.random.RandomState(0).randn(2, 3) * 1e-11
    axes, lengths = orthonormal_axes(jnp.asarray(vectors), 2)
    np.testing.assert_allclose(axes.T @ axes, np.eye(3), atol=1e-14)
    assert 1e-12 < lengths[1] < 1e-10


def test_degenerate_clouds_are_bounded_with_finite_derivatives(clouds, x64):
    make = functools.partial(gram_schmidt_frame, group=SE(3))
    quick = clouds.quick_jit(make)

    def total(x):
        return jnp.sum(make(x).elements.linear * np.arange(9.0).reshape(3, 3))

    value_and_grad = clouds.quick_jit(jax.value_and_grad(total))
    for x in (*clouds.FLAT.values(), *clouds.SYMMETRIC.values()):
        linear = quick(jnp.asarray(x)).elements.linear[0]
        np.testing.assert_allclose(linear.T @ linear, np.eye(3), atol=1e-12)
        assert np.linalg.det(linear) == pytest.approx(1)
        value, gradient = value_and_grad(jnp.asarray(x))
        assert np.isfinite(value)
        assert np.all(np.isfinite(gradient))
    x, direction = jnp.asarray(clouds.GENERIC), jnp.asarray(clouds.GENERIC[::-1])
    numeric = (value_and_grad(x + 1e-6 * direction)[0] - value_and_grad(x - 1e-6 * direction)[0]) / 2e-6
    np.testing.assert_allclose(np.sum(value_and_grad(x)[1] * direction), numeric, rtol=1e-7)


def test_planar_clouds_are_exact_for_rotations(clouds, x64):
    assert clouds.average_error(gram_schmidt_frame, SE(3), clouds.FLAT["planar"]) < 1e-12


def test_masks_and_batches(clouds, x64):
    x = jnp.asarray(clouds.GENERIC)
    mask = jnp.arange(8) >= 2
    make = clouds.quick_jit(functools.partial(gram_schmidt_frame, group=E(3)))
    masked = make(jnp.where(mask[:, None], x, jnp.nan), mask)
    np.testing.assert_allclose(masked.elements.linear, make(x[2:]).elements.linear, atol=1e-12)
    batch = make(jnp.stack([x, x[::-1]]))
    assert isinstance(batch.elements, Rigid)
    assert batch.batch_shape == (2,)
    np.testing.assert_allclose(batch.elements.linear[1], make(x[::-1]).elements.linear, atol=1e-12)


def test_errors_name_the_argument():
    with pytest.raises(ValueError, match="rank must be at most the dimension 3, got 4"):
        orthonormal_axes(jnp.ones((4, 3)), 4)
    with pytest.raises(ValueError, match=r"x must have shape \(..., n, d\), d=2"):
        gram_schmidt_frame(jnp.ones((4, 3)), group=E(2))
