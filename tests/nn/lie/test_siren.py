import jax
import jax.numpy as jnp
import numpy as np
import pytest

from equijax.nn import Siren


def test_initial_statistics():
    x = jax.random.uniform(jax.random.key(0), (2000, 3), minval=-1, maxval=1)
    model = Siren(64, hidden=(128, 128))
    y, state = jax.jit(lambda key: model.init_with_output(key, x, capture_intermediates=True, mutable=True))(
        jax.random.key(1)
    )
    assert 0.7 < float(y.std()) < 1.4
    assert abs(float(y.mean())) < 0.2
    first = state["params"]["layer_0"]
    assert np.abs(first["kernel"]).max() <= 1 / 3
    # Sitzmann et al.: the arguments of later sines have about unit variance.
    second = state["intermediates"]["layer_1"]["__call__"][0]
    assert 0.7 < 10 * float(second.std()) < 1.4


def test_it_is_neither_odd_nor_even_at_first():
    x = jax.random.normal(jax.random.key(0), (100, 2))
    model = Siren(4)
    params = model.init(jax.random.key(1), x)
    plus, minus = model.apply(params, x), model.apply(params, -x)
    assert min(np.abs(plus + minus).mean(), np.abs(plus - minus).mean()) > 0.1


def test_gradients_and_batches(x64):
    model = Siren(2, hidden=(8,))
    x = jnp.linspace(-1, 1, 6).reshape(3, 2)
    params = model.init(jax.random.key(0), x)

    def apply(x):
        return model.apply(params, x)

    np.testing.assert_allclose(jax.vmap(apply)(x), jax.jit(apply)(x), atol=1e-12)
    jacobian = jax.vmap(jax.jacrev(apply))(x)
    step = 1e-6 * jnp.eye(2)
    numeric = (apply(x[:, None] + step) - apply(x[:, None] - step)) / 2e-6
    np.testing.assert_allclose(jacobian, jnp.swapaxes(numeric, 1, 2), atol=1e-6)


def test_wrong_arguments_are_named():
    with pytest.raises(ValueError, match="hidden must hold at least one size, got none"):
        Siren(2, hidden=())
    with pytest.raises(ValueError, match="frequency must be a number above 0"):
        Siren(2, frequency=0.0)
    with pytest.raises(TypeError, match="x must be a real floating-point array"):
        Siren(2).init(jax.random.key(0), jnp.ones((3, 2), int))
