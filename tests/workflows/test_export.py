"""Every export format, run independently of clearcnn."""

import dataclasses
import importlib.util
import json
import os
import subprocess
import sys
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime
import pytest

import clearcnn
from clearcnn import bundle
from clearcnn.errors import BundleError, ExportError, MissingExtraError
from clearcnn.specs import LayerSpec, ModelSpec
from clearcnn.workflows.runs.load_keras_model import load_keras_model

MODEL = ModelSpec(
    "작은 model",
    (
        LayerSpec("Rescaling", {"scale": 1 / 255}),
        LayerSpec("Conv2D", {"filters": 2, "kernel_size": 2, "activation": "relu"}),
        LayerSpec("BatchNormalization"),
        LayerSpec("Flatten"),
        LayerSpec("Dense", {"units": 3, "activation": "softmax"}),
    ),
)


@pytest.fixture(scope="module")
def run_folder(noise: Any, tmp_path_factory: Any) -> Path:
    folder = tmp_path_factory.mktemp("runs") / "noise"
    images = dataclasses.replace(noise(), class_names=("고양이", "a\nb", "c"))
    clearcnn.train(images, model=MODEL, epochs=1, out=folder)
    return folder


@pytest.fixture(scope="module")
def expected(run_folder: Path) -> Any:
    """All digits, and the probabilities of the run's Keras model."""
    import keras

    images = np.random.default_rng(1).integers(0, 256, (9, 5, 4, 1), np.uint8)
    model = keras.saving.load_model(run_folder / "model.keras")
    return images, model.predict(images, verbose=0)


def test_onnx_is_the_runs_file(run_folder: Path, tmp_path: Path) -> None:
    result = clearcnn.export_run(run_folder, "onnx", tmp_path / "new" / "m.onnx")
    assert (tmp_path / "new" / "m.onnx").read_bytes() == (run_folder / "model.onnx").read_bytes()
    assert list((tmp_path / "new").iterdir()) == [tmp_path / "new" / "m.onnx"]
    assert result.files == (str(tmp_path / "new" / "m.onnx"),)
    assert 0 <= result.largest_difference <= 1e-5
    assert result.num_images == 32


PLAIN_KERAS = """
import sys
import keras
import numpy as np
model = keras.saving.load_model(sys.argv[1])
np.save(sys.argv[3], model.predict(np.load(sys.argv[2]), verbose=0))
assert not [name for name in sys.modules if name.startswith("clearcnn")]
"""


def test_the_keras_file_needs_no_clearcnn_and_has_no_optimizer(
    run_folder: Path, expected: Any, tmp_path: Path
) -> None:
    clearcnn.export_run(run_folder, "keras", tmp_path / "m.keras")
    with zipfile.ZipFile(tmp_path / "m.keras") as archive:
        config = archive.read("config.json").decode()
    assert "clearcnn" not in config
    assert not json.loads(config).get("compile_config")
    np.save(tmp_path / "images.npy", expected[0])
    paths = [tmp_path / name for name in ("m.keras", "images.npy", "found.npy")]
    subprocess.run(
        [sys.executable, "-W", "ignore", "-c", PLAIN_KERAS, *map(str, paths)],
        env={**os.environ, "KERAS_BACKEND": "jax"},
        check=True,
    )
    np.testing.assert_allclose(np.load(tmp_path / "found.npy"), expected[1], rtol=0, atol=1e-6)


def test_triton_gets_a_model_repository(run_folder: Path, expected: Any, tmp_path: Path) -> None:
    result = clearcnn.export_run(run_folder, "triton", tmp_path / "models")
    files = {Path(name).relative_to(tmp_path / "models").as_posix() for name in result.files}
    assert files == {"model/config.pbtxt", "model/labels.txt", "model/1/model.onnx"}
    home = tmp_path / "models" / "model"
    assert (home / "labels.txt").read_text("utf-8") == "고양이\na b\nc\n"
    config = " ".join((home / "config.pbtxt").read_text("utf-8").split())
    assert 'name: "model" backend: "onnxruntime" max_batch_size: 64' in config
    assert 'name: "images" data_type: TYPE_UINT8 dims: [ 5, 4, 1 ]' in config
    assert 'name: "probabilities" data_type: TYPE_FP32 dims: [ 3 ]' in config
    assert config.endswith("dynamic_batching { }")
    session = onnxruntime.InferenceSession(home / "1" / "model.onnx")
    found = session.run(None, {"images": expected[0]})[0]
    np.testing.assert_allclose(found, expected[1], rtol=0, atol=1e-5)


def test_triton_itself_reads_the_configuration(run_folder: Path, tmp_path: Path) -> None:
    messages = pytest.importorskip("tritonclient.grpc.model_config_pb2")
    from google.protobuf import text_format

    clearcnn.export_run(run_folder, "triton", tmp_path / "models")
    text = (tmp_path / "models" / "model" / "config.pbtxt").read_text("utf-8")
    config = text_format.Parse(text, messages.ModelConfig())
    assert list(config.input[0].dims) == [5, 4, 1]


def test_openvino_runs_the_export(run_folder: Path, expected: Any, tmp_path: Path) -> None:
    if importlib.util.find_spec("openvino") is None:
        pytest.skip("OpenVINO is not installed")
    clearcnn.export_run(run_folder, "openvino", tmp_path / "ov")
    import openvino

    assert "openvino_telemetry" not in sys.modules
    hint = {"INFERENCE_PRECISION_HINT": "f32"}
    model = openvino.Core().compile_model(tmp_path / "ov" / "model.xml", "CPU", hint)
    found = model(expected[0])["probabilities"]
    np.testing.assert_allclose(found, expected[1], rtol=0, atol=1e-5)


def test_without_openvino_the_error_names_the_extra(
    run_folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "openvino", None)
    with pytest.raises(MissingExtraError, match=r"clearcnn\[openvino\]"):
        clearcnn.export_run(run_folder, "openvino", tmp_path / "ov")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("to", ["onnx", "keras", "triton"])
def test_without_agreement_nothing_is_left(
    to: str, run_folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from clearcnn import export

    honest = export.check_parity
    monkeypatch.setattr(export, "check_parity", lambda w, found, e: honest(w, found + 1e-4, e))
    with pytest.raises(ExportError, match="other probabilities"):
        clearcnn.export_run(run_folder, to, tmp_path / ("m.keras" if to == "keras" else "m.onnx"))
    assert list(tmp_path.iterdir()) == []


def test_an_existing_path_is_not_overwritten(run_folder: Path, tmp_path: Path) -> None:
    (tmp_path / "m.onnx").write_text("mine")
    with pytest.raises(ExportError, match="exists"):
        clearcnn.export_run(run_folder, "onnx", tmp_path / "m.onnx")
    assert (tmp_path / "m.onnx").read_text() == "mine"


@pytest.mark.parametrize(
    ("out", "fitting"),
    [(".", "model.onnx"), ("..", "../model.onnx"), ("/", "/model.onnx"), ("m.h5", "m.onnx")],
)
def test_a_name_with_the_right_suffix_is_suggested(
    run_folder: Path, out: str, fitting: str
) -> None:
    with pytest.raises(ExportError) as caught:
        clearcnn.export_run(run_folder, "onnx", out)
    assert caught.value.remedy == f"Give --out a name such as {Path(fitting)}."


def test_invalid_arguments_are_errors(run_folder: Path, tmp_path: Path) -> None:
    with pytest.raises(ExportError, match="KERAS_BACKEND=tensorflow"):
        clearcnn.export_run(run_folder, "litert", tmp_path / "m.tflite")
    with pytest.raises(ExportError, match="Choose one of onnx, keras"):
        clearcnn.export_run(run_folder, "pickle", tmp_path / "m")
    with pytest.raises(ExportError, match=r"does not end in \.keras"):
        clearcnn.export_run(run_folder, "keras", tmp_path / "m.h5")
    with pytest.raises(BundleError, match="is not a run folder"):
        clearcnn.export_run(tmp_path, "onnx", tmp_path / "m.onnx")


def test_a_run_without_onnx_suggests_keras(run_folder: Path, reseal: Any, tmp_path: Path) -> None:
    other = reseal(run_folder, tmp_path / "run", {"model.onnx": None, "model_layers.onnx": None})
    with pytest.raises(ExportError, match="Export --to keras"):
        clearcnn.export_run(other, "onnx", tmp_path / "m.onnx")
    clearcnn.export_run(other, "keras", tmp_path / "m.keras")


def test_a_hostile_model_is_rejected_though_its_hash_matches(
    run_folder: Path, reseal: Any, tmp_path: Path
) -> None:
    import keras

    evil = keras.Sequential([keras.Input((5, 4, 1)), keras.layers.Lambda(lambda x: x)])
    evil.save(tmp_path / "evil.keras")
    content = (tmp_path / "evil.keras").read_bytes()
    other = reseal(run_folder, tmp_path / "run", {"model.keras": content})
    with pytest.raises(BundleError, match="lacks weights of its layers"):
        clearcnn.export_run(other, "keras", tmp_path / "m.keras")


def test_only_weights_are_read_from_the_keras_file(
    run_folder: Path, expected: Any, reseal: Any, tmp_path: Path
) -> None:
    source = run_folder / "model.keras"
    with (
        zipfile.ZipFile(source) as old,
        zipfile.ZipFile(tmp_path / "new.keras", "w") as new,
    ):
        for name in old.namelist():
            new.writestr(name, b"{" if name == "config.json" else old.read(name))
    content = (tmp_path / "new.keras").read_bytes()
    other = reseal(run_folder, tmp_path / "run", {"model.keras": content})
    network = load_keras_model(bundle.read_bundle(other))
    found = network.predict(expected[0], verbose=0)
    np.testing.assert_allclose(found, expected[1], rtol=0, atol=1e-6)
