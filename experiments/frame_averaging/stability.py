"""Stability: the slope of averages at a cloud of equal variances, by principal axes and by weighted frames.

And the equivariance error of stochastic averages against the number of elements drawn.
"""

import functools
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from equijax.equivariance import FrameReport, error, frame_average, frame_report, stochastic_frame_average
from equijax.euclid import pca_frame, weighted_pair_frame
from equijax.groups import SE, Point, Trivial, Vector
from experiments.frame_averaging.config import Config

NUM_POINTS = 8
STEPS = (1e-1, 1e-2, 1e-3, 1e-5)
COUNTS = (1, 2, 4)
GROUP = SE(3)
OUT_REPS = {"force": Vector(), "energy": Trivial()}
FRAMES = {"principal axes": pca_frame, "weighted pairs": weighted_pair_frame}


class StabilityResult(NamedTuple):
    """Errors and slopes of averages of one random network.

    Attributes:
      reports: by frame and cloud, ``"generic"`` or ``"equal variances"``.
      plain: the report of the network itself, at the generic cloud.
      stochastic: equivariance error by the number of elements of the frame of principal axes.
    """

    reports: dict[tuple[str, str], FrameReport]
    plain: FrameReport
    stochastic: dict[int, float]


def clouds(seed: int) -> dict[str, np.ndarray]:
    """A generic cloud, and one whose three variances are equal."""
    generic = np.random.default_rng(seed).standard_normal((NUM_POINTS, 3))
    equal = np.linalg.svd(generic - generic.mean(axis=0), full_matrices=False)[0] * np.sqrt(NUM_POINTS)
    return {"generic": generic, "equal variances": equal}


def network(x):
    """A random perceptron with biases of a cloud, to a force on each point and an energy."""
    random = np.random.default_rng(0)
    size = 3 * NUM_POINTS
    weights = [
        random.standard_normal(shape) / 2 for shape in ((size, 32), (32,), (32, size + 1), (size + 1,))
    ]
    hidden = jnp.tanh(x.reshape(*x.shape[:-2], size) @ weights[0] + weights[1])
    out = hidden @ weights[2] + weights[3]
    return {"force": out[..., :-1].reshape(x.shape), "energy": out[..., -1]}


def measure(config: Config) -> StabilityResult:
    """Measure everything, in double precision."""
    key = jax.random.key(config.seed)
    with jax.enable_x64(True):
        found = {name: jnp.asarray(cloud) for name, cloud in clouds(config.seed).items()}

        def report(f, cloud):
            return frame_report(f, GROUP, (Point(),), OUT_REPS, (cloud,), key=key, steps=STEPS, num_samples=4)

        reports = {}
        for name, make in FRAMES.items():
            averaged = jax.jit(
                frame_average(network, functools.partial(make, group=GROUP), (Point(),), OUT_REPS)
            )
            reports |= {(name, kind): report(averaged, cloud) for kind, cloud in found.items()}
        stochastic = {count: _stochastic_error(count, found["generic"], key) for count in COUNTS}
        return StabilityResult(reports, report(network, found["generic"]), stochastic)


def _stochastic_error(count: int, cloud, key) -> float:
    """The equivariance error of an average over so many random elements, drawn anew for each call."""
    averaged = stochastic_frame_average(
        network, functools.partial(pca_frame, group=GROUP), (Point(),), OUT_REPS, num_samples=count
    )

    def once(key):
        errors = error(
            functools.partial(averaged, key), GROUP, (Point(),), OUT_REPS, (cloud,), key=key, num_samples=1
        )
        return jnp.max(jnp.stack(jax.tree.leaves(errors)))

    return float(jnp.mean(jax.jit(jax.vmap(once))(jax.random.split(key, 64))))
