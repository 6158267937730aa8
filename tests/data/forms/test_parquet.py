import json
import sys
from io import BytesIO
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from PIL import Image

from clearcnn.data import load
from clearcnn.data.forms.parquet import read
from clearcnn.errors import DataError, MissingExtraError
from clearcnn.specs import DataSpec


def _encoded(seed: int) -> bytes:
    buffer = BytesIO()
    Image.fromarray(_pixels(seed)).save(buffer, "png")
    return buffer.getvalue()


def _pixels(seed: int) -> np.ndarray:
    return np.random.default_rng(seed).integers(0, 256, (6, 5), np.uint8)


def _write(path: Path, labels: list, *, names=None, paths=None, image="image", **columns) -> Path:
    """Write rows as Hugging Face's `Dataset.to_parquet` does."""
    cells = [
        {"bytes": _encoded(k), "path": paths[k] if paths else None} for k in range(len(labels))
    ]
    struct = pa.struct([("bytes", pa.binary()), ("path", pa.string())])
    table = pa.table({image: pa.array(cells, struct), "label": pa.array(labels), **columns})
    label = {"names": names, "_type": "ClassLabel"} if names else {"dtype": "string"}
    features = {image: {"_type": "Image"}, "label": label}
    metadata = {"huggingface": json.dumps({"info": {"features": features}})}
    path.parent.mkdir(parents=True, exist_ok=True)
    pq.write_table(table.replace_schema_metadata(metadata), path, row_group_size=2)
    return path


def test_one_file_with_class_labels(tmp_path):
    path = _write(tmp_path / "a.parquet", [1, 0, 1, 0, 1], names=["고양이", "개"])
    data = read(path, DataSpec())
    np.testing.assert_array_equal(data.images[..., 0], [_pixels(k) for k in range(5)])
    assert data.class_names == ("고양이", "개")
    assert data.labels.tolist() == [1, 0, 1, 0, 1]
    assert data.split_names is None
    assert data.names[1] == "a.parquet row 1"


def test_text_labels_paths_groups_and_another_column_name(tmp_path):
    path = _write(
        tmp_path / "a.parquet",
        ["dog", "cat", "dog", "cat"],
        paths=["3.png", "4.png", "5.png", "6.png"],
        image="img",
        group=pa.array([1, 1, 2, 2]),
    )
    data = read(path, DataSpec())
    assert data.class_names == ("cat", "dog")
    assert data.names[0] == "3.png"
    assert data.groups is not None
    assert data.groups.tolist() == ["1", "1", "2", "2"]


@pytest.mark.parametrize("below", [".", "data"])
def test_files_named_after_parts_are_the_parts(tmp_path, below):
    for name, count in [
        ("test-00000-of-00001", 3),
        ("train-00010-of-00011-0a1b2c3d", 4),
        ("train-00002-of-00011", 2),
        ("validation-00000-of-00001", 2),
    ]:
        labels = [k % 2 for k in range(count)]
        _write(tmp_path / below / f"{name}.parquet", labels, names=["a", "b"])
    data = read(tmp_path, DataSpec())
    assert data.split_names is not None
    assert data.split_names.tolist() == ["train"] * 6 + ["validation"] * 2 + ["test"] * 3
    assert data.names[0] == "train-00002-of-00011.parquet row 0"


def test_a_broken_picture_is_refused_or_skipped(tmp_path):
    path = _write(tmp_path / "a.parquet", [0, 1, 0, 1, 0, 0])
    table = pq.read_table(path)
    cells = table.column("image").to_pylist()
    cells[0]["bytes"], cells[4]["bytes"] = cells[0]["bytes"][:30], None
    pq.write_table(
        table.set_column(0, "image", pa.array(cells, table.schema.field("image").type)), path
    )
    with pytest.raises(DataError, match=r"a\.parquet row 0 cannot be read as an image"):
        read(path, DataSpec())
    data = read(path, DataSpec(skip_unreadable=True))
    assert len(data) == 4
    assert "no bytes" in data.skipped[1].reason


@pytest.mark.parametrize(
    ("labels", "names", "problem"),
    [
        ([0, None, 1, 1], None, "row 1 has the label None"),
        ([0.5, 1.0, 1.0, 0.5], None, "row 0 has the label 0.5"),
        ([0, -2, 1, 1], ["a", "b"], "row 1 has the label -2"),
        ([0, 1, 0, 1], ["a", "b", "c"], "no image in the class 'c'"),
    ],
)
def test_labels_that_are_none_are_named(tmp_path, labels, names, problem):
    with pytest.raises(DataError, match=problem):
        read(_write(tmp_path / "a.parquet", labels, names=names), DataSpec())


def test_other_columns_and_kinds_are_refused(tmp_path):
    path = tmp_path / "a.parquet"
    pq.write_table(pa.table({"text": ["a"], "label": [1]}), path)
    with pytest.raises(DataError, match="the columns are 'text', 'label'"):
        read(path, DataSpec())
    pq.write_table(pa.table({"image": ["a"], "label": [1]}), path)
    with pytest.raises(DataError, match="stored as string"):
        read(path, DataSpec())


def test_broken_files_are_refused(tmp_path):
    path = _write(tmp_path / "a.parquet", [0, 1, 0, 1])
    content = path.read_bytes()
    for broken in (b"PAR1", content[:-20], content[: len(content) // 2] + content[-200:]):
        path.write_bytes(broken)
        with pytest.raises(DataError, match=r"a\.parquet"):
            read(path, DataSpec())


def test_folders_that_mix_are_refused(tmp_path):
    with pytest.raises(DataError, match="contains no Parquet files"):
        read(tmp_path, DataSpec())
    _write(tmp_path / "train.parquet", [0, 1, 0, 1], names=["a", "b"])
    _write(tmp_path / "test.parquet", [0, 1, 0, 1], names=["a", "c"])
    with pytest.raises(DataError, match="different class names"):
        read(tmp_path, DataSpec())
    _write(tmp_path / "more.parquet", [0, 1])
    with pytest.raises(DataError, match=r"more\.parquet is not named after a split"):
        read(tmp_path, DataSpec())


def test_without_pyarrow_the_extra_is_named(tmp_path, monkeypatch):
    path = _write(tmp_path / "a.parquet", [0, 1, 0, 1])
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    with pytest.raises(MissingExtraError, match=r"clearcnn\[parquet\]"):
        read(path, DataSpec())


def test_a_dictionary_that_stands_for_gigabytes_is_refused(tmp_path):
    cell = {"bytes": bytes(10**6), "path": "x"}
    table = pa.table({"image": [cell] * 100, "label": [0, 1] * 50})
    pq.write_table(table, tmp_path / "a.parquet", compression="zstd")
    with pytest.raises(DataError, match="decompresses to"):
        read(tmp_path / "a.parquet", DataSpec())


def test_text_that_is_no_unicode_is_refused(tmp_path):
    path = tmp_path / "a.parquet"
    table = pa.table({"image": [b"x"] * 2, "label": ["abcdefgh", "ijklmnop"]})
    pq.write_table(table, path, compression="none", use_dictionary=False)
    path.write_bytes(path.read_bytes().replace(b"abcdefgh", b"\xff" * 8))
    with pytest.raises(DataError, match="cannot be read as Parquet"):
        read(path, DataSpec())


@pytest.mark.parametrize(
    "files",
    [
        {"train": "mnist/train-00000-of-00001", "test": "mnist/test-00000-of-00001"},
        {"train": "default/train/0000", "test": "default/test/0000"},
        {"train": "train/0000", "test": "test/0000"},
        {
            "train": "plain_text/train-00000-of-00001-ab12cd",
            "test": "plain_text/test-00000-of-00001",
        },
    ],
)
def test_a_clone_of_a_repository_is_read_from_its_root(tmp_path, files):
    (tmp_path / "README.md").write_text("# A data set\n")
    for file in files.values():
        _write(tmp_path / f"{file}.parquet", [0, 1, 0, 1], names=["a", "b"])
    data = load(tmp_path)
    assert data.split_names is not None
    assert data.split_names.tolist() == ["train"] * 4 + ["test"] * 4


def test_several_configurations_need_a_choice(tmp_path):
    for config, names in (("letters", ["a", "b"]), ("digits", ["0", "1"])):
        _write(tmp_path / config / "train-00000-of-00001.parquet", [0, 1, 0, 1], names=names)
    with pytest.raises(DataError, match="2 data sets: digits, letters") as error:
        load(tmp_path)
    assert f"parquet:{tmp_path}#letters" in error.value.remedy
    assert load(f"parquet:{tmp_path}#letters").class_names == ("a", "b")
    assert load(f"{tmp_path}#digits").class_names == ("0", "1")
    with pytest.raises(DataError, match="no data set 'letter'"):
        load(f"{tmp_path}#letter")


def test_other_splits_and_images_without_a_label_are_left_out(tmp_path):
    """STL-10 has a split without labels, and many benchmarks a test set with -1."""
    _write(tmp_path / "data" / "train-00000-of-00001.parquet", [0, 1, 0, 1], names=["a", "b"])
    _write(tmp_path / "data" / "test-00000-of-00001.parquet", [-1, -1, -1], names=["a", "b"])
    _write(tmp_path / "data" / "unsupervised-00000-of-00001.parquet", [-1], names=["a", "b"])
    data = load(tmp_path)
    assert len(data) == 4
    assert data.preparation == (
        "Left out: the splits 'unsupervised', which are not for training or testing.",
        "3 images without a label (-1) were left out; give them to predict.",
    )


def test_minus_one_may_be_a_class_of_its_own(tmp_path):
    data = load(_write(tmp_path / "a.parquet", [-1, 1, -1, 1]))
    assert data.class_names == ("-1", "1")


def test_of_two_label_columns_one_is_chosen(tmp_path):
    """CIFAR-100: img, fine_label, coarse_label."""
    cells = [{"bytes": _encoded(k), "path": None} for k in range(4)]
    struct = pa.struct([("bytes", pa.binary()), ("path", pa.string())])
    fine, coarse = pa.array([0, 1, 2, 2]), pa.array([0, 0, 1, 1])
    columns = {"img": pa.array(cells, struct), "fine_label": fine, "coarse_label": coarse}
    names = {"fine_label": ["apple", "pear", "oak"], "coarse_label": ["fruit", "tree"]}
    features = {name: {"names": each, "_type": "ClassLabel"} for name, each in names.items()}
    table = pa.table(columns).replace_schema_metadata(
        {"huggingface": json.dumps({"info": {"features": features}})}
    )
    pq.write_table(table, tmp_path / "train.parquet")
    with pytest.raises(DataError, match="it has 2: 'fine_label', 'coarse_label'") as error:
        load(tmp_path)
    assert "--label-column fine_label" in error.value.remedy
    data = load(DataSpec(str(tmp_path), label_column="coarse_label"))
    assert data.class_names == ("fruit", "tree")
    assert data.labels.tolist() == [0, 0, 1, 1]
    with pytest.raises(DataError, match="no column 'coarse'"):
        load(DataSpec(str(tmp_path), label_column="coarse"))
