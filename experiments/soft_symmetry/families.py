"""The tasks, by what they share: groups, representations and networks.

Tasks of one family differ in their targets only, so that their networks are trained side by side.
"""

import dataclasses
from collections.abc import Callable
from functools import partial

import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float

from equijax.groups import (
    SE,
    SO,
    Group,
    Homogeneous,
    O,
    Representation,
    Scaling,
    Translation,
    Trivial,
    Vector,
)
from experiments.soft_symmetry.groups import PLANES, plane_group
from experiments.tasks.cosine_similarity import draw_vectors, similarity
from experiments.tasks.gravity_trajectories import draw_trajectories
from experiments.tasks.inertia import NUM_BODIES, draw_bodies, scaled_inertia
from experiments.tasks.se3_distances import distance, draw_points

Samples = tuple[Float[np.ndarray, "n i"], Float[np.ndarray, "n o"]]


@dataclasses.dataclass(frozen=True)
class Task:
    """What is learnt.

    Attributes:
      draw: ``draw(num, seed)`` gives inputs and targets.
      truth: the function of a batch of inputs, if it is known.
      holds: the largest candidate that the function commutes with; None if there is none.
    """

    draw: Callable[[int, int], Samples]
    truth: Callable[[Array], Array] | None
    holds: Group | None


@dataclasses.dataclass(frozen=True)
class Family:
    """Tasks with one set of candidate groups, and how these act.

    Attributes:
      whole: the group that the equivariant network commutes with; products and gates of all networks do.
      parts: the candidates that are penalised.
      solvable: the parts that hard networks can be built for: their tensors lead from inputs to outputs.
      in_rep, out_rep: how all of them act.
      vector: what the vectors of hidden layers are.
      frame_group: for the baseline of frame averaging.
      points: the points of an input that its frame is made of, shape ``(..., k, 3)``.
      tasks: by name.
    """

    whole: Group
    parts: tuple[Group, ...]
    solvable: tuple[Group, ...]
    in_rep: Representation
    out_rep: Representation
    vector: Representation
    frame_group: Group
    points: Callable[[Array], Array]
    tasks: dict[str, Task]

    @property
    def groups(self) -> tuple[Group, ...]:
        """All groups: the whole, and the parts that are not it."""
        return (self.whole, *(part for part in self.parts if part != self.whole))

    def hidden(self, scalars: int, vectors: int, matrices: int) -> Representation:
        """The representation of hidden layers."""
        return scalars * Trivial() + vectors * self.vector + matrices * (self.vector * self.vector)


def _flat(function: Callable) -> Callable:
    """A function with one axis of outputs."""

    def flat(x):
        y = function(x)
        return y.reshape(*x.shape[:-1], -1)

    return flat


def _exact(draw: Callable, truth: Callable, holds: Group | None) -> Task:
    """A task without noise: targets are the function's."""

    def drawn(num: int, seed: int) -> Samples:
        x = draw(num, seed).astype(np.float32)
        return x, np.asarray(truth(jnp.asarray(x)))

    return Task(drawn, truth, holds)


def _inertia_task(factors: tuple[float, float, float], holds: Group | None) -> Task:
    """Tensors of inertia with scaled columns."""
    return _exact(draw_bodies, _flat(partial(scaled_inertia, column_factors=factors)), holds)


def _trajectory_task(gravity: float, holds: Group) -> Task:
    """Trajectories in a field; what the best prediction is, is not known in closed form."""

    def drawn(num: int, seed: int) -> Samples:
        found = draw_trajectories(num, seed, gravity=gravity)
        return found.past.astype(np.float32), found.future.astype(np.float32)

    return Task(drawn, None, holds)


def _reshaped(start: int, size: int) -> Callable:
    """The points of an input: ``size`` numbers each, of which the first three are coordinates."""
    return lambda x: x[..., start:].reshape(*x.shape[:-1], -1, size)[..., :3]


_PLANE_GROUPS = tuple(plane_group(plane) for plane in PLANES)

FAMILIES = {
    "inertia": Family(
        whole=O(3),
        parts=_PLANE_GROUPS,
        solvable=_PLANE_GROUPS,
        in_rep=NUM_BODIES * Trivial() + NUM_BODIES * Vector(),
        out_rep=Vector() * Vector(),
        vector=Vector(),
        frame_group=O(3),
        points=_reshaped(NUM_BODIES, 3),
        tasks={
            "inertia, exact": _inertia_task((1.0, 1.0, 1.0), O(3)),
            "inertia, no column z": _inertia_task((1.0, 1.0, 0.0), plane_group("xy")),
            "inertia, x and y scaled": _inertia_task((1.3, 0.7, 1.0), None),
        },
    ),
    "cosine": Family(
        whole=SO(3),
        parts=(SO(3), Scaling(3)),
        solvable=(SO(3),),
        in_rep=3 * Vector(),
        out_rep=Trivial(),
        vector=Vector(),
        frame_group=SO(3),
        points=_reshaped(0, 3),
        tasks={
            "cosine, scale broken": _exact(draw_vectors, _flat(partial(similarity, kind="so3")), SO(3)),
            "cosine, rotation broken": _exact(
                draw_vectors, _flat(partial(similarity, kind="scale")), Scaling(3)
            ),
        },
    ),
    "se3": Family(
        whole=SE(3),
        parts=(SO(3), Translation(3)),
        solvable=(SO(3),),
        in_rep=3 * Homogeneous(),
        out_rep=Trivial(),
        vector=Homogeneous(),
        frame_group=SE(3),
        points=_reshaped(0, 4),
        tasks={
            "SE(3), translation broken": _exact(draw_points, _flat(partial(distance, kind="ball")), SO(3)),
            "SE(3), rotation broken": _exact(
                draw_points, _flat(partial(distance, kind="l1")), Translation(3)
            ),
        },
    ),
    "trajectories": Family(
        whole=O(3),
        parts=_PLANE_GROUPS,
        solvable=_PLANE_GROUPS,
        in_rep=6 * Vector(),
        out_rep=6 * Vector(),
        vector=Vector(),
        frame_group=O(3),
        points=_reshaped(0, 3),
        tasks={"trajectories in a weak field": _trajectory_task(0.5, plane_group("xy"))},
    ),
}
