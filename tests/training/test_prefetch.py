import threading
import time

import jax
import numpy as np
import pytest

from equijax.training.placement import split
from equijax.training.prefetch import prefetch


def test_batches_come_in_order_and_from_another_thread():
    threads = set()

    def batches(step):
        threads.add(threading.current_thread())
        return step

    with prefetch(batches, lambda batch: 10 * batch, 2, 6) as get:
        assert [get() for _ in range(4)] == [20, 30, 40, 50]
    assert threading.main_thread() not in threads
    assert len(threads) == 1


def test_batches_are_made_ahead_but_not_far():
    made = []
    with prefetch(made.append, lambda batch: batch, 0, 100) as get:
        get()
        time.sleep(0.1)
        assert 2 <= len(made) <= 4


def test_errors_reach_the_caller_with_the_step():
    def batches(step):
        if step == 3:
            raise OSError("disk is gone")
        return step

    with prefetch(batches, lambda batch: batch, 2, 10) as get:
        assert get() == 2
        with pytest.raises(OSError, match="disk is gone") as caught:
            get()
    assert "batches(3)" in caught.value.__notes__[0]


def test_leaving_early_ends_the_thread():
    with prefetch(lambda step: step, lambda batch: batch, 0, 1000) as get:
        get()
    assert not [thread for thread in threading.enumerate() if thread.name == "equijax-batches"]


def test_double_precision_is_kept(x64):
    def place(batch):
        return split(batch, jax.local_devices()[:1], 1)

    with prefetch(lambda step: np.ones(2), place, 0, 1) as get:
        assert get().dtype == np.float64
