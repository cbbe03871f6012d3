"""The commutator of a function with a group, f(g x) - g f(x): zero for all g and x iff f is equivariant.

Arguments and outputs are pytrees, their transformation laws are signatures (see `equijax.groups.act`), and
the function is called as ``f(*args)``.
"""

import jax
import jax.numpy as jnp
from jaxtyping import Array

from equijax.equivariance import signature
from equijax.groups import Group, act
from equijax.numerics import check


def commutator(f, g, in_reps, out_reps, args: tuple):
    """The difference f(g x) - g f(x).

    Args:
      f: a function of ``len(args)`` positional arguments.
      g: one group element.
      in_reps: signature of the arguments, a prefix of ``args``.
      out_reps: signature of the output.
      args: the arguments x.

    Returns:
      A pytree of the structure of the output.

    Raises:
      TypeError: if ``args`` is not a tuple.
      ValueError: if a signature does not match.

    Example:
      >>> from equijax.groups import Vector
      >>> commutator(jnp.abs, -jnp.eye(2), (Vector(),), Vector(), (jnp.array([1.0, 2.0]),))
      Array([2., 4.], dtype=float32)
    """
    signature.check_args(args)
    moved = f(*act(in_reps, g, args))
    expected = act(out_reps, g, f(*args))
    return jax.tree.map(jnp.subtract, moved, expected)


def error(
    f, group: Group, in_reps, out_reps, args: tuple, *, key: Array, num_samples: int = 16, batch_size: int = 4
):
    """The equivariance error: the largest ‖f(g x) - g f(x)‖ / ‖f(x)‖ over random group elements g.

    Norms are Euclidean, over all axes of a leaf, batch axes included. The denominator of an output that moves
    affinely (`equijax.groups.Point`) is the size about its centroid (the mean over all axes but the last),
    which no choice of origin changes. Where the denominator is exactly zero, the error is absolute.

    Args:
      f: a function of ``len(args)`` positional arguments, that ``jax.vmap`` can map.
      group: the group; elements come from ``group.sample``.
      in_reps: signature of the arguments, a prefix of ``args``.
      out_reps: signature of the output.
      args: the arguments x, with any leading batch axes that ``f`` takes.
      key: a JAX random key.
      num_samples: how many group elements.
      batch_size: how many of them at once; the memory needed grows with it.

    Returns:
      A pytree of scalars, of the structure of the output (an ``e3nn_jax.IrrepsArray`` counts as one leaf).

    Raises:
      TypeError: if ``group`` is not a group, ``f`` no function, ``key`` no key, or ``args`` no tuple.
      ValueError: if a signature does not match, or ``num_samples`` or ``batch_size`` is below 1.

    Example:
      >>> from equijax.groups import SO, Trivial, Vector
      >>> x = jnp.array([1.0, 2.0, 3.0])
      >>> bool(error(jnp.sum, SO(3), (Vector(),), Trivial(), (x,), key=jax.random.key(0)) > 0.1)
      True
      >>> bool(error(jnp.linalg.norm, SO(3), (Vector(),), Trivial(), (x,), key=jax.random.key(0)) < 1e-5)
      True
    """
    signature.check_group(group)
    signature.check_args(args)
    check.function("f", f)
    check.key("key", key)
    check.count("num_samples", num_samples, 1)
    check.count("batch_size", batch_size, 1)
    signature.check_tree("args", in_reps, group, args)
    output = f(*args)
    signature.check_output(out_reps, group, output)
    elements = group.sample(key, (num_samples,), signature.float_dtype(args))

    def sizes(g):
        difference = jax.tree.map(jnp.subtract, f(*act(in_reps, g, args)), act(out_reps, g, output))
        return signature.map_leaves(lambda _, leaf: norm(leaf), out_reps, difference)

    largest = jax.tree.map(jnp.max, jax.lax.map(sizes, elements, batch_size=min(batch_size, num_samples)))
    return jax.tree.map(jnp.divide, largest, reference_size(out_reps, output))


def norm(x: Array) -> Array:
    """Euclidean norm over all axes, with gradient zero at zero.

    Example:
      >>> norm(jnp.array([[3.0], [4.0]])), jax.grad(norm)(jnp.zeros(2))
      (Array(5., dtype=float32), Array([0., 0.], dtype=float32))
    """
    x = jnp.abs(x.astype(jnp.result_type(x, jnp.float32)))
    square = jnp.sum(x**2)
    return jnp.where(square > 0, jnp.sqrt(jnp.where(square > 0, square, 1)), 0)


def reference_size(out_reps, output):
    """What errors are relative to: the norm of each output leaf, centred if it moves affinely; one if that is
    0.

    Args:
      out_reps: signature of the output.
      output: the output.

    Returns:
      A pytree of scalars, of the structure of the output.

    Example:
      >>> from equijax.groups import Point, Vector
      >>> reference_size((Vector(), Point()), (jnp.zeros(3), jnp.array([[0.0, 9.0], [6.0, 1.0]])))
      (Array(1., dtype=float32), Array(7.071068, dtype=float32))
    """

    def size(rep, leaf):
        if not rep.is_linear:
            leaf = leaf - jnp.mean(leaf, axis=range(leaf.ndim - 1), keepdims=True)
        size = norm(leaf)
        return jnp.where(size > 0, size, 1)

    return signature.map_leaves(size, out_reps, output)
