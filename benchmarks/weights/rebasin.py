"""The algorithm of git-re-basin (Ainsworth, Hayase & Srinivasa, ICLR 2023), for a specification by hand.

After ``weight_matching`` of its published code: every group is visited in random order with all others held
fixed, until a whole sweep gains nothing; weights and scores are JAX arrays in single precision, and the
assignment is scipy's.
"""

from collections.abc import Mapping

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Int

Specification = Mapping[str, list[tuple[str, int]]]
"""For each permutation the weights and axes that it acts on."""


def perceptron_specification(num_hidden: int) -> Specification:
    """The permutations of a perceptron's hidden layers.

    Example:
      >>> perceptron_specification(1)["P_0"]
      [('Dense_0/kernel', 1), ('Dense_0/bias', 0), ('Dense_1/kernel', 0)]
    """
    return {
        f"P_{i}": [(f"Dense_{i}/kernel", 1), (f"Dense_{i}/bias", 0), (f"Dense_{i + 1}/kernel", 0)]
        for i in range(num_hidden)
    }


def weight_matching(
    key: Array, specification: Specification, a: Mapping, b: Mapping, *, max_sweeps: int = 100
) -> dict[str, Int[np.ndarray, " n"]]:
    """Permutations of b's neurons: new position ``j`` takes old neuron ``permutation[j]``.

    Args:
      key: of the order of visits.
      specification: what each permutation acts on.
      a, b: weights by name.
      max_sweeps: the largest number of sweeps.
    """
    from scipy.optimize import linear_sum_assignment

    of_axis = {}
    for name, places in specification.items():
        for weight, axis in places:
            of_axis.setdefault(weight, {})[axis] = name
    sizes = {name: a[places[0][0]].shape[places[0][1]] for name, places in specification.items()}
    found = {name: jnp.arange(size) for name, size in sizes.items()}
    names = list(specification)
    for sweep in range(max_sweeps):
        progress = False
        for index in jax.random.permutation(jax.random.fold_in(key, sweep), len(names)):
            name = names[int(index)]
            scores = jnp.zeros((sizes[name], sizes[name]))
            for weight, axis in specification[name]:
                moved = _permuted(b[weight], of_axis[weight], found, axis)
                x, y = (jnp.moveaxis(each, axis, 0).reshape(sizes[name], -1) for each in (a[weight], moved))
                scores += x @ y.T
            _, best = linear_sum_assignment(np.array(scores), maximize=True)
            before, after = (float(jnp.vdot(scores, jnp.eye(sizes[name])[p])) for p in (found[name], best))
            progress = progress or after > before + 1e-12
            found[name] = jnp.array(best)
        if not progress:
            break
    return {name: np.asarray(each) for name, each in found.items()}


def _permuted(weight, axes: Mapping[int, str], found: Mapping, leave: int):
    """A weight with all permutations but that of one axis."""
    for axis, name in axes.items():
        if axis != leave:
            weight = jnp.take(weight, found[name], axis=axis)
    return weight


def objective(specification: Specification, a: Mapping, b: Mapping, found: Mapping) -> float:
    """The inner product of a and the permuted b, in double precision."""
    moved = {name: np.asarray(each, np.float64) for name, each in b.items()}
    for name, places in specification.items():
        for weight, axis in places:
            moved[weight] = np.take(moved[weight], found[name], axis)
    return sum(float((np.asarray(a[name], np.float64) * each).sum()) for name, each in moved.items())
