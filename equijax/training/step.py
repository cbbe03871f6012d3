"""One training step, compiled for all devices at once with ``jax.pmap``."""

from collections.abc import Callable, Sequence

import jax
import jax.numpy as jnp
import optax
from jax import lax

from equijax.training.placement import AXIS
from equijax.training.state import NO_FAULT, TrainState, find_fault

RESERVED = ("loss", "step", "seconds", "step_seconds", "phase", "learning_rate")


def metric_zeros(loss_fn: Callable, params, batch, key_data) -> dict[str, jax.Array]:
    """Check what a loss function returns, without running it, and give a zero for each metric.

    Args:
      loss_fn: as in :func:`equijax.training.fit`.
      params: the parameters.
      batch: a placed batch, leaves ``(devices, accumulate, n, ...)``.
      key_data: data of a random key.

    Returns:
      A dictionary of zeros: the loss and its metrics, in their dtypes.

    Raises:
      TypeError: if ``loss_fn`` returns something else than a scalar loss and a dictionary.
      ValueError: if a metric is not a scalar or has a reserved name.

    Example:
      >>> loss_fn = lambda params, batch, key: (params * batch.mean(), {"size": 1.0})
      >>> batch, key_data = jnp.ones((1, 1, 4)), jax.random.key_data(jax.random.key(0))
      >>> sorted(metric_zeros(loss_fn, jnp.float32(1.0), batch, key_data))
      ['loss', 'size']
    """
    one = jax.tree.map(lambda leaf: jax.ShapeDtypeStruct(leaf.shape[2:], leaf.dtype), batch)
    out = jax.eval_shape(lambda p, b, k: loss_fn(p, b, jax.random.wrap_key_data(k)), params, one, key_data)
    if not (isinstance(out, tuple) and len(out) == 2 and isinstance(out[1], dict)):
        raise TypeError(f"loss_fn must return (loss, dictionary of metrics), got {jax.tree.structure(out)}")
    loss, metrics = out
    if getattr(loss, "shape", None) != () or not jnp.issubdtype(loss.dtype, jnp.floating):
        raise TypeError(f"loss_fn must return a real scalar loss, got {loss}")
    for name, value in metrics.items():
        if name in RESERVED:
            raise ValueError(f"loss_fn must not name a metric {name!r}: the log uses that name itself")
        if getattr(value, "shape", None) != ():
            raise ValueError(f"loss_fn must return scalar metrics, got {value} for {name!r}")
    return {name: jnp.zeros((), _metric_dtype(value)) for name, value in {"loss": loss, **metrics}.items()}


def _metric_dtype(value):
    """The dtype in which a metric is summed: its own, or float32 for counts."""
    return value.dtype if jnp.issubdtype(value.dtype, jnp.floating) else jnp.float32


def make_step(
    loss_fn: Callable,
    optimizer: optax.GradientTransformation,
    devices: Sequence[jax.Device],
    *,
    accumulate: int,
    ema_decay: float | None,
    log_every: int,
) -> Callable:
    """Compile-on-first-call training step over all devices of the run.

    Loss, metrics and gradients are means over the micro-batches and the devices. The key of a micro-batch is
    derived from the run's key, the step, the device and the micro-batch. A step that meets a number that is
    not finite leaves the state as it was and records the fault; the host need not look at every step.

    Args:
      loss_fn: as in :func:`equijax.training.fit`.
      optimizer: gradient transformation; ``value=loss`` is passed to those that take it.
      devices: devices of all hosts.
      accumulate: micro-batches a device and step.
      ema_decay: decay of the average of the parameters, or None for no average.
      log_every: the sums of the metrics start again after every so many steps.

    Returns:
      ``step(state, batch, key_data) -> (state, loss)``; the memory of the given state is used again.

    Example:
      >>> from equijax.training.placement import replicate, split
      >>> from equijax.training.state import initial_state
      >>> optimizer, devices = optax.sgd(0.5), jax.devices()[:1]
      >>> loss_fn = lambda params, batch, key: (jnp.mean((params - batch) ** 2), {})
      >>> step = make_step(loss_fn, optimizer, devices, accumulate=1, ema_decay=None, log_every=1)
      >>> zero = jnp.float32(0.0)
      >>> state = replicate(initial_state(zero, optimizer.init(zero), None, {"loss": zero}), devices)
      >>> batch = split(jnp.full(4, 3.0), devices, 1)
      >>> state, loss = step(state, batch, jax.random.key_data(jax.random.key(0)))
      >>> float(state.params), float(state.totals["loss"]), float(loss)
      (3.0, 9.0, 9.0)
    """
    update = optax.with_extra_args_support(optimizer).update

    def step(state: TrainState, batch, key_data) -> tuple[TrainState, jax.Array]:
        key = jax.random.fold_in(jax.random.wrap_key_data(key_data), state.step)
        key = jax.random.fold_in(key, lax.axis_index(AXIS))
        metrics, grads = _mean_over_micro_batches(loss_fn, state.params, batch, key, accumulate)
        metrics, grads = lax.pmean((metrics, grads), AXIS)
        updates, opt_state = update(grads, state.opt_state, state.params, value=metrics["loss"])
        params = optax.apply_updates(state.params, updates)
        window_starts = state.step % log_every == 0
        proposal = TrainState(
            step=state.step + 1,
            params=params,
            opt_state=opt_state,
            ema=None if ema_decay is None else _moving_average(state.ema, params, ema_decay),
            totals={n: metrics[n] + jnp.where(window_starts, 0, total) for n, total in state.totals.items()},
            fault=state.fault,
        )
        fault = find_fault(state.step, metrics["loss"], grads, params)
        fault = jnp.where(state.fault[0] == NO_FAULT, fault, state.fault)
        kept = jax.tree.map(lambda new, old: jnp.where(fault[0] == NO_FAULT, new, old), proposal, state)
        return kept._replace(fault=fault), metrics["loss"]

    return jax.pmap(
        step, axis_name=AXIS, in_axes=(None, 0, None), out_axes=None, devices=tuple(devices), donate_argnums=0
    )


def _moving_average(average, params, decay: float):
    """The exponential moving average after one more step, in the dtype of each parameter."""
    return jax.tree.map(lambda a, p: (decay * a + (1 - decay) * p).astype(p.dtype), average, params)


def _mean_over_micro_batches(loss_fn: Callable, params, batch, key, accumulate: int) -> tuple:
    """Metrics (with the loss) and gradients of one device, batch leaves ``(accumulate, n, ...)``."""

    def one(index, micro_batch):
        micro_key = jax.random.fold_in(key, index)
        (loss, metrics), grads = jax.value_and_grad(loss_fn, has_aux=True)(params, micro_batch, micro_key)
        metrics = {name: jnp.asarray(value) for name, value in {"loss": loss, **metrics}.items()}
        return {name: value.astype(_metric_dtype(value)) for name, value in metrics.items()}, grads

    if accumulate == 1:
        return one(0, jax.tree.map(lambda leaf: leaf[0], batch))

    def add(total, indexed):
        return jax.tree.map(jnp.add, total, one(*indexed)), None

    shapes = jax.eval_shape(one, 0, jax.tree.map(lambda leaf: leaf[0], batch))
    zeros = jax.tree.map(lambda shape: jnp.zeros(shape.shape, shape.dtype), shapes)
    total, _ = lax.scan(add, zeros, (jnp.arange(accumulate), batch))
    return jax.tree.map(lambda leaf: leaf / accumulate, total)
