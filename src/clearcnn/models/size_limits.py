"""Limits on the size of a model, checked before anything is built."""

import math

from clearcnn.errors import LayerError, SpecError
from clearcnn.language import say
from clearcnn.models.layer_costs import Cost
from clearcnn.models.layer_format import Place
from clearcnn.models.layers import POOLINGS
from clearcnn.specs import Arguments

MOST_LAYERS = 256
LARGEST_LENGTH = 4_096
"""Longest side of a feature map, in pixels, padding included."""
MOST_VALUES = 2**24
"""Values in one layer's output, or intermediate, for one image: 64 channels of 512×512, 64 MiB."""
MOST_PARAMETERS = 2**28
"""Parameters of a model: 1 GiB, and four times that in training."""
MOST_OPERATIONS = 2**34
"""Operations for one image: multiply-adds, pooled values, and 16 per output value, since memory
is slower than arithmetic. VGG-16 on 224×224 images needs about as many."""

_FOR_EACH_VALUE = 16

_REMEDY = say("Make the image, or the layers before it, smaller.")


def check_count(num_layers: int) -> None:
    """Raise a SpecError if a model has too many layers."""
    if num_layers > MOST_LAYERS:
        raise SpecError(
            say(
                "The model has {num_layers:,} layers; at most {most_layers} are built.",
                num_layers=num_layers,
                most_layers=MOST_LAYERS,
            ),
            remedy=say("Leave some out."),
            code="too_many_layers",
            values={"found": num_layers, "most": MOST_LAYERS},
        )


def check_size(place: Place, cost: Cost, parameters: int, operations: int) -> None:
    """Check the output and cost of one layer against the limits.

    Args:
      place: the layer.
      cost: of the layer.
      parameters, operations: of the model up to this layer.
    Raises:
      LayerError: a limit is exceeded; the message has the figures.
    """
    longest = max(cost.output_shape[:-1], default=1)
    values = max(math.prod(cost.output_shape), cost.inner_values)
    before = say("with the layers before it")
    for found, most, what, code in (
        (longest, LARGEST_LENGTH, say("pixels along one side"), "side_too_long"),
        (values, MOST_VALUES, say("values for one image"), "too_many_values"),
        (
            parameters,
            MOST_PARAMETERS,
            say("parameters, {before}", before=before),
            "parameters_to_build",
        ),
        (
            operations,
            MOST_OPERATIONS,
            say("operations for one image, {before}", before=before),
            "operations_to_build",
        ),
    ):
        if found > most:
            raise LayerError(
                say(
                    "{place} makes {found:,} {what}; at most {most:,} were expected of a "
                    "model for small images.",
                    place=place,
                    found=found,
                    what=what,
                    most=most,
                ),
                remedy=_REMEDY,
                code=code,
                values=place.values(found=found, most=most),
            )


def count_layer_operations(layer: str, arguments: Arguments, cost: Cost) -> int:
    """Count multiply-adds, values read by pooling windows, and output values."""
    values = math.prod(cost.output_shape)
    pooled = values * int(math.prod(arguments["pool_size"])) if layer in POOLINGS else 0
    return cost.multiply_adds + pooled + _FOR_EACH_VALUE * (values + cost.inner_values)
