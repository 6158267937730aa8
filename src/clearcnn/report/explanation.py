"""`explanation.html`: one image on its way through a model, in one file that needs nothing else."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from clearcnn.explanations import ExplainResult, LayerActivation, Neighbour
from clearcnn.report.arithmetic import lay_out_convolution, lay_out_pooling
from clearcnn.report.layer_words import is_idle, say_layer
from clearcnn.report.maps import draw_maps, find_limit, paint, wrap
from clearcnn.report.pages import embed, make_environment, read_page
from clearcnn.report.pictures import encode_png, to_picture
from clearcnn.results import SCHEMA_VERSION, to_json

MOST_MAPS = 64
MOST_CLASSES = 5
_PICTURE_SIDE = 512
_MAP_SIDE = 256

Array = NDArray[np.generic]


@dataclass(frozen=True)
class UntrainedMaps:
    """Pixel maps of models with random weights, (height, width) each, in the order of the seeds."""

    gradients: tuple[Array, ...]
    occlusions: tuple[Array, ...]


@dataclass(frozen=True)
class ExplanationPictures:
    """The arrays that the page of an explanation shows.

    Attributes:
      image: (height, width, channels), as the model takes it.
      value_range: what becomes black and white.
      inputs, outputs: of every layer, (height, width, maps) or (units,).
      filters: of every layer, (num_filters, height, width, channels), or None.
      untrained: maps to compare with.
      neighbours: row of the source → image.
    """

    image: Array
    value_range: tuple[float, float]
    inputs: tuple[Array, ...]
    outputs: tuple[Array, ...]
    filters: tuple[Array | None, ...]
    untrained: UntrainedMaps
    neighbours: Mapping[int, Array]


def write_explanation(
    folder: Path,
    result: ExplainResult,
    pictures: ExplanationPictures,
    command: str,
    versions: Mapping[str, str] | None = None,
) -> None:
    """Write `explanation.html`, `explanation.json` and `figures/`.

    Args:
      folder: the folder in the making; `figures/` is made if it is not there.
      result: what the page tells.
      pictures: what it shows.
      command: what to type to get the same page again.
      versions: of the software that made the model, by name.
    Raises:
      OSError: a file cannot be written.
    """
    figures = folder / "figures"
    figures.mkdir(exist_ok=True)
    picture = to_picture(pictures.image, pictures.value_range, side=_PICTURE_SIDE)
    (figures / "picture.png").write_bytes(encode_png(picture))
    for name, drawn in _draw_figures(result, pictures).items():
        (figures / name).write_bytes(encode_png(drawn))
    values = {"schema_version": SCHEMA_VERSION, **to_json(result)}
    text = json.dumps(values, ensure_ascii=False, indent=2, allow_nan=False) + "\n"
    (folder / "explanation.json").write_bytes(text.encode("utf-8", "backslashreplace"))
    page = render_explanation(result, pictures, command, versions)
    (folder / "explanation.html").write_bytes(page.encode("utf-8", "backslashreplace"))


def render_explanation(
    result: ExplainResult,
    pictures: ExplanationPictures,
    command: str,
    versions: Mapping[str, str] | None = None,
) -> str:
    """Make the page of `write_explanation` as text."""
    from markupsafe import Markup

    # The label's own class is always there to be seen.
    shown = [
        answer
        for rank, answer in enumerate(result.answers)
        if rank < MOST_CLASSES or answer.name == result.image.label
    ]
    return (
        make_environment()
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
            layers=_show_layers(result, pictures),
            convolution=lay_out_convolution(result.convolution, pictures.inputs, pictures.outputs),
            pooling=lay_out_pooling(result.pooling, pictures.inputs, pictures.outputs),
            softmax=_lay_out_softmax(result),
            alike=_show_neighbours(result, pictures),
            command=command,
            versions=dict(versions or {}),
            style=Markup(read_page("style.css") + read_page("explanation.css")),
        )
    )


def _show(image: Array, pictures: ExplanationPictures, side: int) -> str:
    return embed(encode_png(to_picture(image, pictures.value_range, side=side)))


def _show_map(pixel_map: Any, untrained: Sequence[Array]) -> dict[str, Any]:
    """A map, its scale, and the maps of untrained models, each on a scale of its own."""
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


def _show_layers(result: ExplainResult, pictures: ExplanationPictures) -> list[dict[str, Any]]:
    last = len(result.layers)
    return [
        _show_layer(
            layer,
            pictures.outputs[position],
            pictures.filters[position],
            is_last=layer.position == last,
        )
        for position, layer in enumerate(result.layers)
    ]


def _show_layer(
    layer: LayerActivation, output: Array, filters: Array | None, *, is_last: bool
) -> dict[str, Any]:
    is_flat = output.ndim == 1
    flattened = output.reshape(-1, output.shape[-1])
    silent = int(np.sum(~np.any(flattened != 0, axis=0)))
    limit = find_limit(output)
    maps = []
    if not is_idle(layer) and not is_flat:
        maps = [
            {
                "picture": embed(encode_png(paint(output[..., number], limit))),
                "number": number,
                "high": float(output[..., number].max()),
                "is_strongest": number == layer.strongest,
                "filter": None if filters is None else _paint_filter(filters, number),
            }
            for number in range(min(output.shape[-1], MOST_MAPS))
        ]
    return {
        "layer": layer,
        "words": say_layer(layer, is_last=is_last, silent=silent),
        "is_idle": is_idle(layer),
        "is_last": is_last,
        "limit": limit,
        "is_signed": layer.low < 0,
        "maps": maps,
        "more": max(0, output.shape[-1] - MOST_MAPS) if maps else 0,
        "units": (
            embed(encode_png(paint(wrap(output), limit)))
            if is_flat and not is_idle(layer) and not is_last
            else None
        ),
        "filters": _paint_filters(filters),
        "filter_limit": None if filters is None else find_limit(filters),
        "filter_channels": 0 if filters is None else filters.shape[-1],
        "filter_size": "" if filters is None else f"{filters.shape[1]} × {filters.shape[2]}",
    }


def _paint_filter(filters: Array, number: int) -> str | None:
    """A filter that sees one channel, or red, green and blue side by side."""
    if filters.shape[-1] not in (1, 3):
        return None
    return embed(encode_png(paint(_side_by_side(filters[number]), find_limit(filters))))


def _paint_filters(filters: Array | None) -> str | None:
    """All filters of a layer that sees many channels: a row for each filter."""
    if filters is None or filters.shape[-1] in (1, 3):
        return None
    return embed(encode_png(paint(_stack_filters(filters), find_limit(filters))))


def _stack_filters(filters: Array) -> NDArray[np.float64]:
    """A row for each filter, a column for each channel, with gaps of 0 between."""
    rows = [_side_by_side(each[..., :MOST_MAPS]) for each in filters[:MOST_MAPS]]
    gap = np.zeros((1, rows[0].shape[1]))
    return np.concatenate([part for row in rows for part in (row, gap)][:-1])


def _side_by_side(one: Array) -> NDArray[np.float64]:
    """Channels of one filter (height, width, channels) in a row, with gaps of 0 between."""
    gap = np.zeros((one.shape[0], 1))
    channels = [one[..., k].astype(np.float64) for k in range(one.shape[-1])]
    return np.concatenate([part for each in channels for part in (each, gap)][:-1], axis=1)


def _lay_out_softmax(result: ExplainResult) -> dict[str, Any]:
    """The rows of score, power and share; powers count from the largest score, as it is done."""
    top = result.answers[0].logit
    powers = [float(np.exp(answer.logit - top)) for answer in result.answers]
    shown = list(zip(result.answers, powers, strict=True))[:10]
    return {"rows": shown, "sum": sum(powers), "more": len(powers) - len(shown), "top": top}


def _show_neighbours(result: ExplainResult, pictures: ExplanationPictures) -> dict[str, Any] | None:
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


def _draw_figures(result: ExplainResult, pictures: ExplanationPictures) -> dict[str, Any]:
    """Pictures by file name."""
    figures = {}
    for name, found in (("gradient", result.gradient), ("occlusion", result.occlusion)):
        figures[f"{name}.png"] = draw_maps(
            f"{name} of “{found.class_name}”, {result.image.name}", [np.array(found.values)], [""]
        )
    for layer, output, filters in zip(
        result.layers, pictures.outputs, pictures.filters, strict=True
    ):
        if is_idle(layer):
            continue
        stem = f"layer-{layer.position:02d}-{layer.summary.layer.lower()}"
        title = f"Layer {layer.position}: {layer.summary.name}"
        if output.ndim == 1:
            figures[f"{stem}.png"] = draw_maps(title, [wrap(output)], [f"{len(output):,} values"])
        else:
            numbers = range(min(output.shape[-1], MOST_MAPS))
            maps = [output[..., number] for number in numbers]
            figures[f"{stem}.png"] = draw_maps(title, maps, [f"{n + 1}" for n in numbers])
        if filters is not None:
            shown = filters[:MOST_MAPS]
            if filters.shape[-1] > 3:
                figures[f"{stem}-filters.png"] = draw_maps(
                    f"Filters of layer {layer.position}: {layer.summary.name}",
                    [_stack_filters(filters)],
                    ["a row for each filter, a column for each map it sees"],
                    side=1200,
                )
                continue
            figures[f"{stem}-filters.png"] = draw_maps(
                f"Filters of layer {layer.position}: {layer.summary.name}",
                [_side_by_side(each[..., :MOST_MAPS]) for each in shown],
                [f"{number + 1}" for number in range(len(shown))],
            )
    return figures
