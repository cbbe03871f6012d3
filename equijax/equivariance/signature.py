"""Signatures: pytrees of representations that say how a function's arguments or outputs transform.

A signature is a prefix of the pytree that it describes: one representation may stand for a whole subtree, as
long as every leaf below it transforms alike. Checks here turn a mismatch into an error that names the place.
"""

import jax
import jax.numpy as jnp
import numpy as np

from equijax.groups import Group, Representation


def check_group(group) -> None:
    """Require a group.

    Raises:
      TypeError: if ``group`` is not a `equijax.groups.Group`.

    Example:
      >>> check_group("SO(3)")
      Traceback (most recent call last):
      TypeError: group must be a Group such as SO(3) or S(8) * E(3), got 'SO(3)'
    """
    if not isinstance(group, Group):
        raise TypeError(f"group must be a Group such as SO(3) or S(8) * E(3), got {group!r}")


def check_args(args) -> None:
    """Require the positional arguments of a function as a tuple.

    Raises:
      TypeError: if ``args`` is not a tuple; a single array must be written ``(x,)``.

    Example:
      >>> check_args(np.zeros(3))
      Traceback (most recent call last):
      TypeError: args must be a tuple of the function's positional arguments, as in (x,), got ndarray
    """
    if not isinstance(args, tuple):
        raise TypeError(
            "args must be a tuple of the function's positional arguments, as in (x,), "
            f"got {type(args).__name__}"
        )


def leaves(name: str, reps, tree) -> list[tuple[str, Representation, object]]:
    """Pair every leaf of a pytree with its place and its representation.

    Args:
      name: what to call the tree in places and messages, for example ``"args"``.
      reps: the signature, a prefix of ``tree``.
      tree: a pytree.

    Returns:
      Triples ``(place, representation, leaf)``, the place written as Python, for example ``args[0]['h']``.

    Raises:
      TypeError: if a leaf of ``reps`` is not a representation.
      ValueError: if ``reps`` is not a prefix of ``tree``.

    Example:
      >>> from equijax.groups import Trivial, Vector
      >>> leaves("args", (Vector(), Trivial()), (1.0, {"mass": 2.0}))
      [('args[0]', Vector(), 1.0), ("args[1]['mass']", Trivial(), 2.0)]
    """
    rep_leaves, structure = jax.tree.flatten(reps)
    for rep in rep_leaves:
        if not isinstance(rep, Representation):
            raise TypeError(
                f"the signature of {name} must be a pytree of representations, got {rep!r} in {reps!r}"
            )
    try:
        parts = structure.flatten_up_to(tree)
    except (ValueError, TypeError) as error:
        raise ValueError(
            f"the signature of {name} must be a prefix of its structure: {reps!r} does not match "
            f"{jax.tree.structure(tree)}: {error}"
        ) from error
    places = [
        f"{name}{jax.tree_util.keystr(path)}" for path, _ in jax.tree_util.tree_flatten_with_path(reps)[0]
    ]
    found = []
    for place, rep, part in zip(places, rep_leaves, parts, strict=True):
        for path, leaf in jax.tree_util.tree_flatten_with_path(part)[0]:
            found.append((f"{place}{jax.tree_util.keystr(path)}", rep, leaf))
    return found


def check_tree(name: str, reps, group: Group, tree) -> list[tuple[str, Representation, object]]:
    """Require that every leaf of a pytree has the trailing axes of its representation.

    Args:
      name: what to call the tree in messages.
      reps: the signature, a prefix of ``tree``.
      group: the group that acts.
      tree: a pytree of arrays or ``jax.ShapeDtypeStruct``.

    Returns:
      The triples of `leaves`.

    Raises:
      ValueError: if the structure or the trailing axes of a leaf do not match.
      TypeError: if the group has no such representation.

    Example:
      >>> from equijax.groups import SO, Vector
      >>> check_tree("output", Vector(), SO(3), np.zeros(4))
      Traceback (most recent call last):
      ValueError: output must have shape (..., 3) to transform by Vector() under SO(3), got (4,)
    """
    found = leaves(name, reps, tree)
    for place, rep, leaf in found:
        expected = rep.shape(group)
        shape = np.shape(leaf)
        if len(shape) < len(expected) or shape[len(shape) - len(expected) :] != tuple(expected):
            axes = ", ".join(["...", *map(str, expected)])
            raise ValueError(
                f"{place} must have shape ({axes}) to transform by {rep!r} under {group!r}, got {shape}"
            )
    return found


def check_output(reps, group: Group, output) -> None:
    """Require what `check_tree` does of a function's output, and that there is one to judge.

    Raises:
      ValueError: if it does not match its signature, or holds no array, as where a ``return`` was forgotten.
      TypeError: if the group has no such representation.

    Example:
      >>> from equijax.groups import SO, Vector
      >>> check_output(Vector(), SO(3), None)
      Traceback (most recent call last):
      ValueError: output must hold at least one array, got None
    """
    if not check_tree("output", reps, group, output):
        raise ValueError(f"output must hold at least one array, got {output!r}")


def float_dtype(tree):
    """The widest real floating dtype among the leaves of a pytree; JAX's default if there is none.

    Example:
      >>> float_dtype((np.zeros(2, np.float32), np.arange(3)))
      dtype('float32')
    """
    dtypes = [jnp.result_type(leaf) for leaf in jax.tree.leaves(tree)]
    floats = [dtype for dtype in dtypes if jnp.issubdtype(dtype, jnp.floating)]
    return jnp.result_type(*floats) if floats else jnp.dtype(jnp.result_type(float))


def is_array_node(node) -> bool:
    """Whether a pytree node is an array with a description of its axes, as ``e3nn_jax.IrrepsArray`` is.

    Example:
      >>> is_array_node(np.zeros(3))
      False
    """
    return hasattr(node, "irreps") and hasattr(node, "array")


def map_leaves(function, reps, *trees):
    """Map over leaves with their representations; described arrays count as one leaf, as plain arrays do.

    Args:
      function: ``function(rep, *leaves)``, with plain arrays.
      reps: a signature.
      *trees: pytrees of one structure, of which ``reps`` is a prefix.

    Returns:
      The pytree of results, of the structure of the trees with each described array replaced by its result.

    Example:
      >>> from equijax.groups import Vector
      >>> map_leaves(lambda rep, x: (rep, x), Vector(), {"a": 1.0})
      {'a': (Vector(), 1.0)}
    """

    def below(rep, *parts):
        return jax.tree.map(
            lambda *nodes: function(rep, *(node.array if is_array_node(node) else node for node in nodes)),
            *parts,
            is_leaf=is_array_node,
        )

    return jax.tree.map(below, reps, *trees)
