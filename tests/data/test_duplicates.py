import numpy as np
import pytest

from clearcnn.data import find_duplicates, find_near_duplicates, load
from clearcnn.specs import DataSpec


def test_copies_are_found_and_near_ones_are_not():
    images = np.random.default_rng(0).integers(0, 255, (6, 4, 5, 3), dtype=np.uint8)
    images[3] = images[1]
    images[5] = images[1]
    images[4] = images[2]
    images[4, 0, 0, 0] ^= 1
    assert find_duplicates(images).tolist() == [0, 1, 2, 1, 4, 1]


def test_it_agrees_with_numpy_on_any_layout_in_memory():
    images = np.random.default_rng(0).integers(0, 2, (400, 3, 3, 1)).astype(np.float32)
    _, first, where = np.unique(
        images.reshape(400, -1), axis=0, return_index=True, return_inverse=True
    )
    rows = find_duplicates(np.asfortranarray(images))
    np.testing.assert_array_equal(rows, first[where.ravel()])


def test_no_images_have_no_copies():
    assert find_duplicates(np.zeros((0, 8, 8, 1))).shape == (0,)


def test_near_copies_are_those_of_a_correlation_matrix(monkeypatch):
    """Several blocks, with copies within a block and across."""
    monkeypatch.setattr("clearcnn.data.duplicates._BLOCK", 7)
    random = np.random.default_rng(0)
    images = random.integers(0, 255, (30, 6, 6, 1)).astype(np.float32)
    for copy, original in ((3, 1), (20, 1), (29, 28), (14, 13), (25, 14)):
        images[copy] = 0.7 * images[original] + 9 + random.normal(0, 0.5, (6, 6, 1))
    correlations = np.corrcoef(images.reshape(30, -1))
    near = [min((j for j in range(i) if correlations[i, j] > 0.998), default=i) for i in range(30)]
    assert find_near_duplicates(images).tolist() == near
    assert near[3] == near[20] == 1


def test_empty_images_are_nobodys_copies():
    assert find_near_duplicates(np.zeros((3, 4, 4, 1), np.uint8)).tolist() == [0, 1, 2]


@pytest.mark.mnist
@pytest.mark.release
def test_copies_planted_in_mnist_are_found_and_no_others_of_another_label(mnist_folder):
    mnist = load(DataSpec(f"idx:{mnist_folder}"))
    train = mnist.split_names == "train"
    images, labels = mnist.images[train].copy(), mnist.labels[train]
    noise = np.random.default_rng(0).normal(0, 1, (100, 28, 28, 1))
    images[-100:] = np.clip(images[:100] + noise, 0, 255).astype(np.uint8)
    near = find_near_duplicates(images)
    assert near[-100:].tolist() == list(range(100))
    others = np.flatnonzero(near[:-100] != np.arange(len(near) - 100))
    np.testing.assert_array_equal(labels[others], labels[near[others]])


@pytest.mark.parametrize("most", [200, 0], ids=["by neighbours", "every pair"])
def test_among_many_images_the_same_near_copies_are_found(monkeypatch, most):
    """Photographs of few directions, noise, constant images, and copies of several."""
    monkeypatch.setattr("clearcnn.data.duplicates._BLOCK", 50)
    monkeypatch.setattr("clearcnn.data.duplicates._MOST_NEIGHBOURS", most)
    random = np.random.default_rng(0)
    images = random.normal(size=(400, 3)) @ random.normal(size=(3, 64))
    images[100:200] += random.normal(size=(100, 64))
    images[200:220] = 7
    for copy, original in zip(
        random.permutation(400)[:80], random.integers(0, 400, 80), strict=True
    ):
        images[copy] = 0.5 * images[original] + 3 + random.normal(0, 0.02, 64)
    images = images.reshape(400, 8, 8, 1).astype(np.float32)
    flat = images.reshape(400, -1).astype(np.float64)
    flat -= flat.mean(axis=1, keepdims=True)
    lengths = np.linalg.norm(flat, axis=1, keepdims=True)
    flat /= np.where(lengths > 1e-4, lengths, np.inf)
    alike = np.triu(flat @ flat.T > 0.998, k=1)
    wanted = np.where(alike.any(axis=0), alike.argmax(axis=0), np.arange(400))
    assert (wanted != np.arange(400)).sum() > 40
    np.testing.assert_array_equal(find_near_duplicates(images), wanted)
