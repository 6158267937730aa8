"""Duplicates: images with the same pixels, or nearly the same."""

import hashlib

import numpy as np
from numpy.typing import NDArray

from clearcnn.data.labelled_images import Images

# Re-encoded, dimmed and slightly noisy duplicates correlate above; two digits of one writer, below.
NEAR_CORRELATION = 0.998
_BLOCK = 2_000


def find_duplicates(images: Images) -> NDArray[np.intp]:
    """Find, for each image, the first one with the same pixels.

    Args:
      images: (n, height, width, channels), any dtype.
    Returns:
      (n,) rows; the image's own row if no earlier image is a duplicate.
    """
    first: dict[bytes, int] = {}
    rows = [
        first.setdefault(hashlib.blake2b(image.tobytes(), digest_size=16).digest(), row)
        for row, image in enumerate(images)
    ]
    return np.array(rows, np.intp)


def find_near_duplicates(images: Images) -> NDArray[np.intp]:
    """Find, for each image, the first one whose pixels correlate with its own above 0.998.

    Compares every pair, in blocks of matrix products: n² · pixels operations.

    Args:
      images: (n, height, width, channels), any real dtype.
    Returns:
      (n,) rows; the image's own row if no earlier image is a near duplicate. Constant images have
      no near duplicates.
    """
    n = len(images)
    first = np.arange(n)
    units = to_unit_vectors(images)
    for start in range(0, n, _BLOCK):
        block = units[start : start + _BLOCK]
        for earlier in range(0, start + 1, _BLOCK):
            near = units[earlier : earlier + _BLOCK] @ block.T > NEAR_CORRELATION
            if earlier == start:
                near = np.triu(near, k=1)
            found = near.argmax(axis=0)
            rows = start + np.flatnonzero(near.any(axis=0))
            rows = rows[first[rows] == rows]
            first[rows] = earlier + found[rows - start]
    return first


def to_unit_vectors(images: Images) -> NDArray[np.float32]:
    """Flatten, subtract the mean and normalize; constant images become zeros."""
    flat = images.reshape(len(images), -1).astype(np.float32)
    flat -= flat.mean(axis=1, keepdims=True)
    lengths = np.linalg.norm(flat, axis=1, keepdims=True)
    flat /= np.where(lengths > 0, lengths, 1)
    return flat
