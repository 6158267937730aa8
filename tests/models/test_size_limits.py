"""Models out of proportion are refused with figures, before anything is made of them."""

from pathlib import Path

import pytest

from clearcnn.errors import LayerError, SpecError
from clearcnn.models import read_model, summarize_model
from clearcnn.models.layers import complete_layer
from clearcnn.specs import LayerSpec, ModelSpec


def _model(*layers: LayerSpec) -> ModelSpec:
    return ModelSpec("large", layers)


CONV = LayerSpec("Conv2D", {"filters": 64, "kernel_size": 512, "padding": "same"})
POOL = LayerSpec("MaxPooling2D", {"pool_size": 512, "strides": 1, "padding": "same"})
WIDE = LayerSpec("Conv2D", {"filters": 65_536, "kernel_size": 1})
PAD = LayerSpec("ZeroPadding2D", {"padding": ((512, 512), (0, 0))})
DENSE = LayerSpec("Dense", {"units": 65_536})


@pytest.mark.parametrize(
    ("layers", "problem"),
    [
        ([LayerSpec("Flatten"), DENSE], r"Layer 2 \(Dense on 786,432 values\) makes 51,53"),
        ([CONV], "makes 13,194,407,968,768 operations for one image"),
        ([POOL], "makes 206,171,013,120 operations"),
        ([WIDE], "makes 17,179,869,184 values for one image; at most 16,777,216"),
        ([LayerSpec("MaxPooling2D", {"pool_size": (1, 512)}), *[PAD] * 4], "4,608 pixels along"),
    ],
)
def test_a_layer_out_of_proportion_is_named_with_its_figures(
    layers: list[LayerSpec], problem: str
) -> None:
    with pytest.raises(LayerError, match=problem):
        summarize_model(_model(*layers), (512, 512, 3))


def test_the_parameters_of_all_layers_count_together() -> None:
    half = [LayerSpec("Dense", {"units": 12_000})] * 4
    with pytest.raises(LayerError, match=r"Layer 4 .* makes 288,132,000 parameters, with"):
        summarize_model(_model(LayerSpec("Flatten"), *half), (1, 1, 8))


def test_too_many_layers_are_refused() -> None:
    with pytest.raises(SpecError, match="has 257 layers; at most 256"):
        summarize_model(_model(*[LayerSpec("Activation", {"activation": "relu"})] * 257), (8, 8, 1))


# To Python a line ends at U+2028, to TOML it goes on.
SEPARATED = ("a." * 440 + '"\u2028".') * 4 + "a = 1"


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("#" * 1_001, "a line of more than 1,000 characters"),
        (SEPARATED, "a line of more than 1,000 characters"),
        ("#\n" * 70_000, "is not a regular file of at most"),
    ],
    ids=["one line", "one line to TOML", "many lines"],
)
def test_texts_that_no_model_needs_are_refused(text: str, problem: str, tmp_path: Path) -> None:
    (tmp_path / "m.toml").write_text(text, encoding="utf-8")
    with pytest.raises(SpecError, match=problem):
        read_model(tmp_path / "m.toml")


def test_a_number_too_long_to_write_is_refused_in_words() -> None:
    with pytest.raises(LayerError, match="a number of thousands of digits"):
        complete_layer(LayerSpec("Dense", {"units": 1 << 20_000}), 1)


def test_what_is_no_file_is_not_waited_for() -> None:
    with pytest.raises(SpecError, match="is not a regular file of at most"):
        read_model(Path("/dev/zero"))
