"""New images of a run have the run's range if their values lie within it."""

import dataclasses

import numpy as np
import pytest

from clearcnn.contract import InputContract, ResizeRule
from clearcnn.data import LabelledImages
from clearcnn.workflows.evaluate.finished_run import _in_range_of

CONTRACT = InputContract(
    shape=(2, 2, 1),
    dtype="uint16",
    value_range=(0.0, 4095.0),
    color_mode="grayscale",
    polarity="unknown",
    resize=ResizeRule("bilinear", "white"),
)


@pytest.mark.parametrize(
    ("largest", "dtype", "found", "expected"),
    [
        (900, "uint16", 1023.0, 4095.0),  # dark images of the same scanner
        (4095, "uint16", 4095.0, 4095.0),
        (5000, "uint16", 16383.0, 16383.0),  # refused later, since the ranges differ
        (200, "uint8", 255.0, 255.0),
    ],
)
def test_dark_images_of_the_same_kind_take_the_range_of_the_run(largest, dtype, found, expected):
    images = LabelledImages(
        images=np.full((2, 2, 2, 1), largest, dtype),
        labels=np.array([0, 1]),
        class_names=("a", "b"),
        source="x",
        value_range=(0.0, found),
        names=("1", "2"),
    )
    assert _in_range_of(images, CONTRACT).value_range == (0.0, expected)
    floats = dataclasses.replace(images, images=np.full((2, 2, 2, 1), 0.5, np.float32))
    assert _in_range_of(floats, CONTRACT) is floats
