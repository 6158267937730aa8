"""A finished run of small pictures, and every kind of result that a notebook shows."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest

import clearcnn
from clearcnn.data import LabelledImages
from clearcnn.specs import LayerSpec, ModelSpec

SIDE = 8
NUM_IMAGES = 90
# Unusual names, since pages must escape them.
CLASS_NAMES = ("<b>bar</b>", "고양이", "spot & dot")


def make_images(seed: int = 3) -> LabelledImages:
    """Noise, brighter at a place that depends on the class."""
    rng = np.random.default_rng(seed)
    labels = np.arange(NUM_IMAGES) % len(CLASS_NAMES)
    images = rng.integers(0, 160, (NUM_IMAGES, SIDE, SIDE, 1), dtype=np.uint8)
    for image, label in zip(images, labels, strict=True):
        image[2 * label : 2 * label + 2] += 60
    return LabelledImages(
        images=images,
        labels=labels.astype(np.int64),
        class_names=CLASS_NAMES,
        source="noise <i>with</i> bars",
        value_range=(0.0, 255.0),
        names=tuple(f"{row}.png" for row in range(NUM_IMAGES)),
    )


MODEL = ModelSpec(
    "small",
    (
        LayerSpec("Rescaling", {"scale": 1 / 255}),
        LayerSpec("Conv2D", {"filters": 4, "kernel_size": 3, "activation": "relu"}),
        LayerSpec("Flatten"),
        LayerSpec("Dense", {"units": len(CLASS_NAMES), "activation": "softmax"}),
    ),
)


@pytest.fixture(scope="session")
def images() -> LabelledImages:
    return make_images()


@pytest.fixture(scope="session")
def trained(tmp_path_factory: pytest.TempPathFactory, images: LabelledImages) -> Any:
    place = tmp_path_factory.mktemp("notebook") / "run"
    return clearcnn.train(images, model=MODEL, epochs=3, out=place)


@pytest.fixture(scope="session")
def results(trained: Any, images: LabelledImages, tmp_path_factory: pytest.TempPathFactory) -> Any:
    """One result of each kind, by name."""
    folder = tmp_path_factory.mktemp("results")
    run: Path = trained.run_folder
    predictions = clearcnn.predict(run, images.images)
    return {
        "train": trained,
        "evaluate": clearcnn.evaluate(run, data=images, out=folder / "evaluation"),
        "check": clearcnn.check(images, labels=False, out=folder / "check"),
        "explain": clearcnn.explain(run, 0, data=images, out=folder / "explanation"),
        "predictions": predictions,
        "prediction": predictions[0],
        "images": images,
    }


@pytest.fixture(scope="session")
def small() -> ModelSpec:
    return MODEL
