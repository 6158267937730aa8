"""`bundle.json` of a run folder whose other files are as they were, and the model it describes."""

import json
from functools import cache
from pathlib import Path

import numpy as np

from clearcnn.bundle import (
    describe_run,
    is_own,
    read_bundle,
    write_manifest,
)
from clearcnn.bundle.manifest import REQUIRED_FILES
from clearcnn.contract import InputContract, ResizeRule
from clearcnn.results.json_codec import to_json
from clearcnn.specs import AugmentationSpec, DataSpec, LayerSpec, ModelSpec, SplitSpec, TrainSpec
from clearcnn.workflows.runs.load_onnx_model import open_model
from fuzz.target import Target, put, scratch

CONTRACT = InputContract(
    (8, 8, 1), "uint8", (0.0, 255.0), "grayscale", "light_on_dark", ResizeRule("bilinear", "white")
)
MODEL = ModelSpec(
    "small",
    (
        LayerSpec("Conv2D", {"filters": 4, "kernel_size": [3, 3], "activation": "relu"}),
        LayerSpec("Flatten"),
        LayerSpec("Dense", {"units": 2, "activation": "softmax"}),
    ),
)


@cache
def network() -> object:
    """The Keras model, with its first weights."""
    from clearcnn import models

    return models.build_model(MODEL, CONTRACT.shape, 2, seed=0)


@cache
def folder() -> Path:
    """A run folder without a training."""
    from clearcnn import export

    place = scratch() / "run"
    place.mkdir()
    for name in REQUIRED_FILES:
        (place / name).write_bytes(b"x")
    network().save(place / "model.keras")
    model = export.build_onnx(network(), ("cat", "dog"), CONTRACT)
    (place / "model.onnx").write_bytes(model.SerializeToString())
    manifest = describe_run(
        source="pictures",
        content_hash="ab" * 32,
        class_names=("cat", "dog"),
        contract=CONTRACT,
        data=DataSpec("pictures", size=(8, 8), class_names=("cat", "dog")),
        split=SplitSpec("group", seed=3),
        model=MODEL,
        train=TrainSpec(epochs=2, patience=5, augmentation=AugmentationSpec(shift_pixels=0.5)),
    )
    write_manifest(place, manifest)
    return place


def copy_manifest(place: Path) -> Path:
    """Make a run folder of which one file may be changed and sealed anew; the others are empty."""
    place.mkdir(exist_ok=True)
    (place / "bundle.json").write_bytes(_honest())
    for name in (*REQUIRED_FILES, "model.onnx"):
        (place / name).touch()
    return place


@cache
def _honest() -> bytes:
    return (folder() / "bundle.json").read_bytes()


@cache
def seeds() -> list[bytes]:
    """The manifest with and without what may be lacking."""
    values = json.loads((folder() / "bundle.json").read_bytes())
    less = {**values, "confidence": {"temperature": 1.5, "threshold": 0.5, "false_alarms": 1}}
    less["confidence"]["num_images"] = 100
    less["warnings"] = ["Few images."]
    less["skipped"] = [{"path": "나쁜.png", "reason": "cut off"}]
    return [json.dumps(each).encode() for each in (values, less)]


def read(content: bytes) -> None:
    """Open the model that the manifest describes, and answer for a picture."""
    put("run/bundle.json", content)
    bundle = read_bundle(folder())
    opened = open_model(folder())
    assert opened.manifest == bundle.manifest
    # What anybody else wrote is never taken for this user's own.
    assert not is_own(bundle.manifest) or to_json(bundle.manifest) == json.loads(seeds()[0])
    shape = opened.manifest.input.shape
    images = np.zeros((1, *shape), opened.predictor.dtype)
    chances = opened.predictor.predict(images)
    assert chances.shape == (1, len(opened.manifest.class_names))
    assert abs(chances.sum() - 1) < 1e-3


TARGET = Target(seeds, read)
