"""What the three layers on ``R^n x| H`` share: relative elements, and what each sample counts.

The layers are integrals over the group against left Haar measure ``dy dh / |det h|``:

- lifting: ``(f * k)(x, g) = |det g|^-1 int f(x + y) k(g^-1 y) dy``;
- group convolution: ``(f * k)(x, g) = int f(x + y, h) k(g^-1 y, g^-1 h) dy dh / |det h|``;
- projection: ``(f * k)(x) = int f(x + y, h) k(h^-1 y) dy dh / |det h|``.

The integral over H is a weighted mean over samples, so that the scale of the output does not change with
their number. A layer commutes with an affine map exactly if the samples move with it, ``h -> a h``, and the
integral over R^n is a quadrature whose nodes move, too (`equijax.nn.lie.points`); on a pixel grid and with
samples that stay it does so up to an error that falls with their number (`equijax.nn.lie.layers`).
"""

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float

from equijax.groups.actions import linear_part
from equijax.groups.general_linear import GL, SL
from equijax.groups.haar_sampling import WeightedSamples, normalized_weights
from equijax.groups.orthogonal import SO
from equijax.numerics import check


def check_samples(name: str, samples: WeightedSamples, group: GL | SL | SO) -> int:
    """Require one set of samples of a group, and return how many they are.

    Raises:
      TypeError: if they are no `WeightedSamples`, or not of the group.
      ValueError: if they have further batch axes.

    Example:
      >>> check_samples("samples", WeightedSamples(SO(2).identity((3,)), jnp.zeros(3)), SO(2))
      3
    """
    check.instance(name, samples, WeightedSamples)
    group.check_element(f"{name}.elements", samples.elements)
    count = check.shape(f"{name}.log_weights", samples.log_weights, "count")["count"]
    check.shape(f"{name}.elements", linear_part(samples.elements), "count n n", count=count, n=group.n)
    return count


def pulled_back(samples: WeightedSamples, offsets: Float[Array, "... n"]) -> Float[Array, "count ... n"]:
    """Offsets as each sample sees them, ``g_i^-1 y``.

    Example:
      >>> pulled_back(WeightedSamples(SO(2).identity((3,)), jnp.zeros(3)), jnp.ones((4, 2))).shape
      (3, 4, 2)
    """
    inverse = jnp.linalg.inv(linear_part(samples.elements))
    return jnp.einsum("iab,...b->i...a", inverse, offsets, precision="highest")


def relative_elements(group: GL | SL | SO, out_samples: WeightedSamples, in_samples: WeightedSamples):
    """The elements ``g_i^-1 h_j``, batch axes ``(i, j)``.

    Example:
      >>> samples = WeightedSamples(SO(2).identity((3,)), jnp.zeros(3))
      >>> relative_elements(SO(2), samples, samples).shape
      (3, 3, 2, 2)
    """
    g, h = out_samples.elements, in_samples.elements
    inverse = jax.tree.map(lambda leaf: leaf[:, None], group.inverse(g))
    return group.compose(inverse, jax.tree.map(lambda leaf: leaf[None], h))


def inverse_determinants(samples: WeightedSamples) -> Float[Array, "count"]:
    """``1 / |det g_i|``, of the samples that an output or an integral runs over.

    Example:
      >>> inverse_determinants(WeightedSamples(SO(2).identity((2,)), jnp.zeros(2)))
      Array([1., 1.], dtype=float32)
    """
    return jnp.exp(-jnp.linalg.slogdet(linear_part(samples.elements))[1])


def haar_weights(samples: WeightedSamples) -> Float[Array, "count"]:
    """What each sample counts in a mean against left Haar measure ``dh / |det h|``: weights over ``|det h|``.

    Example:
      >>> haar_weights(WeightedSamples(SO(2).identity((2,)), jnp.zeros(2)))
      Array([0.5, 0.5], dtype=float32)
    """
    return normalized_weights(samples.log_weights) * inverse_determinants(samples)
