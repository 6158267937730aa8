"""Images in Python: stand-ins for the data sets of other libraries, and pandas where it is."""

import io
from collections.abc import Callable

import numpy as np
import pytest
from PIL import Image

from clearcnn.data import load
from clearcnn.errors import DataError
from clearcnn.specs import DataSpec

LABELS = [0, 1, 0, 1, 1, 0]
NAMES = ("cat", "dog")


def _arrays(channels: int = 3) -> np.ndarray:
    shape = (len(LABELS), 6, 5, channels) if channels > 1 else (len(LABELS), 6, 5)
    return np.random.default_rng(0).integers(0, 256, shape, np.uint8)


def _pictures() -> list[Image.Image]:
    return [Image.fromarray(array) for array in _arrays()]


class ClassLabel:
    names = NAMES


class Dataset:
    """As `datasets.Dataset`: columns by name, rows by number, features with class names."""

    def __init__(self, label: str = "label", labels: list | None = None) -> None:
        self._rows = {"image": _pictures(), label: labels or LABELS}
        self.column_names = list(self._rows)
        self.features = {"image": object(), label: ClassLabel()}

    def __len__(self) -> int:
        return len(LABELS)

    def __getitem__(self, key: int | str) -> object:
        return (
            self._rows[key] if isinstance(key, str) else {n: v[key] for n, v in self._rows.items()}
        )


class Tensor:
    """As a tensor of PyTorch: channels first, and `permute`."""

    def __init__(self, values: np.ndarray) -> None:
        self.values = values
        self.shape = values.shape

    def permute(self, *axes: int) -> "Tensor":
        return Tensor(self.values.transpose(axes))

    def detach(self) -> "Tensor":
        return self

    def cpu(self) -> "Tensor":
        return self

    def __len__(self) -> int:
        return len(self.values)

    def __array__(self, dtype: object = None, copy: object = None) -> np.ndarray:
        return self.values

    def __getitem__(self, row: int) -> "Tensor":
        return Tensor(self.values[row])

    def tolist(self) -> list:
        return self.values.tolist()


class TorchDataset:
    """As `torchvision.datasets`: items (image, label), and `classes`."""

    classes = NAMES

    def __init__(self, convert: Callable[[Image.Image], object]) -> None:
        self.items = [(convert(p), label) for p, label in zip(_pictures(), LABELS, strict=True)]

    def __len__(self) -> int:
        return len(self.items)

    def __getitem__(self, row: int) -> tuple[object, int]:
        return self.items[row]


def _to_tensor(picture: Image.Image) -> Tensor:
    return Tensor(np.moveaxis(np.asarray(picture), -1, 0))


KINDS: dict[str, Callable[[], object]] = {
    "Hugging Face": Dataset,
    "PyTorch with Pillow": lambda: TorchDataset(lambda picture: picture),
    "PyTorch with tensors": lambda: TorchDataset(_to_tensor),
    "PyTorch with arrays": lambda: TorchDataset(np.asarray),
    "list of pairs": lambda: list(zip(_pictures(), LABELS, strict=True)),
    "list of pairs with NumPy's labels": lambda: list(
        zip(_pictures(), np.array(LABELS), strict=True)
    ),
    "list of texts": lambda: list(zip(_pictures(), [NAMES[k] for k in LABELS], strict=True)),
    "pair of arrays": lambda: (_arrays(), np.array(LABELS)),
    "pair of tensors": lambda: (Tensor(np.moveaxis(_arrays(), -1, 1)), Tensor(np.array(LABELS))),
    "pair of lists": lambda: (_pictures(), LABELS),
    "one-hot": lambda: (_arrays(), np.eye(2)[LABELS]),
    "floats": lambda: (_arrays(), np.array(LABELS, np.float32)),
    "list of dicts": lambda: [Dataset()[row] for row in range(len(LABELS))],
}


@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_gives_the_same_images_and_labels(kind: str) -> None:
    data = load(KINDS[kind]())
    np.testing.assert_array_equal(data.images, _arrays())
    assert data.labels.tolist() == LABELS
    assert data.class_names in (NAMES, ("0", "1"))
    assert data.source.startswith("Python: ")
    assert data.source.endswith(", 6 images")


def test_names_of_classes_come_with_the_data_set() -> None:
    assert load(Dataset()).class_names == NAMES
    assert load(TorchDataset(np.asarray)).class_names == NAMES


def test_rows_of_pixels_are_square_images() -> None:
    """As scikit-learn's `load_digits(return_X_y=True)` and `fetch_openml` give them."""
    pixels = np.random.default_rng(0).integers(0, 256, (6, 25), np.uint8)
    for rows in (pixels, pixels.astype(float), list(pixels)):
        data = load((rows, LABELS))
        np.testing.assert_array_equal(data.images[..., 0], pixels.reshape(6, 5, 5))
        assert data.images.dtype == np.uint8
    data = load((pixels.reshape(6, 5, 5).tolist(), LABELS))
    np.testing.assert_array_equal(data.images[..., 0], pixels.reshape(6, 5, 5))
    with pytest.raises(DataError, match="rows of 24 pixels, which make no square"):
        load((pixels[:, :24], LABELS))


def test_the_label_minus_one_is_none() -> None:
    data = load((_arrays(), [0, 1, 0, -1, 1, 0]))
    assert data.labels.tolist() == [0, 1, 0, 1, 0]
    np.testing.assert_array_equal(data.images, np.delete(_arrays(), 3, axis=0))
    assert data.preparation == ("1 image without a label (-1) was left out; give it to predict.",)
    assert load((_arrays(), [1, -1] * 3)).class_names == ("-1", "1")


def test_splits_of_a_dataset_dict_are_kept() -> None:
    data = load({"train": Dataset(), "validation": Dataset(), "test": Dataset()})
    assert data.split_names is not None
    assert data.split_names.tolist() == ["train"] * 6 + ["validation"] * 6 + ["test"] * 6
    with pytest.raises(DataError, match="none of them is a training split"):
        load({"images": _arrays(), "labels": LABELS})


def test_pictures_follow_the_rules_for_files(tmp_path) -> None:
    """Of other sizes, transparent, and turned: as the same pictures in files."""
    picture = Image.fromarray(np.random.default_rng(1).integers(0, 256, (9, 7, 4), np.uint8))
    exif = Image.Exif()
    exif[274] = 6
    buffer = io.BytesIO()
    picture.convert("RGB").save(buffer, "PNG", exif=exif)
    pictures = [picture, Image.open(buffer), picture.convert("L"), picture.convert("P")]
    paths = []
    for number, each in enumerate(pictures):
        paths.append(tmp_path / "ab"[number % 2] / f"{number}.png")
        paths[-1].parent.mkdir(exist_ok=True)
        each.save(paths[-1], **({"exif": exif} if number == 1 else {}))
    from_files = load(tmp_path, size=8)
    order = [from_files.names.index(p.relative_to(tmp_path).as_posix()) for p in paths]
    data = load(list(zip(pictures, "abab", strict=True)), size=8)
    np.testing.assert_array_equal(data.images, from_files.images[order])
    assert any("EXIF" in line for line in data.preparation)
    assert pictures[1].size == (7, 9)  # The caller's image is unchanged.


def test_a_table_of_paths(tmp_path, write_picture) -> None:
    pandas = pytest.importorskip("pandas")
    pixels = [write_picture(tmp_path / f"{k}.png", k) for k in range(4)]
    paths = [str(tmp_path / f"{k}.png") for k in range(4)]
    columns = {"path": paths, "kind": list("abab"), "camera": list("xxyy"), "split": ["train"] * 4}
    frame = pandas.DataFrame(columns)
    with pytest.raises(
        DataError, match="unclear which column of a pandas DataFrame has the labels"
    ):
        load(frame)
    data = load(DataFrame(columns), label_column="kind")
    np.testing.assert_array_equal(data.images, pixels)


class DataFrame:
    """As that of pandas or Polars."""

    def __init__(self, columns: dict[str, list]) -> None:
        self._columns = columns
        self.columns = list(columns)
        self.shape = (len(next(iter(columns.values()))), len(columns))

    def __len__(self) -> int:
        return self.shape[0]

    def __getitem__(self, name: str) -> np.ndarray:
        column = np.empty(len(self), object)
        column[:] = self._columns[name]
        return column


def test_a_frame_with_paths_or_images(tmp_path, write_picture) -> None:
    pixels = [write_picture(tmp_path / f"{k}.png", k) for k in range(4)]
    paths = [str(tmp_path / f"{k}.png") for k in range(4)]
    frame = DataFrame({"path": paths, "kind": list("abab"), "camera": list("xxyy")})
    with pytest.raises(DataError, match=r"unclear which column of a .* DataFrame has the labels"):
        load(frame)
    data = load(frame, label_column="kind", groups_from_name=r"([0-9])\.png")
    np.testing.assert_array_equal(data.images, pixels)
    assert data.class_names == ("a", "b")
    assert data.names == tuple(paths)
    assert data.groups is not None
    assert data.groups.tolist() == ["0", "1", "2", "3"]
    images = [Image.fromarray(each[..., 0]) for each in pixels]
    again = load(DataFrame({"image": images, "label": list("abab")}))
    assert again.content_hash == load(frame, label_column="kind").content_hash


@pytest.mark.parametrize(
    ("source", "problem"),
    [
        (np.zeros((4, 6, 6)), "it has no labels"),
        ((row for row in ()), "has no length"),
        (3, "unknown kind"),
        ([], "it is empty"),
        ([np.zeros((4, 4))], "item 0 is a ndarray; expected pairs"),
        ([("a picture", 0), (3.5, 1)], r"row 1 is a float; expected a Pillow image"),
        ((_arrays(), [0, 1, None, 0, 1, 0]), "row 2 has the label None"),
        ((_arrays(), [0, 1, 0.5, 0, 1, 0]), "row 2 has the label 0.5"),
        ((_arrays(), np.ones((6, 3))), "6 of 6 images have several labels"),
        ((_arrays()[0:0], []), "but 0 labels"),
        ((_arrays(), ["cat", "Cat"] * 3), "differ only in capitals"),
    ],
)
def test_other_objects_are_refused_with_what_is_expected(source: object, problem: str) -> None:
    with pytest.raises(DataError, match=problem):
        load(source)  # type: ignore[arg-type]


def test_a_spec_says_how_but_not_what() -> None:
    data = load((_arrays(), LABELS), size=4, color_mode="grayscale", class_names=["1", "0"])
    assert data.images.shape == (6, 4, 4, 1)
    assert data.class_names == ("1", "0")
    with pytest.raises(DataError, match=r"unknown prefix|no file or folder"):
        load(DataSpec("Python: a pair"))


def test_rare_classes_can_be_left_out_in_python_too() -> None:
    labels = ["a", "a", "b", "b", "b", "rare"]
    data = load((_arrays(), labels), min_images=2)
    assert data.class_names == ("a", "b")
    assert len(data) == 5
