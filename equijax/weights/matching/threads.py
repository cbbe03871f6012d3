"""Threads on the host: one for each independent assignment, rather than several within each product."""

import concurrent.futures
import contextlib
import functools
import os
from collections.abc import Callable, Iterator

import threadpoolctl

_PARALLEL_FROM = 128
_MANY_THREADS_FROM = 1024


@contextlib.contextmanager
def one_thread_a_product(size: int) -> Iterator[None]:
    """Within this context NumPy multiplies matrices on one thread, unless they are large.

    Threads of a BLAS wait for each other by spinning: where other processes use the machine, a product of
    small matrices takes a hundred times as long with them as without.

    Args:
      size: of the largest matrices.

    Example:
      >>> import numpy as np
      >>> with one_thread_a_product(2):
      ...     print(np.eye(2) @ np.ones(2))
      [1. 1.]
    """
    if size >= _MANY_THREADS_FROM:
        yield
        return
    with _controller().limit(limits=1, user_api="blas"):
        yield


@contextlib.contextmanager
def workers(size: int) -> Iterator[Callable]:
    """A ``map`` that uses threads where assignments are large enough to gain by it.

    Args:
      size: of the largest assignment.

    Example:
      >>> with workers(1000) as run:
      ...     print(list(run(lambda x: 2 * x, [1, 2])))
      [2, 4]
    """
    if size < _PARALLEL_FROM:
        yield map
        return
    with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
        yield pool.map


@functools.cache
def _controller() -> threadpoolctl.ThreadpoolController:
    """The controller of the process's BLAS libraries, which takes a while to find them."""
    return threadpoolctl.ThreadpoolController()
