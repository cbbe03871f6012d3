"""The checkpoints of a run: the last two, and the best parameters that each of them knows of.

``step_00000100`` holds a whole training state, ``best_00000080`` the parameters of the best evaluation so
far. A best is kept as long as a kept state refers to it, so that every state from which a run may go on finds
its best, even if a later one was found and the process killed before it could save its state.
"""

import pathlib
import warnings
from collections import deque
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor

from equijax.training.checkpoints import (
    CorruptCheckpointError,
    conform,
    discard,
    read_info,
    restore_checkpoint,
    save_checkpoint,
    sweep,
)

_KEEP = 2
_WAITING = 2


class Rotation:
    """Writes a run's checkpoints in the background and keeps the last two and their bests.

    Args:
      folder: where the checkpoints lie; it is made when the first one is written.

    Example:
      >>> import numpy as np, tempfile
      >>> with Rotation(pathlib.Path(tempfile.mkdtemp())) as rotation:
      ...     for step in (1, 2, 3):
      ...         rotation.save_state(step, {"w": np.float32(step)}, {"best_step": None})
      >>> [path.name for path in rotation.states()]
      ['step_00000003', 'step_00000002']
    """

    def __init__(self, folder: pathlib.Path):
        self._folder = folder
        self._writer = ThreadPoolExecutor(max_workers=1, thread_name_prefix="equijax-checkpoints")
        self._pending: deque[Future] = deque()

    def __enter__(self):
        return self

    def __exit__(self, *exception):
        try:
            self.wait()
        finally:
            self._writer.shutdown()

    def wait(self) -> None:
        """Wait until all is written, and raise what went wrong with it.

        Example:
          >>> Rotation(pathlib.Path("unused")).wait()
        """
        while self._pending:
            self._pending.popleft().result()

    def _submit(self, write: Callable[[], None]) -> None:
        """Write in the background, in order; wait if a state and a best are still to be written."""
        while len(self._pending) >= _WAITING:
            self._pending.popleft().result()
        self._pending.append(self._writer.submit(write))

    def save_state(self, step: int, tree, info: dict) -> None:
        """Write a training state.

        Args:
          step: finished steps.
          tree: pytree of host arrays, which must not change afterwards.
          info: JSON-compatible; ``info["best_step"]`` is the step of the best parameters, or None.

        Example: see :class:`Rotation`.
        """

        def write():
            save_checkpoint(self._folder / f"step_{step:08d}", tree, info)
            self._prune(step)

        self._submit(write)

    def save_best(self, step: int, params, info: dict) -> None:
        """Write the parameters of the best evaluation so far.

        Args:
          step: finished steps.
          params: pytree of host arrays, which must not change afterwards.
          info: JSON-compatible.

        Example:
          >>> import numpy as np, tempfile
          >>> with Rotation(pathlib.Path(tempfile.mkdtemp())) as rotation:
          ...     rotation.save_best(5, {"w": np.float32(1)}, {"step": 5})
          >>> rotation.best(5, {"w": 0.0})
          {'w': array(1., dtype=float32)}
        """
        self._submit(lambda: save_checkpoint(self._best_path(step), {"params": params}, info))

    def _best_path(self, step: int) -> pathlib.Path:
        """Folder of the best parameters found at a step."""
        return self._folder / f"best_{step:08d}"

    def _prune(self, step: int) -> None:
        """Delete all but the last states up to a step, and the bests that they do not refer to."""
        kept = [path for path in self.states() if _step(path) <= step][:_KEEP]
        for path in self.states():
            if _step(path) <= step and path not in kept:
                discard(path)
        referred = {_best_step(path) for path in kept}
        for path in self._folder.glob("best_*"):
            if _step(path) <= step and _step(path) not in referred:
                discard(path)

    def states(self) -> list[pathlib.Path]:
        """The folders of the training states, the newest first.

        Example:
          >>> Rotation(pathlib.Path("no-such-folder")).states()
          []
        """
        return sorted(self._folder.glob("step_*"), key=_step, reverse=True)

    def restore_latest(self, template) -> tuple | None:
        """Read the newest training state that is intact, and clear away what lies beyond it.

        A damaged checkpoint is skipped with a warning and set aside as ``corrupt_...``.

        Args:
          template: pytree with the structure of the state.

        Returns:
          ``(tree, info)``, or None if there is none.

        Raises:
          ValueError: if the checkpoint is of another model or optimizer.

        Example:
          >>> Rotation(pathlib.Path("no-such-folder")).restore_latest({"w": 0.0}) is None
          True
        """
        sweep(self._folder)
        for path in self.states():
            try:
                restored = restore_checkpoint(path, template)
            except CorruptCheckpointError as error:
                warnings.warn(f"{error}; going back to the checkpoint before", RuntimeWarning, stacklevel=2)
                _set_aside(path)
                continue
            for best in self._folder.glob("best_*"):
                if _step(best) > _step(path):
                    discard(best)
            return restored
        return None

    def best(self, step: int, template=None):
        """Read the best parameters that a state refers to.

        Args:
          step: the state's ``best_step``.
          template: the parameters, for their structure; without one they come as a tree of dictionaries.

        Returns:
          The parameters, or None (with a warning) if they are damaged or missing.

        Example: see :meth:`save_best`.
        """
        wrapped = None if template is None else {"params": template}
        try:
            return restore_checkpoint(self._best_path(step), wrapped)[0]["params"]
        except (CorruptCheckpointError, FileNotFoundError) as error:
            warnings.warn(f"{error}; the best parameters are lost", RuntimeWarning, stacklevel=2)
            return None


def _step(path: pathlib.Path) -> int:
    """The step in the name of a checkpoint's folder."""
    return int(path.name.rsplit("_", 1)[1])


def _best_step(path: pathlib.Path) -> int | None:
    """The step of the best parameters that a state refers to; None too where it was damaged meanwhile."""
    try:
        return read_info(path)["best_step"]
    except (OSError, ValueError, KeyError):
        return None


def _set_aside(path: pathlib.Path) -> None:
    """Rename a damaged checkpoint so that nobody takes it for a good one, and its name is free."""
    aside = path.with_name(f"corrupt_{path.name}")
    discard(aside)
    path.rename(aside)


def restore_params(workdir, template=None) -> tuple:
    """The parameters of a run that one predicts with.

    These are the best by the run's ``monitor`` where it had one; otherwise, of the newest intact checkpoint,
    the moving average where there is one and the parameters where there is none. Nothing on disk changes.

    Args:
      workdir: the ``workdir`` that was given to :func:`equijax.training.fit`.
      template: the parameters' structure and shapes, for instance from ``model.init``; without one the
        parameters come as a tree of dictionaries, as in Flax.

    Returns:
      ``(params, info)``; ``info["step"]`` is the number of steps after which they were taken, and
      ``info["kind"]`` says what they are: ``best``, ``ema`` or ``params``.

    Raises:
      FileNotFoundError: if the run has no intact checkpoint.
      ValueError: if the parameters do not fit the template.

    Example:
      >>> import numpy as np, tempfile
      >>> workdir = pathlib.Path(tempfile.mkdtemp())
      >>> info = {"step": 9, "best_step": None}
      >>> folder = workdir / "checkpoints" / "step_00000009"
      >>> _ = save_checkpoint(folder, {"params": {"w": np.float32(2)}}, info)
      >>> restore_params(workdir)
      ({'w': array(2., dtype=float32)}, {'step': 9, 'kind': 'params'})
    """
    rotation = Rotation(pathlib.Path(workdir) / "checkpoints")
    for path in rotation.states():
        try:
            tree, info = restore_checkpoint(path)
        except CorruptCheckpointError as error:
            warnings.warn(f"{error}; going back to the checkpoint before", RuntimeWarning, stacklevel=2)
            continue
        best_step = info["best_step"]
        if best_step is not None and (best := rotation.best(best_step)) is not None:
            params, found = best, {"step": best_step, "kind": "best"}
        else:
            kind = "ema" if "ema" in tree else "params"
            params, found = tree[kind], {"step": info["step"], "kind": kind}
        return (params if template is None else conform(path, params, template)), found
    raise FileNotFoundError(f"workdir must hold a run with an intact checkpoint, got {str(workdir)!r}")
