"""What a training step of one network costs, variant against variant."""

import time
from collections.abc import Mapping
from typing import NamedTuple

import jax
import numpy as np

from experiments.nbody.fitting import squared_error
from experiments.nbody.variants import ParticleNetwork
from experiments.tasks.charged_particles import ParticleSystems

SECONDS_A_SAMPLE = 0.02


class Cost(NamedTuple):
    """Loss and gradient of one network on one batch, on one device.

    Attributes:
      seconds: median time.
      memory: temporary memory of the compiled program, bytes.
      operations: floating-point operations by the compiler's count.
    """

    seconds: float
    memory: float
    operations: float


def measure(
    models: Mapping[tuple, tuple[ParticleNetwork, Mapping]], batch: ParticleSystems, *, samples: int
) -> dict[tuple, Cost]:
    """Time all models in turns, so that a slow moment of the machine hits all of them alike.

    Args:
      models: modules and parameters by name.
      batch: what all of them are called with.
      samples: of each model; a sample repeats short calls.
    """
    programs = {}
    batch = jax.tree.map(lambda leaf: jax.numpy.asarray(leaf, "float32"), batch)
    for name, (model, params) in models.items():
        compiled = jax.jit(jax.value_and_grad(squared_error(model))).lower(params, batch).compile()
        programs[name] = (compiled, params)
    calls = {name: 1 for name in programs}
    for name, program in programs.items():
        _time(program, batch, 1)
        calls[name] = max(1, round(SECONDS_A_SAMPLE / _time(program, batch, 1)))
    seconds = {name: [] for name in programs}
    for _ in range(samples):
        for name, program in programs.items():
            seconds[name].append(_time(program, batch, calls[name]))
    return {
        name: Cost(
            float(np.median(seconds[name])),
            float(compiled.memory_analysis().temp_size_in_bytes),
            float(compiled.cost_analysis()["flops"]),
        )
        for name, (compiled, _) in programs.items()
    }


def _time(program, batch, calls: int) -> float:
    """Seconds of a call, averaged over a few."""
    compiled, params = program
    start = time.perf_counter()
    for _ in range(calls):
        jax.block_until_ready(compiled(params, batch))
    return (time.perf_counter() - start) / calls
