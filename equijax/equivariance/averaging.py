"""Group averaging (the Reynolds operator): it makes any function equivariant.

The average of g^-1 f(g x) over a compact group, with respect to Haar measure, is equivariant, and equals f if
f is equivariant already. Puny et al., "Frame averaging for invariant and equivariant network design", ICLR
2022, equation 3, with the whole group for a frame.
"""

import jax
import jax.numpy as jnp
from jaxtyping import Array

from equijax.equivariance import signature
from equijax.groups import Group, act
from equijax.numerics import check


def symmetrise(
    f, group: Group, in_reps, out_reps, *, key: Array | None = None, num_samples: int | None = None
):
    """Average a function over a compact group: x -> mean over g of g^-1 f(g x).

    A finite group is averaged over exactly, unless ``num_samples`` asks for a Monte Carlo average. An
    infinite compact group is always averaged over ``num_samples`` elements, drawn once with ``key``, so that
    the result is a deterministic function; its equivariance error falls as ``num_samples ** -0.5``.

    Args:
      f: a function of positional arguments.
      group: a compact group, finite groups included.
      in_reps: signature of the arguments, a prefix of them.
      out_reps: signature of the output.
      key: a JAX random key, where elements are sampled.
      num_samples: how many elements to sample.

    Returns:
      A function of the same arguments and of the same output structure. It calls ``f`` once for each element,
      one after the other, so that the memory needed does not grow with the group.

    Raises:
      TypeError: if ``group`` is not a group.
      ValueError: if the group is not compact, or of ``key`` and ``num_samples`` the wrong ones are given.

    Example:
      >>> from equijax.groups import Cyclic, Regular, Trivial
      >>> mean = symmetrise(lambda x: x[0], Cyclic(4), (Regular(),), Trivial())
      >>> mean(jnp.array([1.0, 2.0, 3.0, 6.0]))
      Array(3., dtype=float32)
    """
    signature.check_group(group)
    if not (group.is_finite or group.is_compact):
        raise ValueError(
            f"group must be compact to be averaged over, got {group!r}, which has no finite Haar measure"
        )
    if not group.is_finite and (key is None or num_samples is None):
        raise ValueError(
            f"key and num_samples must be given to average over {group!r}, which has no list of elements"
        )
    if (key is None) != (num_samples is None):
        raise ValueError(
            "key and num_samples must be given together, "
            f"got key={'None' if key is None else 'a key'} and num_samples={num_samples}"
        )
    check.function("f", f)
    if num_samples is not None:
        check.key("key", key)
        check.count("num_samples", num_samples, 1)

    def averaged(*args):
        signature.check_tree("args", in_reps, group, args)
        elements = (
            group.elements()
            if key is None
            else group.sample(key, (num_samples,), signature.float_dtype(args))
        )
        count = jax.tree.leaves(elements)[0].shape[0]

        def one(g):
            return act(out_reps, group.inverse(g), f(*act(in_reps, g, args)))

        def add(total, g):
            return jax.tree.map(lambda a, b: a + b / count, total, one(g)), None

        output = jax.eval_shape(f, *args)
        signature.check_tree("output", out_reps, group, output)
        zeros = jax.tree.map(
            lambda leaf: jnp.zeros(leaf.shape, jnp.result_type(leaf.dtype, jnp.float32)), output
        )
        return jax.lax.scan(add, zeros, elements)[0]

    return averaged
