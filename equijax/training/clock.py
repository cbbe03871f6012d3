"""Where the time of a run goes, summed over all parts of a run that was cut off and went on."""

import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager

SPANS = ("compile", "data", "evaluate", "checkpoint")


class Clock:
    """Seconds by activity.

    What is measured by name: ``compile`` (first calls), ``data`` (waiting for batches), ``evaluate`` and
    ``checkpoint`` (as far as it holds training up). The rest of the time is ``step``.

    Example:
      >>> clock = Clock()
      >>> clock.add({"data": 3.0, "total": 10.0})
      >>> clock.seconds()["data"], round(clock.seconds()["step"])
      (3.0, 7)
    """

    def __init__(self):
        self._spans = dict.fromkeys(SPANS, 0.0)
        self._earlier = 0.0
        self._start = time.perf_counter()

    def add(self, earlier: Mapping[str, float]) -> None:
        """Count the time of the part of the run before it was cut off.

        Args:
          earlier: what :meth:`seconds` said then; empty if there was none.

        Example: see :class:`Clock`.
        """
        for name in SPANS:
            self._spans[name] += earlier.get(name, 0.0)
        self._earlier += earlier.get("total", 0.0)

    @contextmanager
    def span(self, name: str) -> Iterator[None]:
        """Count the time inside the ``with`` block to an activity.

        Args:
          name: one of ``SPANS``, or ``step``, which is what remains in any case; spans do not nest.

        Example:
          >>> clock = Clock()
          >>> with clock.span("evaluate"):
          ...     time.sleep(0.01)
          >>> clock.seconds()["evaluate"] >= 0.01
          True
        """
        start = time.perf_counter()
        try:
            yield
        finally:
            if name != "step":
                self._spans[name] += time.perf_counter() - start

    def seconds(self) -> dict[str, float]:
        """Seconds so far: each activity, ``step`` and ``total``.

        Example:
          >>> sorted(Clock().seconds())
          ['checkpoint', 'compile', 'data', 'evaluate', 'step', 'total']
        """
        total = self._earlier + time.perf_counter() - self._start
        return {**self._spans, "step": total - sum(self._spans.values()), "total": total}
