import jax
import jax.numpy as jnp
import numpy as np
import pytest

from experiments.baselines.mlp import MLP


def test_layers_and_axes():
    model = MLP(16, 2, (3, 3))
    x = jax.random.normal(jax.random.key(0), (5, 7))
    y, variables = model.init_with_output(jax.random.key(1), x)
    assert y.shape == (5, 3, 3)
    shapes = [layer["kernel"].shape for layer in variables["params"].values()]
    assert shapes == [(7, 16), (16, 16), (16, 9)]
    np.testing.assert_allclose(jax.jit(jax.vmap(lambda x: model.apply(variables, x)))(x), y, atol=1e-5)
    assert MLP(16, 0, ()).init_with_output(jax.random.key(1), x)[0].shape == (5,)


def test_wrong_calls_name_the_argument():
    with pytest.raises(TypeError, match="x must be a real floating"):
        MLP(4, 1, ()).init(jax.random.key(0), jnp.ones(3, int))
    with pytest.raises(ValueError, match="width must be a number of at least 1"):
        MLP(0, 1, ()).init(jax.random.key(0), jnp.ones(3))
