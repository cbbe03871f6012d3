import jax
import jax.numpy as jnp
import numpy as np
import pytest

from experiments.baselines.cnn import ConvNet, standardized


def test_logits_do_not_change_by_shifts_of_two_pixels_inside():
    model = ConvNet(4, 8)
    image = jnp.zeros((1, 40, 40, 1)).at[0, 18:23, 17:22, 0].set(jax.random.normal(jax.random.key(0), (5, 5)))
    params = jax.jit(model.init)(jax.random.key(1), image)
    both = jnp.concatenate([image, jnp.roll(image, (2, -2), (1, 2))])
    # The interior is shifted; the border, padded with zeros where features are not, stays where it is.
    logits = jax.jit(model.apply)(params, both)
    assert np.isfinite(logits).all()
    np.testing.assert_allclose(logits[0], logits[1], atol=0.05 * float(jnp.abs(logits).max()))


def test_standardized_channels():
    x = jax.random.normal(jax.random.key(0), (3, 5, 5, 2, 4)) * jnp.arange(1.0, 5.0) + 2
    y = standardized(x)
    np.testing.assert_allclose(y.mean(axis=(1, 2, 3)), 0, atol=1e-5)
    np.testing.assert_allclose(y.var(axis=(1, 2, 3)), 1, atol=1e-4)
    flat = jax.jit(jax.grad(lambda x: jnp.sum(standardized(x) ** 3)))(jnp.ones((1, 4, 2)))
    assert np.isfinite(flat).all()


def test_gradients_and_errors():
    model = ConvNet(2, 4)
    x = jax.random.normal(jax.random.key(0), (2, 12, 12, 1))
    params = jax.jit(model.init)(jax.random.key(1), x)
    grads = jax.jit(jax.grad(lambda params: jnp.sum(model.apply(params, x) ** 2)))(params)
    norms = [float(jnp.linalg.norm(leaf)) for leaf in jax.tree.leaves(grads)]
    assert np.isfinite(norms).all()
    with pytest.raises(ValueError, match="x must have images of at least 10 x 10 pixels"):
        model.init(jax.random.key(0), jnp.ones((1, 8, 8, 1)))
    with pytest.raises(ValueError, match=r"x must have shape \(b, height, width, c\), got \(20, 20, 1\)"):
        model.init(jax.random.key(0), jnp.ones((20, 20, 1)))
