"""Output shape, parameters and multiply-adds of one layer."""

import math
from dataclasses import dataclass, replace

from clearcnn.models.sliding_window import windows_of
from clearcnn.specs import Arguments

Shape = tuple[int, ...]
"""(height, width, channels) of an image or (units,) of a vector, without the batch."""


@dataclass(frozen=True)
class Cost:
    """Output shape and cost of one layer for one image.

    Attributes:
      inner_values: intermediate values computed before the output.
    """

    output_shape: Shape
    parameters: int = 0
    multiply_adds: int = 0
    inner_values: int = 0


def cost_layer(layer: str, arguments: Arguments, shape: Shape) -> Cost:
    """Compute the output shape, parameters and multiply-adds of a layer.

    Args:
      layer: Keras's class name, one of the table's.
      arguments: all of them, as `complete_layer` gives them.
      shape: of one input; the layer must accept it.
    """
    match layer:
        case "Conv2D":
            filters = arguments["filters"]
            weights = math.prod(arguments["kernel_size"]) * shape[2] * filters
            return _cost_product(arguments, _count_places(arguments, shape), weights, filters)
        case "DepthwiseConv2D":
            deep = shape[2] * arguments["depth_multiplier"]
            weights = math.prod(arguments["kernel_size"]) * deep
            return _cost_product(arguments, _count_places(arguments, shape), weights, deep)
        case "SeparableConv2D":
            deep, filters = shape[2] * arguments["depth_multiplier"], arguments["filters"]
            # Depthwise kernels, then pointwise filters.
            weights = math.prod(arguments["kernel_size"]) * deep + deep * filters
            places = _count_places(arguments, shape)
            cost = _cost_product(arguments, places, weights, filters)
            return replace(cost, inner_values=math.prod(places) * deep)
        case "MaxPooling2D" | "AveragePooling2D":
            return Cost((*_count_places(arguments, shape), shape[2]))
        case "GlobalAveragePooling2D" | "GlobalMaxPooling2D":
            return Cost((shape[2],))
        case "ZeroPadding2D":
            rows, columns = arguments["padding"]
            return Cost((shape[0] + sum(rows), shape[1] + sum(columns), shape[2]))
        case "Flatten":
            return Cost((math.prod(shape),))
        case "Dense":
            units = arguments["units"]
            return _cost_product(arguments, shape[:-1], shape[-1] * units, units)
        case "BatchNormalization":
            # gamma, beta, and the non-trainable moving mean and variance.
            return Cost(shape, parameters=4 * shape[-1], multiply_adds=math.prod(shape))
        case "Rescaling":
            return Cost(shape, multiply_adds=math.prod(shape))
        case _:  # Activation and Dropout.
            return Cost(shape)


def _count_places(arguments: Arguments, shape: Shape) -> tuple[int, int]:
    rows, columns = windows_of(arguments)
    return rows.count_places(shape[0]), columns.count_places(shape[1])


def _cost_product(arguments: Arguments, places: Shape, weights: int, outputs: int) -> Cost:
    # Every weight is used once per output position; a bias is only added.
    return Cost(
        output_shape=(*places, outputs),
        parameters=weights + (outputs if arguments["use_bias"] else 0),
        multiply_adds=math.prod(places) * weights,
    )
