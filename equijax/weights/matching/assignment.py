"""Assignment of neurons to neurons: the best permutation for a table of scores, and its soft relaxation.

Two exact solvers give permutations of the same total score: scipy's on the host (Crouse, "On implementing 2D
rectangular assignment algorithms", IEEE TAES 2016), and optax's Hungarian algorithm, which runs under
``jit`` and ``vmap``. `sinkhorn` relaxes permutations to doubly stochastic matrices (Sinkhorn & Knopp 1967;
Cuturi, "Sinkhorn distances", NeurIPS 2013).
"""

import jax
import jax.numpy as jnp
import numpy as np
import optax
from jaxtyping import Array, Float, Int

from equijax.numerics import check

BACKENDS = ("scipy", "optax")


def is_traced(tree) -> bool:
    """Whether a pytree holds a value that is known only when a compiled function runs.

    Example:
      >>> is_traced({"w": np.ones(2)}), jax.eval_shape(lambda x: x * is_traced(x), jnp.ones(2)).shape
      (False, (2,))
    """
    return any(isinstance(leaf, jax.core.Tracer) for leaf in jax.tree.leaves(tree))


def chosen_backend(backend: str | None, *trees) -> str:
    """The back end that was asked for; otherwise scipy for values that are known, and optax for others.

    Raises:
      ValueError: if the name is unknown, or scipy is asked to work on traced values.

    Example:
      >>> chosen_backend(None, np.ones((2, 2)))
      'scipy'
    """
    check.one_of("backend", backend, (None, *BACKENDS))
    traced = is_traced(trees)
    if backend == "scipy" and traced:
        raise ValueError("backend must be 'optax' (or None) under jit, vmap and grad, got 'scipy'")
    return backend or ("optax" if traced else "scipy")


def maximum_assignment(scores: Float[Array, "... n n"], *, backend: str | None = None) -> Int[Array, "... n"]:
    """The permutation with the largest sum of scores.

    Args:
      scores: ``scores[..., i, j]`` is the gain of sending ``i`` to ``j``.
      backend: ``"scipy"`` (on the host) or ``"optax"`` (traced); None chooses scipy for values that are
        known, and optax under ``jit``, ``vmap`` and ``grad``. Both are exact; of permutations that are
        equally good they may return different ones.

    Returns:
      ``p`` that maximizes ``sum_i scores[..., i, p[..., i]]``, int32: an element of `equijax.groups.S`. It is
      piecewise constant, so that its derivative is zero.

    Raises:
      ValueError: if the scores are not square, not finite (where that is known), or the back end is unknown.
      TypeError: if the scores are not real floating-point numbers.

    Example:
      >>> maximum_assignment(jnp.array([[0.0, 2.0, 1.0], [3.0, 4.0, 0.0], [0.0, 1.0, 0.0]])).tolist()
      [1, 0, 2]
    """
    check.floating("scores", scores)
    check.shape("scores", scores, "... n n")
    if chosen_backend(backend, scores) == "optax":
        return traced_assignment(scores)
    return jnp.asarray(host_assignment(np.asarray(scores)))


def host_assignment(scores: Float[np.ndarray, "... n n"]) -> Int[np.ndarray, "... n"]:
    """`maximum_assignment` of NumPy arrays by scipy, as a NumPy array.

    Raises:
      ValueError: if a score is not finite.

    Example:
      >>> host_assignment(np.eye(3)[::-1]).tolist()
      [2, 1, 0]
    """
    # Here, because scipy.optimize takes long to import.
    from scipy.optimize import linear_sum_assignment

    if not np.isfinite(scores).all():
        raise ValueError("scores must be finite, got entries that are infinite or not a number")
    *batch, size, _ = scores.shape
    # In double precision: scipy's algorithm may not end on scores that it has to round.
    flat = np.asarray(scores, np.float64).reshape(-1, size, size)
    images = [linear_sum_assignment(each, maximize=True)[1] for each in flat]
    return np.asarray(images, np.int32).reshape(*batch, size)


def traced_assignment(scores: Float[Array, "... n n"]) -> Int[Array, "... n"]:
    """`maximum_assignment` by optax's Hungarian algorithm. Scores that are not finite count as zero.

    Example:
      >>> jax.jit(traced_assignment)(jnp.eye(3)[::-1]).tolist()
      [2, 1, 0]
    """
    *batch, size, _ = scores.shape
    # The algorithm would not end on NaN. It is not differentiated: permutations are constants.
    flat = jax.lax.stop_gradient(jnp.reshape(scores, (-1, size, size)))
    images = jax.vmap(_hungarian)(jnp.where(jnp.isfinite(flat), flat, 0))
    return images.reshape(*batch, size)


@jax.jit
def _hungarian(scores):
    """One permutation."""
    rows, columns = optax.assignment.hungarian_algorithm(-scores)
    return jnp.zeros(scores.shape[0], jnp.int32).at[rows].set(columns.astype(jnp.int32))


def sinkhorn(
    logits: Float[Array, "... n n"], *, temperature: float = 1.0, num_iterations: int = 20
) -> Float[Array, "... n n"]:
    """A doubly stochastic matrix from logits: the soft form of `maximum_assignment`.

    Rows and columns are normalised in turns, in the logarithmic domain. As the temperature goes to zero the
    result tends to the matrix of the best permutation, and more iterations are needed.

    Args:
      logits: scores of sending ``i`` (row) to ``j`` (column).
      temperature: above 0.
      num_iterations: how often rows and columns are normalised, at least 1.

    Returns:
      Non-negative; columns sum to one, rows approximately.

    Raises:
      TypeError: if the logits are not real floating-point numbers, or the count is no integer.
      ValueError: if the logits are not square, or a number is out of range.

    Example:
      >>> sinkhorn(jnp.array([[0.0, 1.0], [1.0, 0.0]]), temperature=0.1).round(3).tolist()
      [[0.0, 1.0], [1.0, 0.0]]
    """
    check.floating("logits", logits)
    check.shape("logits", logits, "... n n")
    check.positive("temperature", temperature)
    check.count("num_iterations", num_iterations, 1)

    def normalised(logs, _):
        logs = jax.nn.log_softmax(logs, axis=-1)
        return jax.nn.log_softmax(logs, axis=-2), None

    logs, _ = jax.lax.scan(normalised, jnp.asarray(logits) / temperature, length=num_iterations)
    return jnp.exp(logs)
