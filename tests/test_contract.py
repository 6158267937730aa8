import math

import pytest

from clearcnn.contract import InputContract, ResizeRule
from clearcnn.errors import BundleError


@pytest.mark.parametrize(
    ("change", "problem"),
    [
        ({"shape": (50_000, 50_000, 1)}, r"sides of \(50000, 50000\) pixels"),
        ({"shape": (8, 0, 1)}, "sides of"),
        ({"shape": (8, 8, 3)}, "grayscale with 3 channels"),
        ({"dtype": "object"}, "the dtype 'object'"),
        ({"value_range": (1.0, 1.0)}, "values from 1 to 1"),
        ({"value_range": (-1.7e308, 1.7e308)}, "values from -1.7e"),
        ({"value_range": (0.0, math.nan)}, "values from 0 to nan"),
    ],
)
def test_images_that_cannot_be_are_refused(change, problem):
    fields = {
        "shape": (8, 8, 1),
        "dtype": "uint8",
        "value_range": (0.0, 255.0),
        "color_mode": "grayscale",
        "polarity": "unknown",
        "resize": ResizeRule("bilinear", "white"),
    }
    InputContract(**fields)
    with pytest.raises(BundleError, match=problem):
        InputContract(**(fields | change))
