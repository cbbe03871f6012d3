import functools

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from equijax.equivariance import stochastic_frame_average
from equijax.euclid import weighted_pair_frame
from equijax.groups import SE, SO, E, O, Point, Translation, Vector

GROUPS = [SE(3), E(3), SO(3), O(2), SO(4)]


@pytest.mark.parametrize("group", GROUPS, ids=repr)
def test_averages_are_exact(group, clouds, x64):
    x = jax.random.normal(jax.random.key(0), (8 if group == SE(3) else 5, group.n))
    assert clouds.average_error(weighted_pair_frame, group, x) < 1e-12
    frame = clouds.quick_jit(functools.partial(weighted_pair_frame, group=group))(x)
    np.testing.assert_allclose(np.sum(frame.weights), 1, rtol=1e-12)
    matrix = np.asarray(group.matrix(frame.elements))[:, : group.n, : group.n]
    eye = np.broadcast_to(np.eye(group.n), matrix.shape)
    np.testing.assert_allclose(np.swapaxes(matrix, 1, 2) @ matrix, eye, atol=1e-12)
    if isinstance(group, SO | SE):
        np.testing.assert_allclose(np.linalg.det(matrix), 1, rtol=1e-12)


def test_degenerate_clouds_are_exact(clouds, x64):
    for name, x in {**clouds.FLAT, **clouds.SYMMETRIC}.items():
        assert clouds.average_error(weighted_pair_frame, SE(3), x) < 1e-12, name


def test_a_repeated_eigenvalue_in_single_precision(clouds):
    x = jnp.asarray(clouds.SYMMETRIC["cube"], jnp.float32)
    assert clouds.average_error(weighted_pair_frame, SE(3), x) < 1e-4


def test_flat_clouds_in_single_precision(clouds):
    # Rounding of translated points spans areas, which must not count.
    for name, x in clouds.FLAT.items():
        x = jnp.asarray(x, jnp.float32)
        assert clouds.average_error(weighted_pair_frame, SE(3), x) < 1e-4, name


@pytest.mark.parametrize("count", [0, 1])
def test_clouds_without_a_pair_have_the_principal_axes(count):
    frame = weighted_pair_frame(jnp.ones((count, 3)), group=E(3))
    assert frame.size == 8
    np.testing.assert_allclose(np.sum(frame.weights), 1, rtol=1e-6)


def test_weights_are_areas(clouds, x64):
    x = clouds.GENERIC
    frame = clouds.quick_jit(functools.partial(weighted_pair_frame, group=SO(3)))(jnp.asarray(x))
    areas = np.linalg.norm(np.cross(x[:, None], x), axis=-1)
    expected = (areas / areas.sum())[~np.eye(8, dtype=bool)]
    np.testing.assert_allclose(np.sum(frame.weights[:-4].reshape(-1, 4), axis=1), expected, rtol=1e-12)
    np.testing.assert_allclose(frame.weights[-4:], 0)
    first, second, third = np.moveaxis(np.asarray(frame.elements[0]), -1, 0)
    np.testing.assert_allclose(first, x[0] / np.linalg.norm(x[0]), rtol=1e-12)
    normal = np.cross(x[0], x[1])
    np.testing.assert_allclose(third, normal / np.linalg.norm(normal), rtol=1e-12, atol=1e-12)
    np.testing.assert_allclose(second, np.cross(third, first), rtol=1e-12, atol=1e-12)


def test_averages_have_bounded_slopes(clouds, x64):
    direction = np.random.RandomState(1).randn(8, 3)
    for name, x in {**clouds.FLAT, **clouds.SYMMETRIC}.items():
        found = clouds.slopes(weighted_pair_frame, SE(3), jnp.asarray(x), direction, [1e-2, 1e-4, 1e-6])
        assert max(found) < 3 * min(found) + 1, name
        assert max(found) < 30, name


def test_derivatives_are_exact_and_finite(clouds, x64):
    averaged = clouds.average(weighted_pair_frame, SE(3)).__wrapped__

    def scalar(x):
        return jnp.sum(averaged(x)["points"] ** 2)

    gradient, scalar = clouds.quick_jit(jax.grad(scalar)), clouds.quick_jit(scalar)
    x, direction = jnp.asarray(clouds.GENERIC), jnp.asarray(clouds.GENERIC[::-1] ** 2)
    numeric = (scalar(x + 1e-6 * direction) - scalar(x - 1e-6 * direction)) / 2e-6
    np.testing.assert_allclose(np.sum(gradient(x) * direction), numeric, rtol=1e-6)
    for name, x in {**clouds.FLAT, **clouds.SYMMETRIC}.items():
        assert np.all(np.isfinite(gradient(jnp.asarray(x)))), name


def test_sampling_is_unbiased(clouds, x64):
    x = jnp.asarray(clouds.GENERIC)
    make = functools.partial(weighted_pair_frame, group=SE(3))
    few = stochastic_frame_average(
        lambda x: clouds.perceptron(x)["vector"], make, (Point(),), Vector(), num_samples=4
    )
    draws = jax.jit(jax.vmap(few, (0, None)))(jax.random.split(jax.random.key(0), 2000), x)
    error = 4 * np.std(draws, axis=0) / np.sqrt(len(draws))
    full = clouds.average(weighted_pair_frame, SE(3))(x)["vector"]
    assert np.all(np.abs(np.mean(draws, axis=0) - full) < error)


def test_masked_points_do_not_count(clouds, x64):
    x = jnp.asarray(clouds.GENERIC)
    mask = jnp.arange(8) < 5

    @jax.jit
    def average(x, mask):
        frame = weighted_pair_frame(x, mask, group=E(3))
        forms = jnp.einsum("mji,nj->mni", frame.elements.linear, x[:5] - frame.elements.translation[0])
        return jnp.einsum("m,mni->ni", frame.weights, jnp.tanh(forms + 0.3))

    filled = average(jnp.where(mask[:, None], x, jnp.nan), mask)
    np.testing.assert_allclose(filled, average(x[:5], mask[:5]), atol=1e-12)


def test_batches(clouds, x64):
    x = jax.random.normal(jax.random.key(0), (2, 3, 4, 3))
    make = clouds.quick_jit(functools.partial(weighted_pair_frame, group=E(3)))
    batch, single = make(x), make(x[1, 2])
    assert batch.batch_shape == (2, 3)
    assert batch.size == single.size == 4 * 3 * 8 + 8
    np.testing.assert_allclose(batch.weights[1, 2], single.weights, atol=1e-12)
    np.testing.assert_allclose(batch.elements.linear[1, 2, :-8], single.elements.linear[:-8], atol=1e-12)


def test_errors_name_the_argument():
    with pytest.raises(ValueError, match=r"x must have shape \(..., n, d\), d=2"):
        weighted_pair_frame(jnp.ones((4, 3)), group=E(2))
    with pytest.raises(TypeError, match="group must be one of"):
        weighted_pair_frame(jnp.ones((4, 3)), group=Translation(3))
