"""The cost of averaging over a frame of m elements, against m plain calls of the backbone.

    python -m benchmarks frames            # about a minute
    python -m benchmarks frames --quick    # seconds

To expect on a CPU: up to twice the time of m plain calls with a narrow backbone, where the frame itself
(covariance, eigenvectors, rotations) shows, and about the same (1.0 to 1.2) from a width of 128 on. Weighted
pairs are for clouds of a few points: their frame costs as much as several calls.
"""

import functools
from collections.abc import Iterator

import flax.linen as nn
import jax
import jax.numpy as jnp

from benchmarks.framework.timing import Benchmark, Case, Conclusion, Measurement
from equijax.equivariance import stochastic_frame_average
from equijax.euclid import pca_frame, weighted_pair_frame
from equijax.groups import SE, E, Group, Point, Vector, sample_frame
from equijax.nn import FrameAveraged

BATCH, POINTS = 8, 32
SECTIONS: dict[str, tuple[Group, int]] = {"SE(3), 4 elements": (SE(3), 4), "E(3), 8 elements": (E(3), 8)}
PLAIN, AVERAGE, ONE = "m plain calls", "frame average", "one plain call"
DRAWN, WEIGHTED = "one element drawn", "m weighted pairs drawn"


class PointMLP(nn.Module):
    """A backbone: a perceptron shared by all points, and the mean over points in between.

    Attributes:
      width: of the hidden layers.
    """

    width: int

    @nn.compact
    def __call__(self, x):
        """Vectors ``(..., n, 3)`` at points ``(..., n, 3)``."""
        h = nn.silu(nn.Dense(self.width)(x))
        h = nn.silu(nn.Dense(self.width)(h + jnp.mean(h, axis=-2, keepdims=True)))
        return nn.Dense(3)(nn.silu(nn.Dense(self.width)(h)))


def methods(width: int, group: Group, size: int) -> dict:
    """Functions of parameters and clouds, by name; all have outputs of the shape of the clouds."""
    net = PointMLP(width)
    frame = functools.partial(pca_frame, group=group)

    def plain(params, x):
        return net.apply({"params": params}, x)

    def calls(params, x):
        # Different inputs, so that the compiler cannot merge the calls.
        return sum(plain(params, x + 0.1 * number) for number in range(size)) / size

    def average(make):
        model = FrameAveraged(net, make, (Point(),), Vector())
        return lambda params, x: model.apply({"params": {"module": params}}, x)

    def drawn(params, x):
        one = stochastic_frame_average(lambda x: plain(params, x), frame, (Point(),), Vector())
        return one(jax.random.key(0), x)

    def weighted(x):
        return sample_frame(jax.random.key(0), weighted_pair_frame(x, group=group), size)

    return {
        ONE: plain,
        PLAIN: calls,
        AVERAGE: average(frame),
        DRAWN: drawn,
        WEIGHTED: average(weighted),
    }


def cases(quick: bool) -> Iterator[Case]:
    """Each method at each width of the backbone, on the same clouds."""
    x = jax.random.normal(jax.random.key(0), (BATCH, POINTS, 3))
    for section, (group, size) in SECTIONS.items():
        if quick and size > 4:
            continue
        for width in (16,) if quick else (32, 64, 128, 256):
            params = jax.jit(PointMLP(width).init)(jax.random.key(1), x)["params"]
            for name, function in methods(width, group, size).items():
                yield Case(name, width, function, (params, x), section, about={"elements": size})


def conclude(measurement: Measurement, quick: bool) -> list[Conclusion]:
    """The time of an average in units of m plain calls."""
    medians = {(t.section, t.method, t.direction, t.size): t.median for t in measurement.timings}
    data = [
        {
            "section": section,
            "direction": direction,
            "width": size,
            "average over m calls": median / medians[section, PLAIN, direction, size],
            "average over one call": median / medians[section, ONE, direction, size],
        }
        for (section, method, direction, size), median in medians.items()
        if method == AVERAGE
    ]
    lines = [
        f"{row['section']}, {row['direction']}, width {row['width']}: {row['average over m calls']:.2f} of m "
        f"plain calls, {row['average over one call']:.1f} of one"
        for row in data
    ]
    return [Conclusion("Frame averages against plain calls", "\n".join(lines), data)]


BENCHMARK = Benchmark(
    name="frames",
    title="Averaging over a frame of m elements, against m plain calls",
    work=(
        f"Every method maps {BATCH} clouds of {POINTS} points to a vector at each point, with one "
        "perceptron, in single precision. The frame is that of the principal axes; m weighted pairs are "
        f"drawn from the {POINTS * (POINTS - 1)} of a cloud, all of which are computed. The backward pass "
        "gives the gradients by all parameters and the clouds."
    ),
    size="width",
    scale=float,
    scale_name="width",
    fit_from=64,
    cases=cases,
    conclude=conclude,
)
