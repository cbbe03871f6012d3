"""Timing of several methods at several sizes, side by side.

Methods of one size are called in turns, in an order drawn anew for every repetition, so that a slow moment of
the machine hits all of them alike. Compilation is timed apart. Calls that are shorter than the clock is good
for are repeated within a sample. Cases that smaller sizes show to be beyond the limits are left out, and the
result says which and why.
"""

import contextlib
import dataclasses
import math
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import NamedTuple

import jax
import numpy as np

from benchmarks.framework.directions import FORWARD, GRADIENT, in_direction

DIRECTIONS = (FORWARD, GRADIENT)


@dataclasses.dataclass(frozen=True)
class Case:
    """One method at one size.

    Attributes:
      method: its name, the same at all sizes.
      size: the number that the sweep is over.
      function: what is timed: a differentiable function of arrays (or pytrees of them).
      arguments: what it is called with.
      section: which of a benchmark's comparisons it belongs to.
      directions: what to time of it, see `benchmarks.framework.directions`.
      about: further numbers of the case, which its timings carry along.
    """

    method: str
    size: int
    function: Callable
    arguments: tuple
    section: str = ""
    directions: tuple[str, ...] = DIRECTIONS
    about: Mapping[str, float] = dataclasses.field(default_factory=dict)


class Absent(NamedTuple):
    """A method that cannot be timed, in the place of its case.

    Attributes:
      method, size, section: as in `Case`.
      why: the reason, for the reader of the table.
    """

    method: str
    size: int | None
    section: str
    why: str


@dataclasses.dataclass(frozen=True)
class Limits:
    """What one case may cost; beyond, by extrapolation from smaller sizes, it is left out.

    Attributes:
      seconds: to compile and to call thrice.
      megabyte: of temporary memory and results.
    """

    seconds: float = math.inf
    megabyte: float = math.inf


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
      limits: what one case may cost.
      conclude: what the timings amount to: title and text of further parts of the report, with the data
        behind each, from the measurement and whether it was a quick look.
    """

    name: str
    title: str
    work: str
    size: str
    scale: Callable[[int], float]
    scale_name: str
    fit_from: int
    cases: Callable[[bool], Iterable[Case | Absent]]
    limits: Limits = Limits()
    conclude: Callable[["Measurement", bool], "list[Conclusion]"] | None = None


class Conclusion(NamedTuple):
    """A part of a report that rests on all the timings.

    Attributes:
      title: a line.
      text: for the terminal.
      data: for the JSON file.
    """

    title: str
    text: str
    data: object


@dataclasses.dataclass(frozen=True)
class Timing:
    """Seconds a call of one method at one size in one direction.

    Attributes:
      method, size, section, about: as in `Case`.
      direction: one of the case's directions.
      median, lower, upper: median and quartiles of the samples, in seconds a call.
      compilation: seconds to trace and compile, constant tables that are not yet known included.
      gigaflop: floating-point operations a call by the compiler's count, in 10^9; None if it does not say.
      samples: number of samples.
      calls: calls in a sample.
      megabyte: temporary memory and results of a call, in 10^6 bytes; None if the compiler does not say.
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
    megabyte: float | None = None
    section: str = ""
    about: Mapping[str, float] = dataclasses.field(default_factory=dict)


class LeftOut(NamedTuple):
    """A method that was not timed at a size.

    Attributes:
      method, size, section: as in `Case`; no size means all of them.
      direction: None means all of them.
      why: the reason.
    """

    method: str
    size: int | None
    section: str
    direction: str | None
    why: str


class Measurement(NamedTuple):
    """All that was timed, and what was not."""

    timings: list[Timing]
    left_out: list[LeftOut]


def measure(
    cases: Iterable[Case | Absent],
    *,
    samples: int,
    seconds: float,
    seconds_in_all: float = math.inf,
    limits: Limits = Limits(),
    seed: int = 0,
    progress=lambda text: None,
) -> Measurement:
    """Time all cases in all their directions.

    Args:
      cases: any order; those of one section and size are timed in turns.
      samples: samples of each case and direction.
      seconds: how long a sample takes at least; short calls are repeated within it.
      seconds_in_all: fewer samples are taken, but at least three, where all would take longer.
      limits: what one case may cost.
      seed: of the order of calls.
      progress: called with a line of text before each section and size.

    Raises:
      ValueError: if ``samples`` is below one.
    """
    if samples < 1:
        raise ValueError(f"samples must be a number of at least 1, got {samples}")
    groups: dict[tuple[str, int], list[Case]] = {}
    left_out = []
    for case in cases:
        if isinstance(case, Absent):
            left_out.append(LeftOut(case.method, case.size, case.section, None, case.why))
        else:
            groups.setdefault((case.section, case.size), []).append(case)
    sections = list(dict.fromkeys(section for section, _ in groups))
    ordered = sorted(groups.items(), key=lambda item: (sections.index(item[0][0]), item[0][1]))
    random = np.random.default_rng(seed)
    timings: list[Timing] = []
    with _without_compilation_cache():
        for (section, size), group in ordered:
            progress(f"{section}{', ' if section else ''}size {size}: {len(group)} methods")
            runs = []
            for case in group:
                for direction in case.directions:
                    why = beyond_limits(case, direction, timings, limits)
                    if why:
                        left_out.append(LeftOut(case.method, size, section, direction, why))
                        continue
                    try:
                        runs.append(_Run(case, direction))
                    except jax.errors.JaxRuntimeError as error:
                        reason = str(error).strip().splitlines()[0]
                        left_out.append(LeftOut(case.method, size, section, direction, reason))
            timings += _in_turns(runs, samples, seconds, seconds_in_all, random)
    return Measurement(timings, left_out)


def beyond_limits(case: Case, direction: str, timings: Sequence[Timing], limits: Limits) -> str | None:
    """Why a case would cost more than it may, by a power law through the two largest sizes; None if not."""
    key = (case.method, case.section, direction)
    known = [t for t in timings if (t.method, t.section, t.direction) == key and t.size < case.size]

    def expected(cost: Callable[[Timing], float]) -> float:
        return extrapolate({timing.size: cost(timing) for timing in known}, case.size)

    seconds = expected(lambda t: t.compilation) + 3 * expected(lambda t: t.median)
    if seconds > limits.seconds:
        return f"would take about {seconds:.0f} s to compile and call thrice, above {limits.seconds:.0f} s"
    megabyte = expected(lambda t: t.megabyte or 0.0)
    if megabyte > limits.megabyte:
        return f"would need about {megabyte:.0f} MB, above {limits.megabyte:.0f} MB"
    return None


_LARGEST_EXPONENT = 8.0


def extrapolate(costs: Mapping[int, float], size: int) -> float:
    """A cost at a size, by a power law in ``size + 1`` through the two largest smaller sizes.

    The last cost if it is the only one or costs fall; zero if there are none. Exponents above 8 are taken for
    accidents of a machine that does other work, too, and count as 8.

    Example:
      >>> round(extrapolate({1: 4.0, 3: 16.0}, 7), 6)
      64.0
    """
    smaller = sorted(known for known in costs if known < size)
    if not smaller:
        return 0.0
    last = costs[smaller[-1]]
    before = costs[smaller[-2]] if len(smaller) > 1 else last
    if last <= before or before <= 0:
        return last
    near, far = smaller[-1], smaller[-2]
    exponent = math.log(last / before) / math.log((near + 1) / (far + 1))
    return last * ((size + 1) / (near + 1)) ** min(exponent, _LARGEST_EXPONENT)


def _in_turns(runs: Sequence["_Run"], samples: int, seconds: float, seconds_in_all: float, random) -> list:
    """Time the runs of one section and size."""
    for run in runs:
        run.calibrate(seconds, samples, seconds_in_all)
    for turn in range(samples):
        for index in random.permutation(len(runs)):
            if turn < runs[index].wanted:
                runs[index].sample()
    return [run.timing() for run in runs]


class _Run:
    """A compiled function with its arguments and the samples taken of it."""

    def __init__(self, case: Case, direction: str):
        self.case, self.direction = case, direction
        self.calls, self.wanted, self.seconds = 1, 1, []
        start = time.perf_counter()
        function, self.arguments = in_direction(direction, case.function, case.arguments)
        self.compiled = jax.jit(function).lower(*self.arguments).compile()
        self.compilation = time.perf_counter() - start

    def calibrate(self, seconds: float, samples: int, seconds_in_all: float) -> None:
        """Call twice to warm up; choose how many calls fill a sample, and how many samples to take."""
        jax.block_until_ready(self.compiled(*self.arguments))
        self.sample()
        call = self.seconds.pop()
        self.calls = max(1, math.ceil(seconds / call))
        affordable = seconds_in_all / (self.calls * call)
        self.wanted = samples if affordable >= samples else min(samples, max(3, int(affordable)))

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
            megabyte=_megabyte(self.compiled),
            section=self.case.section,
            about=dict(self.case.about),
        )


def _gigaflop(compiled) -> float | None:
    """The compiler's count of floating-point operations of a call, in 10^9."""
    analysis = compiled.cost_analysis() or {}
    flops = analysis.get("flops")
    return None if flops is None else float(flops) / 1e9


def _megabyte(compiled) -> float | None:
    """Temporary memory and results of a call, in 10^6 bytes."""
    analysis = compiled.memory_analysis()
    if analysis is None:
        return None
    return (analysis.temp_size_in_bytes + analysis.output_size_in_bytes) / 1e6


@contextlib.contextmanager
def _without_compilation_cache() -> Iterator[None]:
    """No compiled program is read from disk, which would make compilation look free."""
    before = jax.config.jax_enable_compilation_cache
    jax.config.update("jax_enable_compilation_cache", False)
    try:
        yield
    finally:
        jax.config.update("jax_enable_compilation_cache", before)


def slopes(benchmark: Benchmark, timings: Sequence[Timing]) -> dict[tuple[str, str, str], float]:
    """Exponent of the cost in the scale, for each section, method and direction with two sizes to fit.

    The slope of a straight line through the logarithms of the medians, by least squares.
    """
    found = {}
    for key in dict.fromkeys((timing.section, timing.method, timing.direction) for timing in timings):
        points = [
            (benchmark.scale(timing.size), timing.median)
            for timing in timings
            if (timing.section, timing.method, timing.direction) == key and timing.size >= benchmark.fit_from
        ]
        if len(points) >= 2:
            scale, median = np.log(np.array(points)).T
            found[key] = float(np.polyfit(scale, median, 1)[0])
    return found
