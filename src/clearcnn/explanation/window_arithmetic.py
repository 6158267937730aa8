"""The arithmetic of one window: the largest value of a convolution and of a pooling."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from clearcnn.backend import load_keras
from clearcnn.explanation.activations import Passage
from clearcnn.results.explain import ChannelProducts, ConvolutionStep, Grid, PoolingStep

load_keras()

if TYPE_CHECKING:
    import keras

MOST_CHANNELS = 4
_POOLINGS = {"MaxPooling2D": "max", "AveragePooling2D": "average"}


def convolve_once(layers: "Sequence[keras.Layer]", passage: Passage) -> ConvolutionStep | None:
    """Compute the largest value of the first Conv2D or DepthwiseConv2D, step by step.

    Args:
      layers: of the model.
      passage: inputs and outputs of its layers.
    Returns:
      Every factor, product and sum in float64, beside what Keras computed in float32; None if
      the model has no such layer.
    """
    index = _find(layers, ("Conv2D", "DepthwiseConv2D"))
    if index is None:
        return None
    layer, values, output = layers[index], passage.inputs[index], passage.outputs[index]
    row, column, number = _strongest(output)
    kernel = np.asarray(layer.kernel, dtype=np.float64)
    if type(layer).__name__ == "Conv2D":
        sees, kernel = range(kernel.shape[2]), kernel[..., number]
    else:
        channel, multiplied = divmod(number, kernel.shape[3])
        sees, kernel = range(channel, channel + 1), kernel[:, :, channel, multiplied][..., None]
    sides = zip(
        values.shape[:2], layer.kernel_size, layer.strides, layer.dilation_rate, strict=True
    )
    rows, columns = (
        _positions(*side, same=layer.padding == "same", place=place)
        for side, place in zip(sides, (row, column), strict=True)
    )
    window = _cut(values.astype(np.float64), rows, columns, outside=0.0)[..., sees]
    products = window * kernel
    sums = products.sum(axis=(0, 1))
    shown = sorted(np.argsort(-np.abs(sums), kind="stable")[:MOST_CHANNELS].tolist())
    bias = 0.0 if layer.bias is None else float(np.asarray(layer.bias)[number])
    total = float(sums.sum()) + bias
    return ConvolutionStep(
        position=index + 1,
        filter=number,
        row=row,
        column=column,
        rows=rows,
        columns=columns,
        channels=tuple(
            ChannelProducts(
                channel=sees[k],
                window=_grid(window[..., k]),
                kernel=_grid(kernel[..., k]),
                products=_grid(products[..., k]),
                sum=float(sums[k]),
            )
            for k in shown
        ),
        other_channels=len(sums) - len(shown),
        other_sum=float(sums.sum() - sums[shown].sum()),
        bias=bias,
        total=total,
        activation=layer.activation.__name__,
        result=float(layer.activation(np.float32(total))),
        keras=float(output[row, column, number]),
    )


def pool_once(layers: "Sequence[keras.Layer]", passage: Passage) -> PoolingStep | None:
    """Compute the largest value of the first MaxPooling2D or AveragePooling2D.

    Args:
      layers: of the model.
      passage: inputs and outputs of its layers.
    Returns:
      The window and its maximum or mean; None if the model has no such layer.
    """
    index = _find(layers, tuple(_POOLINGS))
    if index is None:
        return None
    layer, values, output = layers[index], passage.inputs[index], passage.outputs[index]
    row, column, number = _strongest(output)
    sides = zip(values.shape[:2], layer.pool_size, layer.strides, (1, 1), strict=True)
    rows, columns = (
        _positions(*side, same=layer.padding == "same", place=place)
        for side, place in zip(sides, (row, column), strict=True)
    )
    window = _cut(values[..., number].astype(np.float64), rows, columns, outside=np.nan)
    kind = _POOLINGS[type(layer).__name__]
    return PoolingStep(
        position=index + 1,
        kind=kind,
        map=number,
        row=row,
        column=column,
        rows=rows,
        columns=columns,
        window=_grid(window),
        result=float(np.nanmax(window) if kind == "max" else np.nanmean(window)),
        keras=float(output[row, column, number]),
    )


def _find(layers: "Sequence[keras.Layer]", kinds: tuple[str, ...]) -> int | None:
    return next((k for k, layer in enumerate(layers) if type(layer).__name__ in kinds), None)


def _strongest(output: NDArray[np.float32]) -> tuple[int, int, int]:
    row, column, number = np.unravel_index(output.argmax(), output.shape)
    return int(row), int(column), int(number)


def _positions(
    length: int, size: int, stride: int, dilation: int, *, same: bool, place: int
) -> tuple[int, ...]:
    """Positions along one side that a window at `place` covers; those outside are padding."""
    extent = (size - 1) * dilation + 1
    num_places = -(-length // stride)
    missing = max((num_places - 1) * stride + extent - length, 0)
    # Odd padding goes to the end, as in Keras on every backend.
    start = place * stride - (missing // 2 if same else 0)
    return tuple(range(start, start + extent, dilation))


def _cut(
    values: NDArray[np.float64], rows: Sequence[int], columns: Sequence[int], outside: float
) -> NDArray[np.float64]:
    height, width = values.shape[:2]
    window: NDArray[np.float64] = values[np.clip(rows, 0, height - 1)][
        :, np.clip(columns, 0, width - 1)
    ]
    seen_rows = [0 <= row < height for row in rows]
    seen_columns = [0 <= column < width for column in columns]
    window[~np.outer(seen_rows, seen_columns)] = outside
    return window


def _grid(values: NDArray[np.float64]) -> Grid:
    return tuple(tuple(map(float, row)) for row in values)
