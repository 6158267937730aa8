"""Arrays in every file and under every name that people use, as their authors write them."""

from pathlib import Path

import h5py
import numpy as np
import pytest
import scipy.io
from sklearn.datasets import load_digits

from clearcnn.data.sources import load
from clearcnn.errors import DataError
from clearcnn.specs import DataSpec

RNG = np.random.default_rng(0)
DIGITS = load_digits().images[:60].astype(np.uint8) * 15
LABELS = load_digits().target[:60]
HALF = {"train": slice(0, 40), "test": slice(40, 60)}


def _colored(size: int = 16) -> np.ndarray:
    """Smooth colour pictures: neighbours are alike, the channels of a pixel are not."""
    ramp = np.linspace(0, 1, size)
    planes = [np.outer(ramp, ramp), np.outer(1 - ramp, ramp), np.outer(1 - ramp, 1 - ramp)]
    light = RNG.uniform(100, 250, (30, 1, 1, 1))
    return (np.stack(planes, -1) * light).astype(np.uint8)


COLORED, CLASSES = _colored(), np.arange(30) % 3


@pytest.mark.parametrize(
    ("x", "y"),
    [("X", "Y"), ("x", "y"), ("data", "labels"), ("images", "target"), ("IMGS", "LABEL")],
)
def test_one_pair_under_any_usual_keys(tmp_path, x, y):
    np.savez(tmp_path / "a.npz", **{x: DIGITS, y: LABELS})
    data = load(tmp_path / "a.npz")
    np.testing.assert_array_equal(data.images[..., 0], DIGITS)
    np.testing.assert_array_equal(data.labels, LABELS)
    assert data.split_names is None


@pytest.mark.parametrize(
    "keys",
    [
        ("X_train", "y_train", "X_test", "y_test"),
        ("trainX", "trainY", "testX", "testY"),
        ("train_images", "train_labels", "test_images", "test_labels"),
        ("train_data", "train_targets", "test_data", "test_targets"),
    ],
)
def test_splits_under_any_usual_keys(tmp_path, keys):
    arrays = [array[HALF[split]] for split in HALF for array in (DIGITS, LABELS)]
    np.savez(tmp_path / "a.npz", **dict(zip(keys, arrays, strict=True)))
    data = load(tmp_path / "a.npz")
    np.testing.assert_array_equal(data.images[..., 0], DIGITS)
    assert data.split_names.tolist() == ["train"] * 40 + ["test"] * 20


@pytest.mark.parametrize(
    ("stored", "said"),
    [
        (COLORED, None),
        (np.moveaxis(COLORED, -1, 1), "Channels moved"),
        (np.moveaxis(COLORED, 0, -1), "(height, width, channels, n)"),
        (np.moveaxis(COLORED, -1, 1).reshape(30, -1), "planes of red, green and blue"),
        (COLORED.reshape(30, -1), "red, green and blue of each pixel"),
        (COLORED.reshape(30, -1).T, "red, green and blue of each pixel"),
    ],
)
def test_every_layout_gives_the_same_images(tmp_path, stored, said):
    np.savez(tmp_path / "a.npz", x=stored, y=CLASSES, mean=np.zeros(5))
    data = load(tmp_path / "a.npz")
    np.testing.assert_array_equal(data.images, COLORED)
    assert said is None or any(said in sentence for sentence in data.preparation)


def test_one_hot_labels_are_their_column_and_labels_from_1_keep_their_names(tmp_path):
    np.savez(tmp_path / "a.npz", x=DIGITS, y=np.eye(10)[LABELS])
    np.testing.assert_array_equal(load(tmp_path / "a.npz").labels, LABELS)
    np.savez(tmp_path / "a.npz", x=DIGITS, y=LABELS + 1)
    data = load(tmp_path / "a.npz")
    assert data.class_names == tuple(map(str, range(1, 11)))
    assert "Labels 1 to 10 kept as class names: they begin at 1, not at 0." in data.preparation


def test_several_labels_of_one_image_are_named_and_argmax_is_not_advised(tmp_path):
    # ChestMNIST's keys and shape.
    many = RNG.integers(0, 2, (60, 14))
    np.savez(tmp_path / "a.npz", train_images=DIGITS, train_labels=many)
    with pytest.raises(DataError, match="several labels for one image: of its 60 rows") as info:
        load(tmp_path / "a.npz")
    assert "argmax" not in str(info.value)
    assert "y[:, 0]" in info.value.remedy


def test_volumes_are_refused_with_the_way_out(tmp_path):
    volumes = RNG.integers(0, 256, (6, 28, 28, 28), np.uint8)  # MedMNIST 3D
    np.savez(tmp_path / "a.npz", train_images=volumes, train_labels=np.arange(6)[:, None] % 2)
    with pytest.raises(DataError, match="these are volumes") as info:
        load(tmp_path / "a.npz")
    assert "slice" in info.value.remedy


def _write_kmnist(folder: Path, name: str) -> None:
    for split, rows in HALF.items():
        np.savez_compressed(folder / f"{name}-{split}-imgs.npz", DIGITS[rows])
        np.savez_compressed(folder / f"{name}-{split}-labels.npz", LABELS[rows])


def test_kmnists_pairs_of_files_have_the_names_of_their_class_map(tmp_path):
    _write_kmnist(tmp_path, "kmnist")
    signs = "おきすつなはまやれを"
    lines = [f"{k},U+{ord(sign):X},{sign}" for k, sign in enumerate(signs)]
    (tmp_path / "kmnist_classmap.csv").write_text(
        "\n".join(["index,codepoint,char", *lines]), "utf-8"
    )
    data = load(tmp_path)
    np.testing.assert_array_equal(data.images[..., 0], DIGITS)
    assert data.class_names == tuple(signs)
    assert data.split_names.tolist() == ["train"] * 40 + ["test"] * 20

    _write_kmnist(tmp_path, "k49")
    with pytest.raises(DataError, match="contains 2 data sets: k49, kmnist") as info:
        load(tmp_path)
    assert f"arrays:{tmp_path}#kmnist" in info.value.remedy
    assert load(f"{tmp_path}#kmnist").content_hash == data.content_hash
    assert load(f"{tmp_path}#k49").class_names == tuple("0123456789")
    with pytest.raises(DataError, match="no data set 'k48'"):
        load(f"arrays:{tmp_path}#k48")


def test_a_file_of_images_finds_its_labels_beside_it(tmp_path):
    np.save(tmp_path / "X.npy", DIGITS / 240)
    np.save(tmp_path / "Y.npy", np.eye(10)[LABELS])
    for source in (tmp_path, tmp_path / "X.npy"):
        data = load(source)
        np.testing.assert_array_equal(data.labels, LABELS)
        assert data.value_range == (0, 1)


def test_one_array_for_each_class(tmp_path):
    for name, row in (("apple", 0), ("bus", 20), ("ice cream", 40)):
        rows = DIGITS[row : row + 20].reshape(20, 64)
        np.save(tmp_path / f"full_numpy_bitmap_{name}.npy", rows)
    data = load(tmp_path)
    assert data.class_names == ("apple", "bus", "ice cream")
    np.testing.assert_array_equal(data.images[..., 0], DIGITS)
    np.testing.assert_array_equal(data.labels, np.repeat([0, 1, 2], 20))


def test_images_without_labels_are_no_classes(tmp_path):
    np.save(tmp_path / "X_train.npy", DIGITS)
    np.save(tmp_path / "X_test.npy", DIGITS)
    with pytest.raises(DataError, match="the labels of the test set are missing"):
        load(tmp_path)


def test_svhn_has_its_images_last_and_10_for_0(tmp_path):
    pixels = _colored(32)
    labels = (np.arange(30) % 10 + 1)[:, np.newaxis].astype(np.uint8)
    for split in HALF:
        arrays = {"X": np.moveaxis(pixels, 0, -1), "y": labels}
        scipy.io.savemat(tmp_path / f"{split}_32x32.mat", arrays, do_compression=True)
    data = load(tmp_path)
    np.testing.assert_array_equal(data.images[:30], pixels)
    assert data.class_names == tuple("0123456789")
    np.testing.assert_array_equal(data.labels[:10], [1, 2, 3, 4, 5, 6, 7, 8, 9, 0])
    assert "The label 10 read as the digit 0." in data.preparation


def test_matlab_rows_and_columns_of_pixels(tmp_path):
    path = tmp_path / "a.mat"
    scipy.io.savemat(path, {"fea": DIGITS.reshape(60, 64).astype(float), "gnd": LABELS + 1.0})
    data = load(path)
    np.testing.assert_array_equal(data.images[..., 0], DIGITS)
    assert data.images.dtype == np.uint8
    turned = load(f"arrays:{path}#columns")
    np.testing.assert_array_equal(turned.images[..., 0], DIGITS.swapaxes(1, 2))
    signs = (2 * np.eye(10)[LABELS] - 1).T  # USPS: a column of ±1 for each image
    patterns = DIGITS.reshape(60, 64).T / 120 - 1
    scipy.io.savemat(path, {"train_patterns": patterns, "train_labels": signs})
    data = load(path)
    np.testing.assert_array_equal(data.labels, LABELS)
    np.testing.assert_allclose(data.images[..., 0], DIGITS / 120 - 1, rtol=1e-6)


def test_matlab_7_3_is_hdf5_with_the_axes_reversed(tmp_path):
    with h5py.File(tmp_path / "a.mat", "w", userblock_size=512) as file:
        file["X"] = np.moveaxis(COLORED, 0, -1).T
        file["y"] = (CLASSES[:, np.newaxis] + 1.0).T
    np.testing.assert_array_equal(load(tmp_path / "a.mat").images, COLORED)


def test_hdf5_in_groups_and_in_pairs_of_files(tmp_path):
    with h5py.File(tmp_path / "usps.h5", "w") as file:
        for split, rows in HALF.items():
            file[f"{split}/data"] = DIGITS[rows].reshape(-1, 64) / 240
            file[f"{split}/target"] = LABELS[rows]
    data = load(tmp_path / "usps.h5")
    np.testing.assert_allclose(data.images[..., 0], DIGITS / 240, rtol=1e-6)
    np.testing.assert_array_equal(data.labels, LABELS)

    folder = tmp_path / "pcam"
    folder.mkdir()
    for split in ("train", "valid", "test"):
        stem = f"camelyonpatch_level_2_split_{split}"
        with h5py.File(folder / f"{stem}_x.h5", "w") as file:
            file.create_dataset("x", data=COLORED, chunks=(1, 16, 16, 3), compression="gzip")
        with h5py.File(folder / f"{stem}_y.h5", "w") as file:
            file["y"] = (CLASSES % 2).astype(np.uint8).reshape(30, 1, 1, 1)
    data = load(folder)
    np.testing.assert_array_equal(data.images[60:], COLORED)
    assert data.split_names.tolist()[::30] == ["train", "validation", "test"]


def test_class_names_in_the_file_are_used(tmp_path):
    with h5py.File(tmp_path / "train_catvnoncat.h5", "w") as file:
        file["train_set_x"], file["train_set_y"] = COLORED, CLASSES % 2
        file["list_classes"] = np.array([b"non-cat", b"cat"])
    assert load(tmp_path / "train_catvnoncat.h5").class_names == ("non-cat", "cat")


def test_parts_of_one_set_are_joined_in_order(tmp_path):
    flat = np.moveaxis(COLORED, -1, 1).reshape(30, -1)
    for number in (1, 2, 10):
        name = f"train_data_batch_{number}.npz"
        np.savez(tmp_path / name, data=flat + np.uint8(number), labels=CLASSES + 1)
    np.savez(tmp_path / "val_data.npz", data=flat, labels=CLASSES + 1)
    data = load(tmp_path)
    np.testing.assert_array_equal(data.images[60:90], COLORED + np.uint8(10))
    assert data.split_names.tolist() == ["train"] * 90 + ["validation"] * 30


def test_several_labels_arrays_need_a_choice(tmp_path):
    np.savez(tmp_path / "a.npz", x=COLORED, fine_labels=CLASSES, coarse_labels=CLASSES % 2)
    with pytest.raises(DataError, match="several arrays of labels") as info:
        load(tmp_path / "a.npz")
    assert "--label-column fine_labels" in info.value.remedy


def test_a_folder_with_images_is_not_one_of_arrays(tmp_path, write_picture):
    for name in ("a", "b"):
        for number in range(2):
            write_picture(tmp_path / name / f"{number}.png", number)
    np.save(tmp_path / "features.npy", DIGITS)
    assert load(tmp_path).class_names == ("a", "b")


def test_columns_that_a_form_does_not_have_are_refused(tmp_path):
    np.savez(tmp_path / "a.npz", x=COLORED, y=CLASSES)
    for option in ("image_column", "group_column", "label_column"):
        with pytest.raises(DataError, match="'nonsense'"):
            load(DataSpec(str(tmp_path / "a.npz"), **{option: "nonsense"}))
    assert load(DataSpec(str(tmp_path / "a.npz"), label_column="y")).class_names == ("0", "1", "2")
