"""Several hosts: start-up from the environment, each host's part of the data, and values that all must share.

Data parallelism over hosts follows JAX's multi-controller model: every host runs the same program, holds the
same parameters, and gives its local devices its own part of each global batch.
"""

import json
import os

import jax
import numpy as np

from equijax.training.trees import like, to_host

_ADDRESS, _COUNT, _INDEX = "JAX_COORDINATOR_ADDRESS", "JAX_NUM_PROCESSES", "JAX_PROCESS_ID"


def initialize_distributed() -> bool:
    """Join the hosts of a run, if the environment names one. Call it before anything touches a device.

    Reads ``JAX_COORDINATOR_ADDRESS`` (``host:port`` of process 0), ``JAX_NUM_PROCESSES`` and
    ``JAX_PROCESS_ID`` (0 to count - 1). With none of them set nothing happens, so the call can stand in every
    program. On a cluster that JAX detects by itself (SLURM, Open MPI, Cloud TPU) call
    ``jax.distributed.initialize()`` instead.

    Returns:
      Whether the run has several processes.

    Raises:
      ValueError: if only some of the variables are set, or a number is malformed or out of range.

    Example:
      >>> initialize_distributed()
      False
    """
    values = {name: os.environ.get(name) for name in (_ADDRESS, _COUNT, _INDEX)}
    missing = [name for name, value in values.items() if not value]
    if len(missing) == len(values):
        return False
    if missing:
        given = {name: value for name, value in values.items() if value}
        raise ValueError(f"a run on several hosts needs all of {', '.join(values)}, got {given} only")
    try:
        count, index = int(values[_COUNT]), int(values[_INDEX])
    except ValueError:
        raise ValueError(
            f"{_COUNT} and {_INDEX} must be integers, got {values[_COUNT]!r} and {values[_INDEX]!r}"
        ) from None
    if not 0 <= index < count:
        raise ValueError(f"{_INDEX} must be from 0 to {_COUNT} - 1 = {count - 1}, got {index}")
    jax.distributed.initialize(coordinator_address=values[_ADDRESS], num_processes=count, process_id=index)
    return count > 1


def shard_for_host(
    indices, *, process_index: int | None = None, process_count: int | None = None
) -> np.ndarray:
    """This host's contiguous part of the rows of a global batch.

    Host ``i`` of ``h`` takes the ``i``-th of ``h`` equal parts, the order in which ``fit`` lays the devices
    of all hosts out; so ``h`` hosts see together exactly what one host with as many devices sees.

    Args:
      indices: rows of the global batch, shape ``(n, ...)``, the same on every host.
      process_index: the host, by default this one.
      process_count: the number of hosts, by default that of the run.

    Returns:
      Shape ``(n / process_count, ...)``.

    Raises:
      ValueError: if the rows do not divide among the hosts.

    Example:
      >>> shard_for_host(np.arange(6), process_index=1, process_count=2)
      array([3, 4, 5])
    """
    indices = np.asarray(indices)
    count = jax.process_count() if process_count is None else process_count
    index = jax.process_index() if process_index is None else process_index
    if indices.ndim == 0 or len(indices) % count:
        raise ValueError(f"indices must divide among {count} hosts, got shape {indices.shape}")
    part = len(indices) // count
    return indices[index * part : (index + 1) * part]


def any_host(flag: bool) -> bool:
    """Whether the flag is set on at least one host; every host must call it at the same step.

    Args:
      flag: this host's flag.

    Example:
      >>> any_host(True), any_host(False)
      (True, False)
    """
    if jax.process_count() == 1:
        return flag
    from jax.experimental import multihost_utils

    return bool(np.any(multihost_utils.process_allgather(np.asarray(flag))))


def from_first_host(tree, info: dict, template) -> tuple:
    """Give every host the first host's arrays and information.

    Bytes travel, not numbers: a sum over hosts would turn a negative zero into a positive one.

    Args:
      tree: pytree of host arrays, read on the first host only.
      info: JSON-compatible dictionary, read on the first host only.
      template: pytree with the structure, shapes and dtypes of ``tree``, on every host.

    Returns:
      ``(tree, info)`` of the first host.

    Example:
      >>> from_first_host({"a": np.ones(1)}, {"step": 3}, {"a": np.zeros(1)})
      ({'a': array([1.])}, {'step': 3})
    """
    if jax.process_count() == 1:
        return tree, info
    blank = to_host(template)
    leaves = jax.tree.leaves(tree if jax.process_index() == 0 else blank)
    arrays = np.concatenate([np.frombuffer(np.asarray(leaf).tobytes(), np.uint8) for leaf in leaves])
    text = np.frombuffer(json.dumps(info).encode(), np.uint8)
    text_size = int(_broadcast(np.asarray(len(text), np.int32)))
    text = text if jax.process_index() == 0 else np.zeros(text_size, np.uint8)
    shared, offset = [], 0
    arrays = _broadcast(arrays)
    for leaf in jax.tree.leaves(blank):
        part = arrays[offset : offset + leaf.nbytes]
        shared.append(np.frombuffer(part.tobytes(), leaf.dtype).reshape(leaf.shape))
        offset += leaf.nbytes
    return like(template, shared), json.loads(_broadcast(text).tobytes().decode())


def _broadcast(array: np.ndarray) -> np.ndarray:
    """The first host's array, which has the same shape everywhere."""
    from jax.experimental import multihost_utils

    return np.asarray(multihost_utils.broadcast_one_to_all(array))
