"""The first Ctrl-C calls a function, the second one raises KeyboardInterrupt."""

import signal
import threading

import pytest

from clearcnn.workflows.fitting.interrupt import first_interrupt


def test_the_first_calls_and_the_second_raises() -> None:
    heard = []
    with pytest.raises(KeyboardInterrupt), first_interrupt(lambda: heard.append("stop")):
        signal.raise_signal(signal.SIGINT)
        heard.append("went on")
        signal.raise_signal(signal.SIGINT)
        heard.append("went on again")
    assert heard == ["stop", "went on"]
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler


def test_the_handler_is_restored() -> None:
    with first_interrupt(lambda: None):
        assert signal.getsignal(signal.SIGINT) is not signal.default_int_handler
    with pytest.raises(KeyboardInterrupt):
        signal.raise_signal(signal.SIGINT)


def test_the_function_may_raise() -> None:
    def strike() -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt), first_interrupt(strike):
        signal.raise_signal(signal.SIGINT)


@pytest.mark.parametrize("settled", [signal.SIG_IGN, lambda *_: None], ids=["ignored", "handled"])
def test_another_handler_is_not_replaced(settled: object) -> None:
    signal.signal(signal.SIGINT, settled)
    try:
        with first_interrupt(lambda: pytest.fail("heard")):
            assert signal.getsignal(signal.SIGINT) is settled
            signal.raise_signal(signal.SIGINT)
        assert signal.getsignal(signal.SIGINT) is settled
    finally:
        signal.signal(signal.SIGINT, signal.default_int_handler)


def test_another_thread_changes_nothing() -> None:
    seen = []

    def work() -> None:
        with first_interrupt(lambda: None):
            seen.append(signal.getsignal(signal.SIGINT))

    thread = threading.Thread(target=work)
    thread.start()
    thread.join()
    assert seen == [signal.default_int_handler]
