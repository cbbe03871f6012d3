"""Representations that permute entries: tensors over n points, and functions on a finite group."""

import dataclasses
import functools

import jax
import jax.numpy as jnp

from equijax.groups import actions
from equijax.groups.base import check_size
from equijax.groups.blocks import kronecker
from equijax.groups.representation import Representation


def _move(x, image, ndim: int):
    """``y[image[i1], image[i2], ...] = x[i1, i2, ...]`` over the last ``ndim`` axes."""
    image = jnp.asarray(image)
    source = jnp.argsort(image, axis=-1)
    if source.ndim == 1:
        for axis in range(-ndim, 0):
            x = jnp.take(x, source, axis=axis)
        return x
    batch = jnp.broadcast_shapes(source.shape[:-1], x.shape[: x.ndim - ndim])
    x = jnp.broadcast_to(x, (*batch, *x.shape[x.ndim - ndim :]))
    for axis in range(-ndim, 0):
        index = source.reshape(*source.shape[:-1], *(-1 if a == axis else 1 for a in range(-ndim, 0)))
        index = jnp.broadcast_to(index, (*batch, *index.shape[index.ndim - ndim :]))
        x = jnp.take_along_axis(x, index, axis=axis)
    return x


def _one_hot(image):
    """Matrices with ones at ``(image[i], i)``."""
    return jnp.swapaxes(jax.nn.one_hot(image, image.shape[-1], dtype=jnp.result_type(float)), -1, -2)


@dataclasses.dataclass(frozen=True, repr=False)
class PermutationTensor(Representation):
    """Tensors over n points: order 1 for node features ``(n,)``, order 2 for adjacency matrices ``(n, n)``.

    ``(g x)[g(i), g(j), ...] = x[i, j, ...]``, in other words ``(g x)[i] = x[g^-1(i)]``. Works for arrays of
    any dtype.

    Attributes:
      order: the number of axes, each of size n; 0 for numbers that no permutation changes.

    Raises:
      TypeError: if ``order`` is not an integer.
      ValueError: if ``order`` is negative.

    Example:
      >>> PermutationTensor(1).act(jnp.array([1, 2, 0]), jnp.array([10, 20, 30]))
      Array([30, 10, 20], dtype=int32)
    """

    order: int
    is_orthogonal = True

    def __post_init__(self):
        check_size("order", self.order, 0)

    @property
    def ndim(self):
        """The order."""
        return self.order

    def _shape(self, g):
        return jax.eval_shape(actions.permutation, g).shape[-1:] * self.order

    def _act(self, g, x):
        return _move(x, actions.permutation(g), self.order)

    def _matrix(self, g):
        single = _one_hot(actions.permutation(g))
        ones = jnp.ones((*single.shape[:-2], 1, 1), single.dtype)
        return functools.reduce(kronecker, [single] * self.order, ones)


@dataclasses.dataclass(frozen=True, repr=False)
class Regular(Representation):
    """Functions on a finite group: ``(g f)(h) = f(g^-1 h)``, entries in the order of ``group.elements()``.

    Example:
      >>> from equijax.groups import S
      >>> Regular().shape(S(3))
      (6,)
    """

    is_orthogonal = True

    def _shape(self, g):
        return jax.eval_shape(actions.regular_permutation, g).shape[-1:]

    def _act(self, g, x):
        return _move(x, actions.regular_permutation(g), 1)

    def _matrix(self, g):
        return _one_hot(actions.regular_permutation(g))
