"""The output layer must give one probability per class."""

from clearcnn.errors import LayerError
from clearcnn.language import say
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
        told = say("no activation") if activation == "linear" else f'activation="{activation}"'
        place, can_have_one = (
            Place(last, layer.layer, shapes[-2]),
            "activation" in LAYERS[layer.layer],
        )
        raise LayerError(
            say(
                "{place} ends the model with {told}; softmax was expected, which makes the "
                "{num_classes} values probabilities.",
                place=place,
                told=told,
                num_classes=num_classes,
            ),
            remedy=say('Give it activation="softmax".')
            if can_have_one
            else say('Put Activation with activation="softmax" last.'),
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
    ending = say('Dense with units={num_classes} and activation="softmax"', num_classes=num_classes)
    if len(shapes[-1]) > 1:
        code, remedy = (
            "output_image",
            say("End the model with Flatten, then {ending}.", ending=ending),
        )
    elif layer == "Dense":
        code, remedy = (
            "output_units",
            say("Set its units to {num_classes}.", num_classes=num_classes),
        )
    else:
        code, remedy = "output_layer", say("End the model with {ending}.", ending=ending)
    place = Place(position, layer, shapes[position - 1])
    return LayerError(
        say(
            "{place} leaves the model with {output} at its end, but there are {num_classes} "
            "classes; one probability for each was expected.",
            place=place,
            output=describe_shape(shapes[-1]),
            num_classes=num_classes,
        ),
        remedy=remedy,
        code=code,
        values=place.values(output=shapes[-1], classes=num_classes),
    )
