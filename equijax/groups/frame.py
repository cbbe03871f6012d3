"""Frames: small sets of group elements, chosen by the input, over which averages are exact.

A frame of an input X is a weighted set of elements that moves with it: the frame of g X is g times the frame
of X. Averaging a function over it makes the function equivariant (`equijax.equivariance.frame_average`), with
as many calls as the frame has elements. One type serves all kinds: the plain frames of Puny et al., "Frame
averaging for invariant and equivariant network design", ICLR 2022 (equal weights); weighted frames (Dym et
al., ICML 2024), which change continuously with the input; random subsets of either (Duval et al., ICML 2023);
minimal frames, one coset of the input's own symmetries (Lin et al., ICML 2024); and canonicalisation, which
is a frame of one element.
"""

import dataclasses

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float

from equijax.groups.actions import batch_shape
from equijax.groups.base import Element, Group, element_template
from equijax.numerics import check


@jax.tree_util.register_dataclass
@dataclasses.dataclass(frozen=True, eq=False)
class Frame:
    """A weighted set of group elements, or a batch of them.

    An element g stands for the canonical form ``g^-1 X`` of an input X: averages call functions on these, and
    move the results back by g.

    Attributes:
      group: the group of the elements, a static field.
      elements: elements of the group, every array with leading axes ``(..., m)``: any batch axes, then the m
        elements of a frame.
      weights: shape ``(..., m)``, not negative, of sum 1 over the last axis.

    Example:
      >>> from equijax.groups import Cyclic
      >>> frame = uniform_frame(Cyclic(4), Cyclic(4).elements())
      >>> frame.group, frame.size, frame.batch_shape
      (Cyclic(4), 4, ())
    """

    group: Group = dataclasses.field(metadata={"static": True})
    elements: Element
    weights: Float[Array, "... m"]

    @property
    def size(self) -> int:
        """The number m of elements of one frame."""
        return self.weights.shape[-1]

    @property
    def batch_shape(self) -> tuple[int, ...]:
        """The batch axes: how many frames there are."""
        return self.weights.shape[:-1]


def uniform_frame(group: Group, elements: Element, *, dtype=None) -> Frame:
    """The frame of given elements with equal weights; of one element, it is a canonicalisation.

    Args:
      group: the group.
      elements: elements with leading axes ``(..., m)``, m at least 1. Arrays of an element whose batch axes
        differ are broadcast.
      dtype: dtype of the weights; that of the elements if these are floating, JAX's default otherwise.

    Raises:
      TypeError: if ``group`` is no group, or ``elements`` are not of it.
      ValueError: if the elements have no axis of elements, or an empty one.

    Example:
      >>> from equijax.groups import S
      >>> uniform_frame(S(3), jnp.array([[0, 1, 2], [0, 2, 1]])).weights
      Array([0.5, 0.5], dtype=float32)
    """
    check.instance("group", group, Group)
    group.check_element("elements", elements)
    batch = batch_shape(elements)
    if not batch or batch[-1] == 0:
        raise ValueError(f"elements must have leading axes (..., m) with m at least 1, got {batch}")
    shapes = [leaf.shape for leaf in jax.tree.leaves(element_template(group))]
    leaves, structure = jax.tree.flatten(elements)
    leaves = [jnp.broadcast_to(leaf, (*batch, *shape)) for leaf, shape in zip(leaves, shapes, strict=True)]
    if dtype is None:
        floats = [leaf.dtype for leaf in leaves if jnp.issubdtype(leaf.dtype, jnp.floating)]
        dtype = jnp.result_type(*floats) if floats else jnp.result_type(float)
    return Frame(group, structure.unflatten(leaves), jnp.full(batch, 1 / batch[-1], dtype))


def sample_frame(key: Array, frame: Frame, num_samples: int) -> Frame:
    """Random elements of a frame, drawn by their weights: an unbiased estimate of averages over it.

    Draws are systematic: one random offset and equal steps through the cumulated weights. Each element is
    drawn ``num_samples`` times its weight on average, as in independent draws, but never further from that
    than one: a frame of m equal weights is met exactly once an element if ``num_samples`` is m. Derivatives
    with respect to the weights are unbiased, too.

    Args:
      key: a JAX random key.
      frame: the frame, or a batch of frames, which get independent offsets.
      num_samples: how many elements to draw from each frame.

    Returns:
      A frame of ``num_samples`` elements of equal weights.

    Raises:
      TypeError: if ``key`` is no random key, or ``frame`` no frame.
      ValueError: if ``num_samples`` is below 1.

    Example:
      >>> from equijax.groups import Cyclic
      >>> frame = uniform_frame(Cyclic(4), Cyclic(4).elements())
      >>> sample_frame(jax.random.key(0), frame, 2).weights
      Array([0.5, 0.5], dtype=float32)
    """
    check.key("key", key)
    check.instance("frame", frame, Frame)
    check.count("num_samples", num_samples, 1)
    weights = frame.weights
    fixed = jax.lax.stop_gradient(weights)
    ends = jnp.cumsum(fixed, axis=-1)
    offset = jax.random.uniform(key, (*frame.batch_shape, 1), ends.dtype)
    steps = (offset + jnp.arange(num_samples, dtype=ends.dtype)) / num_samples * ends[..., -1:]
    index = jnp.sum(ends[..., None, :] <= steps[..., :, None], axis=-1)
    # Rounding may carry the last step to the very end, behind the last element that has a weight.
    last = frame.size - 1 - jnp.argmax(fixed[..., ::-1] > 0, axis=-1)
    index = jnp.minimum(index, last[..., None]).astype(jnp.int32)
    drawn, odds = (jnp.take_along_axis(each, index, axis=-1) for each in (weights, fixed))
    # The value is 1 / num_samples; the derivative is that of the weight over the odds of its being drawn.
    return Frame(frame.group, _take(frame, index), drawn / odds / num_samples)


def _take(frame: Frame, index: Array) -> Element:
    """The elements of the given numbers, along the axis of elements."""
    axis = len(frame.batch_shape)

    def take(leaf):
        wide = index.reshape(*index.shape, *(1,) * (leaf.ndim - index.ndim))
        return jnp.take_along_axis(leaf, wide, axis=axis)

    return jax.tree.map(take, frame.elements)
