"""Every named recipe goes the whole journey on every kind of source."""

import csv
from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime
import pytest
from scipy.special import softmax

import clearcnn
from clearcnn.bundle import read_bundle

pytestmark = pytest.mark.reference


def test_a_source_becomes_a_bundle_that_keeps_its_contract(
    journey: tuple[str, Any], tmp_path: Path
) -> None:
    import keras

    recipe, written = journey
    result = clearcnn.train(
        written.source, recipe=recipe, epochs=2, out=tmp_path / "run", **written.options
    )
    bundle = read_bundle(tmp_path / "run")
    manifest, contract = bundle.manifest, bundle.manifest.input

    shape = next(iter(written.pixels.values())).shape
    assert contract.shape == shape
    assert contract.color_mode == ("rgb" if shape[2] == 3 else "grayscale")
    assert contract.dtype == result.data.dtype == written.dtype
    assert contract.value_range == written.value_range
    assert contract.polarity == written.polarity
    assert manifest.class_names == written.class_names
    assert manifest.data.source == written.source
    assert manifest.content_hash == clearcnn.load(written.source).content_hash

    counts = [list(written.labels.values()).count(name) for name in written.class_names]
    assert [each.total for each in result.data.classes] == counts
    parts = result.data.train, result.data.validation, result.data.test
    total = len(written.pixels)
    assert sum(parts) == total
    assert result.data.test == pytest.approx(0.3 * total, abs=3)
    assert result.data.validation == pytest.approx(0.2 * 0.7 * total, abs=3)
    assert result.history.num_epochs == 2

    with (bundle.folder / "predictions.csv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    names = [row["name"] for row in rows]
    assert len(set(names)) == len(names) == result.data.test
    assert [row["label"] for row in rows] == [written.labels[name] for name in names]
    if written.tested is not None:
        assert set(names) == written.tested

    # The pictures as they were written go into the model as it was kept.
    model = keras.saving.load_model(bundle.folder / "model.keras")
    found = model.predict(np.stack([written.pixels[name] for name in names]), verbose=0)
    session = onnxruntime.InferenceSession(bundle.folder / "model.onnx")
    pixels = np.stack([written.pixels[name] for name in names])
    pixels = pixels.astype(bundle.manifest.input.dtype)
    (onnx_found,) = session.run(["probabilities"], {"images": pixels})
    np.testing.assert_allclose(onnx_found, found, atol=1e-5)
    kept = [[float(row[f"probability_{name}"]) for name in written.class_names] for row in rows]
    # They are calibrated, as those of `predict` are.
    confidence = bundle.manifest.confidence
    temperature = 1.0 if confidence is None else confidence.temperature
    logits = np.log(np.maximum(found.astype(np.float64), np.finfo(np.float32).eps))
    np.testing.assert_allclose(softmax(logits / temperature, axis=1), kept, atol=1e-4)
    right = np.array(written.class_names)[found.argmax(axis=1)] == [row["label"] for row in rows]
    assert result.test.score.correct == right.sum()
