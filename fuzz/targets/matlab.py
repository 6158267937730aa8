"""MATLAB files of version 5."""

import io

import numpy as np
import scipy.io

from clearcnn.data.sources import load
from fuzz.target import Target, put


def seeds() -> list[bytes]:
    """Files with images of every layout, labels as numbers and as text, packed and not."""
    rng = np.random.default_rng(0)
    images = rng.integers(0, 256, (5, 4, 3, 6), np.uint8)
    numbers = np.arange(6)[:, np.newaxis] % 2
    contents = [
        {"X": images, "y": numbers + 1},
        {"fea": rng.normal(size=(6, 16)), "gnd": numbers.astype(float)},
        {"images": images[:, :, 0] > 100, "labels": np.array(["cat", "dog"] * 3)},
        {"data": images, "label": numbers, "cells": np.array([1, "a"], object)},
        {"dataset": {"train": {"images": images, "labels": numbers}, "mapping": np.eye(2)}},
        {"images": {"data": images, "labels": numbers, "set": 1 + numbers}},
    ]
    return [_save(arrays, packed) for arrays in contents for packed in (False, True)]


def read(content: bytes) -> None:
    """Read the file as a source."""
    data = load(f"arrays:{put('a.mat', content)}")
    assert len(data) >= 4


def _save(arrays: dict[str, np.ndarray], packed: bool) -> bytes:
    file = io.BytesIO()
    scipy.io.savemat(file, arrays, do_compression=packed)
    return file.getvalue()


TARGET = Target(seeds, read)
