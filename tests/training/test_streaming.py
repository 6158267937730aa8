"""Arrays that stay in their files give the results of arrays in memory."""

import subprocess
import sys

import numpy as np
import pytest

from clearcnn.errors import TrainingError
from clearcnn.training import fit, fit_many, streaming
from clearcnn.training.streamed_array import StoredArray

import h5py  # isort: skip
import keras  # isort: skip

pytestmark = pytest.mark.reference

L = keras.layers
RANDOM = np.random.default_rng(0)
X = RANDOM.uniform(size=(61, 6, 6, 1)).astype("float32")
Y = RANDOM.integers(0, 3, 61)


def make_model():
    keras.utils.set_random_seed(0)
    model = keras.Sequential(
        [
            keras.Input((6, 6, 1)),
            L.Conv2D(3, 3, activation="relu"),
            L.MaxPooling2D(2),
            L.BatchNormalization(),
            L.Flatten(),
            L.Dropout(0.1, seed=1),
            L.Dense(3, activation="softmax"),
        ]
    )
    model.compile("adam", "sparse_categorical_crossentropy", metrics=["accuracy"])
    return model


class Slices:
    """Has a shape and a dtype, and returns rows for slices only."""

    def __init__(self, array):
        self._array, self.shape, self.dtype = array, array.shape, array.dtype

    def __getitem__(self, rows):
        assert isinstance(rows, slice)
        return self._array[rows]


def memory_map(array, tmp_path):
    path = tmp_path / "x.npy"
    np.save(path, array)
    return np.load(path, mmap_mode="r")


def hdf5(array, tmp_path):
    return h5py.File(tmp_path / "x.h5", "w").create_dataset("x", data=array)


STORES = {"memory map": memory_map, "HDF5": hdf5, "slices only": lambda array, _: Slices(array)}


@pytest.mark.parametrize("store", STORES.values(), ids=STORES)
@pytest.mark.parametrize("shuffle", [True, False])
def test_the_same_results(store, shuffle, tmp_path, monkeypatch):
    """Chunks of two batches, the last one smaller, its last batch partial."""
    monkeypatch.setattr(streaming, "CHUNK_BYTES", 2 * 8 * (36 * 4 + 8))
    arguments = {
        "batch_size": 8,
        "epochs": 3,
        "validation_split": 0.2,
        "shuffle": shuffle,
        "seed": 5,
        "verbose": 0,
        "class_weight": {1: 2.0},
    }
    model, reference = make_model(), make_model()
    ours = fit(model, store(X, tmp_path), Y, **arguments)
    theirs = fit(reference, X, Y, **arguments)
    assert list(ours.history) == list(theirs.history)
    for name, values in theirs.history.items():
        np.testing.assert_allclose(ours.history[name], values, rtol=1e-4, atol=1e-5)
    for got, wanted in zip(model.get_weights(), reference.get_weights(), strict=True):
        np.testing.assert_allclose(got, wanted, rtol=1e-4, atol=1e-5)


def test_rows_come_in_the_order_asked_for_within_a_range():
    stored = StoredArray(Slices(np.arange(20.0)))[5:15]
    assert stored.shape == (10,)
    assert stored.dtype == np.float32
    np.testing.assert_array_equal(stored.read(np.array([9, 0, 3, 2])), [14, 5, 8, 7])


def test_many_trainings_keep_their_arrays_in_memory():
    with pytest.raises(TrainingError, match="memory"):
        fit_many(lambda seed: make_model(), Slices(X), Y)


SCRIPT = """
import resource, sys
import numpy as np
from clearcnn.training import fit
import keras
x = np.load(sys.argv[1], mmap_mode="r")
y = (np.arange(len(x)) % 2).astype("int32")
model = keras.Sequential(
    [keras.Input((64, 64, 1)), keras.layers.Flatten(), keras.layers.Dense(2)]
)
model.compile("sgd", keras.losses.SparseCategoricalCrossentropy(from_logits=True))
def train(n):
    fit(model, x[:n], y[:n], batch_size=64, verbose=0, seed=0)
train(8192)  # loads and compiles everything; then the limit is set
def address_space():
    pages = int(open("/proc/self/statm").read().split()[0])
    return pages * resource.getpagesize()
limit = address_space() + 192 * 2**20
resource.setrlimit(resource.RLIMIT_AS, (limit, limit))
train(len(x))
print("done", x.nbytes)
"""


@pytest.mark.release
def test_a_file_several_times_the_allowed_memory(tmp_path):
    """0.8 GiB of images with 192 MiB more address space than a small fit needs.

    The memory map exists before the limit, which applies to what the fit allocates.
    """
    path = tmp_path / "x.npy"
    images = np.lib.format.open_memmap(path, "w+", "uint8", (200_000, 64, 64, 1))
    images[:, 0] = 1
    images.flush()
    out = subprocess.run(
        [sys.executable, "-c", SCRIPT, str(path)], capture_output=True, text=True, check=False
    )
    assert out.stdout == f"done {200_000 * 4096}\n", out.stderr[-2000:]
