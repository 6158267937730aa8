"""GTSRB as its authors pack it: class folders to train on, and a table for the test images."""

from pathlib import Path

import pytest

from clearcnn.data import load
from clearcnn.errors import DataError

HEAD = "Filename;Width;Height;Roi.X1;Roi.Y1;Roi.X2;Roi.Y2;ClassId"


def _row(name: str, label: int) -> str:
    return f"{name};29;30;5;6;24;25;{label}"


@pytest.fixture
def signs(tmp_path: Path, write_picture) -> Path:
    root = tmp_path / "GTSRB"
    for label in range(3):
        folder = root / "Final_Training" / "Images" / f"{label:05}"
        names = [f"00000_{k:05}.ppm" for k in range(4)]
        for k, name in enumerate(names):
            write_picture(folder / name, 10 * label + k, channels=3)
        rows = [_row(name, label) for name in names]
        (folder / f"GT-{label:05}.csv").write_text("\n".join([HEAD, *rows]))
    folder = root / "Final_Test" / "Images"
    for k in range(6):
        write_picture(folder / f"{k:05}.ppm", 100 + k, channels=3)
    rows = [_row(f"{k:05}.ppm", k % 3) for k in range(6)]
    (folder / "GT-final_test.csv").write_text("\n".join([HEAD, *rows]))
    return root


def test_the_table_gives_the_labels_of_the_test_images(signs: Path) -> None:
    data = load(signs)
    assert data.class_names == ("00000", "00001", "00002")
    assert data.split_names is not None
    assert data.split_names.tolist() == ["train"] * 12 + ["test"] * 6
    labels = dict(zip(data.names, data.labels.tolist(), strict=True))
    assert [labels[f"Final_Test/Images/{k:05}.ppm"] for k in range(6)] == [0, 1, 2, 0, 1, 2]
    assert any("labels in 'ClassId'" in line for line in data.preparation)
    assert any("'0' of the test set is the class '00000'" in line for line in data.preparation)


def test_without_labels_the_test_images_are_left_out(signs: Path) -> None:
    table = signs / "Final_Test" / "Images" / "GT-final_test.csv"
    table.write_text("\n".join(line.rpartition(";")[0] for line in table.read_text().split()))
    data = load(signs)
    assert len(data) == 12
    assert any("Left out 6 images without labels" in line for line in data.preparation)


def test_rows_and_images_that_do_not_match_are_said(signs: Path, write_picture) -> None:
    table = signs / "Final_Test" / "Images" / "GT-final_test.csv"
    write_picture(table.parent / "more.ppm", channels=3)
    assert any("Left out 1 image that GT-final_test.csv" in s for s in load(signs).preparation)
    table.write_text(table.read_text() + "\n" + _row("99999.ppm", 1))
    with pytest.raises(DataError, match=r"GT-final_test\.csv, line 8: 99999\.ppm: no such image"):
        load(signs)
