import functools

import flax.linen as nn
import jax
import jax.numpy as jnp
import numpy as np
import pytest

from equijax.equivariance import error
from equijax.euclid import pca_frame
from equijax.groups import SE, E, Point, Trivial, Vector
from equijax.nn import FrameAveraged

N = 5
OUT_REPS = {"force": Vector(), "energy": Trivial()}
frame = functools.partial(pca_frame, group=E(3))


class Perceptron(nn.Module):
    @nn.compact
    def __call__(self, x):
        hidden = nn.tanh(nn.Dense(16, bias_init=nn.initializers.normal(1.0))(x.reshape(*x.shape[:-2], 3 * N)))
        out = nn.Dense(3 * N + 1)(hidden)
        return {"force": out[..., :-1].reshape(x.shape), "energy": out[..., -1]}


class Normalised(nn.Module):
    @nn.compact
    def __call__(self, x):
        return nn.BatchNorm(use_running_average=False, momentum=0.5)(x)


def cloud(batch=(), seed=0):
    return jax.random.normal(jax.random.key(seed), (*batch, N, 3))


def model_and_variables(**options):
    model = FrameAveraged(Perceptron(), frame, (Point(),), OUT_REPS, **options)
    return model, jax.jit(model.init)(jax.random.key(1), cloud())


def test_the_averaged_network_is_equivariant(x64):
    model, variables = model_and_variables()
    f = jax.jit(functools.partial(model.apply, variables))
    errors = error(f, E(3), (Point(),), OUT_REPS, (cloud(),), key=jax.random.key(2), num_samples=4)
    assert max(float(leaf) for leaf in jax.tree.leaves(errors)) < 1e-12
    plain = jax.jit(functools.partial(Perceptron().apply, {"params": variables["params"]["module"]}))
    errors = error(plain, E(3), (Point(),), OUT_REPS, (cloud(),), key=jax.random.key(2), num_samples=4)
    assert min(float(leaf) for leaf in jax.tree.leaves(errors)) > 0.1


def test_batches_give_what_single_inputs_give(x64):
    model, variables = model_and_variables()
    x = cloud((2, 3))
    apply = jax.jit(model.apply)
    got = apply(variables, x)
    want = jax.jit(jax.vmap(jax.vmap(functools.partial(model.apply, variables))))(x)
    for name, leaf in want.items():
        np.testing.assert_allclose(got[name], leaf, rtol=1e-11, atol=1e-12)
    gradient = jax.jit(jax.grad(lambda v: jnp.sum(model.apply(v, x)["energy"])))(variables)
    assert all(np.all(np.isfinite(leaf)) for leaf in jax.tree.leaves(gradient))
    assert all(np.any(leaf != 0) for leaf in jax.tree.leaves(gradient["params"]["module"]["Dense_0"]))


def test_samples_of_the_frame_in_training(x64):
    model, variables = model_and_variables(num_samples=1)
    x = cloud()
    full = model.apply(variables, x)

    def draw(key):
        return model.apply(variables, x, deterministic=False, rngs={"frame": key})

    draws = jax.jit(jax.vmap(draw))(jax.random.split(jax.random.key(0), 2000))
    for name, want in full.items():
        deviation = 4.5 * np.std(draws[name], axis=0) / np.sqrt(2000) + 1e-12
        assert np.all(np.abs(np.mean(draws[name], axis=0) - want) < deviation)
        assert np.std(draws[name]) > 1e-3
    batch = model.apply(variables, cloud((4,)), deterministic=False, rngs={"frame": jax.random.key(3)})
    assert batch["force"].shape == (4, N, 3)


def test_batch_statistics_run_over_the_whole_frame(x64):
    model = FrameAveraged(Normalised(), frame, (Point(),), Point())
    x = cloud((6,))
    variables = jax.jit(model.init)(jax.random.key(0), x)
    _, changed = jax.jit(functools.partial(model.apply, mutable="batch_stats"))(variables, x)
    statistics = changed["batch_stats"]["module"]["BatchNorm_0"]
    # Over all signs of the axes, the mean of the canonical forms is zero, half of it momentum.
    np.testing.assert_allclose(statistics["mean"], 0, atol=1e-12)
    assert np.all(statistics["var"] != 1)


def test_intermediates_are_kept(x64):
    model, variables = model_and_variables()
    _, kept = model.apply(variables, cloud(), capture_intermediates=True, mutable="intermediates")
    dense = kept["intermediates"]["module"]["Dense_0"]["__call__"][0]
    assert dense.shape == (8, 16)


def test_errors_name_the_argument():
    x = cloud()
    with pytest.raises(ValueError, match="num_samples must be a number of at least 1"):
        FrameAveraged(Perceptron(), frame, (Point(),), OUT_REPS, 0).init(jax.random.key(0), x)
    with pytest.raises(TypeError, match="frame must be a Frame"):
        FrameAveraged(Perceptron(), lambda x: x, (Point(),), OUT_REPS).init(jax.random.key(0), x)
    with pytest.raises(ValueError, match="output must have shape"):
        FrameAveraged(nn.Dense(2), functools.partial(pca_frame, group=SE(3)), (Point(),), Vector()).init(
            jax.random.key(0), x
        )
