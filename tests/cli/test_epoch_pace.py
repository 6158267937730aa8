"""How far the running epoch is, as far as one can tell."""

import pytest

from clearcnn.cli import epoch_pace
from clearcnn.cli.epoch_pace import EpochPace


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    now = [50.0]
    monkeypatch.setattr(epoch_pace.time, "monotonic", lambda: now[0])
    return now


def test_the_first_epoch_has_a_duration_and_no_share(clock: list[float]) -> None:
    pace = EpochPace()
    assert (pace.describe(), pace.share) == ("", None)
    pace.begin()
    assert pace.describe() == "epoch 1 running"
    clock[0] += 34
    assert (pace.describe(), pace.share) == ("epoch 1 running, 34 s", None)


def test_later_ones_are_estimated_from_the_last(clock: list[float]) -> None:
    pace = EpochPace()
    pace.begin()
    clock[0] += 40
    pace.end_epoch(0)
    clock[0] += 10
    assert pace.share == 0.25
    assert pace.describe() == "epoch 2: about 25 % (estimated from the last one)"
    clock[0] += 100
    assert pace.share == 0.95


def test_short_epochs_are_not_talked_about(clock: list[float]) -> None:
    pace = EpochPace()
    pace.begin()
    clock[0] += 0.1
    pace.end_epoch(6)
    clock[0] += 0.05
    assert (pace.epoch, pace.describe()) == (8, "")
