import json
import os
import random
import signal
import time

import jax
import numpy as np
import optax
import pytest

import equijax as ej

KEY = jax.random.key(1)
DEVICE = jax.local_devices()[:1]


@pytest.fixture(scope="module")
def task(regression):
    return regression.problem()


def run(task, workdir, num_steps=30, **options):
    defaults = {
        "key": KEY,
        "devices": DEVICE,
        "progress": False,
        "ema_decay": 0.9,
        "checkpoint_every": 8,
        "log_every": 5,
        "evaluate": lambda params: {"size": float(np.abs(params["out"]["kernel"]).sum())},
        "evaluate_every": 6,
        "monitor": "size",
    }
    batches, params = options.pop("batches", task.batches), options.pop("params", task.params)
    optimizer = options.pop("optimizer", optax.adam(1e-2))
    options = {"num_steps": num_steps, "workdir": workdir, **defaults, **options}
    return ej.training.fit(task.noisy_loss_fn, params, optimizer, batches, **options)


def untimed(rows):
    return [{name: value for name, value in row.items() if "seconds" not in name} for row in rows]


def assert_same_run(got, expected):
    """Bit for bit the same result and log; only times differ."""
    assert got.step == expected.step
    for field in ("params", "ema_params", "best_params", "opt_state"):
        jax.tree.map(np.testing.assert_array_equal, getattr(got, field), getattr(expected, field))
    assert untimed(got.history) == untimed(expected.history)


@pytest.fixture(scope="module")
def whole(task):
    """The run that nobody disturbed."""
    return run(task, None)


def lines(workdir):
    return [json.loads(line) for line in (workdir / "metrics.jsonl").read_text().splitlines()]


class _Broken(Exception):
    """The program comes to an end in the middle."""


def broken_off(task, workdir, step, **options):
    """A run whose data ends in an error at a step."""

    def batches(index):
        if index == step:
            raise _Broken
        return task.batches(index)

    with pytest.raises(_Broken):
        run(task, workdir, batches=batches, **options)


@pytest.mark.parametrize("step", [3, 8, 22, 29])
def test_a_run_that_broke_off_goes_on_bit_for_bit(task, whole, tmp_path, step):
    broken_off(task, tmp_path, step)
    again = run(task, tmp_path)
    assert_same_run(again, whole)
    assert lines(tmp_path) == again.history


def test_a_finished_run_is_not_run_again(task, whole, tmp_path):
    first = run(task, tmp_path)
    before = (tmp_path / "metrics.jsonl").read_text()

    def batches(step):
        raise AssertionError("no step is left")

    second = run(task, tmp_path, batches=batches)
    assert_same_run(second, whole)
    assert second.history == first.history
    assert not second.interrupted
    assert (tmp_path / "metrics.jsonl").read_text() == before


def test_more_steps_extend_a_finished_run(task, whole, tmp_path):
    run(task, tmp_path, num_steps=13)
    longer = run(task, tmp_path)
    jax.tree.map(np.testing.assert_array_equal, longer.params, whole.params)
    assert longer.history[-1]["step"] == 30
    with pytest.raises(ValueError, match=r"num_steps must be at least 30, .* got 20"):
        run(task, tmp_path, num_steps=20)


def test_times_go_on_after_a_break(task, tmp_path):
    broken_off(task, tmp_path, 22)
    info = json.loads((tmp_path / "checkpoints" / "step_00000016" / "info.json").read_text())["info"]
    result = run(task, tmp_path)
    seconds = [row["seconds"] for row in result.history]
    assert seconds == sorted(seconds)
    assert result.seconds["compile"] > info["seconds"]["compile"] > 0
    assert result.seconds["total"] > info["seconds"]["total"]


@pytest.mark.parametrize("damage", ["truncate", "flip", "delete"])
def test_a_damaged_checkpoint_is_skipped_with_a_warning(task, whole, tmp_path, damage):
    broken_off(task, tmp_path, 22)
    files = [path for path in (tmp_path / "checkpoints" / "step_00000016").rglob("*") if path.is_file()]
    victim = max(files, key=lambda path: path.stat().st_size)
    content = victim.read_bytes()
    if damage == "delete":
        victim.unlink()
    else:
        middle = len(content) // 2
        flipped = content[:middle] + bytes([content[middle] ^ 255]) + content[middle + 1 :]
        victim.write_bytes(content[:middle] if damage == "truncate" else flipped)
    with pytest.warns(RuntimeWarning, match=r"step_00000016 is damaged.*going back"):
        again = run(task, tmp_path)
    assert_same_run(again, whole)


def test_a_damaged_best_is_said_and_training_goes_on(task, tmp_path):
    broken_off(task, tmp_path, 22)
    for best in (tmp_path / "checkpoints").glob("best_*"):
        (best / "info.json").write_text("")
    with pytest.warns(RuntimeWarning, match=r"best_.* is damaged"):
        assert run(task, tmp_path).step == 30


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"optimizer": optax.sgd(0.1)}, "opt_state/.* is only in the checkpoint"),
        ({"ema_decay": None}, "ema/.* is only in the checkpoint"),
        ({"key": jax.random.key(9)}, "key must be the one that the run .* was started with"),
    ],
    ids=["optimizer", "ema", "key"],
)
def test_another_run_in_the_same_folder_is_refused(task, tmp_path, change, message):
    run(task, tmp_path, num_steps=3)
    before = sorted(path.name for path in (tmp_path / "checkpoints").iterdir())
    with pytest.raises(ValueError, match=message):
        run(task, tmp_path, **change)
    assert sorted(path.name for path in (tmp_path / "checkpoints").iterdir()) == before
    assert run(task, tmp_path, num_steps=3).step == 3


def test_another_model_in_the_same_folder_is_refused(task, tmp_path):
    run(task, tmp_path, num_steps=3)
    wider = {**task.params, "out": {"kernel": np.ones((9, 1), np.float32)}}
    message = r"params/out/kernel has shape \(8, 1\) .* in the checkpoint and \(9, 1\)"
    with pytest.raises(ValueError, match=message):
        run(task, tmp_path, params=wider)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_ends_the_run_with_a_checkpoint(task, whole, tmp_path, number):
    def batches(step):
        if step == 11:
            os.kill(os.getpid(), number)
        time.sleep(0.002)
        return task.batches(step)

    stopped = run(task, tmp_path, batches=batches)
    assert stopped.interrupted
    assert 5 <= stopped.step < 30
    assert (tmp_path / "checkpoints" / f"step_{stopped.step:08d}").is_dir()
    assert_same_run(run(task, tmp_path), whole)


def test_the_parameters_to_predict_with_are_the_best_of_the_run(task, whole, tmp_path):
    run(task, tmp_path)
    params, info = ej.training.restore_params(tmp_path, task.params)
    jax.tree.map(np.testing.assert_array_equal, params, whole.best_params)
    assert info["kind"] == "best"


def test_typed_keys_in_the_optimizer_survive(task, tmp_path):
    noisy = optax.chain(optax.add_noise(0.01, 0.5, key=jax.random.key(3)), optax.sgd(0.05))
    reference = run(task, None, optimizer=noisy)
    broken_off(task, tmp_path, 22, optimizer=noisy)
    again = run(task, tmp_path, optimizer=noisy)
    jax.tree.map(np.testing.assert_array_equal, again.params, reference.params)


def wait_for_new_checkpoint(process, workdir, known):
    """Wait until there is a checkpoint that was not there before; returns the names of all."""
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        names = {path.name for path in (workdir / "checkpoints").glob("step_*")}
        if names - known:
            return names
        assert process.poll() is None, process.stdout.read()
        time.sleep(0.002)
    raise AssertionError("no checkpoint within a minute")


def finished(process, out):
    """The arrays that a process wrote, after it ended well."""
    output, _ = process.communicate(timeout=120)
    assert process.returncode == 0, output
    with np.load(out) as arrays:
        return dict(arrays)


def test_ten_kills_at_random_moments_change_no_bit(start, tmp_path):
    rng = random.Random(0)
    num_steps = 2000
    reference = start({"num_steps": num_steps, "out": str(tmp_path / "whole.npz")})
    expected = finished(reference, tmp_path / "whole.npz")
    victim = {"num_steps": num_steps, "workdir": str(tmp_path / "run"), "out": str(tmp_path / "killed.npz")}
    names: set[str] = set()
    interrupted_writes = 0
    for _ in range(10):
        process = start({**victim, "sleep": 0.003, "checkpoint_every": 10})
        names = wait_for_new_checkpoint(process, tmp_path / "run", names)
        time.sleep(rng.uniform(0, 0.15))
        process.kill()
        process.wait()
        interrupted_writes += any((tmp_path / "run" / "checkpoints").glob(".unfinished-*"))
    assert interrupted_writes > 0
    got = finished(start({**victim, "checkpoint_every": 500}), tmp_path / "killed.npz")
    assert int(got["step"]) == num_steps
    assert got.keys() == expected.keys()
    for name, value in expected.items():
        np.testing.assert_array_equal(got[name], value, err_msg=name)
    assert untimed(lines(tmp_path / "run")) == json.loads(str(expected["history"]))


def test_sigterm_saves_and_exits_with_success(start, tmp_path):
    options = {"num_steps": 100000, "workdir": str(tmp_path / "run"), "out": str(tmp_path / "out.npz")}
    process = start({**options, "sleep": 0.002})
    wait_for_new_checkpoint(process, tmp_path / "run", set())
    process.terminate()
    result = finished(process, tmp_path / "out.npz")
    assert bool(result["stop"])
    assert (tmp_path / "run" / "checkpoints" / f"step_{int(result['step']):08d}").is_dir()
