"""Tables of labels as contests and tools write them, with real files beside them."""

from pathlib import Path

import numpy as np
import pytest

from clearcnn.data import LabelledImages, load
from clearcnn.data.sources import recognise
from clearcnn.errors import DataError
from clearcnn.specs import DataSpec


@pytest.fixture
def draw(tmp_path: Path, write_picture):
    """Write pictures by their paths; each has pixels of its own."""

    def draw(*names: str) -> dict[str, np.ndarray]:
        return {name: write_picture(tmp_path / name, k) for k, name in enumerate(names)}

    return draw


def _table(folder: Path, name: str, *lines: str) -> Path:
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return path


def _labels(data: LabelledImages) -> dict[str, str]:
    names = [data.class_names[label] for label in data.labels]
    return dict(zip(data.names, names, strict=True))


def _splits(data: LabelledImages) -> dict[str, str]:
    assert data.split_names is not None
    return dict(zip(data.names, data.split_names.tolist(), strict=True))


def test_a_contest_with_ids_and_a_flat_folder(tmp_path: Path, draw) -> None:
    """Kaggle's dog breeds: labels.csv of id and breed, train/ID.jpg, test/ID.jpg without labels."""
    pictures = draw(
        "train/00a3.png", "train/00b1.png", "train/0c.png", "train/0d.png", "test/99.png"
    )
    _table(tmp_path, "labels.csv", "id,breed", "0d,pug", "00a3,husky", "00b1,pug", "0c,husky")
    _table(tmp_path, "sample_submission.csv", "id,husky,pug", "99,0.5,0.5")
    assert recognise(str(tmp_path))[0].name == "table"
    data = load(tmp_path)
    assert _labels(data) == {
        "train/0d.png": "pug",
        "train/00a3.png": "husky",
        "train/00b1.png": "pug",
        "train/0c.png": "husky",
    }
    np.testing.assert_array_equal(data.images[0], pictures["train/0d.png"])
    assert data.split_names is None
    assert data.preparation[:2] == (
        "labels.csv: images in the column 'id', labels in 'breed'.",
        "1 image without a label left out, such as test/99.png; give them to predict.",
    )
    assert load(tmp_path / "labels.csv").content_hash == data.content_hash


def test_numbered_files_of_train_and_test_are_not_confused(tmp_path: Path, draw) -> None:
    """Kaggle's CIFAR-10: trainLabels.csv, and 1.png in both train/ and test/."""
    draw("test/1.png", "test/2.png", "train/1.png", "train/2.png", "train/3.png", "train/4.png")
    _table(tmp_path, "trainLabels.csv", "id,label", "1,frog", "2,truck", "3,truck", "4,frog")
    assert list(_labels(load(tmp_path))) == [f"train/{k}.png" for k in (1, 2, 3, 4)]


def test_one_hot_tables_in_split_folders(tmp_path: Path, draw) -> None:
    """Roboflow's multi-class export: _classes.csv in each split folder, blanks after commas."""
    for split in ("train", "valid", "test"):
        names = [f"{split}/{k}_jpg.rf.0{k}.jpg" for k in range(4)]
        draw(*names)
        rows = [f"{k}_jpg.rf.0{k}.jpg, {k % 2}, {1 - k % 2}" for k in range(4)]
        _table(tmp_path, f"{split}/_classes.csv", "filename, daisy, tulip", *rows)
    _table(tmp_path, "README.roboflow.txt", "Flowers - v1", "", "It has 12 images, in all.")
    data = load(tmp_path)
    assert data.class_names == ("daisy", "tulip")
    assert _labels(data)["valid/1_jpg.rf.01.jpg"] == "daisy"
    assert sorted(set(_splits(data).values())) == ["test", "train", "validation"]
    assert _splits(data)["valid/1_jpg.rf.01.jpg"] == "validation"


def test_several_labels_for_one_image_are_said_to_be_that(tmp_path: Path, draw) -> None:
    draw(*(f"train/{k}.jpg" for k in range(1, 6)))
    rows = ["1.jpg, 1, 1", "2.jpg, 0, 1", "3.jpg, 1, 0", "4.jpg, 1, 1", "5.jpg, 1, 0"]
    _table(tmp_path, "train/_classes.csv", "filename, hat, scarf", *rows)
    with pytest.raises(DataError, match="2 of 5 images have several labels") as error:
        load(tmp_path)
    assert "1.jpg has 'hat', 'scarf'" in error.value.problem
    assert "--label-column" in error.value.remedy
    one = load(DataSpec(str(tmp_path), label_column="scarf"))
    assert list(_labels(one).values()) == ["1", "1", "0", "1", "0"]


@pytest.mark.parametrize("separator", ["|", ";", ", "])
def test_labels_that_are_lists_are_several_labels(tmp_path: Path, draw, separator: str) -> None:
    draw(*(f"images/{k}.png" for k in range(6)))
    labels = [
        "mass",
        "edema",
        f'"mass{separator}edema"',
        "mass",
        "edema",
        f'"edema{separator}mass"',
    ]
    rows = [f"{k}.png,{label}" for k, label in enumerate(labels)]
    _table(tmp_path, "data.csv", "Image Index,Finding Labels", *rows)
    with pytest.raises(DataError, match="2 of 6 images have several labels"):
        load(tmp_path)


def test_images_of_no_class_are_counted(tmp_path: Path, draw) -> None:
    draw("a.png", "b.png", "c.png")
    _table(tmp_path, "t.csv", "name,x,y", "a.png,0,0", "b.png,1,0", "c.png,0,1")
    with pytest.raises(
        DataError, match=r"1 of 3 rows have 0 in every class, such as a\.png in line 2"
    ):
        load(tmp_path)


def test_tables_of_paths_for_train_and_test(tmp_path: Path, draw) -> None:
    """Kaggle's GTSRB: Train.csv and Test.csv with sizes and boxes, and Meta.csv of the classes."""
    train = [f"Train/{label}/0000{label}_0000{k}.png" for label in (0, 1) for k in range(3)]
    test = [f"Test/0000{k}.png" for k in range(4)]
    draw(*train, *test, *(f"Meta/{k}.png" for k in range(3)))
    head = "Width,Height,Roi.X1,Roi.Y1,Roi.X2,Roi.Y2,ClassId,Path"
    _table(tmp_path, "Train.csv", head, *(f"27,26,5,5,22,20,{n.split('/')[1]},{n}" for n in train))
    _table(
        tmp_path, "Test.csv", head, *(f"53,54,6,5,48,49,{k % 2},{n}" for k, n in enumerate(test))
    )
    meta = [f"Meta/{k}.png,{k},{k // 2},{k % 2}" for k in range(3)]
    _table(tmp_path, "Meta.csv", "Path,ClassId,ShapeId,ColorId", *meta)
    data = load(DataSpec(str(tmp_path), for_training=False))
    assert _labels(data)["Train/1/00001_00002.png"] == "1"
    assert _splits(data) == dict.fromkeys(train, "train") | dict.fromkeys(test, "test")
    assert "3 images without a label left out, such as Meta/0.png" in data.preparation[-1]


def test_semicolons_and_a_file_of_one_folder(tmp_path: Path, draw) -> None:
    """GTSRB's GT-final_test.csv, in the folder of its images."""
    draw(*(f"{k:05}.ppm" for k in range(4)))
    head = "Filename;Width;Height;Roi.X1;Roi.Y1;Roi.X2;Roi.Y2;ClassId"
    rows = [f"{k:05}.ppm;53;54;6;5;48;49;{k % 2}" for k in range(4)]
    path = _table(tmp_path, "GT-final_test.csv", head, *rows)
    assert recognise(str(path))[0].name == "table"


def test_tabs_and_no_column_names(tmp_path: Path, draw) -> None:
    """Tiny ImageNet's val_annotations.txt: name, class and box."""
    draw(*(f"images/val_{k}.JPEG" for k in range(4)))
    rows = [f"val_{k}.JPEG\tn0{k % 2}\t{k}\t32\t44\t62" for k in range(4)]
    path = _table(tmp_path, "val_annotations.txt", *rows)
    data = load(path)
    assert _labels(data) == {f"images/val_{k}.JPEG": f"n0{k % 2}" for k in range(4)}
    assert "images in the column 'column 1', labels in 'column 2'" in data.preparation[0]


def test_blanks_and_backslashes(tmp_path: Path, draw) -> None:
    draw(*(f"pics/in/{k}.png" for k in range(4)))
    rows = [f"C:\\Users\\me\\pics\\in\\{k}.png   {'ab'[k % 2]}" for k in range(4)]
    data = load(_table(tmp_path, "list.txt", *rows))
    assert _labels(data) == {f"pics/in/{k}.png": "ab"[k % 2] for k in range(4)}


@pytest.mark.parametrize(
    ("column", "words"),
    [
        ("Usage", ["Training", "PublicTest", "PrivateTest"]),
        ("set", ["train", "valid", "test"]),
        ("data set", ["train_set", "val_set", "test_set"]),
        ("phase", ["TRAIN", "Validation", "TEST"]),
    ],
)
def test_splits_in_a_column_of_any_usual_name(tmp_path: Path, draw, column: str, words) -> None:
    draw(*(f"{k}.png" for k in range(6)))
    rows = [f"{k}.png,{'ab'[k % 2]},{words[k // 2]}" for k in range(6)]
    _table(tmp_path, "all.csv", f"image,kind,{column}", *rows)
    splits = list(_splits(load(tmp_path)).values())
    assert splits == ["train", "train", "validation", "validation", "test", "test"]


def test_the_column_of_labels_must_be_told_apart(tmp_path: Path, draw) -> None:
    draw(*(f"{k}.png" for k in range(6)))
    rows = [f"{k}.png,{'ab'[k % 2]},{'xyz'[k // 2]}" for k in range(6)]
    _table(tmp_path, "all.csv", "image,colour,shape", *rows)
    with pytest.raises(DataError, match="'colour' with 'a', 'b'; 'shape' with 'x', 'y', 'z'") as e:
        load(tmp_path)
    assert "--label-column" in e.value.remedy
    assert load(DataSpec(str(tmp_path), label_column="shape")).class_names == ("x", "y", "z")
    with pytest.raises(DataError, match="no column 'shap'") as e:
        load(DataSpec(str(tmp_path), label_column="shap"))
    assert "Did you mean 'shape'?" in e.value.remedy


def test_the_column_of_images_can_be_named(tmp_path: Path, draw) -> None:
    draw("a/1.png", "a/2.png", "a/3.png", "a/4.png", "b/5.png", "b/6.png", "b/7.png", "b/8.png")
    rows = [f"{k},{k + 4},{'uv'[k % 2]}" for k in range(1, 5)]
    path = _table(tmp_path, "all.csv", "left,right,label", *rows)
    assert list(_labels(load(path))) == [f"a/{k}.png" for k in range(1, 5)]
    data = load(DataSpec(str(path), image_column="right"))
    assert list(_labels(data)) == [f"b/{k}.png" for k in range(5, 9)]


def test_missing_files_are_counted_and_can_be_left_out(tmp_path: Path, draw) -> None:
    draw(*(f"{k}.png" for k in range(4)))
    rows = [f"{k}.png,{'ab'[k % 2]}" for k in range(6)]
    _table(tmp_path, "all.csv", "image,label", *rows, "../secret.png,a")
    with pytest.raises(DataError, match=r"names 3 files, of 7, .* such as 4\.png in line 6"):
        load(tmp_path)
    (tmp_path.parent / "secret.png").write_bytes((tmp_path / "0.png").read_bytes())
    data = load(tmp_path, skip_unreadable=True)
    assert list(_labels(data)) == [f"{k}.png" for k in range(4)]
    assert [each.path for each in data.skipped] == ["4.png", "5.png", "../secret.png"]


@pytest.mark.parametrize("name", ["/a5.png", "../a5.png", "C:/a5.png", "train\\a5.png"])
def test_missing_files_may_have_any_path(tmp_path: Path, draw, name: str) -> None:
    draw("a1.png", "a2.png", "a3.png", "a4.png")
    rows = ["a1.png,cat", "a2.png,dog", "a3.png,cat", "a4.png,dog", f"{name},dog"]
    _table(tmp_path, "labels.csv", "file,kind", *rows)
    with pytest.raises(DataError, match=r"a5\.png"):
        load(tmp_path)
    data = load(tmp_path, skip_unreadable=True)
    assert len(data) == 4
    assert [each.path.endswith("a5.png") for each in data.skipped] == [True]


def test_an_image_is_listed_once_and_has_a_label(tmp_path: Path, draw) -> None:
    draw(*(f"{k}.png" for k in range(4)))
    rows = ["0.png,a", "1.png,b", "2.png,a"]
    path = _table(tmp_path, "all.csv", "image,label", *rows, *["3.png,"])
    with pytest.raises(DataError, match=r"line 5: 3\.png has no label"):
        load(path)
    _table(tmp_path, "all.csv", "image,label", *rows * 100)
    with pytest.raises(DataError):
        load(path)


def test_class_folders_win_over_a_table_about_something_else(class_folders: Path) -> None:
    names = [path.relative_to(class_folders).as_posix() for path in class_folders.rglob("*.png")]
    rows = [f"{name},{'Canon' if k % 2 else 'Nikon'},{k / 7}" for k, name in enumerate(names)]
    _table(class_folders, "exif.csv", "file,camera,exposure", *rows)
    assert recognise(str(class_folders))[0].name == "folder"
    assert load(class_folders).class_names == ("1", "2", "10")


@pytest.mark.parametrize("texts", [("1", "01", "1.0"), ("07", "7", "7")])
def test_one_number_is_one_class_however_it_is_written(tmp_path: Path, draw, texts) -> None:
    draw(*(f"{k}.png" for k in range(6)))
    rows = [f"{k}.png,  {texts[k] if k < 3 else 2} " for k in range(6)]
    data = load(_table(tmp_path, "all.csv", "image,label", *rows))
    assert len(data.class_names) == 2
    assert np.bincount(data.labels).tolist() in ([3, 3],)
    assert any("the same number read as one class" in line for line in data.preparation)


def test_labels_that_differ_in_capitals_only_are_an_error(tmp_path: Path, draw) -> None:
    draw(*(f"{k}.png" for k in range(6)))
    rows = [f"{k}.png,{['cat', 'dog', 'Cat'][k % 3]}" for k in range(6)]
    with pytest.raises(DataError, match="differ only in capitals or blanks"):
        load(_table(tmp_path, "all.csv", "image,label", *rows))
    letters = [f"{k}.png,{'aA'[k % 2]}" for k in range(6)]
    assert load(_table(tmp_path, "all.csv", "image,label", *letters)).class_names == ("A", "a")


def test_a_table_of_pixels_beside_images_is_still_one_of_pixels(tmp_path: Path, draw) -> None:
    draw("0.png", "1.png", "255.png")
    rng = np.random.default_rng(0)
    rows = [",".join(map(str, [k % 2, *rng.integers(0, 256, 16)])) for k in range(8)]
    head = ",".join(["label", *(f"pixel{k}" for k in range(16))])
    assert recognise(str(_table(tmp_path, "train.csv", head, *rows)))[0].name == "csv"
