"""`explanation.html`: one image on its way through a model, in one self-contained file."""

import json
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from clearcnn.language import ENGLISH, Language
from clearcnn.report.heatmaps import find_limit, paint
from clearcnn.report.image_sheets import encode_png, to_picture
from clearcnn.report.layer_images import (
    ExplanationImages,
    draw_figures,
    show_layers,
)
from clearcnn.report.templates import embed, hash_script, make_environment, read_page
from clearcnn.report.window_arithmetic import lay_out_convolution, lay_out_pooling
from clearcnn.results.explain import ExplainResult, GradientMap, Neighbour, OcclusionMap
from clearcnn.results.json_codec import SCHEMA_VERSION, to_json
from clearcnn.types import View

MOST_CLASSES = 5
_PICTURE_SIDE = 512
_MAP_SIDE = 256

Array = NDArray[np.generic]


def write_explanation(
    folder: Path,
    result: ExplainResult,
    pictures: ExplanationImages,
    command: str,
    versions: Mapping[str, str] | None = None,
    language: Language = ENGLISH,
) -> None:
    """Write `explanation.html`, `explanation.json` and `figures/`.

    Args:
      folder: the draft folder; `figures/` is created if it is missing.
      result: the content of the page.
      pictures: the arrays it shows.
      command: the command that gives the same page.
      versions: versions of the software that made the model, by name.
      language: of the page and of the figures.
    Raises:
      OSError: a file cannot be written.
    """
    figures = folder / "figures"
    figures.mkdir(exist_ok=True)
    picture = to_picture(pictures.image, pictures.value_range, side=_PICTURE_SIDE)
    (figures / "picture.png").write_bytes(encode_png(picture))
    drawn = draw_figures(result, pictures, language)
    with ThreadPoolExecutor() as pool:
        for name, content in zip(drawn, pool.map(encode_png, drawn.values()), strict=True):
            (figures / name).write_bytes(content)
    values = {"schema_version": SCHEMA_VERSION, **to_json(result)}
    text = json.dumps(values, ensure_ascii=False, indent=2, allow_nan=False) + "\n"
    (folder / "explanation.json").write_bytes(text.encode("utf-8", "backslashreplace"))
    page = render_explanation(result, pictures, command, versions, language)
    (folder / "explanation.html").write_bytes(page.encode("utf-8", "backslashreplace"))


def render_explanation(
    result: ExplainResult,
    pictures: ExplanationImages,
    command: str,
    versions: Mapping[str, str] | None = None,
    language: Language = ENGLISH,
) -> str:
    """Render the page of `write_explanation`."""
    from markupsafe import Markup

    script = read_page("explanation_script.js")
    # The class of the label is always shown.
    shown = [
        answer
        for rank, answer in enumerate(result.answers)
        if rank < MOST_CLASSES or answer.name == result.image.label
    ]
    return (
        make_environment(language)
        .get_template("explanation.html")
        .render(
            result=result,
            answers=shown,
            rest=max(0.0, 1 - sum(answer.probability for answer in shown)),
            picture=_show(pictures.image, pictures, _PICTURE_SIDE),
            shape=pictures.image.shape,
            value_range=pictures.value_range,
            gradient=_show_map(result.gradient, pictures.untrained.gradients),
            occlusion=_show_map(result.occlusion, pictures.untrained.occlusions),
            first_convolution=_find_first_convolution(result),
            layers=show_layers(result, pictures),
            convolution=lay_out_convolution(result.convolution, pictures.inputs, pictures.outputs),
            pooling=lay_out_pooling(result.pooling, pictures.inputs, pictures.outputs),
            softmax=_lay_out_softmax(result),
            alike=_show_neighbours(result, pictures),
            command=command,
            versions=dict(versions or {}),
            style=Markup(read_page("style.css") + read_page("explanation.css")),
            script=Markup(script),
            script_hash=hash_script(script),
        )
    )


def _find_first_convolution(result: ExplainResult) -> int | None:
    """Position of the layer whose channels are still those of the image."""
    kinds = ("Conv2D", "DepthwiseConv2D", "SeparableConv2D")
    found = (each.position for each in result.layers if each.summary.layer in kinds)
    return next(found, None)


def _show(image: Array, pictures: ExplanationImages, side: int) -> str:
    return embed(encode_png(to_picture(image, pictures.value_range, side=side)))


def _show_map(pixel_map: GradientMap | OcclusionMap, untrained: Sequence[Array]) -> View:
    """A map, its scale, and the maps of untrained models, each with its own scale."""
    limit = find_limit(pixel_map.values)
    correlations = pixel_map.sanity.correlations
    return {
        "picture": embed(encode_png(paint(pixel_map.values, limit))),
        "limit": limit,
        "sanity": pixel_map.sanity,
        "untrained": [
            (embed(encode_png(paint(values, find_limit(values)))), correlation)
            for values, correlation in zip(untrained, correlations, strict=True)
        ],
    }


def _lay_out_softmax(result: ExplainResult) -> View:
    """Rows of logit, scaled logit, exponential and share; relative to the largest logit."""
    temperature = result.temperature
    top = result.answers[0].logit / temperature
    powers = [float(np.exp(answer.logit / temperature - top)) for answer in result.answers]
    scaled = [answer.logit / temperature for answer in result.answers]
    shown = list(zip(result.answers, scaled, powers, strict=True))[:10]
    return {"rows": shown, "sum": sum(powers), "more": len(powers) - len(shown), "top": top}


def _show_neighbours(result: ExplainResult, pictures: ExplanationImages) -> View | None:
    if result.neighbours is None:
        return None

    def gallery(found: Sequence[Neighbour]) -> list[tuple[Neighbour, str]]:
        return [(each, _show(pictures.neighbours[each.row], pictures, 128)) for each in found]

    train = result.neighbours.train
    return {
        "train": gallery(train),
        "mistakes": gallery(result.neighbours.mistakes),
        "agreeing": sum(each.label == result.prediction for each in train),
    }
