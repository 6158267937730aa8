"""Pickles are named and never opened; the message names the same set's safe form."""

import gzip
import pickle

import pytest

from clearcnn.data.sources import load
from clearcnn.errors import DataError


class _Touch:
    def __reduce__(self):
        return (exec, ("raise SystemExit('unpickled')",))


@pytest.mark.parametrize(
    ("names", "safe"),
    [
        (["data_batch_1", "test_batch", "batches.meta"], "cifar-10-binary.tar.gz of CIFAR-10"),
        (["train", "test", "meta"], "cifar-100-binary.tar.gz of CIFAR-100"),
        (["train_data_batch_1", "val_data"], "NPZ archives of Downsampled ImageNet"),
        (["anything.pkl"], "numpy.savez"),
    ],
)
@pytest.mark.parametrize("protocol", [2, 4])
def test_a_folder_of_pickles(tmp_path, names, safe, protocol):
    for name in names:
        (tmp_path / name).write_bytes(pickle.dumps(_Touch(), protocol=protocol))
    (tmp_path / "readme.html").write_text("<html>")
    with pytest.raises(DataError, match="clearcnn never opens one") as info:
        load(tmp_path)
    assert safe in info.value.remedy
    with pytest.raises(DataError, match="is a Python pickle"):
        load(tmp_path / names[0])


def test_a_gzipped_pickle(tmp_path):
    path = tmp_path / "mnist.pkl.gz"
    path.write_bytes(gzip.compress(pickle.dumps(_Touch(), protocol=2)))
    with pytest.raises(DataError, match="is a Python pickle") as info:
        load(path)
    assert "train-images-idx3-ubyte.gz" in info.value.remedy
