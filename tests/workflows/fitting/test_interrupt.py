"""The first Ctrl-C is heard, the second one strikes."""

import signal
import threading

import pytest

from clearcnn.workflows.fitting.interrupt import first_interrupt


def test_the_first_is_heard_and_the_second_strikes() -> None:
    heard = []
    with pytest.raises(KeyboardInterrupt), first_interrupt(lambda: heard.append("stop")):
        signal.raise_signal(signal.SIGINT)
        heard.append("went on")
        signal.raise_signal(signal.SIGINT)
        heard.append("went on again")
    assert heard == ["stop", "went on"]
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler


def test_afterwards_all_is_as_it_was() -> None:
    with first_interrupt(lambda: None):
        assert signal.getsignal(signal.SIGINT) is not signal.default_int_handler
    with pytest.raises(KeyboardInterrupt):
        signal.raise_signal(signal.SIGINT)


def test_what_is_to_be_done_may_strike_itself() -> None:
    def strike() -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt), first_interrupt(strike):
        signal.raise_signal(signal.SIGINT)


@pytest.mark.parametrize("settled", [signal.SIG_IGN, lambda *_: None], ids=["ignored", "handled"])
def test_who_settled_it_already_keeps_his_way(settled: object) -> None:
    signal.signal(signal.SIGINT, settled)
    try:
        with first_interrupt(lambda: pytest.fail("heard")):
            assert signal.getsignal(signal.SIGINT) is settled
            signal.raise_signal(signal.SIGINT)
        assert signal.getsignal(signal.SIGINT) is settled
    finally:
        signal.signal(signal.SIGINT, signal.default_int_handler)


def test_in_another_thread_nothing_changes() -> None:
    seen = []

    def work() -> None:
        with first_interrupt(lambda: None):
            seen.append(signal.getsignal(signal.SIGINT))

    thread = threading.Thread(target=work)
    thread.start()
    thread.join()
    assert seen == [signal.default_int_handler]
