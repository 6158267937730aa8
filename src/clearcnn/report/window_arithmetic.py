"""One window laid out for a page: coloured cells, its position, and that of its output."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from clearcnn.report.heatmaps import find_limit, paint
from clearcnn.report.image_sheets import encode_png
from clearcnn.report.templates import embed
from clearcnn.results.explain import ConvolutionStep, Grid, PoolingStep
from clearcnn.types import View

Arrays = Sequence[NDArray[np.generic]]


def lay_out_convolution(
    step: ConvolutionStep | None, inputs: Arrays, outputs: Arrays
) -> View | None:
    """Lay out a convolution's window.

    Args:
      step: its arithmetic, or None.
      inputs, outputs: inputs and outputs of every layer.
    Returns:
      A table of cells for window, kernel and products of every channel, and two images with a
      frame each; None for None.
    """
    if step is None:
        return None
    received, given = inputs[step.position - 1], outputs[step.position - 1]
    channels: list[View] = [
        {
            "number": each.channel,
            "sum": each.sum,
            "window": _cells(each.window, find_limit(received), step, received.shape),
            "kernel": _cells(each.kernel, find_limit([c.kernel for c in step.channels])),
            "products": _cells(each.products, find_limit([c.products for c in step.channels])),
        }
        for each in step.channels
    ]
    first = step.channels[0].channel
    return {
        "step": step,
        "channels": channels,
        "num_channels": len(step.channels) + step.other_channels,
        "has_padding": any(
            cell["is_padding"] for each in channels for row in each["window"] for cell in row
        ),
        "difference": abs(step.result - step.keras),
        "source": _frame(received[..., first], step.rows, step.columns),
        "target": _frame(given[..., step.filter], (step.row,), (step.column,)),
        "size": f"{len(step.rows)} × {len(step.columns)}",
    }


def lay_out_pooling(step: PoolingStep | None, inputs: Arrays, outputs: Arrays) -> View | None:
    """Lay out a pooling's window, as `lay_out_convolution` does."""
    if step is None:
        return None
    received, given = inputs[step.position - 1], outputs[step.position - 1]
    cells = _cells(step.window, find_limit(received[..., step.map]))
    for row in cells:
        for cell in row:
            cell["is_chosen"] = step.kind == "max" and cell["value"] == step.result
    return {
        "step": step,
        "cells": cells,
        "difference": abs(step.result - step.keras),
        "source": _frame(received[..., step.map], step.rows, step.columns),
        "target": _frame(given[..., step.map], (step.row,), (step.column,)),
        "size": f"{len(step.rows)} × {len(step.columns)}",
    }


def _cells(
    values: Grid,
    limit: float,
    step: ConvolutionStep | None = None,
    shape: tuple[int, ...] | None = None,
) -> list[list[View]]:
    """Numbers with the opacity of their colour in percent, and whether they are padding."""
    return [
        [
            {
                "value": value,
                "strength": 0 if value != value else round(100 * min(abs(value) / limit, 1), 1),
                "sign": "below" if value < 0 else "above",
                "is_padding": value != value
                or (
                    step is not None
                    and shape is not None
                    and not (0 <= step.rows[i] < shape[0] and 0 <= step.columns[j] < shape[1])
                ),
                "is_chosen": False,
            }
            for j, value in enumerate(row)
        ]
        for i, row in enumerate(values)
    ]


def _frame(values: NDArray[np.generic], rows: Sequence[int], columns: Sequence[int]) -> View:
    """A feature map as an image, and the frame of a window in percent of its sides."""
    height, width = values.shape
    return {
        "picture": embed(encode_png(paint(values, find_limit(values)))),
        "height": height,
        "width": width,
        "top": round(100 * rows[0] / height, 3),
        "left": round(100 * columns[0] / width, 3),
        "tall": round(100 * (rows[-1] + 1 - rows[0]) / height, 3),
        "wide": round(100 * (columns[-1] + 1 - columns[0]) / width, 3),
    }
