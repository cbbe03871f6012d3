"""emlp 1.0.3, which solves for equivariant bases of any matrix group, too; last released in 2021.

It needs objax, plum-dispatch below 2, six and tensorboard besides. On current versions of NumPy and tqdm its
progress bar ends in an error (a NumPy number where a time span wants a Python one), so that `load` replaces
the bar by one that shows nothing. Nothing else of it is changed.
"""

import importlib
import logging

from benchmarks.peers.contender import require

NAME = "emlp 1.0.3"


class _NoBar:
    """Stands for a progress bar, and shows nothing."""

    def __init__(self, iterable=(), **_):
        self._iterable = iterable

    def __iter__(self):
        return iter(self._iterable)

    def update(self, amount):
        """Take note of progress: not needed."""

    def close(self):
        """Remove the bar: there is none."""


def load():
    """The packages ``emlp.groups``, ``emlp.reps`` and ``emlp.nn.flax``.

    Raises:
      Unavailable: if emlp, or what it needs, is not installed.
    """
    require("emlp", "objax", "plum", "six", "tensorboard")
    groups, reps, networks = (
        importlib.import_module(name) for name in ("emlp.groups", "emlp.reps", "emlp.nn.flax")
    )
    importlib.import_module("emlp.reps.representation").tqdm = _NoBar
    logging.getLogger().setLevel(logging.ERROR)
    return groups, reps, networks
