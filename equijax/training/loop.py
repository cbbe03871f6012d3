"""The training loop: data-parallel with ``jax.pmap``, and resumed exactly where it was cut off.

Step ``n`` depends on the state after ``n`` steps, on ``batches(n)`` and on the run's key, and on nothing
else. So a run that was killed and goes on from a checkpoint computes the same numbers again, bit for bit on
the same hardware, and its log ends up with the same rows.
"""

import pathlib
from collections.abc import Callable, Sequence
from typing import Any

import jax
import numpy as np
import optax

from equijax.numerics import check
from equijax.training.run import FitResult, Run
from equijax.training.trees import is_key, leaf_names


def fit(
    loss_fn: Callable,
    params,
    optimizer: optax.GradientTransformation,
    batches: Callable[[int], Any],
    *,
    num_steps: int,
    key,
    workdir: str | pathlib.Path | None = None,
    accumulate: int = 1,
    ema_decay: float | None = None,
    evaluate: Callable[[Any], dict] | None = None,
    evaluate_every: int | None = None,
    monitor: str | None = None,
    checkpoint_every: int | None = None,
    log_every: int = 50,
    schedule: Callable[[int], float] | None = None,
    progress: bool = True,
    devices: Sequence[jax.Device] | None = None,
) -> FitResult:
    """Train parameters with a gradient transformation.

    With a ``workdir`` the run writes ``metrics.jsonl``, ``tensorboard/`` and ``checkpoints/`` there, and a
    call with the same ``workdir`` goes on from the last intact checkpoint; a larger ``num_steps`` extends a
    finished run. SIGTERM, or one SIGINT, ends the run after the step at hand with a checkpoint and
    ``interrupted=True``.

    Args:
      loss_fn: ``loss_fn(params, batch, key) -> (loss, metrics)``: a scalar that is the mean over the batch it
        is given, and a dictionary of scalars. It sees the part of one device and micro-batch: leaves of shape
        ``(n / (devices * accumulate), ...)``.
      params: pytree of floating-point arrays. It is not changed.
      optimizer: gradient transformation, for instance of optax; schedules and clipping belong to it.
      batches: ``batches(step) -> pytree`` of new arrays, the leading axis of each leaf holding what this host
        takes of the global batch. A pure function of the step, called in another thread and ahead of time.
      num_steps: steps of the whole run, those of an earlier call included.
      key: random key of the run; ``loss_fn`` gets one derived from it, the step, the device and the
        micro-batch.
      workdir: folder of the run, or None to write nothing.
      accumulate: micro-batches that each device works through, one after another, for one update.
      ema_decay: decay ``d`` of ``ema <- d ema + (1 - d) params`` after every step, starting from the initial
        parameters; None for no average.
      evaluate: ``evaluate(params) -> dict`` of numbers, on the averaged parameters where there are such.
      evaluate_every: steps between evaluations; there is one at the end in any case.
      monitor: name of the number, lower is better, that decides which parameters are the best: one of
        ``evaluate``, or without it of the logged ones.
      checkpoint_every: steps between checkpoints; there is one at the end in any case.
      log_every: steps between rows of the log; a row holds means over these steps.
      schedule: learning rate as a function of the step, only to be logged.
      progress: whether to show a progress bar.
      devices: devices of all hosts, by default all that there are. A CPU counts as one device.

    Returns:
      A :class:`FitResult`.

    Raises:
      ValueError: if an argument is out of range, a batch does not divide among the devices (the message names
        the leaf), or the workdir holds a run of another model, optimizer or key, or one that is longer.
      TypeError: if an argument is of another kind, or ``loss_fn`` returns something else than a scalar and a
        dictionary.
      FloatingPointError: if the loss, a gradient or a parameter is not finite; it names the step and the
        leaf. The checkpoints from before that step stay.

    Example:
      >>> import jax.numpy as jnp
      >>> from equijax.training import ShuffledBatches
      >>> x = np.linspace(-1, 1, 64, dtype=np.float32)
      >>> def loss_fn(params, batch, key):
      ...     error = params["slope"] * batch["x"] - batch["y"]
      ...     return jnp.mean(error**2), {"worst": jnp.max(abs(error))}
      >>> batches = ShuffledBatches({"x": x, "y": 3 * x}, 16, jax.random.key(0))
      >>> result = fit(loss_fn, {"slope": 0.0}, optax.adam(0.1), batches, num_steps=200,
      ...              key=jax.random.key(1), progress=False)
      >>> round(float(result.params["slope"]), 2), result.step
      (3.0, 200)
    """
    for name, value in {"loss_fn": loss_fn, "batches": batches}.items():
        check.function(name, value)
    for name, value in {"evaluate": evaluate, "schedule": schedule}.items():
        if value is not None:
            check.function(name, value)
    check.instance("optimizer", optimizer, optax.GradientTransformation)
    check.key("key", key)
    check.count("num_steps", num_steps, 0)
    check.count("accumulate", accumulate, 1)
    check.count("log_every", log_every, 1)
    for name, every in {"evaluate_every": evaluate_every, "checkpoint_every": checkpoint_every}.items():
        if every is not None:
            check.count(name, every, 1)
    if ema_decay is not None and not (isinstance(ema_decay, int | float) and 0 <= ema_decay < 1):
        raise ValueError(f"ema_decay must be at least 0 and below 1, got {ema_decay!r}")
    if evaluate_every is not None and evaluate is None:
        raise ValueError(f"evaluate_every={evaluate_every} needs evaluate, got None")
    if not jax.tree.leaves(params):
        raise ValueError(f"params must have at least one array, got {params!r}")
    for name, leaf in zip(leaf_names(params), jax.tree.leaves(params)):
        check.floating(f"params/{name}" if name else "params", leaf)
    if workdir is not None and pathlib.Path(workdir).exists() and not pathlib.Path(workdir).is_dir():
        raise ValueError(f"workdir must be a folder, got {str(workdir)!r}, which is a file")
    run = Run(
        loss_fn=loss_fn,
        params=params,
        optimizer=optimizer,
        batches=batches,
        num_steps=num_steps,
        key_data=np.asarray(jax.random.key_data(key) if is_key(key) else key),
        workdir=None if workdir is None else pathlib.Path(workdir),
        accumulate=accumulate,
        ema_decay=ema_decay,
        evaluate=evaluate,
        evaluate_every=evaluate_every,
        monitor=monitor,
        checkpoint_every=checkpoint_every,
        log_every=log_every,
        schedule=schedule,
        progress=progress and jax.process_index() == 0,
        devices=tuple(jax.devices() if devices is None else devices),
    )
    return run.finish()
