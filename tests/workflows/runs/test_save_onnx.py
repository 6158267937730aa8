"""The ONNX files of a run folder agree with Keras, or are not written."""

import csv
import json
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import onnxruntime
import pytest
from scipy.special import softmax

import clearcnn
from clearcnn import export
from clearcnn.bundle import read_bundle
from clearcnn.results.json_codec import to_json
from clearcnn.specs import LayerSpec, ModelSpec


def read_probabilities(path: Path) -> Any:
    with path.open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    keys = [key for key in rows[0] if key.startswith("probability_")]
    return np.array([[float(row[key]) for key in keys] for row in rows])


def test_the_onnx_files_give_the_saved_probabilities(
    noise: Any, flat: ModelSpec, tmp_path: Path
) -> None:
    images = noise(parts=(36, 12, 12))
    result = clearcnn.train(images, model=flat, epochs=1, out=tmp_path / "run")
    bundle = read_bundle(tmp_path / "run")
    kept = read_probabilities(tmp_path / "run" / "predictions.csv")
    for name in ("model.onnx", "model_layers.onnx"):
        assert name in bundle.manifest.files
        found = onnxruntime.InferenceSession(bundle.folder / name).run(
            ["probabilities"], {"images": images.images[48:]}
        )
        temperature = bundle.manifest.confidence.temperature
        logits = np.log(np.maximum(found[0].astype(np.float64), np.finfo(np.float32).eps))
        calibrated = softmax(logits / temperature, axis=1)
        np.testing.assert_allclose(calibrated, kept, rtol=0, atol=1e-5)
        said = {e.key: e.value for e in onnx.load(bundle.folder / name).metadata_props}
        assert json.loads(said["class_names"]) == ["1", "2", "10"]
        assert json.loads(said["input_contract"]) == to_json(bundle.manifest.input)
    assert not [sentence for sentence in result.warnings if "onnx" in sentence]


def spoil_parity(patch: pytest.MonkeyPatch) -> str:
    honest = export.run_onnx
    patch.setattr(
        export, "run_onnx", lambda *a, **k: {n: v + 1e-4 for n, v in honest(*a, **k).items()}
    )
    return "model.onnx gives other probabilities than Keras"


def forget_dense(patch: pytest.MonkeyPatch) -> str:
    patch.delitem(export.onnx_layers.LAYER_WRITERS, "Dense")
    return "is a Dense, which cannot be written to ONNX"


@pytest.mark.parametrize("spoil", [spoil_parity, forget_dense])
def test_without_agreement_there_is_no_file_and_a_warning(
    spoil: Any,
    noise: Any,
    flat: ModelSpec,
    make_ear: Any,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    reason = spoil(monkeypatch)
    ear = make_ear()
    result = clearcnn.train(noise(), model=flat, epochs=1, out=tmp_path / "run", listener=ear)
    (told,) = [sentence for sentence in result.warnings if "onnx" in sentence]
    assert told.startswith("There is no model.onnx in the run folder.")
    assert reason in told
    assert ("warning", told) in ear.heard
    assert told in json.loads((tmp_path / "run" / "metrics.json").read_text("utf-8"))["warnings"]
    assert told in read_bundle(tmp_path / "run").manifest.warnings
    assert reason in (tmp_path / "run" / "report.html").read_text("utf-8")
    assert not list((tmp_path / "run").glob("*.onnx"))
    assert (tmp_path / "run" / "model.keras").is_file()


def test_a_reserved_layer_name_is_a_warning_with_a_remedy(noise: Any, tmp_path: Path) -> None:
    model = ModelSpec(
        "named",
        (
            LayerSpec("Flatten", {"name": "images"}),
            LayerSpec("Dense", {"units": 3, "activation": "softmax"}),
        ),
    )
    result = clearcnn.train(noise(), model=model, epochs=1, out=tmp_path / "run")
    (told,) = [sentence for sentence in result.warnings if "onnx" in sentence]
    assert told.endswith("Rename the layer.")


@pytest.mark.parametrize(
    ("dtype", "most", "stored"),
    [
        ("float64", 1, "tensor(float)"),
        ("float16", 1, "tensor(float)"),
        ("int64", 255, "tensor(uint8)"),
        ("int32", 4095, "tensor(uint16)"),
    ],
)
def test_the_input_type_is_supported_on_every_device(
    dtype: str, most: int, stored: str, flat: ModelSpec, tmp_path: Path
) -> None:
    random = np.random.default_rng(0)
    y = np.arange(60) % 3
    x = (random.uniform(0, most, (60, 5, 4)) + y[:, None, None] / 9).astype(dtype)
    np.savez(tmp_path / "a.npz", x=x, y=y)
    result = clearcnn.train(tmp_path / "a.npz", model=flat, epochs=1, out=tmp_path / "run")
    session = onnxruntime.InferenceSession(tmp_path / "run" / "model.onnx")
    assert session.get_inputs()[0].type == stored
    contract = read_bundle(tmp_path / "run").manifest.input
    assert f"tensor({contract.dtype})".replace("float32", "float") == stored
    assert any(dtype in sentence for sentence in result.data.preparation)
