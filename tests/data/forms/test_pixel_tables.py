"""Tables of pixels in every layout that people download, written from real digits."""

import csv
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
from sklearn.datasets import load_digits

from clearcnn.data.sources import load
from clearcnn.errors import DataError
from clearcnn.specs import DataSpec

from ..conftest import SHARED

DIGITS = load_digits().images[:200].astype(np.uint8)
LABELS = load_digits().target[:200]
BYTES = DIGITS * 15  # 0 to 240
ROWS = BYTES.reshape(200, 64)
NAMES = [f"pixel{k}" for k in range(64)]


def _write(
    path: Path, rows: Sequence[Sequence[object]], names: Sequence[str] = (), separator: str = ","
) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    lines = [separator.join(names)] if names else []
    lines += [separator.join(map(str, row)) for row in rows]
    path.write_text("\n".join(lines) + "\n", "utf-8")
    return path


def _first(pixels: np.ndarray = ROWS, labels: np.ndarray = LABELS) -> list[list[object]]:
    return [[label, *row] for label, row in zip(labels.tolist(), pixels.tolist(), strict=True)]


def _last(pixels: np.ndarray = ROWS, labels: np.ndarray = LABELS) -> list[list[object]]:
    return [[*row, label] for label, row in zip(labels.tolist(), pixels.tolist(), strict=True)]


def test_the_real_hmnist_needs_no_options():
    path = SHARED / "pictures" / "hmnist_8_8_L.csv"
    if not path.exists():
        pytest.skip("shared/data/pictures is not beside the repository")
    data = load(path)
    with path.open(newline="") as file:
        rows = np.array(list(csv.reader(file))[1:], np.int64)
    np.testing.assert_array_equal(data.images, rows[:, :-1].reshape(-1, 8, 8, 1))
    np.testing.assert_array_equal(data.labels, rows[:, -1])
    assert data.class_names == tuple("0123456")


@pytest.mark.parametrize("rows", [_first(), _last(), sorted(_first())])
def test_without_column_names_the_label_is_found_at_either_end(tmp_path, rows):
    data = load(_write(tmp_path / "mnist_train.csv", rows))
    first = len(rows[0]) == 65 and rows != _last()
    pixels = np.array(rows)[:, 1:] if first else np.array(rows)[:, :-1]
    np.testing.assert_array_equal(data.images.reshape(200, 64), pixels)
    assert data.class_names == tuple("0123456789")
    assert any("read as the label" in sentence for sentence in data.preparation)


def test_a_label_that_may_be_at_either_end_must_be_named(tmp_path):
    rows = [[k % 3, *[7] * 3, k % 2] for k in range(20)]
    path = _write(tmp_path / "a.csv", rows)
    with pytest.raises(DataError, match="the first or the last of its 5 columns"):
        load(path)
    assert load(DataSpec(str(path), label_column="1")).class_names == ("0", "1", "2")
    assert load(DataSpec(str(path), label_column="5")).class_names == ("0", "1")
    with pytest.raises(DataError, match="no column '6'"):
        load(DataSpec(str(path), label_column="6"))


def test_optdigits_keeps_its_split_and_its_17_greys(tmp_path):
    rows = _last(DIGITS.reshape(200, 64))
    _write(tmp_path / "optdigits.tra", rows[:150])
    _write(tmp_path / "optdigits.tes", rows[150:])
    (tmp_path / "optdigits.names").write_text("Optical Recognition of Handwritten Digits\n")
    data = load(tmp_path)
    np.testing.assert_array_equal(data.images[..., 0], DIGITS)
    assert data.value_range == (0, 16)
    assert data.split_names.tolist() == ["train"] * 150 + ["test"] * 50


def test_semeion_is_blank_separated_with_one_hot_labels(tmp_path):
    bits = (DIGITS > 7).reshape(200, 64)
    rows = [
        [*(f"{value:.4f}" for value in row), *np.eye(10, dtype=int)[label]]
        for row, label in zip(bits.astype(float), LABELS, strict=True)
    ]
    data = load(_write(tmp_path / "semeion.data", rows, separator=" "))
    np.testing.assert_array_equal(data.images.reshape(200, 64), bits)
    np.testing.assert_array_equal(data.labels, LABELS)
    assert data.value_range == (0, 1)


def test_esl_zip_train_has_fractions_and_whole_floats_as_labels(tmp_path):
    values = ROWS / 120 - 1
    for name, part in (("zip.train", slice(0, 150)), ("zip.test", slice(150, 200))):
        rows = [
            [f"{label:.4f}", *(f"{value:.3f}" for value in row)]
            for label, row in zip(LABELS[part], values[part], strict=True)
        ]
        _write(tmp_path / name, rows, separator=" ")
    data = load(tmp_path)
    np.testing.assert_allclose(data.images.reshape(200, 64), values, atol=6e-4)
    np.testing.assert_array_equal(data.labels, LABELS)
    assert data.split_names.tolist() == ["train"] * 150 + ["test"] * 50


@pytest.mark.parametrize(("separator", "name"), [(";", "a.csv"), ("\t", "a.tsv"), (" ", "a.txt")])
def test_other_separators(tmp_path, separator, name):
    data = load(_write(tmp_path / name, _first(), ["label", *NAMES], separator))
    np.testing.assert_array_equal(data.images[..., 0], BYTES)


def test_two_files_of_one_folder_are_its_splits(tmp_path):
    names = ["label", *NAMES]
    _write(tmp_path / "fashion-mnist_train.csv", _first()[:150], names)
    _write(tmp_path / "fashion-mnist_test.csv", _first()[150:], names)
    data = load(tmp_path)
    np.testing.assert_array_equal(data.images[..., 0], BYTES)
    assert data.split_names.tolist() == ["train"] * 150 + ["test"] * 50
    assert data.names[150] == "test row 0"


def test_an_unlabelled_test_file_is_left_out_and_said(tmp_path):
    _write(tmp_path / "train.csv", _first(), ["label", *NAMES])
    _write(tmp_path / "test.csv", ROWS.tolist(), NAMES)
    _write(tmp_path / "sample_submission.csv", [[1, 0], [2, 0]], ["ImageId", "Label"])
    data = load(tmp_path)
    assert len(data) == 200
    assert data.split_names is None
    assert any("left out: 'test.csv'. Give them to predict" in each for each in data.preparation)
    with pytest.raises(DataError, match="every column is a pixel"):
        load(tmp_path / "test.csv")


def _colored() -> np.ndarray:
    ramp = np.linspace(0, 1, 8)
    planes = [np.outer(ramp, ramp), np.outer(1 - ramp, ramp), np.outer(1 - ramp, 1 - ramp)]
    light = np.random.default_rng(0).uniform(100, 250, (60, 1, 1, 1))
    return (np.stack(planes, -1) * light).astype(np.uint8)


@pytest.mark.parametrize("index", [None, "", "id", "Unnamed: 0", "index"])
def test_three_times_a_square_is_colour_and_an_index_is_left_out(tmp_path, index):
    pixels = _colored()
    rows, names = _last(pixels.reshape(60, -1), np.arange(60) % 7), [f"p{k}" for k in range(192)]
    if index is not None:
        rows, names = [[k, *row] for k, row in enumerate(rows)], [index, *names]
    data = load(_write(tmp_path / "hmnist_28_28_RGB.csv", rows, [*names, "label"]))
    np.testing.assert_array_equal(data.images, pixels)
    assert any("red, green and blue of each pixel" in each for each in data.preparation)
    planar = pixels.transpose(0, 3, 1, 2).reshape(60, -1)
    data = load(_write(tmp_path / "planar.csv", _last(planar, np.arange(60) % 7)))
    np.testing.assert_array_equal(data.images, pixels)


@pytest.mark.parametrize(
    "names", [["emotion", "pixels", "Usage"], ["emotion", " pixels", " Usage"]]
)
def test_pixels_in_one_cell_with_the_usage_as_split(tmp_path, names):
    usage = ["Training"] * 100 + ["PublicTest"] * 50 + ["PrivateTest"] * 50
    cells = [" ".join(map(str, row)) for row in ROWS.tolist()]
    rows = [list(row) for row in zip(LABELS, cells, usage, strict=True)]
    data = load(_write(tmp_path / "fer2013.csv", rows, names))
    np.testing.assert_array_equal(data.images[..., 0], BYTES)
    np.testing.assert_array_equal(data.labels, LABELS)
    assert data.split_names.tolist()[::50] == ["train", "train", "validation", "test"]
    rows[3][1] += " 5"
    with pytest.raises(DataError, match="line 5: a cell has 65 pixels, and others have 64"):
        load(_write(tmp_path / "fer2013.csv", rows, names))
    rows[3][1] = rows[3][1].replace(" 5", " x", 1)
    with pytest.raises(DataError, match="line 5: 'x' among the pixels is not a number"):
        load(_write(tmp_path / "fer2013.csv", rows, names))


def test_emnists_files_are_chosen_by_name_and_named_by_their_mapping(tmp_path):
    for name in ("letters", "digits"):
        for split in ("train", "test"):
            _write(tmp_path / f"emnist-{name}-{split}.csv", _first(labels=LABELS + 1))
    lines = [f"{k} {64 + k} {96 + k}" for k in range(1, 11)]
    (tmp_path / "emnist-letters-mapping.txt").write_text("\n".join(lines))
    with pytest.raises(DataError, match="2 data sets: emnist-digits, emnist-letters"):
        load(tmp_path)
    data = load(f"csv:{tmp_path}#emnist-letters")
    assert data.class_names[:3] == ("Aa", "Bb", "Cc")
    np.testing.assert_array_equal(data.labels[:200], LABELS)
