"""Normals of surfaces: PointNet alone, and averaged over frames, in three protocols.

A protocol says in which pose shapes are learnt from, and in which tested: I/I, I/SO(3) and SO(3)/SO(3).
"""

import functools
import pathlib
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from equijax.euclid import pca_frame
from equijax.groups import SE, SO, Point, Vector
from equijax.nn import FrameAveraged
from experiments.baselines.point_net import PointNet
from experiments.frame_averaging.config import Config
from experiments.frame_averaging.fitting import Fitted, fit_networks, in_chunks
from experiments.tasks.shape_normals import Surfaces, draw_surfaces, rotated

PROTOCOLS = ("I/I", "I/SO(3)", "SO(3)/SO(3)")
BATCH = 16


class NormalsResult(NamedTuple):
    """Errors of one method.

    Attributes:
      errors: mean of ``1 - cos²`` by protocol, shape ``(seeds,)`` each.
      fits: the networks, by the pose that they learnt from.
    """

    errors: dict[str, np.ndarray]
    fits: dict[str, Fitted]


def make_network(method: str):
    """PointNet, alone or averaged over the frame of the principal axes of SE(3)."""
    net = PointNet()
    if method == "PointNet":
        return net
    frame = functools.partial(pca_frame, group=SE(3))
    return FrameAveraged(net, frame, (Point(),), Vector())


def measure(config: Config, workdir: pathlib.Path) -> dict[str, NormalsResult]:
    """Train each method in both poses, and test it in all protocols.

    Raises:
      SystemExit: if a signal ended the training; the same command goes on.
    """
    train = draw_surfaces(config.num_surfaces, config.num_points, seed=config.seed)
    upright = draw_surfaces(max(5, config.num_surfaces // 4), config.num_points, seed=config.seed + 1)
    tests = {"I": upright, "SO(3)": rotated(upright, seed=config.seed + 2)}
    results = {}
    for method in config.normal_methods:
        model = make_network(method)
        apply = jax.jit(jax.vmap(lambda params, x, m=model: m.apply({"params": params}, x), (0, None)))
        fits, errors = {}, {}
        for pose in tests:
            print(f"normals: {method}, learning in pose {pose}", flush=True)
            fits[pose] = fit_networks(
                config,
                model,
                functools.partial(_loss, model, pose),
                train,
                inputs=lambda batch: batch[:1],
                num_steps=config.normal_steps,
                batch_size=BATCH,
                learning_rate=3e-3,
                workdir=workdir / f"normals_{method}_{'upright' if pose == 'I' else 'turned'}",
            )
        for protocol in PROTOCOLS:
            learnt, shown = protocol.split("/", 1)
            predicted = in_chunks(apply, fits[learnt].params, (tests[shown].points,), 20)
            errors[protocol] = np.mean(np.asarray(line_errors(predicted, tests[shown].normals)), axis=(1, 2))
        results[method] = NormalsResult(errors, fits)
    return results


def _loss(model, pose: str, params, batch: Surfaces, key) -> jax.Array:
    """The mean error of a batch, each cloud turned at random if the pose is SO(3)."""
    if pose == "SO(3)":
        turns = SO(3).sample(key, (len(batch.points),))
        batch = Surfaces(*(jnp.einsum("sij,snj->sni", turns, array) for array in batch))
    return jnp.mean(line_errors(model.apply({"params": params}, batch.points), batch.normals))


def line_errors(predicted, normals):
    """``1 - cos²`` of the angle between two lines: the loss and the metric, blind to signs.

    Example:
      >>> line_errors(jnp.array([[0.0, -2.0], [3.0, 0.0]]), jnp.array([0.0, 1.0])).tolist()
      [0.0, 1.0]
    """
    along = jnp.sum(predicted * normals, axis=-1) ** 2
    return 1 - along / jnp.maximum(jnp.sum(predicted**2, axis=-1), 1e-12)
