"""Symmetry in the optimizer."""

import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest

from equijax.equivariance import (
    add_symmetry_penalty,
    balance_once,
    balance_repeatedly,
    projection_regularizer,
)
from equijax.groups import SO, MatrixGroup, Vector
from equijax.training import ShuffledBatches, fit

V = Vector()
ABOUT = {
    name: MatrixGroup(name, algebra=[np.roll(np.pad([[0.0, -1], [1, 0]], (0, 1)), shift, axis=(0, 1))])
    for name, shift in {"z": 0, "x": 1}.items()
}
GROUPS = (ABOUT["z"], ABOUT["x"])
PENALTY = projection_regularizer(GROUPS, {"kernel": (V, V)})


def test_it_is_the_gradient_of_the_penalised_loss(x64):
    rule = balance_once(jnp.array([2.0, 3.0]), at=100)
    optimizer = add_symmetry_penalty(PENALTY, rule)
    params = {"kernel": jax.random.normal(jax.random.key(0), (3, 3)), "other": jnp.ones(2)}
    gradient = jax.tree.map(lambda leaf: 0.1 * leaf, params)
    found, state = jax.jit(optimizer.update)(gradient, optimizer.init(params), params)
    expected = jax.grad(lambda p: jnp.dot(jnp.array([2.0, 3.0]), PENALTY(p)))(params)
    np.testing.assert_allclose(found["kernel"], gradient["kernel"] + expected["kernel"], atol=1e-12)
    np.testing.assert_array_equal(found["other"], gradient["other"])
    np.testing.assert_allclose(state.residuals, PENALTY(params), rtol=1e-12)


def test_training_finds_the_symmetry_of_the_data(tmp_path):
    """A map that commutes with turns about z, from few and noisy data, with checkpoints."""
    truth = np.array([[2.0, -1, 0], [1, 2, 0], [0, 0, -1]])
    random = np.random.default_rng(0)
    x = random.normal(size=(12, 3)).astype(np.float32)
    y = (x @ truth.T + 0.5 * random.normal(size=(12, 3))).astype(np.float32)
    batches = ShuffledBatches({"x": x, "y": y}, 12, jax.random.key(0))

    def loss(params, batch, key):
        return jnp.mean((batch["x"] @ params["kernel"] - batch["y"]) ** 2), {}

    def trained(optimizer, workdir=None):
        result = fit(
            loss, {"kernel": np.eye(3, dtype=np.float32)}, optimizer, batches, num_steps=400,
            key=jax.random.key(1), workdir=workdir, progress=False, devices=jax.devices()[:1],
        )  # fmt: skip
        return np.asarray(result.params["kernel"]).T

    rule = balance_repeatedly(jnp.array([10.0, 10.0]), every=10, start=50)
    soft = trained(optax.chain(add_symmetry_penalty(PENALTY, rule), optax.sgd(0.02)), tmp_path)
    free = trained(optax.sgd(0.02))
    about_z, about_x = PENALTY({"kernel": jnp.asarray(soft.T)})
    assert about_z < 1e-3
    assert about_x > 1
    assert np.sum((soft - truth) ** 2) < 0.7 * np.sum((free - truth) ** 2)


def test_wrong_calls_name_the_argument():
    rule = balance_once(jnp.ones(2), at=1)
    with pytest.raises(TypeError, match="regularizer must be a function"):
        add_symmetry_penalty(SO(3), rule)
    with pytest.raises(TypeError, match="rule must be a StrengthRule"):
        add_symmetry_penalty(PENALTY, jnp.ones(2))
    optimizer = add_symmetry_penalty(PENALTY, rule)
    params = {"kernel": jnp.eye(3)}
    with pytest.raises(ValueError, match="params must be given to update"):
        optimizer.update(params, optimizer.init(params))
