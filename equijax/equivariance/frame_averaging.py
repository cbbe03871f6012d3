"""Frame averaging: any function made equivariant by a few calls of it, on canonical forms of its input.

Over a frame of elements g with weights w, the average ``sum of w g f(g^-1 x)`` is equivariant if the frame
moves with x. Puny et al., "Frame averaging for invariant and equivariant network design", ICLR 2022, theorems
1, 3 and 4. If f commutes with another group, which leaves the frame as it is, the average still does: a frame
of a cloud of points makes a graph network equivariant to motions and permutations.
"""

import jax
import jax.numpy as jnp
from jaxtyping import Array

from equijax.equivariance import signature
from equijax.groups import act
from equijax.groups.frame import Frame, sample_frame
from equijax.numerics import check


def canonicalize(frame: Frame, in_reps, args: tuple) -> tuple:
    """The canonical forms ``g^-1 x`` of the arguments x, one for every element g of the frame.

    Args:
      frame: a frame, or a batch of frames.
      in_reps: signature of the arguments, a prefix of them.
      args: the arguments. For a batch of frames, every array starts with the batch's axes.

    Returns:
      The arguments with a new first axis m in every array.

    Raises:
      TypeError: if ``frame`` is no frame or ``args`` no tuple.
      ValueError: if the signature does not match, or an array lacks the frames' batch axes.

    Example:
      >>> from equijax.groups import Shift, Translation, Point, uniform_frame
      >>> frame = uniform_frame(Translation(2), Shift(jnp.array([[1.0, 0.0]])))
      >>> canonicalize(frame, (Point(),), (jnp.array([3.0, 5.0]),))
      (Array([[2., 5.]], dtype=float32),)
    """
    check.instance("frame", frame, Frame)
    signature.check_args(args)
    for place, _, leaf in signature.check_tree("args", in_reps, frame.group, args):
        _check_batch(place, leaf, frame.batch_shape, ())
    inverses = frame.group.inverse(_elements_first(frame))
    moves = _over_batch(lambda g, tree: act(in_reps, g, tree), frame)
    return jax.vmap(moves, in_axes=(0, None))(inverses, args)


def frame_mean(frame: Frame, out_reps, outputs):
    """The weighted mean of ``g y``, over the elements g of the frame and the outputs y for each.

    Args:
      frame: a frame, or a batch of frames.
      out_reps: signature of one output.
      outputs: a pytree of arrays whose first axis is m; for a batch of frames, the batch's axes follow.

    Returns:
      The pytree without the first axes.

    Raises:
      TypeError: if ``frame`` is no frame.
      ValueError: if the signature does not match, or an array lacks the first axis or the batch axes.

    Example:
      >>> from equijax.groups import SO, Vector, uniform_frame
      >>> frame = uniform_frame(SO(2), jnp.stack([jnp.eye(2), -jnp.eye(2)]))
      >>> frame_mean(frame, Vector(), jnp.array([[3.0, 5.0], [1.0, 1.0]]))
      Array([1., 2.], dtype=float32)
    """
    check.instance("frame", frame, Frame)
    signature.check_output(out_reps, frame.group, outputs)
    for place, _, leaf in signature.leaves("output", out_reps, outputs):
        _check_batch(place, leaf, frame.batch_shape, (frame.size,))
    moves = _over_batch(lambda g, tree: act(out_reps, g, tree), frame)
    moved = jax.vmap(moves)(_elements_first(frame), outputs)
    weights = jnp.moveaxis(frame.weights, -1, 0)

    def mean(leaf):
        wide = weights.reshape(*weights.shape, *(1,) * (leaf.ndim - weights.ndim))
        dtype = (
            jnp.result_type(leaf.dtype, jnp.float32)
            if jnp.issubdtype(leaf.dtype, jnp.integer)
            else leaf.dtype
        )
        return jnp.sum(wide.astype(dtype) * leaf, axis=0)

    return jax.tree.map(mean, moved)


def average_over(fn, frame: Frame, in_reps, out_reps, args: tuple):
    """The average of ``g fn(g^-1 x)`` over a frame that is given, such as one computed beforehand.

    Args:
      fn: a function of ``len(args)`` positional arguments, that ``jax.vmap`` can map. It is called once, on
        all canonical forms together.
      frame: a frame, or a batch of frames.
      in_reps: signature of the arguments.
      out_reps: signature of the output.
      args: the arguments x. For a batch of frames, every array of the arguments and of the output starts with
        the batch's axes, which ``fn`` takes like any other input with batch axes.

    Returns:
      A pytree of the structure of the output.

    Raises:
      TypeError: if ``fn`` is no function, ``frame`` no frame, or ``args`` no tuple.
      ValueError: if a signature does not match, or an array lacks the frames' batch axes.

    Example:
      >>> from equijax.groups import Cyclic, Regular, Trivial, uniform_frame
      >>> frame = uniform_frame(Cyclic(4), Cyclic(4).elements())
      >>> average_over(lambda x: x[0], frame, (Regular(),), Trivial(), (jnp.array([1.0, 2.0, 3.0, 6.0]),))
      Array(3., dtype=float32)
    """
    check.function("fn", fn)
    return frame_mean(frame, out_reps, jax.vmap(fn)(*canonicalize(frame, in_reps, args)))


def frame_average(fn, frame, in_reps, out_reps):
    """Make a function equivariant: ``x -> sum over the frame of x of w g fn(g^-1 x)``.

    It is equivariant exactly where the frame is, and equals ``fn`` if that is equivariant already. The frames
    of this library say in their documentation where they are exact, and whether derivatives go through them.

    Args:
      fn: a function of positional arguments, that ``jax.vmap`` can map. It is called once, on all canonical
        forms together.
      frame: ``frame(*args)`` gives the `equijax.groups.Frame` of the arguments, as in
        ``lambda x, v: pca_frame(x, group=E(3))``. A batch of frames goes with arguments and outputs of which
        every array has the batch's leading axes.
      in_reps: signature of the arguments, a prefix of them.
      out_reps: signature of the output.

    Returns:
      A function of the same arguments and of the same output structure.

    Raises:
      TypeError: if ``fn`` or ``frame`` is no function, or ``frame`` does not return a frame.
      ValueError: if a signature does not match, or an array lacks the frames' batch axes.

    Example:
      >>> from equijax.euclid import pca_frame
      >>> from equijax.groups import E, Point, Trivial
      >>> def axes(x):
      ...     return pca_frame(x, group=E(2))
      >>> spread = frame_average(lambda x: x[0, 1] ** 2, axes, (Point(),), Trivial())
      >>> spread(jnp.array([[0.0, 3.0], [0.0, 7.0]]))  # squared distance from the center, along the long axis
      Array(4., dtype=float32)
    """
    check.function("fn", fn)
    check.function("frame", frame)

    def averaged(*args):
        return average_over(fn, frame(*args), in_reps, out_reps, args)

    return averaged


def stochastic_frame_average(fn, frame, in_reps, out_reps, *, num_samples: int = 1):
    """Average over random elements of a frame: equivariant in expectation, for ``num_samples`` calls.

    The mean over keys is `frame_average`, and so is the mean of derivatives. Duval et al., "FAENet: frame
    averaging equivariant GNN for materials modeling", ICML 2023, train with one element a step.

    Args:
      fn, frame, in_reps, out_reps: as for `frame_average`.
      num_samples: how many elements are drawn, by `equijax.groups.sample_frame`.

    Returns:
      A function ``averaged(key, *args)`` with the output structure of ``fn``.

    Raises:
      TypeError: if ``fn`` or ``frame`` is no function, ``key`` no key, or ``frame`` does not return a frame.
      ValueError: if a signature does not match, or ``num_samples`` is below 1.

    Example:
      >>> from equijax.euclid import pca_frame
      >>> from equijax.groups import E, Point, Trivial
      >>> rough = stochastic_frame_average(
      ...     lambda x: x[0, 1], lambda x: pca_frame(x, group=E(2)), (Point(),), Trivial()
      ... )
      >>> abs(rough(jax.random.key(0), jnp.array([[0.0, 3.0], [0.0, 7.0]])))
      Array(2., dtype=float32)
    """
    check.function("fn", fn)
    check.function("frame", frame)
    check.count("num_samples", num_samples, 1)

    def averaged(key: Array, *args):
        drawn = sample_frame(key, frame(*args), num_samples)
        return average_over(fn, drawn, in_reps, out_reps, args)

    return averaged


def _elements_first(frame: Frame):
    """The elements with the frame's axis before its batch axes."""
    axis = len(frame.batch_shape)
    return jax.tree.map(lambda leaf: jnp.moveaxis(leaf, axis, 0), frame.elements)


def _over_batch(function, frame: Frame):
    """Map over every batch axis, so that one element meets one entry of the batch, whatever axes that has."""
    for _ in frame.batch_shape:
        function = jax.vmap(function)
    return function


def _check_batch(place: str, leaf, batch: tuple[int, ...], first: tuple[int, ...]) -> None:
    """Require leading axes: those of the frame's elements, then those of its batch."""
    expected, got = (*first, *batch), jnp.shape(leaf)
    if got[: len(expected)] != expected:
        axes = ", ".join([*map(str, expected), "..."])
        raise ValueError(f"{place} must have shape ({axes}), the axes of the frames, got {got}")
