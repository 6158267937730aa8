"""Shape inference: shapes, parameters, multiply-adds and receptive fields, without Keras."""

import math

from clearcnn.errors import LayerError, SpecError
from clearcnn.language import say
from clearcnn.models.layer_costs import Shape, cost_layer
from clearcnn.models.layer_format import Place, describe_layer, describe_shape
from clearcnn.models.layers import CONVOLUTIONS, POOLINGS, check_model, complete_layer
from clearcnn.models.receptive_field import ReceptiveField
from clearcnn.models.size_limits import check_count, check_size, count_layer_operations
from clearcnn.models.sliding_window import windows_of
from clearcnn.results.train import LayerSummary, ModelSummary
from clearcnn.specs import Arguments, ModelSpec


def summarize_model(spec: ModelSpec, input_shape: tuple[int, int, int]) -> ModelSummary:
    """Compute the output shape and cost of every layer of a model.

    Multiply-adds are those of inference: products with kernels (padding included), and one for
    each value that BatchNormalization or Rescaling scales and shifts. Biases, activations and
    pooling are not counted.

    Args:
      spec: the model.
      input_shape: (height, width, channels) of one image, each at least 1.
    Returns:
      The rows of the model table in order, and their totals.
    Raises:
      LayerError: a layer is invalid, does not fit its input shape, or is too large.
      SpecError: the model has no layers or too many, an invalid name, or an invalid input shape.
    """
    _check_input_shape(input_shape)
    shape: Shape = input_shape
    field = ReceptiveField.of_image(input_shape)
    check_count(len(spec.layers))
    rows = []
    parameters = operations = 0
    for position, layer in enumerate(spec.layers, start=1):
        arguments = complete_layer(layer, position, shape)
        _check_fit(position, layer.layer, arguments, shape)
        cost = cost_layer(layer.layer, arguments, shape)
        parameters += cost.parameters
        operations += count_layer_operations(layer.layer, arguments, cost)
        check_size(Place(position, layer.layer, shape), cost, parameters, operations)
        field = field.after(layer.layer, arguments, flat=len(shape) == 1)
        inputs, outputs = math.prod(shape), math.prod(cost.output_shape)
        rows.append(
            LayerSummary(
                name=describe_layer(layer.layer, arguments),
                layer=layer.layer,
                output_shape=cost.output_shape,
                parameters=cost.parameters,
                receptive_field=field.size,
                multiply_adds=cost.multiply_adds,
                dense_parameters=(inputs + 1) * outputs if "kernel_size" in arguments else None,
            )
        )
        shape = cost.output_shape
    check_model(spec)  # Last, since the errors above are more specific.
    return ModelSummary(
        name=spec.name,
        input_shape=input_shape,
        layers=tuple(rows),
        parameters=parameters,
        multiply_adds=sum(row.multiply_adds for row in rows),
        mlp_parameters=sum(
            row.parameters if row.dense_parameters is None else row.dense_parameters for row in rows
        ),
    )


def count_operations(spec: ModelSpec, input_shape: tuple[int, int, int]) -> int:
    """Count what a model does for one image, by which the time of an answer can be estimated.

    Args:
      spec, input_shape: as for `summarize_model`, which must have found them in order.
    Returns:
      Multiply-adds, values that pooling takes in, and sixteen for each value that a layer gives.
    """
    shape: Shape = input_shape
    operations = 0
    for position, layer in enumerate(spec.layers, start=1):
        arguments = complete_layer(layer, position, shape)
        cost = cost_layer(layer.layer, arguments, shape)
        operations += count_layer_operations(layer.layer, arguments, cost)
        shape = cost.output_shape
    return operations


def _check_input_shape(shape: tuple[int, ...]) -> None:
    if len(shape) != 3 or any(side < 1 for side in shape):
        raise SpecError(
            say(
                "input_shape={shape} is not the shape of an image: (height, width, channels), "
                "each at least 1, was expected.",
                shape=shape,
            ),
            remedy=say("Give a shape such as (8, 8, 1)."),
            code="input_shape",
            values={"shape": shape},
        )


def _check_fit(position: int, layer: str, arguments: Arguments, shape: Shape) -> None:
    # In Keras, the name of every layer that needs an image ends with 2D.
    place = Place(position, layer, shape)
    if layer.endswith("2D") and len(shape) != 3:
        raise LayerError(
            say("{place} needs an image, height×width×channels, not a vector.", place=place),
            remedy=say("Move it before the layer that flattens the image."),
            code="needs_image",
            values=place.values(),
        )
    if layer not in CONVOLUTIONS and layer not in POOLINGS:
        return
    windows = windows_of(arguments)
    sides = zip(windows, shape[:2], strict=True)
    if any(window.count_places(side) < 1 for window, side in sides):
        needed = describe_shape(tuple(window.extent for window in windows))
        size = "kernel_size" if layer in CONVOLUTIONS else "pool_size"
        raise LayerError(
            say(
                "{place} needs at least {needed} pixels but receives {shape}: nothing would "
                "be left of the image.",
                place=place,
                needed=needed,
                shape=describe_shape(shape[:2]),
            ),
            remedy=say(
                'Give it padding="same" or a smaller {size}, or shrink the image less before.',
                size=size,
            ),
            code="too_small",
            values=place.values(needed=needed, received=describe_shape(shape[:2]), size=size),
        )
