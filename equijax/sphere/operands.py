"""What every product of two signals asks of its factors, and their weights by degree."""

import jax.numpy as jnp
from jaxtyping import Array, Float

from equijax.sphere import harmonics


def prepare(x, y, lmax: int | None):
    """Check the two factors of a product; return them in their common dtype, their degrees and ``lmax``.

    Raises:
      ValueError: if an argument has the wrong shape or ``lmax`` is negative.
      TypeError: if a factor is not a real floating-point array or ``lmax`` is not an integer.

    Example:
      >>> prepare(jnp.ones(1), jnp.ones(4), None)[2:]
      (0, 1, 1)
    """
    l1, l2 = harmonics.signal_degree("x", x), harmonics.signal_degree("y", y)
    dtype = jnp.result_type(x, y)
    x, y = jnp.asarray(x, dtype), jnp.asarray(y, dtype)
    harmonics.check_leading_axes("y", y.shape[:-1], "x", x.shape[:-1])
    lmax = l1 + l2 if lmax is None else lmax
    harmonics.check_degree("lmax", lmax)
    return x, y, l1, l2, lmax


def weigh(
    x: Float[Array, "... k1"], y: Float[Array, "... k2"], weights
) -> tuple[Float[Array, "... k1"], Float[Array, "... k2"], Array | None]:
    """Multiply the degrees of both factors with their weights; return them, and the result's weights.

    Args:
      x, y: the factors.
      weights: those of ``x``, ``y`` and the result, each ``(..., degree + 1)`` or None for ones; or None.

    Raises:
      ValueError: if weights have the wrong size.
      TypeError: if ``weights`` is not a tuple of three, or one of them not real floating-point numbers.

    Example:
      >>> x, y, weight = weigh(jnp.ones(4), jnp.ones(1), (jnp.array([1.0, 2.0]), None, None))
      >>> x.tolist(), weight
      ([1.0, 2.0, 2.0, 2.0], None)
    """
    if weights is not None and (not isinstance(weights, tuple | list) or len(weights) != 3):
        raise TypeError(f"weights must be a tuple of those of x, y and the result, got {weights!r}")
    weight_x, weight_y, weight_z = weights if weights is not None else (None, None, None)
    if weight_x is not None:
        x = harmonics.per_degree(weight_x, x, "weights[0]")
    if weight_y is not None:
        y = harmonics.per_degree(weight_y, y, "weights[1]")
    return x, y, weight_z
