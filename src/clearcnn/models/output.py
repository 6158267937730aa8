"""A model must end in one probability per class."""

from clearcnn.errors import LayerError
from clearcnn.models.arithmetic import summarize_model
from clearcnn.models.costs import Shape
from clearcnn.models.layers import LAYERS, SHAPE_KEEPERS, complete_layer
from clearcnn.models.wording import describe_place, describe_shape
from clearcnn.results import ModelSummary
from clearcnn.specs import ModelSpec


def check_output(
    spec: ModelSpec, input_shape: tuple[int, int, int], num_classes: int
) -> ModelSummary:
    """Check that a model ends in one probability per class.

    Args:
      spec: the model.
      input_shape: (height, width, channels) of one image.
      num_classes: classes of the data, at least 1.
    Returns:
      The model's summary, which the check needs anyway.
    Raises:
      LayerError: the last layer gives another shape than (num_classes,), or no softmax; or a
        layer is impossible.
      SpecError: as `summarize_model` does.
    """
    summary = summarize_model(spec, input_shape)
    shapes = [input_shape, *(row.output_shape for row in summary.layers)]
    last = len(spec.layers)
    if shapes[last] != (num_classes,):
        raise _wrong_output(spec, shapes, num_classes)
    layer = spec.layers[-1]
    activation = complete_layer(layer, last).get("activation", "linear")
    if activation != "softmax":
        told = "no activation" if activation == "linear" else f'activation="{activation}"'
        raise LayerError(
            f"{describe_place(last, layer.layer, shapes[-2])} ends the model with {told}; softmax "
            f"was expected, which makes the {num_classes} values probabilities.",
            remedy='Give it activation="softmax".'
            if "activation" in LAYERS[layer.layer]
            else 'Put Activation with activation="softmax" last.',
        )
    return summary


def _wrong_output(spec: ModelSpec, shapes: list[Shape], num_classes: int) -> LayerError:
    # The layer to change is the one that gave the output its shape.
    position = len(spec.layers)
    while position > 1 and spec.layers[position - 1].layer in SHAPE_KEEPERS:
        position -= 1
    layer = spec.layers[position - 1].layer
    ending = f'Dense with units={num_classes} and activation="softmax"'
    if len(shapes[-1]) > 1:
        remedy = f"End the model with Flatten, then {ending}."
    elif layer == "Dense":
        remedy = f"Set its units to {num_classes}."
    else:
        remedy = f"End the model with {ending}."
    return LayerError(
        f"{describe_place(position, layer, shapes[position - 1])} leaves the model with "
        f"{describe_shape(shapes[-1])} at its end, but there are {num_classes} classes; one "
        "probability for each was expected.",
        remedy=remedy,
    )
