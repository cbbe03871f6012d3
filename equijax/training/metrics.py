"""The record of a run: rows in memory, JSON lines and TensorBoard on disk, a progress bar on the terminal."""

import json
import os
import pathlib
from collections.abc import Sequence

from equijax.training.clock import Clock

Row = dict[str, float | int | str]


class MetricLog:
    """Rows of metrics, kept in memory and, with a folder, written as they come.

    A row is a flat dictionary: ``step`` (finished steps), ``seconds`` (wall time of the run so far),
    ``step_seconds`` (the part of it that training itself took, without compilation, evaluation and
    checkpoints), ``phase`` (``train`` or ``evaluate``) and the metrics.

    Args:
      workdir: folder for ``metrics.jsonl`` and ``tensorboard/``, or None to keep the rows in memory only.
      rows: rows of the earlier part of the run. The files are brought to exactly these rows, so lines that
        came after the checkpoint do not appear twice.

    Example:
      >>> log = MetricLog(None)
      >>> log.add(10, "train", {"loss": 0.5}, Clock())
      >>> log.rows[0]["step"], log.rows[0]["loss"]
      (10, 0.5)
    """

    def __init__(self, workdir: pathlib.Path | None, rows: Sequence[Row] = ()):
        self.rows: list[Row] = [dict(row) for row in rows]
        self._lines = self._board = None
        if workdir is None:
            return
        from tensorboardX import SummaryWriter

        path = workdir / "metrics.jsonl"
        fresh = workdir / "metrics.jsonl.new"
        fresh.write_text("".join(json.dumps(row) + "\n" for row in self.rows))
        os.replace(fresh, path)
        self._lines = path.open("a", buffering=1)
        last = int(self.rows[-1]["step"]) if self.rows else 0
        self._board = SummaryWriter(str(workdir / "tensorboard"), purge_step=last + 1)

    def add(self, step: int, phase: str, metrics: dict[str, float], clock: Clock) -> None:
        """Append a row.

        Args:
          step: finished steps.
          phase: ``"train"`` or ``"evaluate"``.
          metrics: name and value.
          clock: the clock of the run.

        Example:
          >>> log = MetricLog(None)
          >>> log.add(5, "evaluate", {"rmse": 1.0}, Clock())
          >>> log.rows[0]["phase"]
          'evaluate'
        """
        spent = clock.seconds()
        times = {"seconds": spent["total"], "step_seconds": spent["step"] + spent["data"]}
        row = {"step": step, **times, "phase": phase, **metrics}
        self.rows.append(row)
        if self._lines is not None:
            self._lines.write(json.dumps(row) + "\n")
            for name, value in metrics.items():
                self._board.add_scalar(f"{phase}/{name}", value, step)

    def flush(self) -> None:
        """Write what TensorBoard holds back, so that a killed run loses nothing that a checkpoint knows of.

        Example:
          >>> MetricLog(None).flush()
        """
        if self._board is not None:
            self._board.flush()

    def close(self) -> None:
        """Flush and close the files.

        Example:
          >>> MetricLog(None).close()
        """
        if self._lines is not None:
            self._lines.close()
            self._board.close()


def progress_bar(num_steps: int, start: int, *, show: bool):
    """A bar with the loss, the steps a second and the time left, on standard error.

    Args:
      num_steps: steps of the whole run.
      start: steps that are done already.
      show: False for a bar that prints nothing.

    Returns:
      A ``tqdm`` bar.

    Example:
      >>> progress_bar(10, 0, show=False).update(1)
    """
    from tqdm import tqdm

    return tqdm(total=num_steps, initial=start, unit="step", disable=not show, dynamic_ncols=True)
