"""Matching by training: permutations for which the network half-way between two has a low loss.

Ainsworth, Hayase & Srinivasa, "Git Re-Basin", ICLR 2023, section 3.3: weights are learnt, projected to the
nearest permutation of b at every step, and the gradient passes the projection as if it were the identity.
"""

from collections.abc import Callable, Iterable, Sequence

import jax
import jax.numpy as jnp
import numpy as np
import optax
from jaxtyping import Array

from equijax.numerics import check
from equijax.weights.connectivity import lerp
from equijax.weights.matching.weight_matching import Matching, weight_matching
from equijax.weights.weight_symmetry import WeightSymmetry


def straight_through_matching(
    key: Array,
    group: WeightSymmetry,
    loss_fn: Callable,
    a,
    b,
    batches: Iterable,
    *,
    learning_rate: float = 0.01,
    momentum: float = 0.9,
    selection=None,
    exclude: Sequence[str] = ("batch_stats",),
) -> Matching:
    """The permutation of b's neurons, of those met in training, with the lowest loss half-way to a.

    Latent weights start at a. Each step matches b to them (from the last step's permutation on), and moves
    them down the gradient of the loss half-way between a and the permuted b.

    Args:
      key: a JAX random key, for the matching.
      group: the symmetry.
      loss_fn: ``loss_fn(variables, batch)``, a scalar. It is compiled.
      a, b: variables of two networks.
      batches: one for each step, all of one structure.
      learning_rate, momentum: of stochastic gradient descent.
      selection: a batch on which the permutations met are compared; None: each on its own batch, as in the
        original, which is noisy.
      exclude: as for `weight_matching`.

    Returns:
      The matching; its objective is minus the loss, and the history holds that of each step. It runs on the
      host, with compiled steps, and cannot itself be traced.

    Raises:
      TypeError: if an argument is of a wrong kind.
      ValueError: if there is no batch, the loss is no scalar, or the variables do not fit the symmetry.

    Example:
      >>> from equijax.weights import symmetry
      >>> model = lambda w, x: jnp.tanh(x @ w["in"]) @ w["out"]
      >>> loss = lambda w, xy: jnp.mean((model(w, xy[0]) - xy[1]) ** 2)
      >>> random = np.random.default_rng(0)
      >>> a = {"in": random.normal(size=(2, 8)), "out": random.normal(size=(8, 3))}
      >>> group, x = symmetry(model, a, np.ones(2)), random.normal(size=(20, 2))
      >>> b = group.act(group.sample(jax.random.key(0)), a)
      >>> batches = [(x, model(a, x))] * 3
      >>> found = straight_through_matching(jax.random.key(1), group, loss, a, b, batches)
      >>> bool(found.objective > -1e-9)
      True
    """
    check.key("key", key)
    check.instance("group", group, WeightSymmetry)
    check.function("loss_fn", loss_fn)
    check.positive("learning_rate", learning_rate)
    optimizer = optax.sgd(learning_rate, momentum)

    def midway(latent, a, projected, batch):
        through = jax.tree.map(_straight_through, projected, latent)
        return loss_fn(lerp(a, through, 0.5), batch)

    @jax.jit
    def step(latent, state, a, projected, batch):
        value, gradient = jax.value_and_grad(midway, allow_int=True)(latent, a, projected, batch)
        gradient = jax.tree.map(_without_integers, gradient, latent)
        updates, state = optimizer.update(gradient, state)
        return optax.apply_updates(latent, updates), state, value

    act, evaluate = jax.jit(group.act), jax.jit(lambda a, b, batch: loss_fn(lerp(a, b, 0.5), batch))
    a, b = jax.tree.map(jnp.asarray, (a, b))
    latent, state, element = a, optimizer.init(a), None
    best, history = (np.inf, None), []
    for count, batch in enumerate(batches):
        last = element
        element = weight_matching(
            jax.random.fold_in(key, count), group, latent, b, init=last, num_starts=1, exclude=exclude
        ).element
        projected = act(element, b)
        latent, state, value = step(latent, state, a, projected, batch)
        if selection is not None:
            same = last is not None and _equal(last, element)
            value = -history[-1] if same else evaluate(a, projected, selection)
        history.append(-float(value))
        if -history[-1] < best[0] or best[1] is None:
            best = (-history[-1], element)
    if not history:
        raise ValueError("batches must hold at least one batch, got none")
    return Matching(best[1], -best[0], np.asarray(history))


def _straight_through(value, latent):
    """The value, with the derivative of the latent."""
    if not jnp.issubdtype(value.dtype, jnp.floating):
        return value
    return jax.lax.stop_gradient(value) + latent - jax.lax.stop_gradient(latent)


def _without_integers(gradient, leaf):
    """The gradient; zero for a leaf that has none."""
    return gradient if jnp.issubdtype(leaf.dtype, jnp.floating) else jnp.zeros_like(leaf)


def _equal(g, h) -> bool:
    """Whether two elements are the same."""
    return all(bool(jnp.array_equal(x, y)) for x, y in zip(jax.tree.leaves(g), jax.tree.leaves(h)))
