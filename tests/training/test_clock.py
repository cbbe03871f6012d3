import time

import pytest

from equijax.training.clock import Clock


def test_spans_and_the_rest_add_up_to_the_total():
    clock = Clock()
    with clock.span("evaluate"):
        time.sleep(0.02)
    time.sleep(0.01)
    seconds = clock.seconds()
    assert seconds["evaluate"] >= 0.02
    assert seconds["step"] >= 0.01
    assert sum(value for name, value in seconds.items() if name != "total") == pytest.approx(seconds["total"])


def test_time_of_the_earlier_part_of_a_run_counts():
    clock = Clock()
    clock.add({"compile": 5.0, "data": 1.0, "total": 20.0, "step": 14.0})
    seconds = clock.seconds()
    assert (seconds["compile"], seconds["data"]) == (5.0, 1.0)
    assert seconds["step"] == pytest.approx(14.0, abs=1)
    assert seconds["total"] == pytest.approx(20.0, abs=1)


def test_a_span_that_fails_counts_too():
    clock = Clock()

    def fail_slowly():
        with clock.span("data"):
            time.sleep(0.01)
            raise RuntimeError("broken")

    with pytest.raises(RuntimeError, match="broken"):
        fail_slowly()
    assert clock.seconds()["data"] >= 0.01
