"""A plain network without convolutions, as large as a given one: what convolution is worth."""

import math

from clearcnn.errors import SpecError
from clearcnn.models.shape_inference import summarize_model
from clearcnn.specs import LayerSpec, ModelSpec

_HEADS = ("BatchNormalization", "Rescaling")


def make_equal_mlp(
    spec: ModelSpec, input_shape: tuple[int, int, int], num_classes: int
) -> ModelSpec:
    """Make the network of one hidden Dense layer whose parameters come nearest to a model's.

    Layers that only scale the pixels stay in front, so that both see the same values.

    Args:
      spec: the model to match.
      input_shape: (height, width, channels) of one image.
      num_classes: classes of the data, at least 1.
    Returns:
      Flatten, Dense with relu, Dense with softmax.
    Raises:
      LayerError, SpecError: the model is not in order, or smaller than any such network.
    """
    wanted = summarize_model(spec, input_shape).parameters
    inputs = math.prod(input_shape)
    smallest = (inputs + 1) + 2 * num_classes
    if wanted < smallest / 2:
        raise SpecError(
            f"The model has {wanted:,} parameters; an MLP on {inputs:,} pixels and {num_classes} "
            f"classes has at least {smallest:,}.",
            remedy="Make the model larger to compare the two.",
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
