import signal
import threading

import pytest

from equijax.training.signals import stop_on_signal


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_the_first_signal_asks_and_the_handlers_come_back(number):
    earlier = signal.getsignal(number)
    with stop_on_signal() as stop:
        assert not stop.requested
        signal.raise_signal(number)
        assert stop.requested
    assert signal.getsignal(number) is earlier


def test_a_second_interrupt_does_what_it_always_did():
    # Python's own handler: a shell that starts the tests in the background has interrupts ignored.
    earlier = signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        with stop_on_signal() as stop:
            signal.raise_signal(signal.SIGINT)
            assert stop.requested
            with pytest.raises(KeyboardInterrupt):
                signal.raise_signal(signal.SIGINT)
    finally:
        signal.signal(signal.SIGINT, earlier)


def test_handlers_come_back_after_an_error():
    earlier = signal.getsignal(signal.SIGTERM)
    with pytest.raises(RuntimeError, match="inside"), stop_on_signal():
        raise RuntimeError("inside")
    assert signal.getsignal(signal.SIGTERM) is earlier


def test_other_threads_leave_signals_alone():
    seen = []

    def work():
        earlier = signal.getsignal(signal.SIGTERM)
        with stop_on_signal() as stop:
            seen.append((stop.requested, signal.getsignal(signal.SIGTERM) is earlier))

    thread = threading.Thread(target=work)
    thread.start()
    thread.join()
    assert seen == [(False, True)]
