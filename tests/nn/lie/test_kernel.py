import jax
import jax.numpy as jnp
import numpy as np
import pytest

from equijax.groups import GL, SL, SO, LinearMap
from equijax.groups.decompositions import from_coordinates
from equijax.nn.lie.kernel import LieKernel, bump


def test_the_window_is_smooth_and_compact():
    square = jnp.linspace(0, 2, 201)
    values = bump(square)
    assert values[0] == 1
    assert np.all(values[square >= 1] == 0)
    slope = jax.vmap(jax.grad(bump))(square)
    assert np.abs(np.diff(slope)).max() < 0.03


def test_the_kernel_vanishes_outside_of_its_windows():
    kernel = LieKernel(GL(2), 2, 3, stretch_radius=1.0)
    offsets = jnp.array([[0.0, 0.0], [0.6, 0.7], [0.8, 0.7]])
    stretched = from_coordinates(GL(2), jnp.array([[0.3, 0.2, -0.1, 2.0], [1.1, 0.0, 0.0, 0.0]]))
    relative = jax.tree.map(lambda leaf: leaf[:, None], stretched)
    values = kernel.init_with_output(jax.random.key(0), offsets, relative)[0]
    assert values.shape == (2, 3, 2, 3)
    assert np.all(np.abs(values[0, :2]).max(axis=(1, 2)) > 0)
    np.testing.assert_array_equal(values[0, 2], 0)
    np.testing.assert_array_equal(values[1], 0)


def test_the_window_does_not_damp_rotations(x64):
    """It is a function of the stretch alone, the same for an element, its rotations and their angle."""
    window = LieKernel(
        SL(2),
        1,
        1,
        stretch_radius=1.0,
        element_features=lambda group, g: jnp.zeros((*g.matrix.shape[:-2], 1)),
    )
    g = from_coordinates(SL(2), jnp.array([0.4, 0.3, 0.0]))
    angles = jnp.linspace(-np.pi, np.pi, 7)[:, None]
    turned = LinearMap(SO(2).exp(angles) @ g.matrix @ SO(2).exp(-2 * angles))
    params = jax.jit(window.init)(jax.random.key(0), jnp.full((1, 2), 0.2), g)
    values = window.apply(params, jnp.full((1, 2), 0.2), turned)
    np.testing.assert_allclose(values, jnp.broadcast_to(values[:1], values.shape), atol=1e-12)
    assert np.abs(values).min() > 0


def test_gradients_at_the_identity_are_finite():
    for group in (SL(2), GL(3)):
        kernel = LieKernel(group, 1, 2, hidden=(8,), stretch_radius=1.0)
        offset = jnp.zeros((1, group.n))
        params = jax.jit(kernel.init)(jax.random.key(0), offset, group.identity((1,)))

        def total(matrix, offset, kernel=kernel, params=params):
            return jnp.sum(kernel.apply(params, offset, LinearMap(matrix)) ** 2)

        grads = jax.jit(jax.grad(total, argnums=(0, 1)))(jnp.eye(group.n)[None], offset)
        assert all(np.isfinite(grad).all() for grad in grads)


def test_wrong_arguments_are_named():
    kernel = LieKernel(SL(2), 1, 1)
    with pytest.raises(ValueError, match=r"offset must have shape \(..., n\), n=2, got \(4, 3\)"):
        kernel.init(jax.random.key(0), jnp.ones((4, 3)))
    with pytest.raises(TypeError, match=r"g must be an element of SL\(2\)"):
        kernel.init(jax.random.key(0), jnp.ones((4, 2)), jnp.eye(2))
