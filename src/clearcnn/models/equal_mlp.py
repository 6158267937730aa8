"""An MLP with as many parameters as a given CNN, to compare the two."""

import math

from clearcnn.errors import SpecError
from clearcnn.language import say
from clearcnn.models.shape_inference import summarize_model
from clearcnn.specs import LayerSpec, ModelSpec

_HEADS = ("BatchNormalization", "Rescaling")


def make_equal_mlp(
    spec: ModelSpec, input_shape: tuple[int, int, int], num_classes: int
) -> ModelSpec:
    """Make the MLP with one hidden layer whose parameter count is closest to a model's.

    Leading layers that only rescale pixels are kept, so that both see the same values.

    Args:
      spec: the model to match.
      input_shape: (height, width, channels) of one image.
      num_classes: classes of the data, at least 1.
    Returns:
      Flatten, Dense with relu, Dense with softmax.
    Raises:
      LayerError, SpecError: the model is invalid, or smaller than any such MLP.
    """
    wanted = summarize_model(spec, input_shape).parameters
    inputs = math.prod(input_shape)
    smallest = (inputs + 1) + 2 * num_classes
    if wanted < smallest / 2:
        raise SpecError(
            say(
                "The model has {wanted:,} parameters; an MLP on {inputs:,} pixels and "
                "{num_classes} classes has at least {smallest:,}.",
                wanted=wanted,
                inputs=inputs,
                num_classes=num_classes,
                smallest=smallest,
            ),
            remedy=say("Make the model larger to compare the two."),
            code="mlp_too_large",
            values={
                "parameters": wanted,
                "inputs": inputs,
                "classes": num_classes,
                "smallest": smallest,
            },
        )
    units = max(1, round((wanted - num_classes) / (inputs + 1 + num_classes)))
    head = []
    for layer in spec.layers:
        if layer.layer not in _HEADS:
            break
        head.append(layer)
    return ModelSpec(
        "mlp",
        (
            *head,
            LayerSpec("Flatten"),
            LayerSpec("Dense", {"units": units, "activation": "relu"}),
            LayerSpec("Dense", {"units": num_classes, "activation": "softmax"}),
        ),
    )
