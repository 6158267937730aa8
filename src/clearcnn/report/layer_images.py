"""The layers of an explained model as images, for the page and for slides."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial

import numpy as np
from numpy.typing import NDArray

from clearcnn.language import ENGLISH, Language, say
from clearcnn.report.heatmaps import draw_maps, find_limit, paint, wrap
from clearcnn.report.image_sheets import encode_png
from clearcnn.report.layer_descriptions import describe_layer, is_idle
from clearcnn.report.templates import embed
from clearcnn.results.explain import ExplainResult, LayerActivation
from clearcnn.types import View

MOST_MAPS = 64
# A network of more layers has the maps of its deep ones folded.
_MOST_LAYERS = 12
_DEEP = 6
# A layer of at most so many maps shows all of them, another one its strongest; the rest is folded.
_MOST_UNFOLDED = 16
_UNFOLDED = 10

Array = NDArray[np.generic]


@dataclass(frozen=True)
class UntrainedMaps:
    """Saliency maps of models with random weights, (height, width) each, in order of the seeds."""

    gradients: tuple[Array, ...]
    occlusions: tuple[Array, ...]


@dataclass(frozen=True)
class ExplanationImages:
    """The arrays shown in an explanation.

    Attributes:
      image: (height, width, channels), the model's input.
      value_range: the values shown as black and white.
      inputs, outputs: of every layer, (height, width, maps) or (units,).
      filters: of every layer, (num_filters, height, width, channels), or None.
      untrained: maps of untrained models, to compare with.
      neighbours: row of the source → image.
    """

    image: Array
    value_range: tuple[float, float]
    inputs: tuple[Array, ...]
    outputs: tuple[Array, ...]
    filters: tuple[Array | None, ...]
    untrained: UntrainedMaps
    neighbours: Mapping[int, Array]


def show_layers(result: ExplainResult, pictures: ExplanationImages) -> list[View]:
    """Lay out every layer for the page: description, maps, filters, scales."""
    last = len(result.layers)
    deep = _DEEP if last > _MOST_LAYERS else last
    return [
        _show_layer(
            layer,
            pictures.outputs[position],
            pictures.filters[position],
            is_last=layer.position == last,
            is_folded=layer.position > deep,
        )
        for position, layer in enumerate(result.layers)
    ]


def _show_layer(
    layer: LayerActivation, output: Array, filters: Array | None, *, is_last: bool, is_folded: bool
) -> View:
    is_flat = output.ndim == 1
    flattened = output.reshape(-1, output.shape[-1])
    silent = int(np.sum(~np.any(flattened != 0, axis=0)))
    limit = find_limit(output)
    # A separable convolution mixes its depthwise outputs, so no map belongs to one filter.
    paired = None
    if filters is not None and filters.shape[-1] in (1, 3) and len(filters) == output.shape[-1]:
        paired = filters
    maps = []
    if not is_idle(layer) and not is_flat:
        maps = [
            {
                "picture": embed(encode_png(paint(output[..., number], limit))),
                "number": number,
                "high": float(output[..., number].max()),
                "is_strongest": number == layer.strongest,
                "filter": None if paired is None else _paint_filter(paired, number),
            }
            for number in range(min(output.shape[-1], MOST_MAPS))
        ]
    unfolded = set() if is_folded else _choose_unfolded(output)
    return {
        "layer": layer,
        "words": describe_layer(layer, is_last=is_last, silent=silent),
        "is_idle": is_idle(layer),
        "is_last": is_last,
        "limit": limit,
        "is_signed": layer.low < 0,
        "maps": maps,
        "shown": [each for each in maps if each["number"] in unfolded],
        "folded": [each for each in maps if each["number"] not in unfolded],
        "more": max(0, output.shape[-1] - MOST_MAPS) if maps else 0,
        "units": (
            embed(encode_png(paint(wrap(output), limit)))
            if is_flat and not is_idle(layer) and not is_last
            else None
        ),
        "filters": None if filters is None or paired is not None else _paint_filters(filters),
        "filter_limit": None if filters is None else find_limit(filters),
        "num_filters": 0 if filters is None else len(filters),
        "filter_channels": 0 if filters is None else filters.shape[-1],
        "filter_size": "" if filters is None else f"{filters.shape[1]} × {filters.shape[2]}",
    }


def _choose_unfolded(output: Array) -> set[int]:
    """Numbers of the maps that are shown at once: those with the largest values."""
    highs = output.reshape(-1, output.shape[-1])[:, :MOST_MAPS].max(axis=0)
    if len(highs) <= _MOST_UNFOLDED:
        return set(range(len(highs)))
    return set(np.argsort(-highs, kind="stable")[:_UNFOLDED].tolist())


def _paint_filter(filters: Array, number: int) -> str:
    """Draw one filter, its channels side by side."""
    return embed(encode_png(paint(_side_by_side(filters[number]), find_limit(filters))))


def _paint_filters(filters: Array) -> str:
    return embed(encode_png(paint(_stack_filters(filters), find_limit(filters))))


def _stack_filters(filters: Array) -> NDArray[np.float64]:
    """One row per filter, one column per channel, with gaps of 0."""
    rows = [_side_by_side(each[..., :MOST_MAPS]) for each in filters[:MOST_MAPS]]
    gap = np.zeros((1, rows[0].shape[1]))
    return np.concatenate([part for row in rows for part in (row, gap)][:-1])


def _side_by_side(one: Array) -> NDArray[np.float64]:
    """Channels of one filter (height, width, channels) in a row, with gaps of 0."""
    gap = np.zeros((one.shape[0], 1))
    channels = [one[..., k].astype(np.float64) for k in range(one.shape[-1])]
    return np.concatenate([part for each in channels for part in (each, gap)][:-1], axis=1)


def draw_figures(
    result: ExplainResult, pictures: ExplanationImages, language: Language = ENGLISH
) -> View:
    """Draw every layer and both saliency maps for slides, by file name."""
    draw = partial(draw_maps, language=language)
    figures = {}
    gradient = say(
        "gradient of “{class_name}”, {image}",
        class_name=result.gradient.class_name,
        image=result.image.name,
    )
    occlusion = say(
        "occlusion of “{class_name}”, {image}",
        class_name=result.occlusion.class_name,
        image=result.image.name,
    )
    figures["gradient.png"] = draw(gradient, [np.array(result.gradient.values)], [""])
    figures["occlusion.png"] = draw(occlusion, [np.array(result.occlusion.values)], [""])
    for layer, output, filters in zip(
        result.layers, pictures.outputs, pictures.filters, strict=True
    ):
        if is_idle(layer):
            continue
        stem = f"layer-{layer.position:02d}-{layer.summary.layer.lower()}"
        title = say("Layer {position}: {name}", position=layer.position, name=layer.summary.name)
        if output.ndim == 1:
            figures[f"{stem}.png"] = draw(
                title, [wrap(output)], [say("{number:,} values", number=len(output))]
            )
        else:
            numbers = range(min(output.shape[-1], MOST_MAPS))
            maps = [output[..., number] for number in numbers]
            figures[f"{stem}.png"] = draw(title, maps, [f"{n + 1}" for n in numbers])
        if filters is not None:
            shown = filters[:MOST_MAPS]
            if filters.shape[-1] > 3:
                figures[f"{stem}-filters.png"] = draw(
                    say(
                        "Filters of layer {position}: {name}",
                        position=layer.position,
                        name=layer.summary.name,
                    ),
                    [_stack_filters(filters)],
                    [say("one row per filter, one column per input map")],
                    side=1200,
                )
                continue
            figures[f"{stem}-filters.png"] = draw(
                say(
                    "Filters of layer {position}: {name}",
                    position=layer.position,
                    name=layer.summary.name,
                ),
                [_side_by_side(each[..., :MOST_MAPS]) for each in shown],
                [f"{number + 1}" for number in range(len(shown))],
            )
    return figures
