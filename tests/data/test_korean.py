"""Errors about data in Korean: no English words are left in them."""

import re

import numpy as np
import pytest
from tests.language.latin import find_latin

from clearcnn import load
from clearcnn.data.pixel_tables.find_label import split_label
from clearcnn.errors import DataError
from clearcnn.language import load_language
from clearcnn.specs import DataSpec

KOREAN = load_language("ko")


def write_idx(path, array):
    head = bytes([0, 0, 8, array.ndim]) + b"".join(n.to_bytes(4, "big") for n in array.shape)
    path.write_bytes(head + array.astype(np.uint8).tobytes())


def write_pair(folder):
    write_idx(folder / "train-images-idx3-ubyte", np.arange(6 * 16).reshape(6, 4, 4))
    write_idx(folder / "train-labels-idx1-ubyte", np.arange(6) % 2)


def without_labels(folder):
    (folder / "train-labels-idx1-ubyte").unlink()


def without_images(folder):
    (folder / "train-images-idx3-ubyte").unlink()


def too_long(folder):
    with (folder / "train-images-idx3-ubyte").open("ab") as file:
        file.write(b"more")


def truncated(folder):
    path = folder / "train-images-idx3-ubyte"
    path.write_bytes(b"\x1f\x8b\x08" + bytes(7))


def damaged(folder):
    path = folder / "train-images-idx3-ubyte"
    path.write_bytes(b"\x1f\x8b\x09" + bytes(30))


def read_korean(source, **options):
    with pytest.raises(DataError) as info:
        load(source, **options)
    return [KOREAN.translate(text) for text in (info.value.problem, info.value.remedy)]


@pytest.mark.parametrize(
    "fault",
    [without_labels, without_images, too_long, truncated, damaged],
    ids=lambda f: f.__name__,
)
def test_faults_of_idx_files(tmp_path, fault):
    folder = tmp_path / "a"
    folder.mkdir()
    write_pair(folder)
    fault(folder)
    told = [re.sub(r"[\w-]+-ubyte", "", text) for text in read_korean(folder)]
    assert find_latin([text.replace(str(folder), "") for text in told]) == {}


@pytest.mark.parametrize("role", ["x", "y"])
def test_half_of_the_arrays(tmp_path, role):
    path = tmp_path / "a.npz"
    np.savez(path, **{role: np.zeros((6, 4, 4), np.uint8)})
    told = [text.replace(str(path), "") for text in read_korean(path)]
    assert find_latin(told, ["x_train", "y_train", "x_test", "y_test", "groups", "test"]) == {}


@pytest.mark.parametrize("pair", [("7", "07"), ("곰", "곰 "), ("caf\u00e9", "cafe\u0301")])
def test_class_folders_with_one_name(tmp_path, write_picture, pair):
    for name in (*pair, "강"):
        for number in range(2):
            write_picture(tmp_path / name / f"{number}.png", number)
    told = [text.replace(str(tmp_path), "") for text in read_korean(tmp_path)]
    assert find_latin(told, ["caf", "cafe", "xe9", "u0301", "uacf0"]) == {}


@pytest.mark.parametrize("place", [0, 16])
def test_where_the_label_of_a_table_of_pixels_is(place):
    pixels = np.random.default_rng(0).integers(100, 200, (50, 16))
    rows = np.insert(pixels, place, np.arange(50) % 3, axis=1)
    _, _, sentence = split_label(rows, DataSpec(), "a.csv")
    assert find_latin([KOREAN.translate(sentence)]) == {}
