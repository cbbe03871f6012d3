"""Training steps of several potentials, timed in turns."""

import time
from collections.abc import Sequence
from typing import NamedTuple

import jax
import numpy as np

from benchmarks.force_field.potentials import Potential, Setting
from equijax.training.placement import replicate, split
from equijax.training.state import initial_state
from equijax.training.step import make_step, metric_zeros
from experiments.force_field.fitting import loss_function, make_optimizer

BATCHES = 8
"""Different batches that the steps go through in turn."""


class StepTiming(NamedTuple):
    """Training of one potential.

    Attributes:
      name: of the potential.
      num_parameters: that it learns.
      median, lower, upper: median and quartiles of the seconds a step.
      compilation: seconds of the first step.
      traces: how many times the loss was traced while the steps went through different batches.
      steps: how many were taken in all.
      losses: of the first step and of the last.
    """

    name: str
    num_parameters: int
    median: float
    lower: float
    upper: float
    compilation: float
    traces: int
    steps: int
    losses: tuple[float, float]

    @property
    def steps_a_second(self) -> float:
        """By the median.

        Example:
          >>> StepTiming("", 1, 0.5, 0.5, 0.5, 1.0, 1, 1, (1.0, 1.0)).steps_a_second
          2.0
        """
        return 1 / self.median


class Trainer:
    """One potential in training: its step, its state, its samples of the time.

    Args:
      potential: to train.
      setting: the data and the optimiser's schedule.
      placed: batches on the device.
    """

    def __init__(self, potential: Potential, setting: Setting, placed: Sequence):
        self.potential, self.placed = potential, placed
        self.traces, self.steps, self.seconds, self.losses = 0, 0, [], []
        device = jax.devices()[:1]
        loss_fn = loss_function(potential.model, setting.config.energy_weight)

        def counted(params, batch, key):
            self.traces += 1
            return loss_fn(params, batch, key)

        optimizer, _ = make_optimizer(setting.config, setting.config.num_steps)
        self.step = make_step(
            counted, optimizer, device, accumulate=1, ema_decay=setting.config.ema_decay, log_every=100
        )
        key_data = jax.random.key_data(jax.random.key(0))
        zeros = metric_zeros(loss_fn, potential.params, placed[0], key_data)
        params = potential.params
        state = initial_state(params, optimizer.init(params), params, zeros)
        self.state, self.key_data = replicate(state, device), replicate(key_data, device)
        start = time.perf_counter()
        self.advance()
        self.compilation = time.perf_counter() - start

    def advance(self) -> None:
        """Take a step on the next batch, and wait for it."""
        batch = self.placed[self.steps % len(self.placed)]
        self.state, loss = self.step(self.state, batch, self.key_data)
        self.losses.append(float(loss))
        self.steps += 1

    def sample(self, count: int) -> None:
        """Time some steps."""
        start = time.perf_counter()
        for _ in range(count):
            self.advance()
        self.seconds.append((time.perf_counter() - start) / count)

    def timing(self) -> StepTiming:
        """What was measured."""
        lower, median, upper = (float(q) for q in np.quantile(self.seconds, [0.25, 0.5, 0.75]))
        return StepTiming(
            self.potential.name,
            self.potential.num_parameters,
            median,
            lower,
            upper,
            self.compilation,
            self.traces,
            self.steps,
            (self.losses[0], self.losses[-1]),
        )


def time_steps(
    potentials: Sequence[Potential], setting: Setting, *, samples: int, steps: int
) -> list[StepTiming]:
    """Train all potentials in turns, in an order drawn anew for every sample.

    Args:
      potentials: to train.
      setting: the data.
      samples: of each potential.
      steps: in a sample.
    """
    device = jax.devices()[:1]
    placed = [split(setting.batches(index), device, 1) for index in range(BATCHES)]
    trainers = [Trainer(potential, setting, placed) for potential in potentials]
    random = np.random.default_rng(0)
    for trainer in trainers:
        trainer.advance()
    for _ in range(samples):
        for index in random.permutation(len(trainers)):
            trainers[index].sample(steps)
    return [trainer.timing() for trainer in trainers]
