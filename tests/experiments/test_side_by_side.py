import flax.linen as nn
import jax
import jax.numpy as jnp
import numpy as np
import optax

import equijax as ej
from experiments.baselines.side_by_side import initial_params, side_by_side, stacked_batches, total_loss


def test_networks_learn_what_they_would_learn_alone():
    model = nn.Dense(1)
    x = np.random.default_rng(0).normal(size=(12, 3)).astype(np.float32)
    data = {"x": x, "y": 100 * x[:, :1]}  # gradients so large that they are clipped
    keys = jax.random.split(jax.random.key(0), 2)
    params = initial_params(model, keys, x[:1])
    orders = [ej.training.ShuffledBatches(data, 4, key) for key in keys]
    optimizer = optax.chain(optax.clip_by_global_norm(1.0), optax.adam(0.1))

    def loss(params, batch):
        return jnp.mean((model.apply({"params": params}, batch["x"]) - batch["y"]) ** 2)

    options = dict(num_steps=5, key=jax.random.key(1), progress=False, devices=jax.devices()[:1])
    both = ej.training.fit(
        total_loss(loss), params, side_by_side(optimizer), stacked_batches(orders), **options
    )
    for network in range(2):
        alone = ej.training.fit(
            lambda params, batch, key: (loss(params, batch), {}),
            jax.tree.map(lambda leaf, n=network: leaf[n], params),
            optimizer,
            orders[network],
            **options,
        )
        for ours, theirs in zip(jax.tree.leaves(both.params), jax.tree.leaves(alone.params), strict=True):
            np.testing.assert_allclose(ours[network], theirs, rtol=1e-4, atol=1e-6)


def test_initial_parameters_are_those_of_each_key():
    keys = jax.random.split(jax.random.key(3), 2)
    params = initial_params(nn.Dense(4), keys, jnp.ones(2))
    for network, key in enumerate(keys):
        alone = nn.Dense(4).init(key, jnp.ones(2))["params"]
        np.testing.assert_allclose(params["kernel"][network], alone["kernel"], rtol=1e-5)
    assert np.abs(params["kernel"][0] - params["kernel"][1]).max() > 0.1
