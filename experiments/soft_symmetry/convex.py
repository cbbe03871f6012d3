"""The regularizer where everything is in closed form: a noisy linear map of tensors, from few samples.

``y = W x + noise`` with x, y in T(2), nine numbers each, and W of norm 9 in the space of maps that commute
with O(2)_xy (10 of 81 dimensions), plus ``departure`` times a part outside of it. The candidates are O(2)_xy,
O(2)_yz and O(2)_xz, which generate O(3). A minimum is a solution of 81 linear equations, so that methods
differ by their penalties alone; the strength of each is chosen on validation samples.
"""

import functools
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float

from equijax.equivariance import balance, basis
from equijax.groups import Vector
from experiments.soft_symmetry.groups import PLANES, plane_group

NUM_ENTRIES = 9
NORM = 9.0
NOISE = 0.3
NUM_VALID = 200
NUM_ROUNDS = 10
POWER = 2.0
RIDGE = 1e-6  # where neither data nor penalty say anything
METHODS = ("ridge", "equal", "true group", "hard", "once", "repeated")

CASES = ((0.0, 6), (0.0, 12), (0.1, 12), (0.3, 12))
"""Departure from the symmetry, and number of samples."""

CARD = {
    (0.0, 6): (0.339, 0.145, 0.0028, 0.0028, 0.0202, 0.0028),
    (0.0, 12): (0.0307, 0.0235, 0.0011, 0.0011, 0.0043, 0.0011),
    (0.1, 12): (0.0358, 0.0283, 0.0070, 0.0119, 0.0079, 0.0070),
    (0.3, 12): (0.0368, 0.0314, 0.0212, 0.0987, 0.0217, 0.0213),
}
"""What an earlier implementation of this miniature, in NumPy, measured."""


class ConvexOutcome(NamedTuple):
    """Errors of all methods in all trials.

    Attributes:
      errors: mean squared error of the entries of W, shape ``(methods, trials)``.
      found: share of trials in which the true group has the smallest residual, with equal strengths.
    """

    errors: Float[np.ndarray, "m t"]
    found: float


def run_case(departure: float, num_samples: int, *, num_trials: int, num_strengths: int, seed: int):
    """All methods on several draws of map and samples.

    Args:
      departure: from the symmetry, relative to the symmetric part.
      num_samples: to learn from.
      num_trials: draws.
      num_strengths: how many strengths are tried, from 1e-4 to 1e2.
      seed: of the random numbers.

    Returns:
      A `ConvexOutcome`.
    """
    strengths = np.logspace(-4, 2, num_strengths)
    with jax.enable_x64(True):
        keys = jax.random.split(jax.random.key(seed), num_trials)
        errors, found = _trials(keys, jnp.asarray(departure), num_samples, jnp.asarray(strengths))
        return ConvexOutcome(np.asarray(errors).T, float(np.mean(found)))


@functools.lru_cache
def _symmetric_basis() -> np.ndarray:
    """Orthonormal maps that commute with O(2)_xy, as columns, shape ``(81, 10)``."""
    rep = Vector() * Vector()
    return basis(plane_group("xy"), rep, rep).reshape(-1, NUM_ENTRIES**2).T


@functools.lru_cache
def _residual_matrices() -> np.ndarray:
    """``1 - P`` for each of the three groups, on flattened maps."""
    rep, found = Vector() * Vector(), []
    for plane in PLANES:
        columns = basis(plane_group(plane), rep, rep).reshape(-1, NUM_ENTRIES**2).T
        found.append(np.eye(NUM_ENTRIES**2) - columns @ columns.T)
    return np.stack(found)


@functools.partial(jax.jit, static_argnums=2)
def _trials(keys, departure, num_samples: int, strengths):
    """Errors ``(trials, methods)``, and whether the true group was found."""
    return jax.lax.map(lambda key: _trial(key, departure, num_samples, strengths), keys)


def _trial(key: Array, departure, num_samples: int, strengths):
    """Draw a map and samples, solve by every method with every strength, and take the best on validation."""
    truth, (x, y), valid = _drawn(key, departure, num_samples)
    columns, away = jnp.asarray(_symmetric_basis()), jnp.asarray(_residual_matrices())
    moments = jnp.kron(jnp.eye(NUM_ENTRIES), x.T @ x / num_samples)
    target = (y.T @ x / num_samples).ravel()

    def solve(penalty):
        return jnp.linalg.solve(moments + penalty + RIDGE * jnp.eye(len(target)), target)

    def penalised(weights):
        return solve(jnp.tensordot(weights, away, axes=1))

    def residuals(solution):
        return jnp.einsum("i,kij,j->k", solution, away, solution) / 2

    def repeated(strength, rounds):
        first = jnp.full(len(PLANES), strength)

        def one(_, weights):
            return balance(first, residuals(penalised(weights)), power=POWER)

        return penalised(jax.lax.fori_loop(0, rounds, one, first))

    def hard(strength):
        inner = columns.T @ moments @ columns + RIDGE * jnp.eye(columns.shape[1])
        return columns @ jnp.linalg.solve(inner, columns.T @ target)

    methods = {
        "ridge": lambda s: solve(s * jnp.eye(len(target))),
        "equal": lambda s: penalised(jnp.full(len(PLANES), s)),
        "true group": lambda s: penalised(jnp.zeros(len(PLANES)).at[0].set(s)),
        "hard": hard,
        "once": lambda s: repeated(s, 1),
        "repeated": lambda s: repeated(s, NUM_ROUNDS),
    }
    errors, chosen = [], {}
    for name in METHODS:
        solutions = jax.lax.map(methods[name], strengths)
        maps = solutions.reshape(-1, NUM_ENTRIES, NUM_ENTRIES)
        losses = jnp.mean((jnp.einsum("soi,ni->sno", maps, valid[0]) - valid[1]) ** 2, axis=(1, 2))
        chosen[name] = solutions[jnp.argmin(losses)]
        errors.append(jnp.mean((chosen[name] - truth) ** 2))
    return jnp.stack(errors), jnp.argmin(residuals(chosen["equal"])) == 0


def _drawn(key: Array, departure, num_samples: int):
    """A map with a symmetric part and one outside, and samples of it for training and validation."""
    symmetric, outside, inputs, noise = jax.random.split(key, 4)
    columns, away = jnp.asarray(_symmetric_basis()), jnp.asarray(_residual_matrices())[0]
    part = columns @ jax.random.normal(symmetric, (columns.shape[1],))
    rest = away @ jax.random.normal(outside, (len(away),))
    truth = part / jnp.linalg.norm(part) + departure * rest / jnp.linalg.norm(rest)
    truth = NORM * truth / jnp.linalg.norm(truth)
    x = jax.random.normal(inputs, (num_samples + NUM_VALID, NUM_ENTRIES))
    y = x @ truth.reshape(NUM_ENTRIES, NUM_ENTRIES).T
    y = y + NOISE * jax.random.normal(noise, y.shape)
    train, valid = ((x[part], y[part]) for part in (slice(num_samples), slice(num_samples, None)))
    return truth, train, valid
