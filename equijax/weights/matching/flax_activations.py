"""Activations of the groups of neurons of a Flax model, found by the modules that compute them."""

from collections.abc import Callable

import flax.linen as nn
import jax
import jax.numpy as jnp
import numpy as np

from equijax.numerics import check
from equijax.weights.neurons import NeuronGroup
from equijax.weights.weight_symmetry import WeightSymmetry


def flax_activations(
    module: nn.Module, group: WeightSymmetry, *, nonlinearity: Callable | None = None
) -> Callable:
    """A function that captures the activations of every group of neurons, for `activation_matching`.

    A module's outputs belong to a group if the group acts on the module's bias or scale, or on the last axis
    of its kernel. In a residual stream many modules do, and all are captured. Batch axes and positions of
    images count as samples. Where two groups share outputs (heads and the features within), the activations
    of each are sorted along the other, so that they do not depend on its order.

    Args:
      module: the model, called as ``module.apply(variables, inputs)``.
      group: its symmetry, found from the module's variables.
      nonlinearity: what follows the modules, for example ``jax.nn.relu``; None for none.

    Returns:
      ``capture(variables, inputs)``; inputs that are a tuple are passed on as several arguments. Groups that
      no module's output shows (layers under ``nn.scan``) are left out.

    Raises:
      TypeError: if an argument is of a wrong kind.

    Example:
      >>> from equijax.weights import symmetry
      >>> model, x = nn.Sequential([nn.Dense(8), nn.relu, nn.Dense(3)]), jnp.ones((5, 4))
      >>> variables = model.init(jax.random.key(0), x)
      >>> capture = flax_activations(model, symmetry(model.apply, variables, x), nonlinearity=nn.relu)
      >>> jax.tree.map(jnp.shape, capture(variables, x))
      {'layers_0': [(5, 8)]}
    """
    check.instance("module", module, nn.Module)
    check.instance("group", group, WeightSymmetry)
    apply = (lambda x: x) if nonlinearity is None else nonlinearity
    tree = jax.tree.unflatten(group.variables.structure, group.variables.leaves)
    ranks = {
        jax.tree_util.keystr(path, simple=True, separator="/"): getattr(action, "ndim", 0)
        for path, action in jax.tree_util.tree_flatten_with_path(tree)[0]
    }
    places = {each.name: _places(each, ranks) for each in group.groups if not each.over}
    shared = _shared(places)

    def capture(variables, inputs):
        inputs = inputs if isinstance(inputs, tuple) else (inputs,)
        _, state = module.apply(variables, *inputs, capture_intermediates=True, mutable=["intermediates"])
        found = {}
        for name, sites in places.items():
            outputs = [
                _neurons(apply(output), axis, positions, shared[path])
                for path, axis, positions in sites
                for output in _outputs(state["intermediates"], path)
            ]
            if outputs:
                found[name] = outputs
        return found

    return capture


def _places(neurons: NeuronGroup, ranks: dict[str, int]) -> list[tuple[tuple[str, ...], int, np.ndarray]]:
    """The modules that compute some neurons: path, axis of the output (negative), positions on it."""
    found = {}
    for axis in neurons.axes:
        *path, leaf = axis.path.split("/")[1:]
        back = axis.axis - ranks[axis.path]
        bias = ranks.get("/".join(["params", *path, "bias"]), 1)
        if leaf in ("bias", "scale") or (leaf in ("kernel", "embedding") and -back <= bias):
            found.setdefault((tuple(path), back), axis.positions())
    return [(path, back, positions) for (path, back), positions in found.items()]


def _shared(places: dict[str, list]) -> dict[tuple[str, ...], int]:
    """For each module that computes neurons of several groups, how many axes these are on; otherwise 0."""
    found: dict[tuple[str, ...], list[int]] = {}
    for sites in places.values():
        for path, axis, _ in sites:
            found.setdefault(path, []).append(-axis)
    return {path: max(axes) if len(axes) > 1 else 0 for path, axes in found.items()}


def _outputs(intermediates, path: tuple[str, ...]) -> tuple:
    """What a module returned, once for each call; nothing if it was not called."""
    for name in path:
        intermediates = intermediates.get(name, {})
    return intermediates.get("__call__", ())


def _neurons(output, axis: int, positions: np.ndarray, shared: int):
    """The activations of some neurons, shape ``(samples, n)``."""
    moved = jnp.moveaxis(output, axis, -1)
    count, places = positions.shape
    taken = jnp.take(moved, positions.reshape(-1), axis=-1).reshape(*moved.shape[:-1], count, places)
    if shared:
        samples = output.shape[: output.ndim - shared]
        taken = jnp.moveaxis(taken, -2, len(samples)).reshape(*samples, count, -1)
        taken = jnp.sort(taken, axis=-1)
    return jnp.swapaxes(taken, -1, -2).reshape(-1, count)
