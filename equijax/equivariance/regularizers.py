"""Penalties for lack of symmetry, one number for each candidate group, all called alike.

``regularizer(params, args, key=key)`` returns an array of shape ``(groups,)``, zero where the function
commutes with the group. Three measures can take each other's place in a loss:

- `projection_regularizer`: distance of the weights from equivariant ones (Kim et al., ICML 2023); needs the
  representations within the network, and neither inputs nor random numbers.
- `sampled_regularizer`: the commutator with random group elements, in the space of functions.
- `lie_regularizer`: the Lie derivative along the algebra and the commutator with discrete generators, without
  sampling (Gruver et al., "The Lie derivative for measuring learned equivariance", ICLR 2023).
"""

from collections.abc import Callable, Sequence

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float

from equijax.equivariance import signature
from equijax.equivariance.commutator import commutator
from equijax.equivariance.local import lie_derivative
from equijax.equivariance.residuals import LayerReps, check_groups, projection_residuals, rep_for
from equijax.groups import Group
from equijax.groups.actions import batch_shape
from equijax.numerics import check

Regularizer = Callable[..., Float[Array, "groups"]]
"""A function ``(params, args=(), *, key=None)`` to one penalty for each group."""


def projection_regularizer(groups: Sequence[Group], layer_reps: LayerReps) -> Regularizer:
    """The distance of the weights from those that commute with each group, corrected for size.

    Args:
      groups: the candidates.
      layer_reps: which weights, with their representations; see `projection_residuals`.

    Returns:
      A regularizer: ``projection_residuals(params, layer_reps, groups).corrected_total``. It does not look at
      ``args`` and ``key``.

    Raises:
      TypeError, ValueError: if ``groups`` are none. The regularizer itself raises as `projection_residuals`.

    Example:
      >>> from equijax.groups import SO, Vector
      >>> penalty = projection_regularizer([SO(2)], {"kernel": (Vector(), Vector())})
      >>> penalty({"kernel": jnp.array([[1.0, 0.0], [0.0, 3.0]])})  # half of 2, over 1 - 2/4
      Array([2.], dtype=float32)
    """
    groups = check_groups(groups)

    def regularizer(params, args: tuple = (), *, key=None):
        return projection_residuals(params, layer_reps, groups).corrected_total

    return regularizer


def sampled_regularizer(
    apply, groups: Sequence[Group], in_reps, out_reps, *, num_samples: int = 1
) -> Regularizer:
    """Half the mean square of ``f(g x) - g f(x)`` over random group elements.

    Args:
      apply: ``apply(params, *args)``, differentiable in the parameters.
      groups: the candidates; elements come from their ``sample``.
      in_reps: signature of ``args``, or a function of the group that gives one.
      out_reps: signature of the output, or a function of the group that gives one.
      num_samples: elements a call and group; all inputs of a batch are moved by the same ones.

    Returns:
      A regularizer, which needs ``args`` and ``key``. Means are over all entries of the output, as in a mean
      squared error, and summed over its leaves.

    Raises:
      TypeError, ValueError: if ``groups`` are none, ``apply`` is no function, or ``num_samples`` is below 1;
        from the regularizer, if a signature does not match, or ``key`` is no key.

    Example:
      >>> from equijax.groups import SO, Trivial, Vector
      >>> norm = lambda params, x: params * jnp.linalg.norm(x, axis=-1)
      >>> penalty = sampled_regularizer(norm, [SO(3)], (Vector(),), Trivial())
      >>> bool(penalty(2.0, (jnp.ones((5, 3)),), key=jax.random.key(0))[0] < 1e-10)
      True
    """
    groups = check_groups(groups)
    check.function("apply", apply)
    check.count("num_samples", num_samples, 1)

    def regularizer(params, args: tuple = (), *, key=None):
        check.key("key", key)
        keys = jax.random.split(key, len(groups))
        return jnp.stack([of_group(*pair, params, args) for pair in zip(groups, keys, strict=True)])

    def of_group(group, key, params, args):
        def f(*args):
            return apply(params, *args)

        reps = _checked(f, group, in_reps, out_reps, args)
        elements = group.sample(key, (num_samples,), signature.float_dtype(args))
        return jnp.mean(jax.vmap(lambda g: _half_mean_square(commutator(f, g, *reps, args)))(elements))

    return regularizer


def lie_regularizer(apply, groups: Sequence[Group], in_reps, out_reps) -> Regularizer:
    """Half the mean square of Lie derivatives and of commutators with discrete generators.

    It is zero iff the function commutes with all of the group. A Lie derivative is in the units of the basis
    of the algebra, per radian for rotations; the mean is over the basis elements and generators, so that a
    large algebra does not count more.

    Args:
      apply, groups, in_reps, out_reps: as for `sampled_regularizer`. ``apply`` must be differentiable in
        ``args``, too, for groups with an algebra.

    Returns:
      A regularizer, which needs ``args``, and does not look at ``key``.

    Raises:
      TypeError, ValueError: as `sampled_regularizer`.

    Example:
      >>> from equijax.groups import O, SO, Pseudoscalar, Trivial, Vector
      >>> volume = lambda params, x: params * jnp.linalg.det(x)
      >>> penalty = lie_regularizer(volume, [SO(3), O(3)], (Vector(),), Trivial())
      >>> penalty(1.0, (jnp.eye(3),)).round(4)  # a reflection changes it by 2: 4/2 over 3 + 1 generators
      Array([0. , 0.5], dtype=float32)
    """
    groups = check_groups(groups)
    check.function("apply", apply)

    def regularizer(params, args: tuple = (), *, key=None):
        return jnp.stack([of_group(group, params, args) for group in groups])

    def of_group(group, params, args):
        def f(*args):
            return apply(params, *args)

        reps = _checked(f, group, in_reps, out_reps, args)
        dim, dtype = getattr(group, "algebra_dim", 0), signature.float_dtype(args)
        elements = group.discrete_generators(dtype)
        count = batch_shape(elements)[0]
        total = jnp.zeros((), dtype)
        if dim:
            total += dim * _half_mean_square(lie_derivative(f, group, *reps, args))
        if count:
            sizes = jax.vmap(lambda g: _half_mean_square(commutator(f, g, *reps, args)))(elements)
            total += jnp.sum(sizes)
        return total / max(1, dim + count)

    return regularizer


def _checked(f, group: Group, in_reps, out_reps, args: tuple):
    """The signatures of a group, after checks of arguments and output."""
    signature.check_args(args)
    in_reps, out_reps = rep_for(in_reps, group), rep_for(out_reps, group)
    signature.check_tree("args", in_reps, group, args)
    signature.check_output(out_reps, group, jax.eval_shape(f, *args))
    return in_reps, out_reps


def _half_mean_square(tree) -> Float[Array, ""]:
    """Half the mean square of each leaf, summed over leaves."""
    return sum(jnp.mean(jnp.abs(leaf) ** 2) for leaf in jax.tree.leaves(tree)) / 2
