import jax
import jax.numpy as jnp
import numpy as np
import pytest

from equijax.groups import SL
from equijax.groups.decompositions import kak


@pytest.mark.parametrize("n", [2, 3])
def test_round_trip_and_oracle(x64, n):
    g = np.random.default_rng(0).normal(size=(20, n, n))
    g[0] = np.eye(n)
    factors = jax.jit(kak)(g)
    np.testing.assert_allclose(factors.matrix(), g, atol=1e-12)
    np.testing.assert_allclose(factors.inverse_matrix() @ g, np.broadcast_to(np.eye(n), g.shape), atol=1e-9)
    np.testing.assert_allclose(factors.log_values, np.log(np.linalg.svd(g, compute_uv=False)), atol=1e-11)
    for side, sign in ((factors.left, 1.0), (factors.right, np.sign(np.linalg.det(g)))):
        square = side @ jnp.swapaxes(side, 1, 2)
        np.testing.assert_allclose(square, np.broadcast_to(np.eye(n), g.shape), atol=1e-12)
        np.testing.assert_allclose(jnp.linalg.det(side), np.broadcast_to(sign, 20), atol=1e-12)


@pytest.mark.parametrize("n", [2, 3])
def test_gradients_at_distinct_values(x64, n, assert_derivatives):
    assert_derivatives(kak, np.random.default_rng(1).normal(size=(2, n, n)))


@pytest.mark.parametrize("n", [2, 3])
def test_gradients_at_equal_values_are_finite_and_those_of_the_volume_exact(x64, n):
    def total(g):
        factors = kak(g)
        return jnp.sum(factors.left) + jnp.sum(factors.right) + jnp.sum(factors.log_values**2)

    assert np.isfinite(jax.grad(total)(2 * jnp.eye(n))).all()
    volume = jax.grad(lambda g: jnp.sum(kak(g).log_values))
    np.testing.assert_allclose(volume(2 * jnp.eye(n)), np.eye(n) / 2, atol=1e-12)


def test_batches_and_elements(x64):
    g = SL(2).sample(jax.random.key(0), (3, 2))
    factors = jax.jit(jax.vmap(kak))(g)
    np.testing.assert_allclose(factors.matrix(), g.matrix, atol=1e-12)
    np.testing.assert_allclose(factors.log_values.sum(axis=-1), 0, atol=1e-12)


def test_wrong_arguments_are_named():
    with pytest.raises(ValueError, match=r"g must have shape \(..., n, n\), got \(3, 2\)"):
        kak(jnp.ones((3, 2)))
