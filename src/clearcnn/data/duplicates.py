"""Duplicates: images with the same pixels, or nearly the same."""

import hashlib

import numpy as np
from numpy.typing import NDArray

from clearcnn.data.labelled_images import Images

# Re-encoded, dimmed and slightly noisy duplicates correlate above; two digits of one writer, below.
NEAR_CORRELATION = 0.998
_BLOCK = 2_000
# Two unit vectors u and v with u·v > c are closer than √(2 - 2c); a little more for rounding.
_RADIUS = float(np.sqrt(2 - 2 * NEAR_CORRELATION)) + 1e-3
_COORDINATES, _SAMPLE = 12, 256
_MOST_NEIGHBOURS = 200


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

    Among many images, only those that are close in their principal components are compared: the
    distance there is at most that of the images, so none is missed. If very many are close, every
    pair is compared, in blocks of matrix products: n² · pixels operations.

    Args:
      images: (n, height, width, channels), any real dtype.
    Returns:
      (n,) rows; the image's own row if no earlier image is a near duplicate. Constant images have
      no near duplicates.
    """
    units = to_unit_vectors(images)
    if len(images) <= _BLOCK:
        return _compare_all(units)
    from scipy.spatial import KDTree

    # Of constant images, which are zeros, there may be many.
    varied = np.flatnonzero(units.any(axis=1))
    tree = KDTree(_project(units[varied]))
    first = np.arange(len(images))
    if not len(varied) or tree.count_neighbors(tree, _RADIUS) > _MOST_NEIGHBOURS * len(varied):
        return _compare_all(units)
    pairs = np.sort(varied[tree.query_pairs(_RADIUS, output_type="ndarray")], axis=1)
    for start in range(0, len(pairs), _BLOCK):
        earlier, later = pairs[start : start + _BLOCK].T
        near = np.einsum("ij,ij->i", units[earlier], units[later]) > NEAR_CORRELATION
        np.minimum.at(first, later[near], earlier[near])
    return first


def _project(units: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return the coordinates of (n, pixels) vectors along their principal directions, (n, 12)."""
    sample = units[np.linspace(0, len(units) - 1, min(len(units), _SAMPLE)).astype(np.intp)]
    directions = np.linalg.svd(sample - sample.mean(axis=0), full_matrices=False)[2]
    projected: NDArray[np.float32] = units @ directions[:_COORDINATES].T
    return projected


def _compare_all(units: NDArray[np.float32]) -> NDArray[np.intp]:
    """Compare every pair of (n, pixels) unit vectors."""
    n = len(units)
    first = np.arange(n)
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
