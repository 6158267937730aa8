"""The call that the report shows reproduces the arguments."""

from pathlib import Path

import numpy as np
import pytest

import clearcnn
from clearcnn.specs import DataSpec, LayerSpec, ModelSpec
from clearcnn.workflows.fitting.repro_command import format_call

IMAGES = clearcnn.LabelledImages(
    np.zeros((2, 4, 4, 1), np.uint8),
    np.array([0, 1]),
    ("a", "b"),
    "two black squares",
    (0.0, 255.0),
    ("0", "1"),
)


def hear(text: str) -> tuple[tuple, dict]:
    """Execute the call with a fake `clearcnn`, and return its arguments."""

    class Ear:
        def train(self, *args, **options):
            return args, options

    return eval(text, {"clearcnn": Ear(), "DataSpec": DataSpec, "images": IMAGES})


@pytest.mark.parametrize(
    ("source", "heard"),
    [
        ("digits", "digits"),
        (Path("my photos") / "it's", "my photos/it's"),
        (
            DataSpec("사진", size=(8, 9), class_names=("개", "닭")),
            DataSpec("사진", (8, 9), "auto", ("개", "닭")),
        ),
        (IMAGES, IMAGES),
    ],
    ids=["digits", "path", "spec", "images"],
)
def test_a_source_is_formatted_as_python(source: object, heard: object) -> None:
    assert hear(format_call("train", source, {})) == ((heard,), {})


def test_only_given_options_are_formatted() -> None:
    options = {"recipe": "tutorial", "model": None, "epochs": 2, "seed": 0, "learning_rate": 0.5}
    text = format_call("train", "digits", options)
    assert text == (
        "clearcnn.train('digits', recipe='tutorial', epochs=2, seed=0, learning_rate=0.5)"
    )


def test_a_model_is_named_by_its_file() -> None:
    spec = ModelSpec("flat", (LayerSpec("Flatten"),))
    for model, said in ((spec, "model.toml"), (Path("m") / "a.toml", "m/a.toml"), ("b", "b")):
        assert hear(format_call("train", "digits", {"model": model}))[1] == {"model": said}
