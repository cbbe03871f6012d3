"""Scales and signs of neurons, with and without permutations: the symmetries of ReLU and of odd activations.

A ReLU unit whose incoming weights are multiplied by a positive number and whose outgoing weights are divided
by it computes the same (Neyshabur, Salakhutdinov & Srebro, "Path-SGD", NeurIPS 2015); a tanh unit keeps its
function when both change sign (Chen, Lu & Hecht-Nielsen, "On the geometry of feedforward neural network error
surfaces", Neural Computation 1993).
"""

import dataclasses
import itertools
import math

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float, Int

from equijax.groups import Group, S, actions
from equijax.groups.base import check_size
from equijax.groups.blocks import block_diagonal
from equijax.numerics import check


@jax.tree_util.register_dataclass
@dataclasses.dataclass(frozen=True, eq=False)
class Scaled:
    """An element of a monomial group: entry ``i`` is multiplied by its scales and signs, and goes to
    ``image[i]``.

    Attributes:
      image: where each neuron goes, shape ``(..., n)``.
      scale: positive numbers, shape ``(..., scales, n)``.
      sign: ones and minus ones, shape ``(..., signs, n)``.

    Example:
      >>> actions.permutation(Monomial(3, scales=1).identity())
      Array([0, 1, 2], dtype=int32)
    """

    image: Int[Array, "... n"]
    scale: Float[Array, "... k n"]
    sign: Float[Array, "... m n"]


@actions.permutation.register(Scaled)
def _(g):
    return g.image


@actions.batch_shape.register(Scaled)
def _(g):
    return g.image.shape[:-1]


@dataclasses.dataclass(frozen=True, repr=False)
class Monomial(Group):
    """Permutations of n neurons, and for each neuron independent positive scales and signs.

    `sample` draws permutations and signs from the uniform distribution, and scales log-uniformly from
    ``[1 / bound, bound]``, all independent. `matrix` is block diagonal: the permutation matrix, then one
    monomial matrix for each scale and each sign.

    Attributes:
      n: the number of neurons, at least 1.
      scales: how many independent scales each neuron has.
      signs: how many independent signs each neuron has.
      bound: the largest sampled scale, above 1.

    Raises:
      TypeError: if a count is not an integer.
      ValueError: if a count is too small, or ``bound`` is not above 1.

    Example:
      >>> Monomial(4, signs=1).order == 24 * 2**4, Monomial(4, scales=1).is_compact
      (True, False)
    """

    n: int
    scales: int = 0
    signs: int = 0
    bound: float = 2.0

    def __post_init__(self):
        check_size("n", self.n, 1)
        check_size("scales", self.scales, 0)
        check_size("signs", self.signs, 0)
        check.positive("bound", self.bound)
        if self.bound <= 1:
            raise ValueError(f"bound must be a number above 1, got {self.bound!r}")

    @property
    def is_finite(self):
        """Whether there are no scales."""
        return self.scales == 0

    @property
    def is_compact(self):
        """Whether there are no scales."""
        return self.scales == 0

    @property
    def order(self):
        """n! times two for each sign of each neuron.

        Raises:
          ValueError: if there are scales.
        """
        if self.scales:
            return super().order
        return self._moves().order * 2 ** (self.signs * self.n)

    def _moves(self) -> Group:
        """The permutations of the neurons."""
        return S(self.n)

    def _identity(self, shape, dtype):
        image = jnp.broadcast_to(jnp.arange(self.n, dtype=jnp.int32), (*shape, self.n))
        return Scaled(
            image,
            jnp.ones((*shape, self.scales, self.n), dtype),
            jnp.ones((*shape, self.signs, self.n), dtype),
        )

    def _compose(self, g, h):
        batch = jnp.broadcast_shapes(g.image.shape[:-1], h.image.shape[:-1])
        index = jnp.broadcast_to(h.image, (*batch, self.n))

        def at(leaf):
            spread = jnp.broadcast_to(leaf, (*batch, *leaf.shape[-2:]))
            return jnp.take_along_axis(spread, index[..., None, :], axis=-1)

        return Scaled(at(g.image[..., None, :])[..., 0, :], at(g.scale) * h.scale, at(g.sign) * h.sign)

    def _inverse(self, g):
        image = jnp.argsort(g.image, axis=-1).astype(g.image.dtype)
        back = image[..., None, :]
        return Scaled(
            image, 1 / jnp.take_along_axis(g.scale, back, -1), jnp.take_along_axis(g.sign, back, -1)
        )

    def _sample(self, key, shape, dtype):
        moves, scales, signs = jax.random.split(key, 3)
        limit = np.log(self.bound)
        logs = jax.random.uniform(scales, (*shape, self.scales, self.n), dtype, -limit, limit)
        return Scaled(
            self._sample_image(moves, shape, dtype),
            jnp.exp(logs),
            jax.random.rademacher(signs, (*shape, self.signs, self.n), dtype),
        )

    def _sample_image(self, key, shape, dtype):
        """Random permutations."""
        return self._moves()._sample(key, shape, dtype)

    def _elements(self):
        images = np.asarray(self._listed_images())
        choices = list(itertools.product((1, -1), repeat=self.signs * self.n))
        signs = np.array(choices).reshape(len(choices), self.signs, self.n)
        image = np.repeat(images, len(signs), axis=0)
        dtype = jnp.result_type(float)
        return Scaled(
            jnp.asarray(image),
            jnp.ones((len(image), 0, self.n), dtype),
            jnp.asarray(np.tile(signs, (len(images), 1, 1)), dtype),
        )

    def _listed_images(self):
        """All permutations."""
        return self._moves()._elements()

    def _matrix(self, g):
        moves = jnp.swapaxes(jax.nn.one_hot(g.image, self.n, dtype=g.scale.dtype), -1, -2)
        blocks = [moves]
        for factors, count in ((g.scale, self.scales), (g.sign, self.signs)):
            blocks += [moves * factors[..., number, None, :] for number in range(count)]
        return block_diagonal(blocks)


@dataclasses.dataclass(frozen=True, repr=False)
class Diagonal(Monomial):
    """Independent positive scales and signs of n neurons that stay in their places.

    Everything is as for `Monomial`, with the identity for permutation.

    Attributes:
      n, scales, signs, bound: as for `Monomial`.

    Example:
      >>> Diagonal(3, signs=1).order
      8
    """

    @property
    def order(self):
        """Two for each sign of each neuron.

        Raises:
          ValueError: if there are scales.
        """
        return super().order // math.factorial(self.n) if self.is_finite else super().order

    def _sample_image(self, key, shape, dtype):
        return self._moves()._identity(shape, dtype)

    def _listed_images(self):
        return self._moves()._identity((1,), jnp.result_type(float))
