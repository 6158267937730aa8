"""The estimated time: by the pace of the last attempt, otherwise by a measurement."""

import pytest

import clearcnn
from clearcnn.errors import SpecError
from clearcnn.results.json_codec import decode, to_json
from clearcnn.specs import DataSpec
from clearcnn.workflows.fitting.budget import TrainCost
from clearcnn.workflows.fitting.listeners import TrainListener
from clearcnn.workflows.studio.attempts import Attempts
from clearcnn.workflows.studio.estimate import estimate_training
from clearcnn.workflows.train.forecast import Forecast, forecast


def test_without_an_attempt_it_is_what_was_measured():
    measured = Forecast(
        num_images=100,
        epochs=30,
        ready_seconds=5.0,
        cost=TrainCost(compile_seconds=7.0, epoch_seconds=2.0, keep_seconds=3.0),
    )
    assert estimate_training(100, [], None, "default", 10) is None
    assert estimate_training(0, [], measured, "default", 10) is None
    # The program is in memory.
    found = estimate_training(100, [], measured, "default", 10)
    assert (found.seconds, found.basis) == (5 + 10 * 2 + 3, "measured")
    assert estimate_training(100, [], measured, "default", None).seconds == 5 + 30 * 2 + 3
    # Twice the pictures take twice the time, and another program.
    assert estimate_training(200, [], measured, "default", 10).seconds == 7 + 2 * 25 + 3
    with pytest.raises(SpecError):
        estimate_training(100, [], measured, "none", 10)


@pytest.fixture
def pictures(folder, png):
    for channel, name in enumerate("ab"):
        folder.add_class(name)
        for k in range(8):
            folder.add(name, png(k, channel), f"{k}.png")
    return folder


def test_what_is_measured_is_the_training_that_follows(pictures, tmp_path):
    source = DataSpec(str(pictures.root))
    found = forecast(source, recipe="default", seed=7, split=None, listener=TrainListener())
    result = clearcnn.train(pictures.root, seed=7, out=tmp_path / "run")
    # The studio reads it from the process that measured.
    assert decode(Forecast, to_json(found), "forecast") == found
    assert found.num_images == 16
    assert found.epochs == result.train.epochs
    assert min(found.ready_seconds, found.cost.epoch_seconds, found.cost.keep_seconds) > 0


def test_after_an_attempt_it_is_its_pace(pictures, tmp_path):
    attempts = Attempts(pictures.root, tmp_path / "runs")
    result = clearcnn.train(pictures.root, epochs=3, out=tmp_path / "runs" / "one")
    again = estimate_training(16, attempts.list_all(), None, "default", 3)
    assert again.basis == "attempt"
    assert again.seconds == pytest.approx(sum(result.seconds.values()), rel=0.01)
    longer = estimate_training(16, attempts.list_all(), None, "default", 30)
    fit = result.seconds["fit"]
    assert longer.seconds - again.seconds == pytest.approx(9 * fit, rel=0.01)
    assert estimate_training(16, attempts.list_all(), None, "tutorial", 3) is None
