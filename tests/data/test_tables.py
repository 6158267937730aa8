import gzip

import pytest

from clearcnn.data.tables import LONGEST_LINE, read_header, read_rows, require_columns
from clearcnn.errors import DataError


def test_csv_rows_come_with_their_lines(tmp_path):
    path = tmp_path / "t.csv"
    path.write_text('\ufefffile_name, label \n"a,b.png",cat\n\n c.png , dog\n', encoding="utf-8")
    assert read_header(path) == ["file_name", "label"]
    assert list(read_rows(path)) == [
        (2, {"file_name": "a,b.png", "label": "cat"}),
        (4, {"file_name": "c.png", "label": "dog"}),
    ]


@pytest.mark.parametrize("encoding", ["utf-16-le", "utf-16-be"])
@pytest.mark.parametrize("pack", [bytes, gzip.compress])
def test_utf_16_with_a_byte_order_mark_is_read(tmp_path, encoding, pack):
    path = tmp_path / ("t.csv" if pack is bytes else "t.csv.gz")
    path.write_bytes(pack("\ufefffile_name,label\n1.png,고양이\n".encode(encoding)))
    assert list(read_rows(path)) == [(2, {"file_name": "1.png", "label": "고양이"})]


def test_json_lines_become_text(tmp_path):
    path = tmp_path / "t.jsonl"
    path.write_text('{"file_name": "고양이.png", "label": 3}\n\n{"label": null}\n', "utf-8")
    assert list(read_rows(path)) == [
        (1, {"file_name": "고양이.png", "label": "3"}),
        (3, {"label": ""}),
    ]


@pytest.mark.parametrize(
    ("name", "content", "problem"),
    [
        ("t.csv", b"a,b\n1,2\n1,2,3\n", "line 3: 3 cells, but 2 column names"),
        ("t.csv", "a,b\n고양이,2\n".encode("cp949"), "Korean text in CP949"),
        ("t.csv", b"a,b\n" + "고양이,2\n".encode("cp949") * 5000, "Korean text in CP949"),
        ("t.csv", "a,b\ncafé,2\n".encode("latin-1"), "not UTF-8 text: invalid byte 0xe9"),
        ("t.csv", "a,b\n1,2\n".encode("utf-16")[:-1], "begins as UTF-16 text, but is damaged"),
        ("t.csv", b'a,b\n"open,2\n', "not a valid CSV file"),
        ("t.jsonl", b'{"a": 1}\n[1]\n', "line 2: not a JSON object"),
        ("t.jsonl", b'{"a": 1\n', "line 1: not a JSON object"),
        ("t.jsonl", b"[" * 100_000, "line 1: not a JSON object"),
        ("t.csv", b"", "0 bytes"),
    ],
)
def test_broken_tables_are_refused_with_the_line(tmp_path, name, content, problem):
    (tmp_path / name).write_bytes(content)
    with pytest.raises(DataError, match=problem):
        list(read_rows(tmp_path / name))


def test_a_missing_column_is_named_with_its_neighbour(tmp_path):
    with pytest.raises(DataError, match="no column 'label'; its columns are file, lable") as info:
        require_columns(tmp_path / "t.csv", ["file", "lable"], "label")
    assert "Did you mean 'lable'?" in info.value.remedy


def test_a_line_without_an_end_is_refused(tmp_path):
    for name in ("t.csv", "t.jsonl"):
        (tmp_path / name).write_bytes(b"a" * (LONGEST_LINE + 1))
        with pytest.raises(DataError, match="line 1: more than 4,194,304 characters"):
            list(read_rows(tmp_path / name))
