"""Streamed first and second moments of the activations of two networks, and how alike their neurons are.

Batches are merged by the formulas of Chan, Golub & LeVeque, "Updating formulae and a pairwise algorithm for
computing sample variances", 1979, which lose no digits when means are large.
"""

from typing import NamedTuple

import jax.numpy as jnp
from jaxtyping import Array, Float

from equijax.numerics import check

STATISTICS = ("second_moment", "correlation", "squared_distance")


class Moments(NamedTuple):
    """Moments of pairs of neurons, over samples.

    Attributes:
      count: the number of samples.
      mean_a, mean_b: means.
      variation_a, variation_b: sums of squared deviations from the mean.
      covariation: ``[..., i, j]``: sum of products of the deviations of neuron i of b and neuron j of a.
    """

    count: Float[Array, ""]
    mean_a: Float[Array, "... n"]
    mean_b: Float[Array, "... n"]
    variation_a: Float[Array, "... n"]
    variation_b: Float[Array, "... n"]
    covariation: Float[Array, "... n n"]


def moments(a: Float[Array, "samples ... n"], b: Float[Array, "samples ... n"]) -> Moments:
    """The moments of one batch.

    Args:
      a, b: activations of the same inputs in two networks; axes between the first and the last belong to
        members of a family.

    Raises:
      ValueError: if the shapes differ, or there is no sample.
      TypeError: if the activations are not real floating-point numbers.

    Example:
      >>> float(moments(jnp.ones((5, 2)), jnp.ones((5, 2))).count)
      5.0
    """
    check.floating("a", a)
    check.floating("b", b)
    if a.shape != b.shape or a.ndim < 2 or not a.shape[0]:
        raise ValueError(f"a and b must have one shape (samples, ..., n), got {a.shape} and {b.shape}")
    mean_a, mean_b = a.mean(0), b.mean(0)
    a, b = a - mean_a, b - mean_b
    cross = jnp.einsum("s...i,s...j->...ij", b, a, precision="highest")
    return Moments(jnp.asarray(float(len(a))), mean_a, mean_b, (a**2).sum(0), (b**2).sum(0), cross)


def merged_moments(first: Moments, second: Moments) -> Moments:
    """The moments of two batches together.

    Example:
      >>> x = jnp.arange(8.0).reshape(4, 2)
      >>> both = merged_moments(moments(x[:1], x[:1]), moments(x[1:], x[1:]))
      >>> bool(jnp.allclose(both.covariation, moments(x, x).covariation))
      True
    """
    count = first.count + second.count
    share = second.count / count
    step_a, step_b = second.mean_a - first.mean_a, second.mean_b - first.mean_b
    weight = first.count * share
    return Moments(
        count,
        first.mean_a + share * step_a,
        first.mean_b + share * step_b,
        first.variation_a + second.variation_a + weight * step_a**2,
        first.variation_b + second.variation_b + weight * step_b**2,
        first.covariation + second.covariation + weight * step_b[..., :, None] * step_a[..., None, :],
    )


def similarity(found: Moments, statistic: str) -> Float[Array, "... n n"]:
    """How alike neuron i of b and neuron j of a are.

    Args:
      found: the moments.
      statistic: ``"second_moment"``: the mean product; ``"correlation"``: Pearson's, zero for neurons that
        never change; ``"squared_distance"``: minus the mean squared difference. The first and the last have
        the same best assignment.

    Raises:
      ValueError: if the statistic is unknown.

    Example:
      >>> x = jnp.array([[0.0, 1.0], [1.0, 0.0]])
      >>> similarity(moments(x, x[:, ::-1]), "correlation").round(3).tolist()
      [[-1.0, 1.0], [1.0, -1.0]]
    """
    check.one_of("statistic", statistic, STATISTICS)
    if statistic == "correlation":
        spread = jnp.sqrt(found.variation_b)[..., :, None] * jnp.sqrt(found.variation_a)[..., None, :]
        return jnp.where(spread > 0, found.covariation / jnp.where(spread > 0, spread, 1), 0)
    product = found.covariation / found.count + found.mean_b[..., :, None] * found.mean_a[..., None, :]
    if statistic == "second_moment":
        return product
    square_a = found.variation_a / found.count + found.mean_a**2
    square_b = found.variation_b / found.count + found.mean_b**2
    return 2 * product - square_a[..., None, :] - square_b[..., :, None]
