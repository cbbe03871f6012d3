import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest

from equijax.training.placement import replicate, split
from equijax.training.state import initial_state
from equijax.training.step import make_step, metric_zeros

KEY_DATA = np.asarray(jax.random.key_data(jax.random.key(0)))


def run(loss_fn, batch, *, params=None, optimizer=None, devices=1, steps=1, **options):
    """Some steps on one batch; returns the state and the losses."""
    optimizer = optimizer or optax.sgd(0.1)
    params = {"w": np.float32(1.0)} if params is None else params
    devices = jax.local_devices()[:devices]
    options = {"accumulate": 1, "ema_decay": None, "log_every": 10, **options}
    step = make_step(loss_fn, optimizer, devices, **options)
    placed = split(batch, devices, options["accumulate"])
    ema = None if options["ema_decay"] is None else params
    totals = metric_zeros(loss_fn, params, placed, KEY_DATA)
    state = replicate(initial_state(params, optimizer.init(params), ema, totals), devices)
    losses = []
    for _ in range(steps):
        state, loss = step(state, placed, KEY_DATA)
        losses.append(float(loss))
    return state, losses


def quadratic(params, batch, key):
    return jnp.mean((params["w"] - batch) ** 2), {"distance": jnp.abs(params["w"] - jnp.mean(batch))}


def test_metrics_are_summed_from_one_log_to_the_next():
    state, losses = run(quadratic, np.full(4, 3.0, np.float32), steps=5, log_every=3)
    assert int(state.step) == 5
    np.testing.assert_allclose(state.totals["loss"], losses[3] + losses[4], rtol=1e-6)


def test_devices_and_micro_batches_take_means():
    batch = np.arange(16, dtype=np.float32)
    expected, _ = run(quadratic, batch)
    for devices, accumulate in [(4, 1), (1, 4), (4, 2)]:
        state, _ = run(quadratic, batch, devices=devices, accumulate=accumulate)
        np.testing.assert_allclose(state.params["w"], expected.params["w"], rtol=1e-6)
        np.testing.assert_allclose(state.totals["loss"], expected.totals["loss"], rtol=1e-6)


def test_every_device_micro_batch_and_step_has_a_key_of_its_own():
    def loss_fn(params, batch, key):
        # The mean of the square tells whether the draws were equal: it is the squared mean then only.
        draw = jax.random.normal(key)
        return 0.0 * params["w"] + draw, {"square": draw**2}

    seen = set()
    for devices, accumulate in [(4, 1), (1, 4)]:
        state, losses = run(
            loss_fn, np.zeros(4), devices=devices, accumulate=accumulate, steps=2, log_every=1
        )
        assert float(state.totals["square"]) > losses[-1] ** 2 + 1e-3
        assert losses[0] != losses[1]
        seen.update(losses)
    assert len(seen) == 4


def test_the_average_of_the_parameters_follows_its_closed_form():
    batch, decay = np.full(4, 3.0, np.float32), 0.8
    state, _ = run(quadratic, batch, steps=6, ema_decay=decay)
    weights = [1.0]
    for _ in range(6):
        weights.append(weights[-1] - 0.1 * 2 * (weights[-1] - 3.0))
    expected = decay**6 * 1.0 + sum((1 - decay) * decay ** (6 - k) * weights[k] for k in range(1, 7))
    np.testing.assert_allclose(state.ema["w"], expected, rtol=1e-6)


def test_a_bad_step_changes_nothing_and_stays_on_record():
    def loss_fn(params, batch, key):
        return jnp.mean(params["w"] * batch), {}

    good, bad = np.ones(2, np.float32), np.array([1.0, np.nan], np.float32)
    devices = jax.local_devices()[:1]
    step = make_step(loss_fn, optax.adam(0.1), devices, accumulate=1, ema_decay=None, log_every=10)
    params = {"w": np.float32(1.0)}
    state = initial_state(params, optax.adam(0.1).init(params), None, {"loss": np.float32(0)})
    state = replicate(state, devices)
    state, _ = step(state, split(good, devices, 1), KEY_DATA)
    before = jax.tree.map(np.array, state)
    for batch in (bad, good, bad):
        state, _ = step(state, split(batch, devices, 1), KEY_DATA)
    np.testing.assert_array_equal(state.fault, [1, 0, 0])
    jax.tree.map(np.testing.assert_array_equal, state._replace(fault=before.fault), before)


def test_the_loss_is_passed_to_optimizers_that_want_it():
    plateau = optax.chain(optax.sgd(0.0), optax.contrib.reduce_on_plateau(factor=0.5, patience=1))
    state, _ = run(quadratic, np.full(2, 3.0, np.float32), optimizer=plateau, steps=5)
    assert float(optax.tree.get(state.opt_state, "scale")) < 1


@pytest.mark.parametrize(
    ("loss_fn", "error", "message"),
    [
        (lambda p, b, k: jnp.mean(b), TypeError, "loss_fn must return \\(loss, dictionary"),
        (lambda p, b, k: (b, {}), TypeError, "loss_fn must return a real scalar loss"),
        (lambda p, b, k: (jnp.mean(b), {"loss": jnp.mean(b)}), ValueError, "must not name a metric 'loss'"),
        (lambda p, b, k: (jnp.mean(b), {"all": b}), ValueError, "scalar metrics, .* for 'all'"),
    ],
)
def test_what_the_loss_function_returns_is_checked(loss_fn, error, message):
    with pytest.raises(error, match=message):
        metric_zeros(loss_fn, {"w": np.float32(0)}, np.zeros((1, 1, 4), np.float32), KEY_DATA)
