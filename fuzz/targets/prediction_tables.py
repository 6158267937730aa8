"""A CSV of predictions that `predict --resume` appends to."""

from clearcnn.results.predict import ClassProbability, Prediction
from clearcnn.workflows.predict.csv_output import PredictionTable
from fuzz.target import Target, put

_OPTIONS = {"top": 2, "model": "ab" * 32, "abstain_below": 0.5}


def _make_prediction(name: str) -> Prediction:
    top = (ClassProbability("cat", 0.75), ClassProbability("dog", 0.25))
    return Prediction(name, "cat", 0.75, top, False, False, ("Resized.",), None)


def seeds() -> list[bytes]:
    """A table of five predictions."""
    path = put("seed.csv", b"")
    with PredictionTable(path, resume=True, **_OPTIONS) as table:
        for name in ("1.png", 'a "b", c.png', "two\nlines.png", r"two\nlines.png"):
            table.write(_make_prediction(name))
        table.write(Prediction("4.png", None, None, (), False, False, (), "It is broken."))
    return [path.read_bytes()]


def read(content: bytes) -> None:
    """Go on with it: what is written is found again."""
    path = put("predictions.csv", content)
    with PredictionTable(path, resume=True, **_OPTIONS) as table:
        table.write(_make_prediction("new.png"))
        num_rows = table.num_rows
    with PredictionTable(path, resume=True, **_OPTIONS) as table:
        assert table.num_rows == num_rows + 1
        assert table.holds("new.png")


TARGET = Target(seeds, read)
