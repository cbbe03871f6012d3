"""Equivariance to infinitesimal transformations, by the Lie derivative of a function.

For an element A of the Lie algebra, L_A f(x) = d/dt [exp(-t A) f(exp(t A) x)] at t = 0. It vanishes for all A
and x iff f is equivariant to the identity component of the group, and forward-mode differentiation gives it
exactly, in about the time of two calls of f a basis element. Gruver, Finzi, Goldblum, Wilson, "The Lie
derivative for measuring learned equivariance", ICLR 2023, equation 2.
"""

import jax
import jax.numpy as jnp

from equijax.equivariance import signature
from equijax.equivariance.commutator import norm, reference_size
from equijax.groups import Group, act
from equijax.numerics import check


def lie_derivative(f, group: Group, in_reps, out_reps, args: tuple):
    """The Lie derivative of a function along every basis element of the group's algebra.

    Args:
      f: a function of ``len(args)`` positional arguments, differentiable where the group moves them.
      group: a Lie group, or a product with a Lie factor (of which only the Lie factors are looked at).
      in_reps: signature of the arguments, a prefix of ``args``.
      out_reps: signature of the output.
      args: the arguments x.

    Returns:
      A pytree of the structure of the output, each leaf with a leading axis ``algebra_dim``, in the order of
      ``group.algebra_basis()``. Where the output moves affinely, it is a difference and not a point.

    Raises:
      TypeError: if the group has no Lie algebra, ``args`` is not a tuple, or an output is not floating.
      ValueError: if a signature does not match.

    Example:
      >>> from equijax.groups import SO, Trivial, Vector
      >>> lie_derivative(lambda x: x[0], SO(2), (Vector(),), Trivial(), (jnp.array([1.0, 2.0]),))
      Array([-2.], dtype=float32)
    """
    signature.check_group(group)
    signature.check_args(args)
    check.function("f", f)
    dim = getattr(group, "algebra_dim", 0)
    if dim == 0:
        raise TypeError(
            f"group must be a Lie group of dimension at least 1, got {group!r}, which has no algebra"
        )
    signature.check_tree("args", in_reps, group, args)
    output = jax.eval_shape(f, *args)
    for place, _, leaf in signature.check_tree("output", out_reps, group, output):
        if not jnp.issubdtype(leaf.dtype, jnp.inexact):
            raise TypeError(f"{place} must be floating to be differentiated, got dtype {leaf.dtype}")
    dtype = signature.float_dtype(args)

    def along(direction):
        def conjugated(t):
            return act(out_reps, group.exp(-t * direction), f(*act(in_reps, group.exp(t * direction), args)))

        return jax.jvp(conjugated, (jnp.zeros((), dtype),), (jnp.ones((), dtype),))[1]

    # One direction at a time keeps the memory at that of one derivative.
    return jax.lax.map(along, jnp.eye(dim, dtype=dtype))


def local_error(f, group: Group, in_reps, out_reps, args: tuple):
    """The local equivariance error: the largest ‖L_A f(x)‖ / ‖f(x)‖ over the basis elements A.

    Norms and their treatment of zeros and of points are those of `equijax.equivariance.error`. The result is
    relative to the units of the basis: per radian for rotations, per unit length for translations.

    Args:
      f, group, in_reps, out_reps, args: as for `lie_derivative`.

    Returns:
      A pytree of scalars, of the structure of the output (an ``e3nn_jax.IrrepsArray`` counts as one leaf).

    Raises:
      TypeError, ValueError: as `lie_derivative`.

    Example:
      >>> from equijax.groups import SO, Trivial, Vector
      >>> local_error(lambda x: x[0], SO(2), (Vector(),), Trivial(), (jnp.array([1.0, 2.0]),))
      Array(2., dtype=float32)
    """
    derivative = lie_derivative(f, group, in_reps, out_reps, args)
    largest = signature.map_leaves(lambda _, leaf: jnp.max(jax.vmap(norm)(leaf)), out_reps, derivative)
    return jax.tree.map(jnp.divide, largest, reference_size(out_reps, f(*args)))
