"""Where the time of a step goes: the stages of a step, and the parts of the network by themselves.

Stages contain one another: the energy is part of the forces, they of the loss's gradient, that of the step.
Parts are modules of the network, run alone on the arrays that they get within it: forward, and in the second
order that learning from forces takes. What a compiler saves by running parts together does not show, so parts
need not add up to the whole.
"""

from collections.abc import Iterator, Sequence

import flax.linen as nn
import jax
import jax.numpy as jnp

from benchmarks.force_field.potentials import Potential, Setting
from benchmarks.framework.directions import FORWARD, SECOND_ORDER
from benchmarks.framework.timing import Case, Timing, measure
from equijax.nn import energy_and_forces
from experiments.force_field.fitting import loss_function, make_optimizer

STAGES, PARTS = "stages", "parts"


def profile(potential: Potential, setting: Setting, *, samples: int, seconds: float) -> list[Timing]:
    """Time the stages and the parts of a potential's step.

    Args:
      potential: with its parameters.
      setting: the data.
      samples: of each stage and part.
      seconds: how long a sample takes at least.
    """
    cases = [*_stages(potential, setting), *_parts(potential, setting)]
    return measure(cases, samples=samples, seconds=seconds).timings


def _stages(potential: Potential, setting: Setting) -> Iterator[Case]:
    """The energy, the forces, the gradient of the loss; and the optimiser by itself."""
    model, params = potential.model, potential.params
    graph = jax.tree.map(jnp.asarray, setting.graph)
    batch = jax.tree.map(lambda leaf: leaf[None], graph)
    loss_fn = loss_function(model, setting.config.energy_weight)
    optimizer, _ = make_optimizer(setting.config, setting.config.num_steps)

    def energy(params, graph):
        return model.apply({"params": params}, graph)

    def forces(params, graph):
        return energy_and_forces(lambda g: energy(params, g), graph).forces

    def gradient(params, batch):
        return jax.grad(lambda p: loss_fn(p, batch, None)[0])(params)

    stages = {
        "energy": (energy, (params, graph)),
        "and forces": (forces, (params, graph)),
        "and the loss's gradient": (gradient, (params, batch)),
        "optimiser alone": (optimizer.update, (params, optimizer.init(params), params)),
    }
    for name, (function, arguments) in stages.items():
        yield Case(name, 0, function, arguments, STAGES, (FORWARD,))


def _parts(potential: Potential, setting: Setting) -> Iterator[Case]:
    """Every module two levels down, and the radial networks below them, with what it is called with."""
    model, variables = potential.model, {"params": potential.params}
    calls: dict[tuple[str, ...], tuple] = {}

    def record(next_function, arguments, options, context):
        if context.method_name == "__call__" and context.module.path not in calls:
            module = context.module
            calls[module.path] = (module.clone(parent=None), module.variables, arguments, options)
        return next_function(*arguments, **options)

    with nn.intercept_methods(record):
        model.apply(variables, jax.tree.map(jnp.asarray, setting.graph))
    for path, (module, of_module, arguments, options) in calls.items():
        wanted = len(path) == 2 or (len(path) == 3 and "radial" in path[2])
        leaves, structure = jax.tree.flatten((arguments, options))
        factors = [leaf for leaf in leaves if _is_floating(leaf)]
        if wanted and factors:
            function = _function_of_floats(module, leaves, structure)
            directions = (FORWARD, SECOND_ORDER)
            yield Case("/".join(path), 0, function, (factors, of_module), PARTS, directions)


def _is_floating(leaf) -> bool:
    """Whether gradients by it exist."""
    return hasattr(leaf, "dtype") and jnp.issubdtype(leaf.dtype, jnp.floating)


def _function_of_floats(module: nn.Module, leaves: Sequence, structure):
    """The module as a function of its floating-point arguments and its variables; the rest is fixed."""

    def function(factors, variables):
        rest = iter(factors)
        arguments, options = jax.tree.unflatten(
            structure, [next(rest) if _is_floating(leaf) else leaf for leaf in leaves]
        )
        result = module.apply(variables, *arguments, **options)
        return [leaf for leaf in jax.tree.leaves(result) if _is_floating(leaf)]

    return function
