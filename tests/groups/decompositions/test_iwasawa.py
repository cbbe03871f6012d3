import jax
import jax.numpy as jnp
import numpy as np
import pytest

from equijax.groups import SL, LinearMap
from equijax.groups.decompositions import Iwasawa, iwasawa


@pytest.mark.parametrize("n", [2, 3])
def test_round_trip_and_shapes_of_the_factors(x64, n):
    g = np.random.default_rng(0).normal(size=(20, n, n))
    factors = jax.jit(iwasawa)(g)
    np.testing.assert_allclose(factors.matrix(), g, atol=1e-12)
    np.testing.assert_allclose(factors.inverse_matrix() @ g, np.broadcast_to(np.eye(n), g.shape), atol=1e-9)
    np.testing.assert_allclose(np.tril(factors.unipotent), np.broadcast_to(np.eye(n), g.shape), atol=1e-12)
    square = factors.rotation @ jnp.swapaxes(factors.rotation, 1, 2)
    np.testing.assert_allclose(square, np.broadcast_to(np.eye(n), g.shape), atol=1e-12)
    np.testing.assert_allclose(jnp.linalg.det(factors.rotation), np.sign(np.linalg.det(g)), atol=1e-12)


def test_factors_are_unique(x64):
    random = np.random.default_rng(1)
    rotation = np.linalg.qr(random.normal(size=(3, 3)))[0]
    scale, shear = random.normal(size=3), np.triu(random.normal(size=(3, 3)), 1) + np.eye(3)
    made = Iwasawa(*map(jnp.asarray, (rotation, scale, shear)))
    for got, expected in zip(*map(jax.tree.leaves, (iwasawa(made.matrix()), made)), strict=True):
        np.testing.assert_allclose(got, expected, atol=1e-12)


def test_scales_of_special_elements_add_up_to_zero(x64):
    scales = iwasawa(SL(3).sample(jax.random.key(0), (5,))).log_scale
    np.testing.assert_allclose(scales.sum(axis=-1), 0, atol=1e-12)


def test_gradients(x64, assert_derivatives):
    assert_derivatives(iwasawa, np.array([np.eye(3), np.random.default_rng(2).normal(size=(3, 3))]))
    grad = jax.grad(lambda matrix: iwasawa(LinearMap(matrix)).log_scale.sum())
    np.testing.assert_allclose(jax.vmap(grad)(2 * jnp.eye(3)[None])[0], np.eye(3) / 2, atol=1e-12)


def test_wrong_arguments_are_named():
    with pytest.raises(ValueError, match=r"g must have shape \(..., n, n\), got \(4,\)"):
        iwasawa(jnp.ones(4))
