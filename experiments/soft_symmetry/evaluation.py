"""Errors of trained networks, and how symmetric they, the true function and the best constant are."""

from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from equijax.equivariance import projection_residuals
from equijax.groups import Group
from equijax.nn import layer_representations
from experiments.soft_symmetry.families import Family, Samples
from experiments.soft_symmetry.fitting import Fitted

CHUNK = 512
NUM_ELEMENTS = 16
NUM_INPUTS = 64


class Outcome(NamedTuple):
    """What the networks of a method achieved on a task, for one variant of the penalty.

    Attributes:
      method: the method's label.
      valid, test: mean squared error of each seed's network.
      symmetry: by group, the mean relative error of commuting with it.
      levels: by penalised group, the mean level of the weights (see `equijax.equivariance.discover`); empty
        for networks without free weights.
      strengths: by penalised group, the mean strength at the end.
      num_parameters: of one network.
      seconds: of the training of all networks of the method.
    """

    method: str
    valid: np.ndarray
    test: np.ndarray
    symmetry: dict[Group, float]
    levels: dict[Group, float]
    strengths: dict[Group, float]
    num_parameters: int
    seconds: float


class Predictor:
    """The networks of a method as functions of a batch, compiled once.

    Args:
      fitted: the trained networks.
    """

    def __init__(self, fitted: Fitted):
        def apply(params, x):
            return fitted.model.apply({"params": params}, x)

        self._apply = jax.jit(jax.vmap(apply, in_axes=(0, None)))

    def __call__(self, params, x: np.ndarray) -> np.ndarray:
        """Outputs of each network, shape ``(networks, n, o)``."""
        count = len(x)
        # The last chunk is filled up, so that all have one shape.
        filled = np.resize(x, (-(-count // CHUNK) * CHUNK, x.shape[1]))
        parts = [self._apply(params, filled[start : start + CHUNK]) for start in range(0, len(filled), CHUNK)]
        return np.concatenate([np.asarray(part) for part in parts], axis=1)[:, :count]


class Motion(NamedTuple):
    """Inputs moved by elements of a group, and the matrices of these on outputs.

    Attributes:
      still: inputs, shape ``(n, i)``.
      moved: shape ``(elements, n, i)``.
      matrices: shape ``(elements, o, o)``.
    """

    still: np.ndarray
    moved: np.ndarray
    matrices: np.ndarray

    def error(self, predict) -> np.ndarray:
        """The mean of ``‖f(g x) - g f(x)‖ / (‖f(g x)‖ + ‖g f(x)‖)``, for each of several functions.

        Args:
          predict: a function of inputs ``(m, i)`` with outputs ``(functions, m, o)``.
        """
        moved = predict(self.moved.reshape(-1, self.moved.shape[-1]))
        moved = moved.reshape(len(moved), *self.moved.shape[:2], -1)
        expected = np.einsum("goi,fni->fgno", self.matrices, predict(self.still))
        size = np.linalg.norm(moved, axis=-1) + np.linalg.norm(expected, axis=-1)
        ratio = np.linalg.norm(moved - expected, axis=-1) / np.where(size > 0, size, 1)
        return ratio.mean(axis=(1, 2))


def motions(family: Family, x: np.ndarray) -> dict[Group, Motion]:
    """The motion of some inputs by random elements of each group of a family."""
    x = x[:NUM_INPUTS]
    found = {}
    for group in family.groups:
        elements = group.sample(jax.random.key(0), (NUM_ELEMENTS,))
        into, out = (np.asarray(rep.matrix(elements)) for rep in (family.in_rep, family.out_rep))
        found[group] = Motion(x, np.einsum("goi,ni->gno", into, x), out)
    return found


def _weight_levels(family: Family, fitted: Fitted) -> np.ndarray:
    """Levels of the weights of each soft network, shape ``(networks, groups)``."""
    reps = layer_representations(fitted.model, jnp.zeros((1, *family.in_rep.shape(family.whole))))
    levels = jax.jit(jax.vmap(lambda params: projection_residuals(params, reps, family.parts).levels))
    return np.asarray(levels(fitted.params))


def references(family: Family, name: str, samples: Samples, moves: dict[Group, Motion]) -> dict:
    """Symmetry errors of the true function, if it is known, and of the best constant; by name and group."""
    mean = samples[1].mean(axis=0)
    functions = {"best constant": lambda x: np.broadcast_to(mean, (1, len(x), len(mean)))}
    truth = family.tasks[name].truth
    if truth is not None:
        functions["true function"] = lambda x: np.asarray(truth(jnp.asarray(x)))[None]
    return {
        label: {group: float(move.error(function)[0]) for group, move in moves.items()}
        for label, function in functions.items()
    }


def evaluate(
    family: Family,
    label: str,
    fitted: Fitted,
    valid: dict[str, Samples],
    test: dict[str, Samples],
) -> dict[tuple[str, int], Outcome]:
    """Outcomes by task and number of the variant.

    Args:
      family: of the tasks.
      label: of the method.
      fitted: the trained networks.
      valid, test: samples of each task.
    """
    predictor, found = Predictor(fitted), {}
    levels = None if fitted.strengths is None else _weight_levels(family, fitted)
    shape = (len(fitted.tasks), len(fitted.variants), -1)
    places = np.arange(len(jax.tree.leaves(fitted.params)[0])).reshape(shape)

    def by_variant(values, place):
        return dict(zip(family.parts, map(float, values[place].mean(axis=0)), strict=True))

    for number, name in enumerate(fitted.tasks):
        own = places[number].ravel()
        params = jax.tree.map(lambda leaf, own=own: leaf[own], fitted.params)

        def predict(x, params=params, scale=fitted.scales[number]):
            return scale * predictor(params, x)

        errors = [np.mean((predict(x) - y) ** 2, axis=(1, 2)) for x, y in (valid[name], test[name])]
        moves = motions(family, test[name][0])
        symmetry = {group: move.error(predict) for group, move in moves.items()}
        for index in range(len(fitted.variants)):
            local = np.arange(len(own)).reshape(shape[1:])[index]
            place = places[number, index]
            found[name, index] = Outcome(
                method=label,
                valid=errors[0][local],
                test=errors[1][local],
                symmetry={group: float(each[local].mean()) for group, each in symmetry.items()},
                levels={} if levels is None else by_variant(levels, place),
                strengths={} if fitted.strengths is None else by_variant(fitted.strengths, place),
                num_parameters=fitted.num_parameters,
                seconds=fitted.seconds,
            )
    return found
