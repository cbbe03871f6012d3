import dataclasses
import threading

import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest

import equijax as ej

KEY = jax.random.key(1)
LOCAL = jax.local_devices()


@pytest.fixture(scope="module")
def task(regression):
    return regression.problem()


def fit(task, **options):
    defaults = {"num_steps": 20, "key": KEY, "progress": False, "devices": LOCAL[:1], "log_every": 5}
    loss_fn, batches = options.pop("loss_fn", task.loss_fn), options.pop("batches", task.batches)
    optimizer = options.pop("optimizer", optax.adam(1e-2))
    return ej.training.fit(loss_fn, task.params, optimizer, batches, **(defaults | options))


@pytest.fixture(scope="module")
def alone(task):
    """Twenty steps on one device, the reference of several tests."""
    return fit(task, ema_decay=0.9)


def assert_close(got, expected, tolerance=1e-5):
    jax.tree.map(lambda a, b: np.testing.assert_allclose(a, b, atol=tolerance), got, expected)


def rows(result, phase="train"):
    return [row for row in result.history if row["phase"] == phase]


def test_training_learns(task):
    result = fit(task, num_steps=300, log_every=100)
    losses = [row["loss"] for row in rows(result)]
    assert losses[-1] < 0.3 * losses[0]
    assert [row["step"] for row in rows(result)] == [100, 200, 300]


def test_eight_devices_equal_one(task, alone):
    many = fit(task, devices=LOCAL[:8], ema_decay=0.9)
    assert_close(many.params, alone.params)
    assert_close(many.ema_params, alone.ema_params)
    assert_close([row["mae"] for row in rows(many)], [row["mae"] for row in rows(alone)])


def test_micro_batches_equal_the_whole_batch(task, alone):
    assert_close(fit(task, accumulate=4).params, alone.params)
    assert_close(fit(task, accumulate=2, devices=LOCAL[:4]).params, alone.params)


def test_the_loop_equals_a_plain_one(task, alone):
    optimizer = optax.adam(1e-2)
    params, state = jax.tree.map(jnp.asarray, task.params), optimizer.init(task.params)
    gradient = jax.jit(jax.grad(lambda p, batch: task.loss_fn(p, batch, None)[0]))
    average = params
    for step in range(20):
        updates, state = optimizer.update(gradient(params, task.batches(step)), state, params)
        params = optax.apply_updates(params, updates)
        average = jax.tree.map(lambda a, p: 0.9 * a + 0.1 * p, average, params)
    assert_close(alone.params, params, 1e-6)
    assert_close(alone.ema_params, average, 1e-6)
    assert_close(alone.opt_state, state, 1e-6)


def test_the_same_key_gives_the_same_bits_and_another_key_does_not(task):
    one, two = (fit(task, loss_fn=task.noisy_loss_fn) for _ in range(2))
    jax.tree.map(np.testing.assert_array_equal, one.params, two.params)
    other = fit(task, loss_fn=task.noisy_loss_fn, key=jax.random.key(2))
    assert not np.array_equal(other.params["out"]["kernel"], one.params["out"]["kernel"])


def test_raw_keys_are_keys_too(task):
    typed = fit(task, loss_fn=task.noisy_loss_fn, num_steps=3)
    raw = fit(task, loss_fn=task.noisy_loss_fn, num_steps=3, key=jax.random.PRNGKey(1))
    jax.tree.map(np.testing.assert_array_equal, raw.params, typed.params)


def test_rows_hold_means_over_their_steps(task):
    every = [row["loss"] for row in rows(fit(task, num_steps=7, log_every=1))]
    some = rows(fit(task, num_steps=7, log_every=5, schedule=lambda step: 0.5 * step))
    means = [np.mean(every[:5]), np.mean(every[5:])]
    np.testing.assert_allclose([row["loss"] for row in some], means, rtol=1e-5)
    assert [row["learning_rate"] for row in some] == [2.0, 3.0]


def test_the_best_parameters_are_those_of_the_lowest_number(task):
    seen = []

    def evaluate(params):
        seen.append(jax.tree.map(np.array, params))
        return {"error": [3.0, 1.0, 2.0, float("nan")][len(seen) - 1]}

    result = fit(task, evaluate=evaluate, evaluate_every=5, monitor="error")
    jax.tree.map(np.testing.assert_array_equal, result.best_params, seen[1])
    jax.tree.map(np.testing.assert_array_equal, result.params, seen[3])
    assert [row["error"] for row in rows(result, "evaluate")][:3] == [3.0, 1.0, 2.0]


def test_averaged_parameters_are_the_ones_that_are_judged(task):
    seen = []
    result = fit(task, evaluate=lambda params: seen.append(params) or {}, ema_decay=0.5)
    assert len(seen) == 1
    jax.tree.map(np.testing.assert_array_equal, seen[0], result.ema_params)
    jax.tree.map(np.testing.assert_array_equal, result.best_params, result.ema_params)


def test_without_an_evaluation_the_log_decides_what_is_best(task):
    result = fit(task, monitor="loss", num_steps=10, optimizer=optax.sgd(-0.05))
    five = fit(task, num_steps=5, optimizer=optax.sgd(-0.05))
    jax.tree.map(np.testing.assert_array_equal, result.best_params, five.params)


def test_a_bad_batch_stops_the_run_and_is_named(task, tmp_path):
    def batches(step):
        batch = task.batches(step)
        return batch if step != 13 else {**batch, "x": np.where(batch["x"] > 1, np.nan, batch["x"])}

    with pytest.raises(FloatingPointError, match=r"step 13 .* gradient of params/hidden/bias"):
        fit(task, batches=batches, workdir=tmp_path, checkpoint_every=4, log_every=100)
    assert [path.name for path in sorted((tmp_path / "checkpoints").iterdir())] == [
        "step_00000008",
        "step_00000012",
    ]
    mended = fit(task, workdir=tmp_path, checkpoint_every=4, log_every=100)
    jax.tree.map(np.testing.assert_array_equal, mended.params, fit(task, log_every=100).params)


def test_double_precision_is_kept_everywhere(x64, regression, tmp_path):
    task = regression.problem(np.float64)
    result = fit(task, num_steps=4, ema_decay=0.5, workdir=tmp_path)
    assert {leaf.dtype.name for leaf in jax.tree.leaves(result.params)} == {"float64"}
    eight = fit(task, num_steps=4, devices=LOCAL[:8])
    assert_close(eight.params, result.params, 1e-12)
    again = fit(task, num_steps=4, ema_decay=0.5, workdir=tmp_path)
    jax.tree.map(np.testing.assert_array_equal, again.params, result.params)


def test_the_caller_keeps_his_parameters(task):
    mine = jax.tree.map(jnp.asarray, task.params)
    fit(task._replace(params=mine), num_steps=3)
    jax.tree.map(np.testing.assert_array_equal, mine, task.params)


def test_the_time_is_accounted_for(task):
    result = fit(task, evaluate=lambda params: {}, evaluate_every=10)
    parts = {name: value for name, value in result.seconds.items() if name != "total"}
    assert parts.keys() == {"compile", "step", "data", "evaluate", "checkpoint"}
    assert sum(parts.values()) == pytest.approx(result.seconds["total"])
    assert parts["compile"] > parts["data"]


def test_batches_of_another_shape_are_allowed(task):
    def batches(step):
        return jax.tree.map(lambda leaf: leaf[: 16 if step % 2 else 32], task.batches(step))

    assert fit(task, batches=batches, num_steps=6).step == 6


def test_parameters_may_be_one_array(task):
    result = ej.training.fit(
        lambda params, batch, key: (jnp.mean((batch["x"] @ params - batch["y"]) ** 2), {}),
        np.zeros(3, np.float32),
        optax.sgd(0.1),
        task.batches,
        num_steps=5,
        key=KEY,
        progress=False,
        devices=LOCAL[:1],
    )
    assert result.params.shape == (3,)


def test_errors_of_the_data_come_with_their_step(task):
    def batches(step):
        if step == 4:
            raise OSError("disk is gone")
        return task.batches(step)

    with pytest.raises(OSError, match="disk is gone") as caught:
        fit(task, batches=batches)
    assert "batches(4)" in caught.value.__notes__[0]
    assert not [thread for thread in threading.enumerate() if thread.name == "equijax-batches"]


def test_a_batch_that_does_not_divide_is_named(task):
    with pytest.raises(ValueError, match=r"batch leaf 'x' must .* 5 devices times 1 .* \(32, 3\)"):
        fit(task, devices=LOCAL[:5])


def test_progress_is_shown(task, capsys):
    fit(task, progress=True)
    shown = capsys.readouterr().err
    assert "20/20" in shown
    assert "loss=" in shown


@dataclasses.dataclass
class Wrong:
    options: dict
    error: type
    message: str


@pytest.mark.parametrize(
    "wrong",
    [
        Wrong({"num_steps": -1}, ValueError, "num_steps must be a number of at least 0, got -1"),
        Wrong({"num_steps": 2.5}, TypeError, "num_steps must be an integer, got 2.5"),
        Wrong({"key": 0}, TypeError, "key must be a random key such as .*, got 0"),
        Wrong({"key": None}, TypeError, "key must be a random key such as .*, got None"),
        Wrong({"optimizer": optax.sgd}, TypeError, "optimizer must be a GradientTransformation.*, got"),
        Wrong({"batches": np.ones(3)}, TypeError, "batches must be a function, got ndarray"),
        Wrong({"schedule": 0.1}, TypeError, "schedule must be a function, got float"),
        Wrong({"ema_decay": "a"}, ValueError, "ema_decay must be at least 0 and below 1, got 'a'"),
        Wrong({"workdir": __file__}, ValueError, "workdir must be a folder, got .*, which is a file"),
        Wrong({"accumulate": 0}, ValueError, "accumulate must be a number of at least 1, got 0"),
        Wrong({"log_every": 0}, ValueError, "log_every must be a number of at least 1, got 0"),
        Wrong({"checkpoint_every": 0}, ValueError, "checkpoint_every must be a number of at least 1"),
        Wrong({"evaluate_every": 5}, ValueError, "evaluate_every=5 needs evaluate, got None"),
        Wrong({"ema_decay": 1.0}, ValueError, "ema_decay must be at least 0 and below 1, got 1.0"),
        Wrong({"monitor": "rmse"}, ValueError, "monitor must be one of 'loss', 'mae', got 'rmse'"),
        Wrong({"monitor": "x", "evaluate": lambda p: {"y": 1}}, ValueError, "monitor must be one of 'y'"),
        Wrong({"evaluate": lambda p: 1.0}, TypeError, "evaluate must return a dictionary .*, got float"),
        Wrong({"devices": []}, ValueError, "devices must contain one of process 0"),
        Wrong({"loss_fn": lambda p, b, k: 1.0}, TypeError, "loss_fn must return"),
    ],
    ids=lambda wrong: next(iter(wrong.options)),
)
def test_wrong_arguments_are_named(task, wrong):
    with pytest.raises(wrong.error, match=wrong.message):
        fit(task, **wrong.options)


def test_unfit_parameters_are_named(task):
    with pytest.raises(TypeError, match="params/n must be a real floating-point array, got dtype int"):
        fit(task._replace(params={"n": np.arange(3)}))
    with pytest.raises(ValueError, match="params must have at least one array"):
        fit(task._replace(params={}))


def test_no_steps_change_nothing(task):
    result = fit(task, num_steps=0, ema_decay=0.5)
    assert result.step == 0
    assert result.history == []
    for params in (result.params, result.ema_params, result.best_params):
        jax.tree.map(np.testing.assert_array_equal, params, task.params)
