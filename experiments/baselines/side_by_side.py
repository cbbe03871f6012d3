"""Several small networks of one architecture trained as one program: seeds, or tasks of one shape.

Parameters have a leading axis of networks. Each network has its own initial parameters, its own batches and
its own optimizer state, and learns what it would learn alone; together they use the machine better and are
compiled once.
"""

from collections.abc import Callable, Sequence

import flax.linen as nn
import jax
import jax.numpy as jnp
import numpy as np
import optax


def initial_params(model: nn.Module, keys, *example):
    """Parameters of one network for each key, stacked.

    Args:
      model: the module.
      keys: random keys, shape ``(networks,)``.
      *example: what the module is called with.

    Example:
      >>> keys = jax.random.split(jax.random.key(0), 3)
      >>> initial_params(nn.Dense(2), keys, jnp.ones(4))["kernel"].shape
      (3, 4, 2)
    """
    # Called once a network: to optimise the program would take longer than to run it.
    unoptimised = {"xla_backend_optimization_level": 0}
    init = jax.jit(lambda key: model.init(key, *example)["params"], compiler_options=unoptimised)
    return jax.tree.map(lambda *leaves: jnp.stack(leaves), *(init(key) for key in keys))


def stacked_batches(batches: Sequence[Callable]) -> Callable:
    """The batches of all networks as one: leaves of shape ``(batch, networks, ...)``.

    Args:
      batches: for each network a function of the step, see `equijax.training.fit`.

    Example:
      >>> stacked_batches([lambda step: np.zeros(4), lambda step: np.ones(4)])(0).shape
      (4, 2)
    """

    def batch(step: int):
        drawn = [of_network(step) for of_network in batches]
        return jax.tree.map(lambda *leaves: np.stack(leaves, axis=1), *drawn)

    return batch


def total_loss(loss: Callable) -> Callable:
    """The sum over networks of ``loss(params, batch)``, as `equijax.training.fit` takes it.

    The sum, not the mean, so that each network has the gradient that it would have alone.

    Example:
      >>> loss_fn = total_loss(lambda params, batch: params * jnp.mean(batch))
      >>> total, metrics = loss_fn(jnp.array([1.0, 2.0]), jnp.ones((4, 2)), None)
      >>> float(total), float(metrics["mean_loss"])
      (3.0, 1.5)
    """

    def loss_fn(params, batch, key):
        losses = jax.vmap(loss, in_axes=(0, 1))(params, batch)
        return jnp.sum(losses), {"mean_loss": jnp.mean(losses)}

    return loss_fn


def side_by_side(optimizer: optax.GradientTransformation) -> optax.GradientTransformation:
    """An optimizer of one network as one of several, along the leading axis of all leaves.

    So that, for instance, the gradient of each is clipped by its own norm. The parameters of a network are
    handled as one vector, which is faster to compile and to run than many small arrays.

    Example:
      >>> optimizer = side_by_side(optax.clip_by_global_norm(1.0))
      >>> gradients = {"a": jnp.array([[3.0], [0.3]]), "b": jnp.array([[4.0], [0.4]])}
      >>> updates, _ = optimizer.update(gradients, optimizer.init(gradients))
      >>> print(np.asarray(updates["a"][:, 0]).round(2))
      [0.6 0.3]
    """
    flat = optax.flatten(optimizer)

    def update(updates, state, params=None):
        return jax.vmap(flat.update)(updates, state, params)

    return optax.GradientTransformation(jax.vmap(flat.init), update)
