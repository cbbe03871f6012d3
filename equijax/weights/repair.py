"""Repair of the statistics of merged networks, whose activations have collapsed.

Averaging the weights of two networks averages neurons that agree only in part, and their variance shrinks
layer after layer. Batch normalization is repaired by measuring its statistics anew, other layers by giving
every neuron the mean and the standard deviation between those of its two parents: Jordan et al., "REPAIR:
REnormalizing permuted activations for interpolation repair", ICLR 2023.
"""

from collections.abc import Callable, Iterable

import flax.linen as nn
import jax
import jax.numpy as jnp
import numpy as np

from equijax.numerics import check
from equijax.weights.weight_symmetry import WeightSymmetry


def recalibrate_batch_statistics(update_fn: Callable, variables, batches: Iterable):
    """Variables whose batch statistics are those of the given data.

    Means and variances of the batches are pooled, whatever the momentum of the layers (to a relative 1e-5 in
    single precision, for a momentum of 0.99).

    Args:
      update_fn: ``update_fn(variables, batch)`` gives the new ``batch_stats`` of a step in training mode, for
        example ``lambda v, x: model.apply(v, x, mutable=["batch_stats"])[1]["batch_stats"]``. It is compiled.
      variables: a dictionary with ``batch_stats``.
      batches: arguments of ``update_fn``, of equal sizes.

    Returns:
      The variables with new statistics.

    Raises:
      TypeError: if ``update_fn`` is no function.
      ValueError: if there are no statistics, or no batches.

    Example:
      >>> model, x = nn.BatchNorm(use_running_average=False), jnp.array([[1.0], [3.0]])
      >>> update = lambda v, x: model.apply(v, x, mutable=["batch_stats"])[1]["batch_stats"]
      >>> variables = model.init(jax.random.key(0), x)
      >>> found = recalibrate_batch_statistics(update, variables, [x, x + 4])["batch_stats"]
      >>> bool(jnp.allclose(found["mean"], 4, 1e-4)), bool(jnp.allclose(found["var"], 5, 1e-4))
      (True, True)
    """
    check.function("update_fn", update_fn)
    if "batch_stats" not in variables:
        raise ValueError(f"variables must hold batch_stats, got {sorted(variables)}")

    @jax.jit
    def of_batch(variables, batch):
        # Layers mix old and new with an unknown momentum, which two old values give away.
        ends = (jax.tree.map(fill, variables["batch_stats"]) for fill in (jnp.zeros_like, jnp.ones_like))
        zero, one = (update_fn({**variables, "batch_stats": end}, batch) for end in ends)
        return _map_statistics(_raw, jax.tree.map(lambda z, o: z / (1 - (o - z)), zero, one))

    total, count = None, 0
    for batch in batches:
        new = of_batch(variables, batch)
        total = new if total is None else jax.tree.map(jnp.add, total, new)
        count += 1
    if not count:
        raise ValueError("batches must hold at least one batch, got none")
    pooled = _map_statistics(_central, jax.tree.map(lambda leaf: leaf / count, total))
    return {**variables, "batch_stats": pooled}


def _map_statistics(function: Callable, statistics):
    """Apply a function to each pair of a mean and a variance."""
    if isinstance(statistics, dict) and {"mean", "var"} <= statistics.keys():
        mean, var = function(statistics["mean"], statistics["var"])
        return {**statistics, "mean": mean, "var": var}
    if isinstance(statistics, dict):
        return {name: _map_statistics(function, each) for name, each in statistics.items()}
    return statistics


def _raw(mean, variance):
    """Mean and mean square."""
    return mean, variance + mean**2


def _central(mean, square):
    """Mean and variance."""
    return mean, jnp.maximum(square - mean**2, 0)


def repair(module: nn.Module, group: WeightSymmetry, merged, a, b, inputs, *, t: float = 0.5):
    """A merged network whose neurons have means and standard deviations between those of its parents.

    Every ``Dense`` and ``Conv`` whose outputs are neurons of the group is rescaled channel by channel, and
    shifted where it has a bias; later layers are measured behind the repaired earlier ones. Networks with
    batch normalization need `recalibrate_batch_statistics` instead.

    Args:
      module: the model, called as ``module.apply(variables, inputs)``.
      group: its symmetry, found from the module's variables.
      merged: variables between a and b.
      a, b: the parents, b with its neurons in the order of a.
      inputs: one batch, over which statistics are taken; the larger the better.
      t: where between a (0) and b (1) the statistics are to be.

    Returns:
      Variables of the repaired network.

    Raises:
      TypeError: if an argument is of a wrong kind.

    Example:
      >>> from equijax.weights import symmetry
      >>> x = jax.random.normal(jax.random.key(2), (9, 4))
      >>> model = nn.Sequential([nn.Dense(8), nn.relu, nn.Dense(3)])
      >>> a, b = (model.init(jax.random.key(i), x) for i in range(2))
      >>> group, middle = symmetry(model.apply, a, x), jax.tree.map(lambda x, y: (x + y) / 2, a, b)
      >>> repaired = repair(model, group, middle, a, b, x)
      >>> def spread(v): return float((x @ v["params"]["layers_0"]["kernel"]).std(0).mean())
      >>> spread(middle) < spread(repaired), abs(spread(repaired) - (spread(a) + spread(b)) / 2) < 1e-5
      (True, True)
    """
    check.instance("module", module, nn.Module)
    check.instance("group", group, WeightSymmetry)
    layers = _layers(group, merged)

    @jax.jit
    def measure(variables, goal):
        return _statistics(module, layers, variables, goal, inputs)

    goal = jax.tree.map(lambda x, y: (1 - t) * x + t * y, measure(a, {}), measure(b, {}))
    found = measure(merged, goal)
    flat, structure = jax.tree_util.tree_flatten_with_path(merged)
    leaves = []
    for path, leaf in flat:
        layer, _, name = jax.tree_util.keystr(path, simple=True, separator="/").rpartition("/")
        if layer in found and name in ("kernel", "bias"):
            (mean, spread), (wanted, width) = found[layer], goal[layer]
            ratio = _ratio(width, spread)
            leaf = leaf * ratio if name == "kernel" else (leaf - mean) * ratio + wanted
        leaves.append(leaf)
    return structure.unflatten(leaves)


def _layers(group: WeightSymmetry, variables) -> dict[str, bool]:
    """The modules whose outputs are neurons of the group, and whether they have a bias."""
    names = {
        jax.tree_util.keystr(path, simple=True, separator="/"): np.ndim(leaf)
        for path, leaf in jax.tree_util.tree_flatten_with_path(variables)[0]
    }
    kernels = {
        axis.path for each in group.groups for axis in each.axes if axis.axis == names.get(axis.path, 0) - 1
    }
    layers = [path.removesuffix("/kernel") for path in kernels if path.endswith("/kernel")]
    return {layer: f"{layer}/bias" in names for layer in layers}


def _statistics(module: nn.Module, layers: dict[str, bool], variables, goal: dict, inputs) -> dict:
    """Means and standard deviations of the layers' outputs, each behind the corrections of those before."""
    found = {}

    def corrected(following, args, kwargs, context):
        output = following(*args, **kwargs)
        name = "/".join(("params", *context.module.path))
        if not isinstance(context.module, nn.Dense | nn.Conv) or name not in layers:
            return output
        axes = tuple(range(output.ndim - 1))
        mean, spread = output.mean(axes), output.std(axes)
        mean = mean if layers[name] else jnp.zeros_like(mean)
        found[name] = (mean, spread)
        if name in goal:
            wanted, width = goal[name]
            output = (output - mean) * _ratio(width, spread) + wanted
        return output

    with nn.intercept_methods(corrected):
        module.apply(variables, inputs)
    return found


def _ratio(wanted, got):
    """By what a standard deviation is to be multiplied; 1 for neurons that never change."""
    return jnp.where(got > 0, wanted / jnp.where(got > 0, got, 1), 1)
