"""Forms that authors invent: each is read rightly, or refused with the cause and the way out."""

import gzip
import json
from pathlib import Path

import numpy as np
import pytest

from clearcnn.data import LabelledImages, load
from clearcnn.errors import DataError

NAMES = ("cat", "dog", "owl")


@pytest.fixture
def draw(tmp_path: Path, write_picture):
    def draw(*names: str) -> None:
        for number, name in enumerate(names):
            write_picture(tmp_path / name, number)

    return draw


def _write(folder: Path, name: str, *lines: str) -> None:
    (folder / name).parent.mkdir(parents=True, exist_ok=True)
    (folder / name).write_text("\n".join(lines) + "\n", "utf-8")


def _labels(data: LabelledImages) -> dict[str, str]:
    names = [data.class_names[label] for label in data.labels]
    return dict(zip(data.names, names, strict=True))


def _splits(data: LabelledImages) -> dict[str, str]:
    assert data.split_names is not None
    return dict(zip(data.names, data.split_names.tolist(), strict=True))


@pytest.mark.parametrize(
    ("name", "lines"),
    [
        ("classes.txt", NAMES),
        ("classes.txt", [f"{k} {name}" for k, name in enumerate(NAMES)]),
        ("labels_map.csv", ["id,name", *[f"{k},{name}" for k, name in enumerate(NAMES)]]),
    ],
)
@pytest.mark.parametrize("first", [0, 1])
def test_numbers_in_a_list_of_paths_get_the_names_beside_it(
    tmp_path: Path, draw, name: str, lines: list[str], first: int
) -> None:
    if first and lines is not NAMES:
        lines = [line.replace(str(k), str(k + 1), 1) for k, line in enumerate(lines, -1)]
        lines = ["id,name", *[f"{k + 1},{each}" for k, each in enumerate(NAMES)]]
    draw(*[f"images/{k}.png" for k in range(12)])
    _write(tmp_path, "labels.txt", *[f"images/{k}.png {k % 3 + first}" for k in range(12)])
    _write(tmp_path, name, *lines)
    data = load(tmp_path)
    assert _labels(data) == {f"images/{k}.png": NAMES[k % 3] for k in range(12)}
    assert f"named 'cat' to 'owl' by {name}" in data.preparation[1]


def test_a_list_of_classes_that_does_not_fit_is_not_used(tmp_path: Path, draw) -> None:
    draw(*[f"images/{k}.png" for k in range(12)])
    _write(tmp_path, "labels.txt", *[f"images/{k}.png {k % 3}" for k in range(12)])
    _write(tmp_path, "classes.txt", "cat", "dog")
    data = load(tmp_path)
    assert data.class_names == ("0", "1", "2")
    assert "classes.txt does not name the labels 0 to 2, and was not used." in data.preparation


def test_the_number_of_a_class_and_its_name_are_one_label(tmp_path: Path, draw) -> None:
    draw(*[f"{k}.png" for k in range(12)])
    rows = [f"{k}.png|{k % 3}|{NAMES[k % 3]}" for k in range(12)]
    _write(tmp_path, "labels.csv", "image|class_id|class_name", *rows)
    assert _labels(load(tmp_path)) == {f"{k}.png": NAMES[k % 3] for k in range(12)}
    rows[0] = rows[0].replace("0|cat", "1|cat")
    _write(tmp_path, "labels.csv", "image|class_id|class_name", *rows)
    with pytest.raises(DataError, match="unclear which column has the labels"):
        load(tmp_path)


def test_two_words_are_not_a_label_and_something_else(tmp_path: Path, draw) -> None:
    draw(*[f"{k}.png" for k in range(12)])
    cities = ("New York", "New Delhi", "Los Angeles")
    _write(tmp_path, "labels.txt", *[f"{k}.png {cities[k % 3]}" for k in range(12)])
    with pytest.raises(DataError, match="unclear which column has the labels"):
        load(tmp_path)


def test_the_width_of_an_image_is_no_label(tmp_path: Path, draw) -> None:
    draw(*[f"{k}.png" for k in range(12)])
    _write(tmp_path, "sizes.csv", "file,width", *[f"{k}.png,{5 + k % 2}" for k in range(12)])
    with pytest.raises(DataError, match="unclear which column has the labels: 'width'"):
        load(tmp_path)


def test_columns_of_0_and_1_beside_a_column_of_labels(tmp_path: Path, draw) -> None:
    """Kaggle's traffic signs: Meta.csv has a picture of each sign, its shape and its colour."""
    draw(*[f"Train/{k}.png" for k in range(6)], *[f"Meta/{k}.png" for k in range(3)])
    _write(
        tmp_path, "Train.csv", "Width,ClassId,Path", *[f"5,{k % 3},Train/{k}.png" for k in range(6)]
    )
    _write(
        tmp_path, "Meta.csv", "Path,Round,Red", *[f"Meta/{k}.png,{k % 2},{k % 2}" for k in range(3)]
    )
    data = load(tmp_path)
    assert _labels(data) == {f"Train/{k}.png": str(k % 3) for k in range(6)}
    assert any(line.startswith("3 images without a label left out") for line in data.preparation)


def test_lists_of_paths_split_class_folders(tmp_path: Path, draw) -> None:
    """Food-101: meta/train.txt and meta/test.txt have class/id, without the extension."""
    draw(*[f"images/{name}/{k}.png" for name in NAMES for k in range(5)])
    _write(tmp_path, "meta/train.txt", *[f"{name}/{k}" for name in NAMES for k in range(3)])
    _write(tmp_path, "meta/test.txt", *[f"{name}/3" for name in NAMES])
    data = load(tmp_path)
    assert _splits(data) == {
        f"images/{name}/{k}.png": "train" if k < 3 else "test" for name in NAMES for k in range(4)
    }
    assert "Splits read from lists of images: test, train." in data.preparation
    assert "Left out 3 images that no list names." in data.preparation
    _write(tmp_path, "meta/test.txt", "cat/3", "cat/99")
    data = load(tmp_path)
    assert data.split_names is None
    assert any("were not used: cat/99 is no image beside it" in each for each in data.preparation)


def test_numbered_lists_split_class_folders(tmp_path: Path, draw) -> None:
    """CUB-200-2011: images.txt, image_class_labels.txt and train_test_split.txt."""
    paths = [f"{c:03}.{name}/{name}_{k}.png" for c, name in enumerate(NAMES, 1) for k in range(8)]
    draw(*[f"images/{path}" for path in paths])
    numbered = [*enumerate(paths, 1)]
    _write(tmp_path, "images.txt", *[f"{n} {path}" for n, path in numbered])
    _write(tmp_path, "image_class_labels.txt", *[f"{n} {path[2]}" for n, path in numbered])
    _write(tmp_path, "train_test_split.txt", *[f"{n} {n % 2}" for n, _ in numbered])
    data = load(tmp_path)
    assert data.class_names == ("001.cat", "002.dog", "003.owl")
    expected = {f"images/{path}": "train" if n % 2 else "test" for n, path in numbered}
    assert _splits(data) == expected


def test_classes_in_names_are_read_where_the_prefix_says_so(tmp_path: Path, draw) -> None:
    """Kaggle's dogs and cats: train/cat.0.jpg, and test1/1.jpg without labels."""
    draw(*[f"train/{NAMES[k % 2]}.{k}.png" for k in range(8)], "test1/1.png", "test1/2.png")
    with pytest.raises(DataError, match="have no class folders in them") as info:
        load(tmp_path)
    assert f"put names: before the path: names:{tmp_path}" in info.value.remedy
    data = load(f"names:{tmp_path}")
    assert _labels(data) == {f"train/{NAMES[k % 2]}.{k}.png": NAMES[k % 2] for k in range(8)}
    assert data.split_names is None
    assert data.preparation[0].startswith("Left out 2 images without a class in their names")


def test_classes_in_names_of_one_folder_or_of_splits(tmp_path: Path, draw) -> None:
    draw(*[f"{split}/a_b_{k}.png" for split in ("train", "test") for k in range(3)])
    draw(*[f"{split}/c{k}.png" for split in ("train", "test") for k in range(3)])
    data = load(f"names:{tmp_path}")
    assert data.class_names == ("a_b", "c")
    assert set(_splits(data).values()) == {"train", "test"}
    with pytest.raises(DataError, match="6 images, but no class folders") as info:
        load(tmp_path / "train")
    assert f"names:{tmp_path / 'train'}" in info.value.remedy
    assert load(f"names:{tmp_path / 'train'}").class_names == ("a_b", "c")
    draw("train/x.png")
    with pytest.raises(DataError, match=r"x\.png has no class in its name"):
        load(f"names:{tmp_path}")
    with pytest.raises(DataError, match="is not a folder"):
        load(f"names:{tmp_path / 'train' / 'x.png'}")


@pytest.mark.parametrize("ending", ["", "_mask"])
def test_masks_are_no_class(tmp_path: Path, draw, ending: str) -> None:
    draw(*[f"images/{k}.png" for k in range(4)], *[f"masks/{k}{ending}.png" for k in range(4)])
    with pytest.raises(DataError, match="'masks' has a file for each image of 'images'"):
        load(tmp_path)
    assert load(f"folder:{tmp_path}").class_names == ("images", "masks")


def test_a_class_may_be_called_mask(tmp_path: Path, draw) -> None:
    """Face masks: other files, of other names."""
    draw(*[f"with_mask/{k}.png" for k in range(4)], *[f"no_mask/n{k}.png" for k in range(4)])
    assert load(tmp_path).class_names == ("no_mask", "with_mask")


@pytest.mark.parametrize(
    ("files", "named"),
    [
        ({"labels.npy": ""}, "'labels.npy'"),
        ({"annotations.json": json.dumps({"images": [], "annotations": []})}, "'annotations.json'"),
        ({"ImageSets/Main/cat_train.txt": "0 1\n1 -1\n"}, "'ImageSets/Main/cat_train.txt'"),
    ],
)
def test_labels_elsewhere_are_pointed_at(
    tmp_path: Path, draw, files: dict[str, str], named: str
) -> None:
    draw(*[f"JPEGImages/{k}.png" for k in range(4)])
    for name, content in files.items():
        _write(tmp_path, name, content)
    with pytest.raises(DataError, match="The labels may be in") as info:
        load(tmp_path)
    assert named in info.value.problem
    assert "metadata.csv" in info.value.remedy


@pytest.mark.parametrize(
    ("name", "what", "remedy"),
    [
        ("train.tfrecord-00000-of-00004", "TFRecord", "TensorFlow"),
        ("a/data.mdb", "an LMDB database", "folders"),
        ("train.rec", "RecordIO", "recordio"),
        ("data-00000-of-00001.arrow", "Arrow", "load_from_disk"),
        ("mnist_784.arff", "ARFF", "fetch_openml"),
    ],
)
def test_containers_are_named_with_the_way_out(
    tmp_path: Path, name: str, what: str, remedy: str
) -> None:
    _write(tmp_path, name, "content")
    for source in (tmp_path, tmp_path / name):
        with pytest.raises(DataError, match=what) as info:
            load(source)
        assert remedy in info.value.remedy


def _usps(count: int, seed: int) -> tuple[np.ndarray, str]:
    rows = np.random.default_rng(seed).integers(-1000, 1000, (count, 256)) / 1000
    lines = [
        f"{k % 3}.0000 " + " ".join(f"{value:.4f}" for value in row) for k, row in enumerate(rows)
    ]
    return rows.astype(np.float32), "\n".join(lines) + "\n"


def test_gzipped_tables_of_pixels(tmp_path: Path) -> None:
    """USPS from The Elements of Statistical Learning: zip.train.gz and zip.test.gz."""
    train, text = _usps(12, 0)
    (tmp_path / "zip.train.gz").write_bytes(gzip.compress(text.encode()))
    test, text = _usps(6, 1)
    (tmp_path / "zip.test.gz").write_bytes(gzip.compress(text.encode()))
    data = load(tmp_path)
    np.testing.assert_array_equal(data.images.reshape(18, 256), np.concatenate([train, test]))
    assert data.split_names is not None
    assert data.split_names.tolist() == ["train"] * 12 + ["test"] * 6
    (tmp_path / "zip.test").write_text(text)  # The same again, unpacked.
    assert load(tmp_path).content_hash == data.content_hash
    assert len(load(tmp_path / "zip.train.gz")) == 12


def test_gzipped_tables_have_bounds(tmp_path: Path) -> None:
    path = tmp_path / "a.csv.gz"
    content = gzip.compress(_usps(12, 0)[1].encode())
    for length in (2, 20, len(content) - 4):
        path.write_bytes(content[:length])
        with pytest.raises(DataError, match="its gzip data are damaged or truncated"):
            load(path)
    path.write_bytes(gzip.compress(b"0,1,2,3\n" * 2**18))
    with pytest.raises(DataError, match="32 times its size"):
        load(path)
