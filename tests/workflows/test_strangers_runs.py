"""Run folders from strangers, with hashes that fit: each verb reads the layers, or refuses."""

import dataclasses
import io
import json
import os
import zipfile
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest
from onnx import helper, numpy_helper
from PIL import Image

import clearcnn
from clearcnn.checkpoints import FACTS, decode_checkpoint, encode_checkpoint
from clearcnn.cli.main import main
from clearcnn.errors import BundleError, CheckpointError, ExportError
from clearcnn.specs import LayerSpec, ModelSpec

LAYERS = (
    LayerSpec("Rescaling", {"scale": 1 / 255}),
    LayerSpec("Conv2D", {"filters": 3, "kernel_size": 2, "activation": "relu"}),
    LayerSpec("Flatten"),
    LayerSpec("Dense", {"units": 3, "activation": "softmax"}),
)


@pytest.fixture(scope="module")
def honest(noise: Any, tmp_path_factory: Any) -> Path:
    place: Path = tmp_path_factory.mktemp("honest") / "run"
    images = noise(parts=(36, 12, 12))
    clearcnn.train(images, model=ModelSpec("small", LAYERS), epochs=1, out=place)
    return place


@pytest.fixture(scope="module")
def picture(tmp_path_factory: Any) -> Path:
    path: Path = tmp_path_factory.mktemp("picture") / "one.png"
    pixels = np.random.default_rng(3).integers(0, 256, (5, 4), np.uint8)
    Image.fromarray(pixels).save(path)
    return path


def write_long_memory(content: bytes) -> bytes:
    """2²⁴ values, 110 sigmoids of them, added in reverse: seven gigabytes within every bound."""
    model = onnx.load_from_string(content)
    pads = np.array([0, 2046, 2046, 0, 0, 2045, 2046, 0])
    names = [f"s{number}" for number in range(110)]
    nodes = [
        helper.make_node("Cast", ["images"], ["cast"], to=onnx.TensorProto.FLOAT),
        helper.make_node("Pad", ["cast", "pads"], [names[0]]),
        *(helper.make_node("Sigmoid", [a], [b]) for a, b in pairwise(names)),
    ]
    total = names[-1]
    for name in reversed(names[:-1]):
        nodes.append(helper.make_node("Add", [total, name], [f"{name}+"]))
        total = f"{name}+"
    nodes += [
        helper.make_node("GlobalAveragePool", [total], ["pooled"]),
        helper.make_node("Flatten", ["pooled"], ["flat"]),
        helper.make_node("MatMul", ["flat", "ones"], ["logits"]),
        helper.make_node("Softmax", ["logits"], ["probabilities"]),
    ]
    kept = {"pads": pads, "ones": np.ones((4097, 3), np.float32)[:1]}
    del model.graph.node[:], model.graph.initializer[:], model.graph.output[1:]
    model.graph.node.extend(nodes)
    for name, values in kept.items():
        model.graph.initializer.append(numpy_helper.from_array(values, name))
    return model.SerializeToString()


def write_external_data(content: bytes) -> bytes:
    """The honest model, but for one tensor, which lies in a file of the working folder."""
    model = onnx.load_from_string(content)
    tensor = model.graph.initializer[-1]
    tensor.ClearField("raw_data")
    tensor.data_location = onnx.TensorProto.EXTERNAL
    tensor.external_data.add(key="location", value="secret.txt")
    return model.SerializeToString()


def write_another_activation(content: bytes) -> bytes:
    return content.replace(b"Relu", b"Sqrt")


@pytest.mark.parametrize(
    "write",
    [write_long_memory, write_external_data, write_another_activation, lambda _: b"x" * 999],
)
def test_a_model_of_another_graph_is_refused(
    write: Callable[[bytes], bytes],
    honest: Path,
    picture: Path,
    reseal: Any,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "secret.txt").write_bytes(b"secret" * 100)
    content = write((honest / "model.onnx").read_bytes())
    assert len(content) < 6_000
    run = reseal(honest, tmp_path / "run", {"model.onnx": content})
    for attempt in (
        lambda: clearcnn.predict(run, picture),
        lambda: clearcnn.export_run(run, "onnx", tmp_path / "m.onnx"),
        lambda: clearcnn.export_run(run, "triton", tmp_path / "triton"),
    ):
        with pytest.raises(ExportError, match=r"not the network that bundle\.json describes"):
            attempt()
    assert main(["predict", str(run), str(picture)]) == 1
    printed = capsys.readouterr()
    assert "Traceback" not in printed.err
    assert sorted(path.name for path in tmp_path.iterdir()) == ["run", "secret.txt"]


def rewrite_configuration(content: bytes, change: Callable[[dict[str, Any]], None]) -> bytes:
    """The same weights beside another configuration."""
    written = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(content)) as old, zipfile.ZipFile(written, "w") as new:
        for name in old.namelist():
            member = old.read(name)
            if name == "config.json":
                values = json.loads(member)
                change(values)
                member = json.dumps(values).encode()
            new.writestr(name, member)
    return written.getvalue()


def take_another_activation(configuration: dict[str, Any]) -> None:
    for layer in configuration["config"]["layers"]:
        if layer["class_name"] == "Conv2D":
            layer["config"]["activation"] = "sigmoid"


def take_a_foreign_layer(configuration: dict[str, Any]) -> None:
    layer = configuration["config"]["layers"][-1]
    layer.update(module="os", class_name="system", registered_name="evil>Layer")


def grow(configuration: dict[str, Any]) -> None:
    """A kernel of 2.7 GB between the others."""
    layers = configuration["config"]["layers"]
    wide = json.loads(json.dumps(layers[-1]))
    wide["config"].update(name="wide", units=26_000)
    layers[-1:-1] = [wide, {**wide, "config": {**wide["config"], "name": "wider"}}]


@pytest.mark.parametrize("change", [take_another_activation, take_a_foreign_layer, grow])
def test_the_configuration_in_a_keras_file_changes_nothing(
    change: Callable[[dict[str, Any]], None],
    honest: Path,
    picture: Path,
    reseal: Any,
    tmp_path: Path,
) -> None:
    expected = clearcnn.explain(honest, picture, out=tmp_path / "expected")
    content = rewrite_configuration((honest / "model.keras").read_bytes(), change)
    run = reseal(honest, tmp_path / "run", {"model.keras": content})
    found = clearcnn.explain(run, picture, out=tmp_path / "found")
    assert found.answers == expected.answers
    assert found.layers == expected.layers
    result = clearcnn.export_run(run, "keras", tmp_path / "m.keras")
    assert result.largest_difference < 1e-5


def test_another_network_in_a_keras_file_is_one_message(
    honest: Path,
    picture: Path,
    reseal: Any,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    import keras

    other = keras.Sequential([keras.Input((5, 4, 1)), keras.layers.Lambda(lambda x: x)])
    other.save(tmp_path / "other.keras")
    content = (tmp_path / "other.keras").read_bytes()
    run = reseal(honest, tmp_path / "run", {"model.keras": content})
    with pytest.raises(BundleError, match="lacks weights of its layers"):
        clearcnn.explain(run, picture, out=tmp_path / "page")
    assert main(["explain", str(run), str(picture), "--out", str(tmp_path / "page")]) == 1
    assert "Traceback" not in capsys.readouterr().err
    assert not (tmp_path / "page").exists()


def test_metrics_and_facts_that_become_gigabytes_are_refused(
    honest: Path, reseal: Any, tmp_path: Path
) -> None:
    bomb = b"[{}" + b",{}" * 3_000_000 + b"]"
    run = reseal(honest, tmp_path / "metrics", {"metrics.json": bomb})
    with pytest.raises(BundleError, match=r"metrics\.json .* bytes in memory, and at most"):
        clearcnn.train(resume=run, epochs=2, out=tmp_path / "more")
    content = (honest / "checkpoint.npz").read_bytes()
    start = decode_checkpoint(content, "honest")
    facts = {**start.facts, "history": json.loads(bomb)}
    bloated = encode_checkpoint(dataclasses.replace(start, facts=facts))
    run = reseal(honest, tmp_path / "facts", {"checkpoint.npz": bloated})
    with pytest.raises(CheckpointError, match="bytes in memory, and at most"):
        clearcnn.train(resume=run, epochs=2, out=tmp_path / "more")
    assert FACTS == "checkpoint.json"


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="there are no pipes")
@pytest.mark.parametrize("name", ["bundle.json", "model.onnx", "report.html"])
def test_a_pipe_in_the_place_of_a_file_is_not_waited_for(
    name: str, honest: Path, picture: Path, reseal: Any, tmp_path: Path
) -> None:
    run = reseal(honest, tmp_path / "run", {})
    (run / name).unlink()
    os.mkfifo(run / name)
    with pytest.raises(BundleError, match=r"is not a run folder|is not a regular file"):
        clearcnn.explain(run, picture, out=tmp_path / "page")
    if name != "report.html":
        with pytest.raises(BundleError, match=r"is not a run folder|is not a regular file"):
            clearcnn.predict(run, picture)
