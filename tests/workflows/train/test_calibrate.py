"""The images that distances are fitted on, and when there are no distances."""

from typing import Any

import numpy as np
import onnxruntime
import pytest

import clearcnn
from clearcnn import export
from clearcnn.bundle import read_bundle
from clearcnn.specs import LayerSpec, ModelSpec

MODEL = ModelSpec(
    "small",
    (
        LayerSpec("Conv2D", {"filters": 4, "kernel_size": 3, "activation": "relu"}),
        LayerSpec("Flatten"),
        LayerSpec("Dense", {"units": 6, "activation": "relu"}),
        LayerSpec("Dense", {"units": 3, "activation": "softmax"}),
    ),
)


def train(images: Any, place: Any) -> Any:
    result = clearcnn.train(images, model=MODEL, epochs=1, validation_fraction=0, out=place)
    return read_bundle(result.run_folder)


@pytest.mark.parametrize("dtype", [pytest.param(np.uint8, marks=pytest.mark.release), np.float32])
def test_model_onnx_outputs_distances_fitted_on_distorted_images_too(
    noise: Any, tmp_path: Any, dtype: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    fitted_on: list[Any] = []
    honest = export.run_onnx

    def watch(model: Any, images: Any, *args: Any, **more: Any) -> Any:
        fitted_on.append(images)
        return honest(model, images, *args, **more)

    monkeypatch.setattr(export, "run_onnx", watch)
    images = noise(n=260, parts=(120, 110, 30))
    if dtype is np.float32:
        images = clearcnn.data.labelled_images.LabelledImages(
            **{**vars(images), "images": images.images.astype(np.float32)}
        )
    run = train(images, tmp_path / "run")
    kept = run.manifest.confidence
    session = onnxruntime.InferenceSession(run.folder / "model.onnx")
    assert [each.name for each in session.get_outputs()] == ["probabilities", "distances"]
    validation = images.images[120:230]
    (distances,) = session.run(["distances"], {"images": validation})
    assert distances.shape == (110, 3)
    assert kept.false_alarms == 1
    # One false alarm in 110 images is allowed.
    assert (distances.min(axis=1) > kept.distance_threshold).sum() <= 1

    both = fitted_on[0]
    assert both.dtype == images.images.dtype
    assert len(both) == 240
    low, high = images.value_range
    assert low <= both.min() <= both.max() <= high
    # First the training images, sorted by class; then a distorted version of each.
    order = np.argsort(images.labels[:120], kind="stable")
    np.testing.assert_array_equal(both[:120], images.images[:120][order])
    changed = (both[120:] != both[:120]).reshape(120, -1).any(axis=1)
    assert changed.mean() > 0.95


@pytest.mark.release
def test_few_validation_images_or_an_unsupported_layer_give_no_distances(
    noise: Any, tmp_path: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    few = train(noise(n=100, parts=(60, 30, 10)), tmp_path / "few")
    names = [
        each.name for each in onnxruntime.InferenceSession(few.folder / "model.onnx").get_outputs()
    ]
    assert names == ["probabilities"]
    monkeypatch.delitem(export.onnx_layers.LAYER_WRITERS, "Dense")
    unwritten = train(noise(n=170, parts=(60, 100, 10)), tmp_path / "unwritten")
    assert "model.onnx" not in unwritten.manifest.files
    assert unwritten.manifest.confidence.threshold is not None
    assert unwritten.manifest.confidence.distance_threshold is None
