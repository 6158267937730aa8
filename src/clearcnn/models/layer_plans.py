"""What each layer of a model takes, gives and learns: names and shapes, without Keras."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from clearcnn.models.layer_costs import Shape
from clearcnn.models.layers import complete_layer, name_layers
from clearcnn.models.output_layer import check_output
from clearcnn.specs import ModelSpec


@dataclass(frozen=True)
class LayerPlan:
    """One layer as it will be built.

    Attributes:
      kind: Keras's class name.
      name: its own.
      arguments: all of them, as `complete_layer` gives them.
      input_shape, output_shape: of one image, without the batch.
      weights: their shapes by Keras's names, in the order of the Keras layer's `weights`.
    """

    kind: str
    name: str
    arguments: Mapping[str, Any]
    input_shape: Shape
    output_shape: Shape
    weights: Mapping[str, Shape]


def plan_layers(
    spec: ModelSpec, input_shape: tuple[int, int, int], num_classes: int
) -> tuple[LayerPlan, ...]:
    """Plan every layer of a model that ends in one probability per class.

    Args:
      spec, input_shape, num_classes: as for `check_output`.
    Raises:
      LayerError, SpecError: as `check_output`.
    """
    summary = check_output(spec, input_shape, num_classes)
    plans: list[LayerPlan] = []
    shape: Shape = input_shape
    rows = zip(spec.layers, name_layers(spec.layers), summary.layers, strict=True)
    for position, (layer, name, row) in enumerate(rows, start=1):
        arguments = complete_layer(layer, position)
        weights = _shape_weights(layer.layer, arguments, shape)
        plans.append(LayerPlan(layer.layer, name, arguments, shape, row.output_shape, weights))
        shape = row.output_shape
    return tuple(plans)


def _shape_weights(layer: str, arguments: Mapping[str, Any], shape: Shape) -> dict[str, Shape]:
    match layer:
        case "Conv2D":
            outputs = arguments["filters"]
            weights = {"kernel": (*arguments["kernel_size"], shape[2], outputs)}
        case "DepthwiseConv2D":
            multiplier = arguments["depth_multiplier"]
            outputs = shape[2] * multiplier
            weights = {"kernel": (*arguments["kernel_size"], shape[2], multiplier)}
        case "SeparableConv2D":
            multiplier, outputs = arguments["depth_multiplier"], arguments["filters"]
            weights = {
                "depthwise_kernel": (*arguments["kernel_size"], shape[2], multiplier),
                "pointwise_kernel": (1, 1, shape[2] * multiplier, outputs),
            }
        case "Dense":
            outputs = arguments["units"]
            weights = {"kernel": (shape[-1], outputs)}
        case "BatchNormalization":
            names = ("gamma", "beta", "moving_mean", "moving_variance")
            return dict.fromkeys(names, (shape[-1],))
        case _:
            return {}
    if arguments["use_bias"]:
        weights["bias"] = (outputs,)
    return weights
