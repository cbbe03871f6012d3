import json
import socket
import time

import numpy as np
import pytest

import equijax as ej
from equijax.training.distributed import any_host, from_first_host

NAMES = ("JAX_COORDINATOR_ADDRESS", "JAX_NUM_PROCESSES", "JAX_PROCESS_ID")


@pytest.fixture
def environment(monkeypatch):
    def set_to(*values):
        for name, value in zip(NAMES, values, strict=True):
            if value is None:
                monkeypatch.delenv(name, raising=False)
            else:
                monkeypatch.setenv(name, value)

    return set_to


def test_nothing_happens_without_the_variables(environment):
    environment(None, None, None)
    assert ej.training.initialize_distributed() is False


@pytest.mark.parametrize(
    ("values", "message"),
    [
        (("localhost:1", None, "0"), "needs all of JAX_COORDINATOR_ADDRESS, JAX_NUM_PROCESSES"),
        ((None, "2", None), "needs all of"),
        (("localhost:1", "two", "0"), "must be integers, got 'two' and '0'"),
        (("localhost:1", "2", "2"), "JAX_PROCESS_ID must be from 0 to JAX_NUM_PROCESSES - 1 = 1, got 2"),
        (("localhost:1", "2", "-1"), "got -1"),
    ],
)
def test_half_an_environment_is_an_error(environment, values, message):
    environment(*values)
    with pytest.raises(ValueError, match=message):
        ej.training.initialize_distributed()


def test_hosts_share_the_rows_in_order_without_overlap():
    rows = np.arange(24).reshape(12, 2)
    parts = [ej.training.shard_for_host(rows, process_index=i, process_count=4) for i in range(4)]
    np.testing.assert_array_equal(np.concatenate(parts), rows)
    assert {part.shape for part in parts} == {(3, 2)}
    np.testing.assert_array_equal(ej.training.shard_for_host(rows), rows)


@pytest.mark.parametrize("rows", [np.arange(5), np.array(3)])
def test_rows_that_do_not_divide_are_refused(rows):
    with pytest.raises(ValueError, match="indices must divide among 2 hosts, got shape"):
        ej.training.shard_for_host(rows, process_index=0, process_count=2)


def test_one_process_talks_to_itself():
    assert any_host(True)
    assert not any_host(False)
    tree = {"a": np.float32(-0.0)}
    assert from_first_host(tree, {"step": 1}, tree) == (tree, {"step": 1})


def start_two(start, options, outs):
    """Start two processes with two devices each, which write to ``outs``."""
    with socket.socket() as probe:
        probe.bind(("localhost", 0))
        address = f"localhost:{probe.getsockname()[1]}"
    variables = [dict(zip(NAMES, (address, "2", str(index)))) for index in range(2)]
    return [start({**options, "out": str(out)}, devices=2, **v) for out, v in zip(outs, variables)]


def finished(process, out):
    """What a process wrote, after it ended well."""
    output, _ = process.communicate(timeout=120)
    assert process.returncode == 0, output
    with np.load(out) as arrays:
        return dict(arrays)


def together(start, options, folder):
    """What two processes wrote."""
    outs = [folder / f"out{index}.npz" for index in range(2)]
    return [finished(process, out) for process, out in zip(start_two(start, options, outs), outs)]


def assert_same(got, expected, tolerance):
    assert got.keys() == expected.keys()
    for name in expected.keys() - {"history"}:
        np.testing.assert_allclose(got[name], expected[name], rtol=0, atol=tolerance, err_msg=name)


def test_two_processes_equal_one_with_as_many_devices(start, tmp_path):
    alone = start({"num_steps": 60, "out": str(tmp_path / "alone.npz")}, devices=4)
    expected = finished(alone, tmp_path / "alone.npz")
    whole = together(start, {"num_steps": 60}, tmp_path)
    for result in whole:
        assert_same(result, expected, 1e-5)
        rows = json.loads(str(result["history"])), json.loads(str(expected["history"]))
        assert all(row == pytest.approx(other, abs=1e-5) for row, other in zip(*rows, strict=True))
    # Only the first process writes; both go on from what it wrote.
    workdir = {"workdir": str(tmp_path / "run")}
    together(start, {"num_steps": 30, **workdir}, tmp_path)
    for result in together(start, {"num_steps": 60, **workdir}, tmp_path):
        assert_same(result, whole[0], 0)


def test_a_signal_to_one_process_stops_both_at_the_same_step(start, tmp_path):
    options = {"num_steps": 100000, "workdir": str(tmp_path / "run"), "sleep": 0.002}
    outs = [tmp_path / f"out{index}.npz" for index in range(2)]
    processes = start_two(start, options, outs)
    deadline = time.monotonic() + 60
    while not list((tmp_path / "run" / "checkpoints").glob("step_*")):
        assert time.monotonic() < deadline
        assert processes[0].poll() is None, processes[0].stdout.read()
        time.sleep(0.01)
    processes[1].terminate()
    results = [finished(process, out) for process, out in zip(processes, outs)]
    assert [bool(result["stop"]) for result in results] == [True, True]
    assert results[0]["step"] == results[1]["step"]
    assert (tmp_path / "run" / "checkpoints" / f"step_{int(results[0]['step']):08d}").is_dir()
