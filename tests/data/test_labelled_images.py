import dataclasses

import numpy as np
import pytest

from clearcnn.data.labelled_images import LabelledImages
from clearcnn.errors import DataError


@pytest.fixture
def data() -> LabelledImages:
    rng = np.random.default_rng(0)
    return LabelledImages(
        images=rng.integers(0, 256, (4, 3, 2, 1), np.uint8),
        labels=np.array([0, 1, 1, 0]),
        class_names=("cat", "dog"),
        source="four pictures",
        value_range=(0.0, 255.0),
        names=("a", "b", "c", "d"),
        groups=np.array(["x", "x", "y", "y"]),
        split_names=np.array(["train", "train", "test", "validation"]),
    )


@pytest.mark.parametrize(
    ("changes", "problem"),
    [
        ({"images": np.zeros((4, 3, 2), np.uint8)}, r"shape \(4, 3, 2\)"),
        ({"images": np.zeros((4, 3, 2, 2), np.uint8)}, "1 or 3 channels"),
        ({"images": np.zeros((0, 3, 2, 1), np.uint8)}, r"shape \(0"),
        ({"images": np.zeros((4, 3, 2, 1), np.int64)}, "dtype int64"),
        (
            {"images": np.full((4, 3, 2, 1), np.inf, np.float32)},
            "image 0 has the value inf at row 0",
        ),
        ({"labels": np.array([0, 1, 1])}, "4 images, but 3 labels"),
        ({"labels": np.array([0, 1, 1, 2])}, "range from 0 to 2, but there are 2 classes"),
        ({"labels": np.array([0, -1, 1, 1])}, "range from -1"),
        ({"labels": np.array([0.0, 1, 1, 1])}, "dtype float64"),
        ({"class_names": ("cat", "cat")}, "once"),
        ({"names": ("a",)}, "4 images, but 1 names"),
        ({"groups": np.array(["x"])}, "4 images, but 1 groups"),
        ({"split_names": np.array(["train", "train", "test", "dev"])}, "'dev'"),
        ({"value_range": (1.0, 1.0)}, "value_range"),
        ({"value_range": (0.0, np.nan)}, "value_range"),
    ],
)
def test_contradicting_fields_are_refused(data, changes, problem):
    with pytest.raises(DataError, match=problem):
        dataclasses.replace(data, **changes)


def test_take_keeps_everything_together(data):
    taken = data.take([3, 1, 1])
    assert len(taken) == 3
    np.testing.assert_array_equal(taken.images, data.images[[3, 1, 1]])
    assert taken.labels.tolist() == [0, 1, 1]
    assert taken.names == ("d", "b", "b")
    assert taken.groups is not None
    assert taken.groups.tolist() == ["y", "x", "x"]
    assert taken.split_names is not None
    assert taken.split_names.tolist() == ["validation", "train", "train"]
    assert taken.class_names == data.class_names


@pytest.mark.parametrize(
    "changes",
    [
        {"images": np.ones((4, 3, 2, 1), np.uint8)},
        {"images": np.zeros((4, 2, 3, 1), np.uint8)},
        {"images": np.zeros((4, 3, 2, 1), np.float32)},
        {"labels": np.array([1, 1, 1, 0])},
        {"class_names": ("dog", "cat")},
        {"groups": None},
        {"split_names": None},
    ],
)
def test_the_content_hash_sees_every_change(data, changes):
    zeros = dataclasses.replace(data, images=np.zeros((4, 3, 2, 1), np.uint8))
    changed = dataclasses.replace(zeros, **changes)
    assert changed.content_hash != zeros.content_hash


def test_the_content_hash_depends_on_content_only(data):
    copy = dataclasses.replace(
        data,
        images=np.asfortranarray(data.images),
        names=("e", "f", "g", "h"),
        source="elsewhere",
    )
    assert copy.content_hash == data.content_hash
    assert len(data.content_hash) == 64
    swapped = dataclasses.replace(data, images=data.images.astype(np.uint16).astype(">u2"))
    native = dataclasses.replace(data, images=data.images.astype(np.uint16))
    assert swapped.content_hash == native.content_hash


def test_float64_is_stored_as_float32_and_said(data: LabelledImages) -> None:
    images = data.images / 255
    stored = dataclasses.replace(data, images=images, value_range=(0.0, 1.0))
    assert stored.images.dtype == np.float32
    np.testing.assert_array_equal(stored.images, images.astype(np.float32))
    assert stored.preparation[-1].startswith("float64 stored as float32")
    assert stored.take([0]).preparation == stored.preparation
