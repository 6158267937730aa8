import numpy as np
import pytest

from clearcnn.data.build_dataset import build_from_array, nominal_range
from clearcnn.errors import DataError
from clearcnn.specs import DataSpec


@pytest.mark.parametrize(
    ("values", "dtype", "expected"),
    [
        ((3, 7), np.uint8, (0, 255)),
        ((3, 7), np.uint16, (0, 65535)),
        ((0.25, 0.5), np.float32, (0, 1)),
        ((0, 16), np.float64, (0, 16)),
        ((-1, 1), np.float32, (-1, 1)),
    ],
)
def test_the_range_is_the_dtypes_or_0_to_1_or_the_one_seen(values, dtype, expected):
    images = np.array(values, dtype).reshape(1, 1, 2, 1)
    assert nominal_range(images, "x") == expected


def test_floats_of_one_value_have_no_range():
    with pytest.raises(DataError, match="every pixel of every image is 5"):
        nominal_range(np.full((2, 2, 2, 1), 5.0), "x")


def test_as_many_labels_as_images_are_needed():
    with pytest.raises(DataError, match="4 images, but 3 labels"):
        build_from_array(np.zeros((4, 2, 2, 1), np.uint8), ["a", "b", "a"], DataSpec(), source="x")


def test_rows_without_names_are_called_by_their_number():
    data = build_from_array(
        np.zeros((4, 2, 2, 1), np.uint8), ["a", "b", "a", "b"], DataSpec(), source="x"
    )
    assert data.names == ("row 0", "row 1", "row 2", "row 3")
