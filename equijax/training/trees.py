"""Pytrees on the host: copies of their leaves, and a name for each leaf.

A leaf's name is its path, joined by slashes: ``params/dense/kernel``. It is the name in error messages and,
split at the slashes again, the place of the leaf in a checkpoint.
"""

import jax
import jax.numpy as jnp
import numpy as np


def leaf_names(tree) -> list[str]:
    """The names of all leaves, in the order of ``jax.tree.leaves``.

    Args:
      tree: any pytree.

    Returns:
      One string a leaf; the name of a tree that is a single leaf is empty.

    Example:
      >>> leaf_names({"dense": {"bias": 0.0, "kernel": 1.0}, "stack": [2.0]})
      ['dense/bias', 'dense/kernel', 'stack/0']
    """
    paths = jax.tree_util.tree_flatten_with_path(tree)[0]
    return [jax.tree_util.keystr(path, simple=True, separator="/") for path, _ in paths]


def to_host(tree):
    """Copy every leaf to the host.

    The leaves of the result own their memory: on CPU a plain ``np.asarray`` would be a view of a buffer that
    the next training step overwrites. A leaf of typed random keys becomes its ``uint32`` data.

    Args:
      tree: a pytree of arrays or numbers; a replicated array counts once.

    Returns:
      The tree with numpy arrays as leaves; numbers get the data types that JAX would give them.

    Example:
      >>> to_host({"a": jax.numpy.ones(2)})
      {'a': array([1., 1.], dtype=float32)}
    """
    return jax.tree.map(_leaf_to_host, tree)


def _leaf_to_host(leaf) -> np.ndarray:
    """An owned numpy copy of one leaf."""
    if is_key(leaf):
        leaf = jax.random.key_data(leaf)
    if isinstance(leaf, jax.Array) and len(leaf.sharding.device_set) > 1:
        leaf = leaf.addressable_shards[0].data
    return np.array(leaf, dtype=getattr(leaf, "dtype", None) or jnp.result_type(leaf))


def is_key(leaf) -> bool:
    """Whether a leaf is an array of typed random keys.

    Args:
      leaf: any leaf of a pytree.

    Example:
      >>> is_key(jax.random.key(0)), is_key(np.zeros(2))
      (True, False)
    """
    return isinstance(leaf, jax.Array) and jax.dtypes.issubdtype(leaf.dtype, jax.dtypes.prng_key)


def like(template, host_tree):
    """Give host arrays the structure of a template and bring its typed random keys back.

    Args:
      template: a pytree.
      host_tree: a pytree with as many leaves, in the same order, as :func:`to_host` makes it.

    Returns:
      The template's structure with the leaves of ``host_tree``.

    Example:
      >>> like((0.0, [1.0]), [np.float32(2), np.float32(3)])
      (np.float32(2.0), [np.float32(3.0)])
    """
    leaves, structure = jax.tree.flatten(template)
    restored = [
        jax.random.wrap_key_data(value, impl=jax.random.key_impl(leaf)) if is_key(leaf) else value
        for leaf, value in zip(leaves, jax.tree.leaves(host_tree), strict=True)
    ]
    return jax.tree.unflatten(structure, restored)
