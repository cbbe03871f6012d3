"""Batches prepared by a background thread while the devices work."""

import queue
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress

import jax

_DEPTH = 2


@contextmanager
def prefetch(batches: Callable, place: Callable, start: int, stop: int) -> Iterator[Callable]:
    """Prepare the batches of the steps ``start...stop - 1``, two ahead.

    Args:
      batches: the batch of a step, called as ``batches(step)`` in order and in one thread.
      place: moves a batch to the devices.
      start: first step.
      stop: step after the last.

    Yields:
      A function that waits for the next batch and returns it placed. What ``batches`` or ``place`` raised is
      raised again by it, with a note that names the step.

    Example:
      >>> with prefetch(lambda step: step**2, lambda batch: batch + 1, 3, 5) as get:
      ...     get(), get()
      (10, 17)
    """
    ready: queue.Queue = queue.Queue(maxsize=_DEPTH)
    cancelled = threading.Event()
    double = jax.config.jax_enable_x64

    def produce():
        # The switch to double precision is local to a thread: take the caller's along.
        with jax.enable_x64(double):
            for step in range(start, stop):
                if cancelled.is_set():
                    return
                ready.put(_prepared(batches, place, step))

    def get():
        batch, error = ready.get()
        if error is not None:
            raise error
        return batch

    thread = threading.Thread(target=produce, name="equijax-batches", daemon=True)
    thread.start()
    try:
        yield get
    finally:
        cancelled.set()
        while thread.is_alive():
            # The producer may wait for room: make some until it sees that nobody wants more.
            with suppress(queue.Empty):
                ready.get(timeout=0.01)
        thread.join()


def _prepared(batches: Callable, place: Callable, step: int) -> tuple:
    """The placed batch of a step and None, or None and what was raised on the way."""
    try:
        return place(batches(step)), None
    except Exception as error:
        error.add_note(f"raised while preparing the batch of step {step}, batches({step})")
        return None, error
