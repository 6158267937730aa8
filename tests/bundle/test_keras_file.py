"""`model.keras`: the weights that Keras writes are read, and what is anything else is refused."""

import io
import os
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest

from clearcnn.bundle import LayerShapes, limit_network_bytes, read_network_weights
from clearcnn.errors import BundleError

LAYERS = (
    LayerShapes("Rescaling", {}),
    LayerShapes("Dense", {"kernel": (9, 10), "bias": (10,)}),
)
PARAMETERS = 100
HONEST = {"metadata.json": 60, "config.json": 900, "model.weights.h5": 4 * PARAMETERS + 2000}
KERNEL = np.arange(90, dtype="f4").reshape(9, 10)


def write_archive(members: dict[str, int | bytes], how: int = zipfile.ZIP_STORED) -> bytes:
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w", how) as archive:
        for name, member in members.items():
            archive.writestr(name, bytes(member) if isinstance(member, int) else member)
    return content.getvalue()


def write_weights(write: Callable[[h5py.File], None]) -> bytes:
    content = io.BytesIO()
    with h5py.File(content, "w") as file:
        write(file)
    return write_archive(HONEST | {"model.weights.h5": content.getvalue()})


def read(content: bytes) -> Any:
    return read_network_weights(content, LAYERS, "model.keras")


def write_honestly(file: h5py.File) -> None:
    file["layers/dense/vars/0"] = KERNEL
    file["layers/dense/vars/1"] = np.ones(10, "f4")


def test_weights_are_found_by_their_shapes() -> None:
    nothing, dense = read(write_weights(write_honestly))
    assert nothing == []
    np.testing.assert_array_equal(dense[0], KERNEL)
    np.testing.assert_array_equal(dense[1], np.ones(10))


def test_what_keras_writes_of_layers_of_every_kind_is_read(tmp_path: Path) -> None:
    import keras

    from clearcnn import models
    from clearcnn.specs import LayerSpec, ModelSpec

    convolution = {"filters": 3, "kernel_size": 2}
    spec = ModelSpec(
        "all",
        (
            LayerSpec("Rescaling", {"scale": 0.1}),
            LayerSpec("Conv2D", {**convolution, "name": "conv2d_7"}),
            LayerSpec("Conv2D", {**convolution, "use_bias": False}),
            LayerSpec("SeparableConv2D", convolution),
            LayerSpec("Dropout", {"rate": 0.5}),
            LayerSpec("DepthwiseConv2D", {"kernel_size": 2}),
            LayerSpec("BatchNormalization"),
            LayerSpec("MaxPooling2D", {"pool_size": 1}),
            LayerSpec("Conv2D", convolution),
            LayerSpec("BatchNormalization", {"name": "conv2d_1"}),
            LayerSpec("Flatten"),
            LayerSpec("Dense", {"units": 4}),
            LayerSpec("Dense", {"units": 2, "activation": "softmax"}),
        ),
    )
    network = models.build_model(spec, (9, 9, 2), 2, seed=1)
    for variable in network.weights:
        variable.assign(np.random.default_rng(0).normal(size=variable.shape))
    network.compile("adam", "categorical_crossentropy")
    network.fit(np.zeros((2, 9, 9, 2)), np.eye(2), verbose=0)
    network.save(tmp_path / "model.keras")
    content = (tmp_path / "model.keras").read_bytes()
    plans = models.plan_layers(spec, (9, 9, 2), 2)
    layers = [LayerShapes(plan.kind, plan.weights) for plan in plans]
    assert len(content) <= limit_network_bytes(layers)
    found = read_network_weights(content, layers, "model.keras")
    loaded = keras.saving.load_model(tmp_path / "model.keras")
    for layer, weights in zip(loaded.layers, found, strict=True):
        expected = layer.get_weights()
        assert len(expected) == len(weights)
        for one, other in zip(expected, weights, strict=True):
            np.testing.assert_array_equal(one, other)


def declare_a_terabyte(file: h5py.File) -> None:
    write_honestly(file)
    del file["layers/dense/vars/0"]
    file.create_dataset("layers/dense/vars/0", (2**38,), "f4", chunks=(2**10,))


def declare_what_is_not_there(file: h5py.File) -> None:
    write_honestly(file)
    del file["layers/dense/vars/0"]
    file.create_dataset("layers/dense/vars/0", (9, 10), "f4", chunks=(9, 10))


def pack(file: h5py.File) -> None:
    write_honestly(file)
    del file["layers/dense/vars/0"]
    file.create_dataset("layers/dense/vars/0", data=KERNEL, compression="gzip")


def keep_it_elsewhere(file: h5py.File) -> None:
    file.create_dataset("layers/dense/vars/0", (9, 10), "f4", external=[("/etc/passwd", 0, 360)])


def make_it_virtual(file: h5py.File) -> None:
    layout = h5py.VirtualLayout((9, 10), "f4")
    layout[:] = h5py.VirtualSource("/tmp/other.h5", "vars/0", (9, 10))
    file.create_virtual_dataset("layers/dense/vars/0", layout)


def link_elsewhere(file: h5py.File) -> None:
    file["layers/dense"] = h5py.ExternalLink("/dev/zero", "dense")


def link_within(file: h5py.File) -> None:
    file["other"] = KERNEL
    file["layers/dense/vars/0"] = h5py.SoftLink("/other")


def keep_doubles(file: h5py.File) -> None:
    file["layers/dense/vars/0"] = KERNEL.astype("f8")


def keep_another_shape(file: h5py.File) -> None:
    file["layers/dense/vars/0"] = KERNEL.T.copy()


def keep_a_folder(file: h5py.File) -> None:
    file.create_group("layers/dense/vars/0")


def keep_nothing(file: h5py.File) -> None:
    file["layers/dense/vars/1"] = np.ones(10, "f4")
    file["more"] = np.zeros(100, "f4")


@pytest.mark.parametrize(
    ("write", "problem"),
    [
        (declare_a_terabyte, "layers/dense/vars/0 is not a plain float32 array"),
        (declare_what_is_not_there, "layers/dense/vars/0 is not a plain float32 array"),
        (pack, "layers/dense/vars/0 is not a plain float32 array"),
        (keep_it_elsewhere, "layers/dense/vars/0 is not a plain float32 array"),
        (make_it_virtual, "layers/dense/vars/0 is not a plain float32 array"),
        (keep_doubles, "layers/dense/vars/0 is not a plain float32 array"),
        (keep_another_shape, r"not a plain float32 array of the shape \(9, 10\)"),
        (keep_a_folder, "layers/dense/vars/0 is not a plain float32 array"),
        (link_elsewhere, "its layers/dense/vars/0 is a link"),
        (link_within, "its layers/dense/vars/0 is a link"),
        (keep_nothing, "layers/dense/vars/0 is missing"),
    ],
)
def test_arrays_that_are_not_as_keras_writes_them_are_refused(
    write: Callable[[h5py.File], None], problem: str
) -> None:
    with pytest.raises(BundleError, match=problem):
        read(write_weights(lambda file: (write(file), file.create_dataset("pad", (99,), "f4"))[0]))


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="there are no pipes")
def test_a_link_to_a_pipe_is_not_waited_for(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")

    def write(file: h5py.File) -> None:
        file["layers/dense/vars/0"] = h5py.ExternalLink(str(tmp_path / "pipe"), "dense")
        file["pad"] = np.zeros(100, "f4")

    with pytest.raises(BundleError, match="is a link"):
        read(write_weights(write))


def test_weights_that_are_no_hdf5_are_refused() -> None:
    with pytest.raises(BundleError, match=r"its model\.weights\.h5 cannot be read"):
        read(write_archive(HONEST))


@pytest.mark.parametrize(
    ("members", "problem"),
    [
        (HONEST | {"../../escape.py": 10}, "escape.py"),
        (HONEST | {"assets/vocabulary.txt": 10}, "assets"),
        ({"config.json": 900}, "expected config.json, metadata.json, model.weights.h5"),
        (HONEST | {"model.weights.h5": 4 * PARAMETERS - 1}, "399 bytes; expected 400"),
        (HONEST | {"model.weights.h5": 2**22}, "4,194,304 bytes"),
        (HONEST | {"config.json": 2**23}, "config.json has 8,388,608 bytes"),
    ],
)
def test_other_members_and_sizes_are_refused(members: Any, problem: str) -> None:
    with pytest.raises(BundleError, match=problem):
        read(write_archive(members))


def test_a_bomb_is_refused_unopened() -> None:
    with pytest.raises(BundleError, match="compressed"):
        read(write_archive(HONEST, zipfile.ZIP_DEFLATED))


@pytest.mark.filterwarnings("ignore:Duplicate name")
def test_a_member_twice_is_refused() -> None:
    content = io.BytesIO(write_archive(HONEST))
    with zipfile.ZipFile(content, "a") as archive:
        archive.writestr("config.json", b"{}")
    with pytest.raises(BundleError, match=r"'config.json', 'config.json'"):
        read(content.getvalue())


@pytest.mark.parametrize("content", [b"", b"no archive", b"PK\x05\x06" + bytes(18)[:-1]])
def test_what_is_no_archive_is_refused(content: bytes) -> None:
    with pytest.raises(BundleError, match="not a zip archive"):
        read(content)
