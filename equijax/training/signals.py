"""A polite end: SIGTERM or one SIGINT asks a loop to stop instead of killing it."""

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager

_ASKING = (signal.SIGTERM, signal.SIGINT)


class StopRequest:
    """Whether somebody has asked to stop.

    Attributes:
      requested: False until the first signal.
    """

    def __init__(self):
        self.requested = False


@contextmanager
def stop_on_signal() -> Iterator[StopRequest]:
    """Turn the first SIGTERM or SIGINT inside the ``with`` block into a request to stop.

    A second signal does what it did before the block (for SIGINT usually ``KeyboardInterrupt``). At the end
    the earlier handlers are back. Outside the main thread, where Python does not allow handlers, signals keep
    their meaning.

    Yields:
      The request.

    Example:
      >>> with stop_on_signal() as stop:
      ...     signal.raise_signal(signal.SIGTERM)
      ...     stop.requested
      True
    """
    stop = StopRequest()
    if threading.current_thread() is not threading.main_thread():
        yield stop
        return
    earlier = {number: signal.getsignal(number) for number in _ASKING}

    def restore():
        for number, handler in earlier.items():
            # None: a handler that was not installed from Python, which Python cannot install again.
            signal.signal(number, signal.SIG_DFL if handler is None else handler)

    def ask(number, frame):
        stop.requested = True
        restore()

    for number in _ASKING:
        signal.signal(number, ask)
    try:
        yield stop
    finally:
        restore()
