"""The output layer must give one probability per class."""

from clearcnn.errors import LayerError
from clearcnn.models.layer_costs import Shape
from clearcnn.models.layer_format import Place, describe_shape
from clearcnn.models.layers import LAYERS, SHAPE_KEEPERS, complete_layer
from clearcnn.models.shape_inference import summarize_model
from clearcnn.results.train import ModelSummary
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
      The model's summary, a by-product of the check.
    Raises:
      LayerError: the output shape is not (num_classes,), softmax is missing, or a layer does not
        fit its input.
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
        place, can_have_one = (
            Place(last, layer.layer, shapes[-2]),
            "activation" in LAYERS[layer.layer],
        )
        raise LayerError(
            f"{place} ends the model with {told}; softmax was expected, which makes the "
            f"{num_classes} values probabilities.",
            remedy='Give it activation="softmax".'
            if can_have_one
            else 'Put Activation with activation="softmax" last.',
            code="no_softmax" if can_have_one else "no_softmax_layer",
            values=place.values(activation=activation, classes=num_classes),
        )
    return summary


def _wrong_output(spec: ModelSpec, shapes: list[Shape], num_classes: int) -> LayerError:
    # Report the layer that determines the output shape.
    position = len(spec.layers)
    while position > 1 and spec.layers[position - 1].layer in SHAPE_KEEPERS:
        position -= 1
    layer = spec.layers[position - 1].layer
    ending = f'Dense with units={num_classes} and activation="softmax"'
    if len(shapes[-1]) > 1:
        code, remedy = "output_image", f"End the model with Flatten, then {ending}."
    elif layer == "Dense":
        code, remedy = "output_units", f"Set its units to {num_classes}."
    else:
        code, remedy = "output_layer", f"End the model with {ending}."
    place = Place(position, layer, shapes[position - 1])
    return LayerError(
        f"{place} leaves the model with {describe_shape(shapes[-1])} at its end, but there are "
        f"{num_classes} classes; one probability for each was expected.",
        remedy=remedy,
        code=code,
        values=place.values(output=shapes[-1], classes=num_classes),
    )
