"""A CSV truncated at any byte is resumed to the same file as an uninterrupted one."""

import csv
from pathlib import Path

import pytest

from clearcnn.errors import PredictionError
from clearcnn.results.predict import ClassProbability, Prediction
from clearcnn.workflows.predict.csv_output import PredictionTable

MODEL = "0123456789abcdef" * 4
NAMES = ("a.png", 'q"uo,te.png', "two\nlines\r.png", "bad\udcff.png", "고양이.png", "=1+1")
ALIKE = ("x\ny.png", r"x\ny.png", r"x\\ny.png", "x.png ", " x.png", "x.png", r"\x20x.png")


def make_prediction(name: str, confidence: float = 0.75) -> Prediction:
    if name.startswith("="):
        return Prediction(name, None, None, (), False, False, (), f'{name} cannot be "read".')
    top = (ClassProbability("x,\ny", confidence), ClassProbability("z", 1 - confidence))
    abstained = confidence < 0.5
    notes = ("Resized.", "Inverted.")
    return Prediction(
        name, None if abstained else top[0].name, confidence, top, abstained, True, notes, None
    )


def open_prediction_table(path: Path, *, resume: bool = True, **changes: object) -> PredictionTable:
    options = {"top": 3, "model": MODEL, "abstain_below": 0.5} | changes
    return PredictionTable(path, resume=resume, **options)


@pytest.fixture
def whole(tmp_path: Path) -> Path:
    with open_prediction_table(tmp_path / "whole.csv", resume=False) as table:
        for name in NAMES:
            table.write(make_prediction(name))
    return tmp_path / "whole.csv"


def test_pythons_csv_module_reads_it(whole: Path) -> None:
    with whole.open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    assert [row["name"] for row in rows] == [
        *NAMES[:2],
        "two\\nlines\\r.png",
        "bad\\udcff.png",
        *NAMES[4:],
    ]
    assert rows[0] == {
        "name": "a.png",
        "prediction": "x,\\ny",
        "confidence": "0.75",
        "abstained": "false",
        "is_unlike": "true",
        "class_1": "x,\\ny",
        "probability_1": "0.75",
        "class_2": "z",
        "probability_2": "0.25",
        "class_3": "",
        "probability_3": "",
        "preparation": "Resized. Inverted.",
        "error": "",
        "model": "0123456789ab",
    }
    assert rows[-1]["error"] == '=1+1 cannot be "read".'
    assert rows[-1]["confidence"] == rows[-1]["prediction"] == ""


def test_truncated_at_any_byte_it_loses_and_repeats_nothing(whole: Path) -> None:
    content = whole.read_bytes()
    cut = whole.with_name("cut.csv")
    for end in range(len(content) + 1):
        cut.write_bytes(content[:end])
        with open_prediction_table(cut) as table:
            waiting = [name for name in NAMES if not table.holds(name)]
            assert table.num_rows == len(NAMES) - len(waiting)
            for name in waiting:
                table.write(make_prediction(name))
        assert cut.read_bytes() == content


@pytest.mark.parametrize("written", ALIKE)
def test_similar_names_are_distinguished(tmp_path: Path, written: str) -> None:
    with open_prediction_table(tmp_path / "a.csv") as table:
        table.write(make_prediction(written))
    with open_prediction_table(tmp_path / "a.csv") as table:
        assert [name for name in ALIKE if table.holds(name)] == [written]


def test_errors_from_before_are_counted(whole: Path) -> None:
    with open_prediction_table(whole) as table:
        assert (table.num_rows, table.num_errors) == (len(NAMES), 1)


def test_an_existing_file_is_not_overwritten(whole: Path) -> None:
    content = whole.read_bytes()
    with pytest.raises(PredictionError, match="exists") as caught:
        open_prediction_table(whole, resume=False)
    assert "--resume" in caught.value.remedy
    assert whole.read_bytes() == content


@pytest.mark.parametrize(
    ("changes", "why"),
    [
        ({"model": "f" * 64}, "of another model"),
        ({"top": 2}, "columns do not match"),
        ({"abstain_below": 0.9}, "written with another --abstain-below"),
    ],
)
def test_predictions_made_differently_are_not_mixed(
    whole: Path, changes: dict[str, object], why: str
) -> None:
    content = whole.read_bytes()
    with pytest.raises(PredictionError, match=why):
        open_prediction_table(whole, **changes)
    assert whole.read_bytes() == content


@pytest.mark.parametrize(
    "content",
    [
        b"my notes",
        b"a,b\n1,2\n",
        b"\x89PNG\r\n\x1a\n\xff\xfe",
        b'"' + b"x" * 2_000_000,
        b"name\xff\n",
    ],
)
def test_another_kind_of_file_is_unchanged(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "mine.csv"
    path.write_bytes(content)
    with pytest.raises(PredictionError, match="cannot be resumed"):
        open_prediction_table(path)
    assert path.read_bytes() == content


def test_an_unwritable_path_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(PredictionError, match="cannot be written"):
        open_prediction_table(tmp_path / "nowhere" / "a.csv", resume=False)
    with pytest.raises(PredictionError, match="cannot be written"):
        open_prediction_table(tmp_path, resume=True)
