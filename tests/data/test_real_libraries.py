"""Images from the libraries themselves, where they are installed: pandas, PyTorch, datasets."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

import clearcnn
from clearcnn.data import load
from clearcnn.errors import DataError

COUNT = 40
LABELS = np.arange(COUNT) % 2
NAMES = np.array(["cat", "dog"])[LABELS].tolist()
PIXELS = np.random.default_rng(0).integers(0, 256, (COUNT, 8, 8), np.uint8)
PIXELS[LABELS == 1, :4] //= 4


@pytest.fixture(scope="module")
def paths(tmp_path_factory: pytest.TempPathFactory) -> list[str]:
    folder = tmp_path_factory.mktemp("pictures")
    for number, pixels in enumerate(PIXELS):
        Image.fromarray(pixels).save(folder / f"{number}.png")
    return [str(folder / f"{number}.png") for number in range(COUNT)]


@pytest.fixture
def pandas() -> Any:
    return pytest.importorskip("pandas", reason="pandas is not installed")


@pytest.fixture
def torch() -> Any:
    return pytest.importorskip("torch", reason="PyTorch is not installed")


@pytest.fixture
def datasets() -> Any:
    return pytest.importorskip("datasets", reason="Hugging Face's datasets is not installed")


def _check(data: clearcnn.LabelledImages, class_names: tuple[str, ...] = ("0", "1")) -> None:
    np.testing.assert_array_equal(data.images[..., 0], PIXELS)
    assert data.labels.tolist() == LABELS.tolist()
    assert data.class_names == class_names


def test_frames_of_paths_pictures_and_arrays(pandas, paths: list[str]) -> None:
    for images in (paths, [Path(p) for p in paths], [Image.fromarray(p) for p in PIXELS]):
        _check(load(pandas.DataFrame({"image": images, "label": LABELS})))
    _check(load(pandas.DataFrame({"image": list(PIXELS), "label": LABELS})))
    _check(load((pandas.Series(paths), pandas.Series(LABELS))))


@pytest.mark.parametrize(
    ("dtype", "values", "class_names"),
    [
        ("category", NAMES, ("cat", "dog")),
        ("string", NAMES, ("cat", "dog")),
        ("Int64", LABELS, ("0", "1")),
        ("float64", LABELS, ("0", "1")),
        ("bool", LABELS, ("0", "1")),
    ],
)
def test_labels_of_every_type_of_pandas(
    pandas, paths: list[str], dtype: str, values: list, class_names: tuple[str, ...]
) -> None:
    labels = pandas.Series(values).astype(dtype)
    _check(load(pandas.DataFrame({"path": paths, "label": labels})), class_names)


@pytest.mark.parametrize("missing", [None, float("nan"), "NA"])
def test_a_missing_label_of_pandas_is_an_error(pandas, paths: list[str], missing: object) -> None:
    labels = pandas.Series(NAMES)
    labels[3] = pandas.NA if missing == "NA" else missing
    with pytest.raises(DataError, match="row 3 has the label"):
        load(pandas.DataFrame({"path": paths, "label": labels}))


def test_a_frame_of_pixels_as_read_from_a_table(pandas, tmp_path: Path) -> None:
    """Kaggle's digits by `pandas.read_csv`, and by the path: the same."""
    columns = {"label": LABELS} | {f"pixel{k}": PIXELS.reshape(COUNT, -1)[:, k] for k in range(64)}
    pandas.DataFrame(columns).to_csv(tmp_path / "train.csv", index=False)
    frame = pandas.read_csv(tmp_path / "train.csv")
    _check(load(frame))
    assert load(frame).content_hash == load(tmp_path / "train.csv").content_hash
    mixed = frame.rename(columns={f"pixel{8 * y + x}": f"p_{y}_{x}" for y, x in np.ndindex(8, 8)})
    _check(load(mixed[["label", *reversed(mixed.columns[1:])]]))
    _check(load((frame.drop(columns="label"), frame["label"].astype("category"))))
    with pytest.raises(DataError, match="unclear which column of a pandas DataFrame has the image"):
        load(frame.iloc[:, :-1])  # 63 pixels


def test_two_columns_of_one_name_are_an_error(pandas, paths: list[str]) -> None:
    frame = pandas.DataFrame([[p, 0, 1] for p in paths], columns=["path", "label", "label"])
    with pytest.raises(DataError, match="several columns named 'label'"):
        load(frame)


def _torch_dataset(torch, transform) -> Any:
    class Pictures(torch.utils.data.Dataset):
        classes = ("cat", "dog")

        def __len__(self) -> int:
            return COUNT

        def __getitem__(self, row: int) -> tuple[object, int]:
            return transform(PIXELS[row]), int(LABELS[row])

    return Pictures()


def test_data_sets_of_pytorch(torch) -> None:
    whole = _torch_dataset(torch, Image.fromarray)
    part = torch.utils.data.Subset(whole, range(COUNT))
    for source in (whole, part, _torch_dataset(torch, lambda p: torch.tensor(p)[None])):
        _check(load(source), ("cat", "dog"))
    _check(load(torch.utils.data.ConcatDataset([part])))
    images, labels = torch.tensor(PIXELS), torch.tensor(LABELS)
    for stored in (images, images[:, None], images[..., None], images[:, None].repeat(1, 3, 1, 1)):
        _check(load((stored, labels)))
        _check(load(torch.utils.data.TensorDataset(stored, labels)))
    _check(load((images, torch.nn.functional.one_hot(labels))))


def test_tensors_of_floats(torch) -> None:
    images = (torch.tensor(PIXELS)[:, None] / 255).requires_grad_()
    data = load((images, torch.tensor(LABELS)))
    np.testing.assert_allclose(data.images[..., 0] * 255, PIXELS, atol=1e-3)
    half = load((images.bfloat16(), torch.tensor(LABELS)))
    np.testing.assert_allclose(half.images[..., 0] * 255, PIXELS, atol=1)


def test_what_gives_no_rows_is_refused(torch, datasets) -> None:
    whole = _torch_dataset(torch, Image.fromarray)
    with pytest.raises(DataError, match="a torch DataLoader: it gives batches") as info:
        load(torch.utils.data.DataLoader(whole))
    assert "loader.dataset" in info.value.remedy
    stream = datasets.Dataset.from_dict({"image": [1], "label": [0]}).to_iterable_dataset()
    with pytest.raises(DataError, match=r"a datasets IterableDataset: .* has no length"):
        load(stream)


def _hugging_face(datasets, images: list, labels: list | None = None) -> Any:
    features = {"image": datasets.Image(), "label": datasets.ClassLabel(names=["cat", "dog"])}
    columns = {"image": images, "label": LABELS.tolist() if labels is None else labels}
    return datasets.Dataset.from_dict(columns, features=datasets.Features(features))


def test_data_sets_of_hugging_face(datasets, paths: list[str]) -> None:
    whole = _hugging_face(datasets, [Image.fromarray(p) for p in PIXELS])
    undecoded = whole.cast_column("image", datasets.Image(decode=False))
    for source in (whole, undecoded, whole.with_format("numpy"), whole.select(range(COUNT))):
        _check(load(source), ("cat", "dog"))
    _check(load(_hugging_face(datasets, paths)), ("cat", "dog"))
    rows = {"image": PIXELS.tolist(), "label": LABELS.tolist()}
    _check(load(datasets.Dataset.from_dict(rows)))


def test_splits_of_hugging_face_without_secret_labels(datasets, paths: list[str]) -> None:
    parts = datasets.DatasetDict(
        train=_hugging_face(datasets, paths[:20], LABELS[:20].tolist()),
        validation=_hugging_face(datasets, paths[20:30], LABELS[20:30].tolist()),
        test=_hugging_face(datasets, paths[30:], [-1] * 10),
    )
    data = load(parts)
    np.testing.assert_array_equal(data.images[..., 0], PIXELS[:30])
    assert data.split_names is not None
    assert data.split_names.tolist() == ["train"] * 20 + ["validation"] * 10
    assert data.preparation == (
        "10 images without a label (-1) were left out; give them to predict.",
    )


@pytest.mark.parametrize("kind", ["pandas", "torch", "datasets"])
def test_training_with_each(kind: str, request, tmp_path: Path, paths: list[str]) -> None:
    library = request.getfixturevalue(kind)
    source = {
        "pandas": lambda: library.DataFrame({"path": paths, "label": LABELS}),
        "torch": lambda: _torch_dataset(library, Image.fromarray),
        "datasets": lambda: _hugging_face(library, paths),
    }[kind]()
    clearcnn.train(source, epochs=1, out=tmp_path / "run", verbose=0)
    assert len(clearcnn.predict(tmp_path / "run", paths[:3])) == 3
