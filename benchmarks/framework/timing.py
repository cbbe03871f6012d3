"""Timing of several methods at several sizes, side by side.

Methods of one size are called in turns, in an order drawn anew for every repetition, so that a slow moment of
the machine hits all of them alike. Compilation is timed apart. Calls that are shorter than the clock is good
for are repeated within a sample.
"""

import contextlib
import dataclasses
import math
import time
from collections.abc import Callable, Iterable, Iterator, Sequence

import jax
import jax.numpy as jnp
import numpy as np

DIRECTIONS = ("forward", "forward and backward")


@dataclasses.dataclass(frozen=True)
class Case:
    """One method at one size.

    Attributes:
      method: its name, the same at all sizes.
      size: the number that the sweep is over.
      function: what is timed: a differentiable function of arrays (or pytrees of them).
      arguments: what it is called with.
    """

    method: str
    size: int
    function: Callable
    arguments: tuple


@dataclasses.dataclass(frozen=True)
class Benchmark:
    """A comparison of methods that do the same work.

    Attributes:
      name: what the command line calls it.
      title: one line.
      work: what every method does, and in what the methods differ.
      size: name of the size, for axes and tables.
      scale: the quantity that costs are fitted against, from the size; its name is ``scale_name``.
      scale_name: name of the scale.
      fit_from: the smallest size that the fit of the slope uses.
      cases: makes the cases; the argument says whether a quick look is enough.
    """

    name: str
    title: str
    work: str
    size: str
    scale: Callable[[int], float]
    scale_name: str
    fit_from: int
    cases: Callable[[bool], Iterable[Case]]


@dataclasses.dataclass(frozen=True)
class Timing:
    """Seconds a call of one method at one size in one direction.

    Attributes:
      method, size: as in `Case`.
      direction: one of `DIRECTIONS`.
      median, lower, upper: median and quartiles of the samples, in seconds a call.
      compilation: seconds to trace and compile.
      gigaflop: floating-point operations a call by the compiler's count, in 10^9; None if it does not say.
      samples: number of samples.
      calls: calls in a sample.
    """

    method: str
    size: int
    direction: str
    median: float
    lower: float
    upper: float
    compilation: float
    gigaflop: float | None
    samples: int
    calls: int


def measure(
    cases: Iterable[Case], *, samples: int, seconds: float, seed: int = 0, progress=lambda text: None
) -> list[Timing]:
    """Time all cases forward, and forward and backward.

    Args:
      cases: any order; those of one size are timed in turns.
      samples: samples of each case and direction.
      seconds: how long a sample takes at least; short calls are repeated within it.
      seed: of the order of calls.
      progress: called with a line of text before each size.
    """
    if samples < 1:
        raise ValueError(f"samples must be a number of at least 1, got {samples}")
    by_size: dict[int, list[Case]] = {}
    for case in cases:
        by_size.setdefault(case.size, []).append(case)
    random = np.random.default_rng(seed)
    timings = []
    with _without_compilation_cache():
        for size, group in sorted(by_size.items()):
            progress(f"size {size}: {len(group)} methods")
            timings += _in_turns(group, samples, seconds, random)
    return timings


def _in_turns(group: Sequence[Case], samples: int, seconds: float, random) -> list[Timing]:
    """Time the cases of one size."""
    runs = [_Run(case, direction) for case in group for direction in DIRECTIONS]
    for run in runs:
        run.calibrate(seconds)
    for _ in range(samples):
        for index in random.permutation(len(runs)):
            runs[index].sample()
    return [run.timing() for run in runs]


class _Run:
    """A compiled function with its arguments and the samples taken of it."""

    def __init__(self, case: Case, direction: str):
        self.case, self.direction = case, direction
        self.calls, self.seconds = 1, []
        if direction == "forward":
            function, self.arguments = case.function, case.arguments
        else:
            function, self.arguments = _with_gradient(case)
        start = time.perf_counter()
        self.compiled = jax.jit(function).lower(*self.arguments).compile()
        self.compilation = time.perf_counter() - start

    def calibrate(self, seconds: float) -> None:
        """Call twice to warm up, and choose how many calls fill a sample."""
        jax.block_until_ready(self.compiled(*self.arguments))
        self.sample()
        self.calls = max(1, math.ceil(seconds / self.seconds.pop()))

    def sample(self) -> None:
        """Time one sample."""
        start = time.perf_counter()
        for _ in range(self.calls):
            jax.block_until_ready(self.compiled(*self.arguments))
        self.seconds.append((time.perf_counter() - start) / self.calls)

    def timing(self) -> Timing:
        """Median and quartiles of the samples."""
        lower, median, upper = np.quantile(self.seconds, [0.25, 0.5, 0.75])
        return Timing(
            method=self.case.method,
            size=self.case.size,
            direction=self.direction,
            median=float(median),
            lower=float(lower),
            upper=float(upper),
            compilation=self.compilation,
            gigaflop=_gigaflop(self.compiled),
            samples=len(self.seconds),
            calls=self.calls,
        )


def _with_gradient(case: Case) -> tuple[Callable, tuple]:
    """The value and the gradients with respect to all arguments, for a given cotangent."""
    shape = jax.eval_shape(case.function, *case.arguments)
    cotangent = jax.tree.map(lambda leaf: jnp.ones(leaf.shape, leaf.dtype), shape)

    def both(cotangent, *arguments):
        value, pull_back = jax.vjp(case.function, *arguments)
        return value, pull_back(cotangent)

    return both, (cotangent, *case.arguments)


def _gigaflop(compiled) -> float | None:
    """The compiler's count of floating-point operations of a call, in 10^9."""
    analysis = compiled.cost_analysis() or {}
    flops = analysis.get("flops")
    return None if flops is None else float(flops) / 1e9


@contextlib.contextmanager
def _without_compilation_cache() -> Iterator[None]:
    """No compiled program is read from disk, which would make compilation look free."""
    before = jax.config.jax_enable_compilation_cache
    jax.config.update("jax_enable_compilation_cache", False)
    try:
        yield
    finally:
        jax.config.update("jax_enable_compilation_cache", before)


def slopes(benchmark: Benchmark, timings: Sequence[Timing]) -> dict[tuple[str, str], float]:
    """Exponent of the cost in the scale, for each method and direction with at least two sizes to fit.

    The slope of a straight line through the logarithms of the medians, by least squares.
    """
    found = {}
    for key in dict.fromkeys((timing.method, timing.direction) for timing in timings):
        points = [
            (benchmark.scale(timing.size), timing.median)
            for timing in timings
            if (timing.method, timing.direction) == key and timing.size >= benchmark.fit_from
        ]
        if len(points) >= 2:
            scale, median = np.log(np.array(points)).T
            found[key] = float(np.polyfit(scale, median, 1)[0])
    return found
