import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from clearcnn.data import LabelledImages, load
from clearcnn.data.forms.table import BY_NAME
from clearcnn.data.sources import find_source, recognise
from clearcnn.errors import DataError, SpecError
from clearcnn.specs import DataSpec


def test_the_digits_are_the_default():
    assert len(load()) == 1797
    assert load("digits").content_hash == load(DataSpec()).content_hash


def test_a_spec_and_arguments_say_the_same(class_folders):
    spec = DataSpec(
        source=str(class_folders),
        size=(7, 7),
        color_mode="rgb",
        class_names=("2", "10", "1"),
        skip_unreadable=True,
    )
    by_arguments = load(
        class_folders,
        size=7,
        color_mode="rgb",
        class_names=["2", "10", "1"],
        skip_unreadable=True,
    )
    assert isinstance(by_arguments, LabelledImages)
    assert by_arguments.images.shape == (9, 7, 7, 3)
    assert by_arguments.class_names == ("2", "10", "1")
    assert load(spec).content_hash == by_arguments.content_hash


def test_arguments_out_of_range_are_refused(class_folders):
    with pytest.raises(SpecError, match="color_mode='blue'"):
        load(class_folders, color_mode="blue")  # type: ignore[arg-type]
    with pytest.raises(SpecError, match="size"):
        load(class_folders, size=0)


@pytest.fixture
def sources(tmp_path, class_folders):
    """One of each kind, by a name of its kind."""
    (tmp_path / "table").mkdir()
    (tmp_path / "table" / "metadata.csv").write_text("file_name,label\n")
    (tmp_path / "parts" / "train").mkdir(parents=True)
    (tmp_path / "parts" / "train" / "metadata.jsonl").write_text("{}\n")
    (tmp_path / "table.csv").write_text("label,file_name\n")
    (tmp_path / "rows.jsonl").write_text("{}\n")
    (tmp_path / "pixels.CSV").write_text("label,a\n")
    (tmp_path / "idx").mkdir()
    for name in ("idx/train-images-idx3-ubyte.gz", "t10k-labels-idx1-ubyte", "a.npz"):
        (tmp_path / name).write_bytes(b"?")
    (tmp_path / "shards" / "data").mkdir(parents=True)
    (tmp_path / "shards" / "data" / "train.parquet").write_bytes(b"PAR1")
    (tmp_path / "shards" / "unnamed").write_bytes(b"PAR1")
    return tmp_path


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("shapes", "folder"),
        ("table", "metadata"),
        ("parts", "metadata"),
        ("table.csv", "metadata"),
        ("rows.jsonl", "metadata"),
        ("pixels.CSV", "csv"),
        ("idx", "idx"),
        ("idx/train-images-idx3-ubyte.gz", "idx"),
        ("t10k-labels-idx1-ubyte", "idx"),
        ("a.npz", "arrays"),
        ("shards", "parquet"),
        ("shards/unnamed", "parquet"),
    ],
)
def test_each_kind_is_recognised_by_itself(sources, name, kind):
    form, path = recognise(str(sources / name))
    assert (form.name, path) == (kind, sources / name)


def test_a_prefix_forces_the_kind(sources):
    assert find_source(f"csv:{sources / 'table.csv'}") == (BY_NAME["csv"], sources / "table.csv")
    assert find_source(f"folder:{sources / 'table'}") == (BY_NAME["folder"], sources / "table")
    assert recognise(f"csv:{sources / 'table.csv'}") == (BY_NAME["csv"], sources / "table.csv")
    with pytest.raises(DataError, match="not a folder"):
        load(f"folder:{sources / 'table.csv'}")
    with pytest.raises(DataError, match="contains no files of arrays"):
        load(f"arrays:{sources / 'table'}")


def test_a_colon_in_a_name_is_no_prefix_if_it_is_there(tmp_path, monkeypatch):
    (tmp_path / "ab:cd").mkdir()
    monkeypatch.chdir(tmp_path)
    assert find_source("ab:cd") == (None, Path("ab:cd"))


def test_a_form_inside_one_folder_is_found(tmp_path, sources):
    """As `MNIST/raw/train-images-idx3-ubyte`."""
    (tmp_path / "outer" / "MNIST" / "raw").mkdir(parents=True)
    for name in ("train-images-idx3-ubyte", "train-labels-idx1-ubyte"):
        (tmp_path / "outer" / "MNIST" / "raw" / name).write_bytes(b"?")
    assert recognise(str(tmp_path / "outer")) == (
        BY_NAME["idx"],
        tmp_path / "outer" / "MNIST" / "raw",
    )


def test_unknown_sources_say_what_was_meant(sources, monkeypatch):
    monkeypatch.chdir(sources)
    for wrong, meant in [("digit", "digits"), ("shape", "shapes"), ("idx/../shpes", "shapes")]:
        with pytest.raises(DataError, match="There is no file or folder") as info:
            load(wrong)
        assert f"Did you mean '{meant}'?" in info.value.remedy
    with pytest.raises(DataError, match="unknown prefix 'fodler'") as info:
        load("fodler:shapes")
    assert "Did you mean 'folder'?" in info.value.remedy
    for strange in ("a\0b", "x" * 5000, ""):
        with pytest.raises(DataError):
            load(strange)


@pytest.mark.parametrize("name", ["1/1.png", "notes.txt"])
def test_files_that_are_no_source_say_what_was_looked_for(class_folders, name):
    (class_folders / "notes.txt").write_text("hello")
    with pytest.raises(DataError, match=r"Expected an \.npz, \.csv, \.jsonl, Parquet or IDX"):
        load(class_folders / name)


@pytest.mark.skipif(
    not hasattr(os, "geteuid") or os.geteuid() == 0, reason="the superuser may read everything"
)
def test_forbidden_folders_are_one_clear_error(class_folders):
    (class_folders / "1").chmod(0)
    with pytest.raises(DataError, match="Permission denied"):
        load(class_folders)
    (class_folders / "1").chmod(0o700)


def test_a_source_goes_through_whole(tmp_path):
    """The same images as class folders, NPZ, CSV and table have the same pixels and labels."""
    rng = np.random.default_rng(0)
    images, labels = rng.integers(0, 256, (6, 4, 4), np.uint8), np.array([0, 0, 0, 1, 1, 1])
    lines, cells = ["file_name,label"], ["label," + ",".join(f"p{k}" for k in range(16))]
    for row, (image, label) in enumerate(zip(images, labels, strict=True)):
        path = tmp_path / "classes" / str(label) / f"{row}.png"
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(image).save(path)
        lines.append(f"{label}/{row}.png,{label}")
        cells.append(",".join(map(str, [label, *image.ravel()])))
    (tmp_path / "classes" / "any.csv").write_text("\n".join(lines))
    (tmp_path / "pixels.csv").write_text("\n".join(cells))
    np.savez(tmp_path / "a.npz", x=images, y=labels)
    hashes = {
        load(tmp_path / source).content_hash
        for source in ("classes", "classes/any.csv", "pixels.csv", "a.npz")
    }
    assert len(hashes) == 1


def test_reading_loads_nothing_heavy():
    code = (
        "import sys, clearcnn.data; "
        "print(sorted({'sklearn', 'scipy', 'pyarrow', 'keras', 'jax', 'matplotlib'} "
        "& set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
