"""One run of the training loop: from the last checkpoint to the last step, and what is due in between."""

import pathlib
from collections import deque
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
import optax

from equijax.numerics import check
from equijax.training import distributed, placement
from equijax.training.clock import Clock
from equijax.training.metrics import MetricLog, Row, progress_bar
from equijax.training.prefetch import prefetch
from equijax.training.rotation import Rotation
from equijax.training.signals import StopRequest, stop_on_signal
from equijax.training.state import TrainState, initial_state, raise_on_fault
from equijax.training.step import make_step, metric_zeros
from equijax.training.trees import like, to_host


class FitResult(NamedTuple):
    """What a training run gives back.

    Attributes:
      params: the parameters after the last step.
      ema_params: their exponential moving average, or None.
      best_params: the parameters that were best by ``monitor``; without one, the last (averaged) ones.
      opt_state: the optimizer's state.
      step: finished steps.
      history: the rows of the log, see :class:`equijax.training.metrics.MetricLog`.
      seconds: where the time went: ``compile``, ``step``, ``data`` (waiting for batches), ``evaluate``,
        ``checkpoint``, ``total``; summed over all parts of a resumed run.
      interrupted: whether a signal ended the run before ``num_steps``.
    """

    params: Any
    ema_params: Any
    best_params: Any
    opt_state: Any
    step: int
    history: list[Row]
    seconds: dict[str, float]
    interrupted: bool


@dataclass
class Run:
    """The arguments of :func:`equijax.training.fit`, checked, and what changes while it runs.

    Example: see :func:`equijax.training.fit`, which makes one and calls :meth:`finish`.
    """

    loss_fn: Callable
    params: Any
    optimizer: optax.GradientTransformation
    batches: Callable
    num_steps: int
    key_data: np.ndarray
    workdir: pathlib.Path | None
    accumulate: int
    ema_decay: float | None
    evaluate: Callable | None
    evaluate_every: int | None
    monitor: str | None
    checkpoint_every: int | None
    log_every: int
    schedule: Callable | None
    progress: bool
    devices: tuple

    def finish(self) -> FitResult:
        """Restore, run the steps that are left, and give the result.

        Example: see :func:`equijax.training.fit`.
        """
        self.clock, self.state = Clock(), None
        self.local_devices = placement.local(self.devices)
        with ExitStack() as stack:
            self.rotation = None
            if self.workdir is not None and jax.process_index() == 0:
                self.workdir.mkdir(parents=True, exist_ok=True)
                self.rotation = stack.enter_context(Rotation(self.workdir / "checkpoints"))
            totals = self._restore()
            stack.callback(self.log.close)
            stop = stack.enter_context(stop_on_signal())
            if self.step < self.num_steps:
                self._train(totals, stop)
            if self.rotation is not None:
                with self.clock.span("checkpoint"):
                    self.rotation.wait()
        return self._result()

    def _restore(self) -> dict[str, float]:
        """Bring back the last checkpoint, or begin. Returns the sums of the metrics at that point."""
        params = to_host(jax.tree.map(jnp.asarray, self.params))
        tree = {"params": params, "opt_state": jax.jit(self.optimizer.init)(params)}
        if self.ema_decay is not None:
            tree["ema"] = params
        best, info = params, {}
        if self.rotation is not None:
            tree, best, info = self._read(tree)
        if self.workdir is not None:
            (tree, best), info = distributed.from_first_host((tree, best), info, (tree, best))
        self._check_resumable(info)
        self.best_step, self.best_value = info.get("best_step"), info.get("best_value")
        self.best_params = None if self.best_step is None else best
        self.tree, self.step = tree, info.get("step", 0)
        self.clock.add(info.get("seconds", {}))
        self.log = MetricLog(None if self.rotation is None else self.workdir, info.get("history", ()))
        return info.get("totals", {})

    def _read(self, tree: dict) -> tuple:
        """Tree, best parameters and information of the last checkpoint; the given tree if there is none."""
        with self.clock.span("checkpoint"):
            tree, info = self.rotation.restore_latest(tree) or (tree, {})
            best = None
            if info.get("best_step") is not None and info["monitor"] == self.monitor:
                best = self.rotation.best(info["best_step"], tree["params"])
        if best is None:
            return tree, tree["params"], {**info, "best_step": None, "best_value": None} if info else info
        return tree, best, info

    def _check_resumable(self, info: dict) -> None:
        """Refuse to go on with a run that is not this one."""
        if info and info["key"] != self.key_data.tolist():
            raise ValueError(
                f"key must be the one that the run in {self.workdir} was started with, {info['key']}, got "
                f"{self.key_data.tolist()}; give another workdir, or delete that one to start again"
            )
        if info and info["step"] > self.num_steps:
            raise ValueError(
                f"num_steps must be at least {info['step']}, the steps that the run in {self.workdir} has "
                f"finished, got {self.num_steps}"
            )

    def _train(self, totals: dict[str, float], stop: StopRequest) -> None:
        """Run the steps that are left."""
        step_fn = make_step(
            self.loss_fn,
            self.optimizer,
            self.devices,
            accumulate=self.accumulate,
            ema_decay=self.ema_decay,
            log_every=self.log_every,
        )
        key_data = placement.replicate(self.key_data, self.local_devices)
        flight, known = _Flight(self.devices), set()
        start = self.step
        with (
            prefetch(self.batches, self._place, start, self.num_steps) as get,
            progress_bar(self.num_steps, start, show=self.progress) as bar,
        ):
            for step in range(start, self.num_steps):
                with self.clock.span("data"):
                    batch = get()
                layout = tuple((leaf.shape, leaf.dtype) for leaf in jax.tree.leaves(batch))
                # The first call with a new layout compiles; every other returns as soon as it is under way.
                with self.clock.span("step" if layout in known else "compile"):
                    if not known:
                        self.state = self._first_state(totals, batch)
                    self.state, loss = step_fn(self.state, batch, key_data)
                known.add(layout)
                flight.launched(loss)
                bar.update(1)
                if self._after_step(step + 1, stop, bar):
                    return

    def _place(self, batch):
        """Move a batch to the local devices. Runs in the data thread."""
        return placement.split(batch, self.local_devices, self.accumulate)

    def _first_state(self, totals: dict[str, float], batch) -> TrainState:
        """The state on the devices, with a sum for each metric that the loss function turns out to have."""
        sums = metric_zeros(self.loss_fn, self.tree["params"], batch, self.key_data)
        if self.monitor is not None and self.evaluate is None:
            check.one_of("monitor", self.monitor, sums)
        if totals.keys() == sums.keys():
            sums = {name: np.asarray(totals[name], zero.dtype) for name, zero in sums.items()}
        state = initial_state(
            self.tree["params"], self.tree["opt_state"], self.tree.get("ema"), sums, step=self.step
        )
        return placement.replicate(state, self.local_devices)

    def _after_step(self, done: int, stop: StopRequest, bar) -> bool:
        """Log, evaluate and save what is due after ``done`` steps. Returns whether to stop early."""
        last = done == self.num_steps
        logs = last or done % self.log_every == 0
        evaluates = self.evaluate is not None and (last or _due(done, self.evaluate_every))
        alone = jax.process_count() == 1
        # Several hosts must stop at the same step, so they talk about it, but not after every step.
        stops = stop.requested if alone else logs and distributed.any_host(stop.requested)
        saves = last or stops or _due(done, self.checkpoint_every)
        if not (logs or evaluates or saves):
            return False
        self.step = done
        raise_on_fault(self.state)
        if logs:
            self._log(done, bar)
        if evaluates:
            with self.clock.span("evaluate"):
                numbers = self._evaluate()
            self.log.add(done, "evaluate", numbers, self.clock)
            self._keep_if_best(done, numbers)
        if saves:
            with self.clock.span("checkpoint"):
                self._save(done)
        return stops

    def _log(self, done: int, bar) -> None:
        """Add a row with the means of the metrics since the row before."""
        count = (done - 1) % self.log_every + 1
        means = {name: float(total) / count for name, total in to_host(self.state.totals).items()}
        bar.set_postfix(loss=f"{means['loss']:.4g}")
        rate = {} if self.schedule is None else {"learning_rate": float(self.schedule(done - 1))}
        self.log.add(done, "train", {**means, **rate}, self.clock)
        if self.evaluate is None:
            self._keep_if_best(done, means)

    def _evaluate(self) -> dict[str, float]:
        """Call the user's evaluation with parameters of its own, on one device."""
        params = jax.tree.map(jnp.asarray, to_host(self._judged_params()))
        numbers = self.evaluate(params)
        if not isinstance(numbers, dict):
            raise TypeError(f"evaluate must return a dictionary of numbers, got {type(numbers).__name__}")
        if self.monitor is not None:
            check.one_of("monitor", self.monitor, numbers)
        return {name: float(value) for name, value in numbers.items()}

    def _judged_params(self):
        """The averaged parameters where there are such, otherwise the parameters."""
        return self.state.params if self.state.ema is None else self.state.ema

    def _keep_if_best(self, done: int, numbers: dict[str, float]) -> None:
        """Remember the parameters if the monitored number is the lowest so far."""
        if self.monitor is None:
            return
        value = numbers[self.monitor]
        if not np.isfinite(value) or (self.best_value is not None and value >= self.best_value):
            return
        self.best_step, self.best_value = done, value
        self.best_params = to_host(self._judged_params())
        if self.rotation is not None:
            info = {"step": done, "monitor": self.monitor, "value": value}
            with self.clock.span("checkpoint"):
                self.rotation.save_best(done, self.best_params, info)

    def _save(self, done: int) -> None:
        """Hand the state to the writer."""
        if self.rotation is None:
            return
        self.log.flush()
        info = {
            "step": done,
            "key": self.key_data.tolist(),
            "totals": {name: float(total) for name, total in to_host(self.state.totals).items()},
            "best_step": self.best_step,
            "best_value": self.best_value,
            "monitor": self.monitor,
            "seconds": self.clock.seconds(),
            "history": list(self.log.rows),
        }
        self.rotation.save_state(done, to_host(self._tree()), info)

    def _tree(self) -> dict:
        """What a checkpoint holds."""
        if self.state is None:
            return self.tree
        tree = {"params": self.state.params, "opt_state": self.state.opt_state}
        return tree if self.state.ema is None else {**tree, "ema": self.state.ema}

    def _result(self) -> FitResult:
        """The result, as arrays on the default device."""
        tree = jax.tree.map(jnp.asarray, like(self._tree(), to_host(self._tree())))
        last = tree.get("ema", tree["params"])
        best = last if self.best_params is None else jax.tree.map(jnp.asarray, self.best_params)
        return FitResult(
            params=tree["params"],
            ema_params=tree.get("ema"),
            best_params=best,
            opt_state=tree["opt_state"],
            step=self.step,
            history=self.log.rows,
            seconds=self.clock.seconds(),
            interrupted=self.step < self.num_steps,
        )


def _due(done: int, every: int | None) -> bool:
    """Whether something that happens every so many steps is due."""
    return every is not None and done % every == 0


class _Flight:
    """Steps that are under way: enough of them to keep the devices busy, not so many that a stop takes long.

    Several CPU devices share one pool of threads, in which the all-reduces of two steps can wait for each
    other forever; there each step has to end before the next begins.
    """

    def __init__(self, devices):
        shares_threads = len(devices) > 1 and devices[0].platform == "cpu"
        self._depth = 0 if shares_threads else 8
        self._losses: deque = deque()

    def launched(self, loss) -> None:
        """Count a step that has been started, and wait for an old one if there are too many."""
        self._losses.append(loss)
        if len(self._losses) > self._depth:
            self._losses.popleft().block_until_ready()
