"""Batches as a pure function of the step, so that a run that was cut off goes on with the same data."""

import jax
import numpy as np

from equijax.numerics import check
from equijax.training.distributed import shard_for_host
from equijax.training.trees import is_key, leaf_names


class ShuffledBatches:
    """Shuffled batches of in-memory arrays, addressed by step.

    Every epoch is a permutation of the examples derived from the key and the epoch's number; what does not
    fill the last batch of an epoch is dropped. The object is the ``batches`` argument of
    :func:`equijax.training.fit`. With several hosts each reads its own part of every global batch.

    Args:
      arrays: pytree of arrays with one leading axis of examples, each of shape ``(n, ...)``.
      batch_size: examples of a step on all hosts together, at most ``n``.
      key: random key of the shuffle.

    Raises:
      ValueError: if a leaf has no leading axis or another length, or ``batch_size`` is not in ``1...n``.
      TypeError: if ``batch_size`` is no integer or ``key`` no random key.

    Example:
      >>> batches = ShuffledBatches({"x": np.arange(5)}, 2, jax.random.key(0))
      >>> batches.steps_per_epoch
      2
      >>> bool((batches(3)["x"] == batches(3)["x"]).all()), batches(3)["x"].shape
      (True, (2,))
    """

    def __init__(self, arrays, batch_size: int, key):
        self._arrays = jax.tree.map(np.asarray, arrays)
        lengths = {
            name: np.shape(leaf)[:1] for name, leaf in zip(leaf_names(arrays), jax.tree.leaves(arrays))
        }
        if len(set(lengths.values())) != 1 or () in lengths.values():
            raise ValueError(
                f"arrays must be a pytree of arrays that share one leading axis of examples, got {lengths}"
            )
        ((self.num_examples,),) = set(lengths.values())
        check.count("batch_size", batch_size, 1)
        check.key("key", key)
        if batch_size > self.num_examples:
            raise ValueError(f"batch_size must be at most the {self.num_examples} examples, got {batch_size}")
        self.batch_size = batch_size
        self.steps_per_epoch = self.num_examples // batch_size
        key_data = jax.random.key_data(key) if is_key(key) else key
        self._seed = [int(word) for word in np.asarray(key_data).ravel()]
        self._epoch: tuple[int, np.ndarray] = (0, self._permutation(0))

    def _permutation(self, epoch: int) -> np.ndarray:
        """The order of an epoch's examples, drawn on the host: the data thread must not compute with JAX."""
        return np.random.default_rng([*self._seed, epoch]).permutation(self.num_examples)

    def __call__(self, step: int):
        """The batch of a step: this host's examples, leaves of shape ``(batch_size / hosts, ...)``.

        Args:
          step: number of the step, from 0.

        Returns:
          A pytree of new arrays with the structure of ``arrays``.

        Raises:
          ValueError: if the batch does not divide among the hosts.
        """
        check.count("step", step, 0)
        epoch, position = divmod(step, self.steps_per_epoch)
        known, order = self._epoch
        if known != epoch:
            order = self._permutation(epoch)
            self._epoch = (epoch, order)
        rows = shard_for_host(order[position * self.batch_size : (position + 1) * self.batch_size])
        return jax.tree.map(lambda leaf: leaf[rows], self._arrays)
