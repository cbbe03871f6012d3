"""Where things lie: the state replicated over the local devices, a batch split among them.

The layouts are those that ``jax.pmap`` itself uses, so a step moves nothing between devices before it starts.
"""

import jax
import numpy as np
from jax.sharding import Mesh, NamedSharding, PartitionSpec

from equijax.training.trees import leaf_names, like, to_host

AXIS = "device"


def local(devices) -> list[jax.Device]:
    """The devices of this process, in the run's order.

    Args:
      devices: the devices of the run.

    Returns:
      A list, with at least one device.

    Raises:
      ValueError: if none belongs to this process.

    Example:
      >>> local(jax.devices()) == jax.local_devices()
      True
    """
    mine = [device for device in devices if device.process_index == jax.process_index()]
    if not mine:
        raise ValueError(f"devices must contain one of process {jax.process_index()}, got {list(devices)}")
    return mine


def replicate(tree, devices):
    """Put a copy of every leaf on each local device.

    Every leaf gets memory of its own, so that the training step may overwrite it: neither the caller's
    arrays nor a leaf that stands twice in the tree share a buffer with it.

    Args:
      tree: pytree of arrays or numbers.
      devices: the local devices.

    Returns:
      The tree with replicated ``jax.Array`` leaves of the same shapes.

    Example:
      >>> replicate({"a": np.zeros(2)}, jax.local_devices())["a"].shape
      (2,)
    """
    sharding = NamedSharding(Mesh(np.array(devices), (AXIS,)), PartitionSpec())
    return jax.device_put(like(tree, to_host(tree)), sharding)


def split(batch, devices, accumulate: int):
    """Split a host's batch among its devices and micro-batches, and move it there.

    Args:
      batch: pytree of arrays, leaves of shape ``(n, ...)``; ``n`` may differ between leaves.
      devices: the local devices.
      accumulate: micro-batches a device.

    Returns:
      The pytree with leaves of shape ``(devices, accumulate, n / (devices * accumulate), ...)``, the leading
      axis spread over the devices.

    Raises:
      ValueError: if a leaf's leading axis does not divide; the message names the leaf.

    Example:
      >>> split({"x": np.zeros((8, 3))}, jax.local_devices()[:1], accumulate=2)["x"].shape
      (1, 2, 4, 3)
    """
    leaves, structure = jax.tree.flatten(batch)
    if not leaves:
        raise ValueError("batches must give a pytree with at least one array, got an empty one")
    parts = len(devices) * accumulate
    shaped = []
    for name, leaf in zip(leaf_names(batch), leaves):
        leaf = np.asarray(leaf)
        if leaf.ndim == 0 or leaf.shape[0] == 0 or leaf.shape[0] % parts:
            raise ValueError(
                f"batch leaf {name!r} must have a leading axis that divides among {len(devices)} devices "
                f"times {accumulate} micro-batches, got shape {leaf.shape}"
            )
        shaped.append(leaf.reshape(len(devices), accumulate, leaf.shape[0] // parts, *leaf.shape[1:]))
    sharding = NamedSharding(Mesh(np.array(devices), (AXIS,)), PartitionSpec(AXIS))
    return jax.device_put(jax.tree.unflatten(structure, shaped), sharding)
