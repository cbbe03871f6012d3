import json

import pytest

from equijax.training.clock import Clock
from equijax.training.metrics import MetricLog, progress_bar


def lines(workdir):
    return [json.loads(line) for line in (workdir / "metrics.jsonl").read_text().splitlines()]


def test_rows_are_on_disk_as_soon_as_they_are_added(tmp_path):
    log = MetricLog(tmp_path)
    log.add(10, "train", {"loss": 0.5}, Clock())
    log.add(10, "evaluate", {"rmse": 0.25}, Clock())
    assert lines(tmp_path) == log.rows
    assert [(row["step"], row["phase"]) for row in log.rows] == [(10, "train"), (10, "evaluate")]
    assert {"seconds", "step_seconds", "loss"} < log.rows[0].keys()
    log.close()


def test_a_resumed_log_drops_the_lines_after_the_checkpoint(tmp_path):
    log = MetricLog(tmp_path)
    for step in (10, 20, 30):
        log.add(step, "train", {"loss": 1.0 / step}, Clock())
    log.close()
    kept = log.rows[:2]
    with (tmp_path / "metrics.jsonl").open("a") as file:
        file.write('{"step": 40, "lo')
    again = MetricLog(tmp_path, kept)
    assert lines(tmp_path) == kept
    again.add(30, "train", {"loss": 0.5}, Clock())
    again.close()
    assert [row["step"] for row in lines(tmp_path)] == [10, 20, 30]


def test_seconds_of_training_leave_out_compilation_and_evaluation():
    clock = Clock()
    clock.add({"compile": 5.0, "evaluate": 2.0, "data": 1.0, "total": 10.0})
    log = MetricLog(None)
    log.add(1, "train", {"loss": 0.0}, clock)
    assert log.rows[0]["seconds"] == pytest.approx(10.0, abs=0.5)
    assert log.rows[0]["step_seconds"] == pytest.approx(3.0, abs=0.5)


def test_tensorboard_gets_the_numbers(tmp_path):
    log = MetricLog(tmp_path)
    log.add(3, "train", {"loss": 0.5}, Clock())
    log.close()
    (events,) = (tmp_path / "tensorboard").iterdir()
    assert b"train/loss" in events.read_bytes()


def test_without_a_folder_nothing_is_written(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    log = MetricLog(None)
    log.add(1, "train", {"loss": 0.0}, Clock())
    log.close()
    assert list(tmp_path.iterdir()) == []


def test_the_bar_shows_loss_rate_and_time_left(capsys):
    with progress_bar(10, 4, show=True) as bar:
        bar.set_postfix(loss="0.5")
        bar.update(2)
        bar.refresh()
    shown = capsys.readouterr().err
    assert "6/10" in shown
    assert "loss=0.5" in shown
    assert "<" in shown
    assert "step" in shown


def test_a_hidden_bar_is_silent(capsys):
    with progress_bar(10, 0, show=False) as bar:
        bar.update(1)
    assert capsys.readouterr().err == ""
