import numpy as np
from sklearn.datasets import load_digits

from clearcnn.data.forms import digits
from clearcnn.data.forms.digits import read
from clearcnn.specs import DataSpec


def test_the_digits_are_scikit_learns_bit_for_bit():
    data, original = read(DataSpec()), load_digits()
    assert data.images.shape == (1797, 8, 8, 1)
    assert data.images.dtype == np.uint8
    np.testing.assert_array_equal(data.images[..., 0], original.images)
    np.testing.assert_array_equal(data.labels, original.target)
    assert data.class_names == tuple(map(str, original.target_names))
    assert data.value_range == (0, 16)
    assert data.images.max() == 16
    assert data.split_names is None


def test_a_scikit_learn_packed_otherwise_gives_the_same(monkeypatch):
    expected = read(DataSpec())
    monkeypatch.setattr(digits, "_FILE", ("datasets", "elsewhere.csv.gz"))
    found = read(DataSpec())
    assert found.content_hash == expected.content_hash
    np.testing.assert_array_equal(found.images, expected.images)
    assert found.images.dtype == np.uint8


def test_the_fourteen_blocks_of_writing_are_groups():
    data = read(DataSpec())
    assert data.groups is not None
    starts = np.flatnonzero(data.groups[1:] != data.groups[:-1]) + 1
    expected = [130, 256, 386, 516, 646, 776, 915, 1029, 1157, 1287, 1415, 1545, 1667]
    assert starts.tolist() == expected
    assert list(dict.fromkeys(data.groups.tolist())) == [f"block {k}" for k in range(1, 15)]
    assert "inferred" in data.preparation[-1]


def test_another_size_keeps_the_range():
    data = read(DataSpec(size=(16, 12), color_mode="rgb"))
    assert data.images.shape == (1797, 16, 12, 3)
    assert data.value_range == (0, 16)
    assert data.images.max() <= 16
