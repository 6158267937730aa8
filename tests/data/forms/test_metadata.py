import json
import os
import shutil

import numpy as np
import pytest

from clearcnn.data.forms.metadata import read
from clearcnn.data.sources import load
from clearcnn.errors import DataError
from clearcnn.specs import DataSpec


@pytest.fixture
def folder(tmp_path, write_picture):
    """Four pictures, two in a sub-folder, and nothing that names them."""
    for number in range(4):
        write_picture(tmp_path / "in" / ("" if number < 2 else "more") / f"{number}.png", number)
    return tmp_path / "in"


ROWS = [
    {"file_name": "more/3.png", "label": "dog", "group": "g1", "split": "test"},
    {"file_name": "0.png", "label": "cat", "group": "g1", "split": "training"},
    {"file_name": "1.png", "label": "dog", "group": "g2", "split": "train"},
    {"file_name": "more/2.png", "label": "cat", "group": "g2", "split": "val"},
]


def _csv(path, rows):
    lines = [",".join(rows[0]), *(",".join(row.values()) for row in rows)]
    path.write_text("\n".join(lines) + "\n", "utf-8")


def _jsonl(path, rows):
    path.write_text("\n".join(json.dumps(row, ensure_ascii=False) for row in rows), "utf-8")


@pytest.mark.parametrize(("name", "write"), [("metadata.csv", _csv), ("metadata.jsonl", _jsonl)])
def test_pictures_follow_the_table(folder, write_picture, tmp_path, name, write):
    write(folder / name, ROWS)
    data = read(folder, DataSpec())
    assert data.names == ("more/3.png", "0.png", "1.png", "more/2.png")
    assert data.class_names == ("cat", "dog")
    assert data.labels.tolist() == [1, 0, 1, 0]
    assert data.groups is not None
    assert data.groups.tolist() == ["g1", "g1", "g2", "g2"]
    assert data.split_names is not None
    assert data.split_names.tolist() == ["test", "train", "train", "validation"]
    np.testing.assert_array_equal(data.images[0], write_picture(tmp_path / "again.png", 3))


def test_the_table_itself_may_be_named_and_called_anything(folder):
    rows = [{"file_name": row["file_name"], "label": row["label"]} for row in ROWS]
    _csv(folder / "labels.csv", rows)
    data = read(folder / "labels.csv", DataSpec())
    assert len(data) == 4
    assert data.groups is None
    assert data.split_names is None


def test_part_folders_may_each_have_a_table(tmp_path, write_picture):
    for part in ("train", "test"):
        for number in range(4):
            write_picture(tmp_path / part / f"{number}.png", number)
        rows = [{"file_name": f"{k}.png", "label": "ab"[k % 2]} for k in range(4)]
        _jsonl(tmp_path / part / "metadata.jsonl", rows)
    data = read(tmp_path, DataSpec())
    assert data.split_names is not None
    assert data.split_names.tolist() == ["train"] * 4 + ["test"] * 4
    assert data.names[4] == "test/0.png"


def test_pictures_that_the_table_does_not_name_are_counted(folder, write_picture):
    _csv(folder / "metadata.csv", ROWS)
    write_picture(folder / "extra.png")
    assert "1 image in the folder" in read(folder, DataSpec()).preparation[0]


@pytest.mark.parametrize(
    ("change", "problem"),
    [
        ({"label": ""}, r"metadata\.csv, line 2: more/3\.png has no label"),
        ({"file_name": ""}, "line 2: no file_name"),
        ({"file_name": "0.png"}, r"line 3: 0\.png was already listed in line 2"),
        ({"file_name": "../in/0.png"}, "line 2: .* leads out of the folder"),
        ({"file_name": "more/../../in/0.png"}, "leads out of the folder"),
        ({"file_name": "/etc/passwd"}, "leads out of the folder"),
        ({"file_name": "C:\\pictures\\0.png"}, "leads out of the folder"),
        ({"file_name": "..\\0.png"}, "leads out of the folder"),
        ({"file_name": "missing.png"}, r"missing\.png cannot be opened: No such file"),
        ({"split": "holdout"}, "line 2: unknown split 'holdout'"),
        ({"split": ""}, r"more/3\.png has no split, but others have"),
        ({"group": ""}, r"more/3\.png has no group, but others have"),
    ],
)
def test_faults_are_named_with_their_line(folder, change, problem):
    _csv(folder / "metadata.csv", [{**ROWS[0], **change}, *ROWS[1:]])
    with pytest.raises(DataError, match=problem):
        read(folder, DataSpec())


def test_a_missing_file_can_be_skipped(folder):
    missing = {"file_name": "missing.png", "label": "cat", "group": "g1", "split": "train"}
    _csv(folder / "metadata.csv", [*ROWS, missing])
    data = read(folder, DataSpec(skip_unreadable=True))
    assert [skipped.path for skipped in data.skipped] == ["missing.png"]
    assert len(data) == 4


@pytest.mark.skipif(os.name == "nt", reason="links need rights on Windows")
def test_a_linked_folder_does_not_lead_out(folder, write_picture, tmp_path):
    write_picture(tmp_path / "outside" / "x.png")
    (folder / "link").symlink_to(tmp_path / "outside", target_is_directory=True)
    _csv(folder / "labels.csv", [{**ROWS[0], "file_name": "link/x.png"}, *ROWS[1:]])
    with pytest.raises(DataError, match=r"link/x\.png leads out of the folder"):
        read(folder / "labels.csv", DataSpec())


def test_tables_without_columns_or_rows_are_refused(folder):
    table = folder / "metadata.csv"
    table.write_text("file_name,lable\n0.png,cat\n")
    with pytest.raises(DataError, match=r"no column 'label'.*Did you mean 'lable'"):
        read(folder, DataSpec())
    table.write_text("file_name,label\n")
    with pytest.raises(DataError, match="lists no images"):
        read(folder, DataSpec())
    shutil.copy(table, folder / "metadata.jsonl")
    with pytest.raises(DataError, match=r"both metadata\.csv and metadata\.jsonl"):
        read(folder, DataSpec())
    table.unlink()
    (folder / "metadata.jsonl").unlink()
    with pytest.raises(DataError, match=r"neither metadata\.csv nor metadata\.jsonl"):
        read(folder, DataSpec())


@pytest.mark.parametrize("name", ["\\ud800.png", "a\\u0000.png", "a/" * 3000 + "1.png"])
def test_what_no_file_can_be_called_is_refused(folder, name):
    (folder / "metadata.csv").unlink(missing_ok=True)
    (folder / "metadata.jsonl").write_text(f'{{"file_name": "{name}", "label": "a"}}\n')
    with pytest.raises(DataError, match="is not a valid file name"):
        load(folder)
