"""The estimated time: by the pace of the last attempt, otherwise by sizes."""

import pytest

import clearcnn
from clearcnn.errors import SpecError
from clearcnn.workflows.studio.attempts import Attempts
from clearcnn.workflows.studio.estimate import estimate_training


def estimate(folder, attempts, epochs=None, recipe="default"):
    return estimate_training(
        folder.root, folder.scan(), attempts.list_all(), recipe=recipe, epochs=epochs
    )


def test_before_the_first_attempt_it_grows_with_pictures_sizes_and_epochs(folder, png, tmp_path):
    attempts = Attempts(folder.root, tmp_path / "runs")
    assert estimate(folder, attempts) is None
    for channel, name in enumerate("ab"):
        folder.add_class(name)
        for k in range(4):
            folder.add(name, png(k, channel), f"{k}.png")
    few = estimate(folder, attempts, 10)
    assert few.basis == "sizes"
    assert estimate(folder, attempts, 20).seconds > few.seconds
    for k in range(4, 20):
        folder.add("a", png(k), f"{k}.png")
    more = estimate(folder, attempts, 10)
    assert more.seconds > few.seconds
    for k in range(60):
        folder.add("b", png(k, 1, 64), f"large {k}.png")
    assert estimate(folder, attempts, 10).seconds > 10 * (more.seconds - few.seconds)
    with pytest.raises(SpecError):
        estimate(folder, attempts, recipe="none")


def test_after_an_attempt_it_is_its_pace(folder, png, tmp_path):
    for channel, name in enumerate("ab"):
        folder.add_class(name)
        for k in range(8):
            folder.add(name, png(k, channel), f"{k}.png")
    attempts = Attempts(folder.root, tmp_path / "runs")
    result = clearcnn.train(folder.root, epochs=3, out=tmp_path / "runs" / "one")
    again = estimate(folder, attempts, 3)
    assert again.basis == "attempt"
    assert again.seconds == pytest.approx(sum(result.seconds.values()), rel=0.01)
    longer = estimate(folder, attempts, 30)
    fit = result.seconds["fit"]
    assert longer.seconds - again.seconds == pytest.approx(9 * fit, rel=0.01)
    assert estimate(folder, attempts, 3, recipe="tutorial").basis == "sizes"
