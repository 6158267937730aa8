"""The supported layers: Keras's names, arguments and defaults, in one table."""

import itertools
import re
import reprlib
from collections.abc import Mapping, Sequence
from typing import Any

from clearcnn.errors import LayerError, SpecError
from clearcnn.language import say
from clearcnn.models.layer_arguments import (
    ACTIVATION,
    BORDERS,
    COUNT,
    FLAG,
    NAME,
    NUMBER,
    PADDING,
    SHARE,
    SIDES,
    SMALL,
    Argument,
)
from clearcnn.models.layer_format import Place
from clearcnn.specs import Arguments, LayerSpec, ModelSpec
from clearcnn.spelling import suggest

_FILTERS = {"filters": Argument(COUNT, required=True)}
_KERNEL = {
    "kernel_size": Argument(SIDES, required=True),
    "strides": Argument(SIDES, (1, 1)),
    "padding": Argument(PADDING, "valid"),
    "dilation_rate": Argument(SIDES, (1, 1)),
}
_DEPTH = {"depth_multiplier": Argument(COUNT, 1)}
_RESPONSE = {"activation": Argument(ACTIVATION, "linear"), "use_bias": Argument(FLAG, True)}
_PLACES = {
    "strides": Argument(SIDES),  # The default is pool_size.
    "padding": Argument(PADDING, "valid"),
}

LAYERS: Mapping[str, Mapping[str, Argument]] = {
    "Activation": {"activation": Argument(ACTIVATION, required=True)},
    "AveragePooling2D": {"pool_size": Argument(SIDES, required=True), **_PLACES},
    "BatchNormalization": {
        "momentum": Argument(SHARE, 0.99),
        "epsilon": Argument(SMALL, 1e-3),
    },
    "Conv2D": {**_FILTERS, **_KERNEL, **_RESPONSE},
    "Dense": {"units": Argument(COUNT, required=True), **_RESPONSE},
    "DepthwiseConv2D": {**_KERNEL, **_DEPTH, **_RESPONSE},
    "Dropout": {"rate": Argument(SHARE, required=True)},
    "Flatten": {},
    "GlobalAveragePooling2D": {},
    "GlobalMaxPooling2D": {},
    "MaxPooling2D": {"pool_size": Argument(SIDES, (2, 2)), **_PLACES},
    "Rescaling": {"scale": Argument(NUMBER, required=True), "offset": Argument(NUMBER, 0.0)},
    "SeparableConv2D": {**_FILTERS, **_KERNEL, **_DEPTH, **_RESPONSE},
    "ZeroPadding2D": {"padding": Argument(BORDERS, ((1, 1), (1, 1)))},
}

CONVOLUTIONS = ("Conv2D", "DepthwiseConv2D", "SeparableConv2D")
POOLINGS = ("AveragePooling2D", "MaxPooling2D")
GLOBAL_POOLINGS = ("GlobalAveragePooling2D", "GlobalMaxPooling2D")
SHAPE_KEEPERS = ("Activation", "BatchNormalization", "Dropout", "Rescaling")

INPUT_NAME = "image"
"""Keras's name of the input layer; no other layer may have it."""

_NAME = {"name": Argument(NAME)}  # Every layer has one.


def complete_layer(
    layer: LayerSpec, position: int, shape: tuple[int, ...] | None = None
) -> dict[str, Any]:
    """Validate one layer against the table, and fill in Keras's defaults.

    Args:
      layer: as it was written.
      position: 1 for the first layer.
      shape: of one input without the batch, for the messages; None where it is not known.
    Returns:
      All arguments except `name`, in canonical form, in the table's order.
    Raises:
      LayerError: the layer or an argument is unknown, or a value is missing or out of range.
    """
    if layer.layer not in LAYERS:
        near = suggest(layer.layer, LAYERS)
        place = Place(position, reprlib.repr(layer.layer), shape)
        raise LayerError(
            say(
                "{place} is unknown; expected one of {layers}.",
                place=place,
                layers=", ".join(LAYERS),
            ),
            remedy=say("Did you mean {near}?", near=near)
            if near
            else say("Choose a layer from these."),
            code="unknown_layer",
            values=place.values(known=tuple(LAYERS), near=near),
        )
    place = Place(position, layer.layer, shape)
    table = LAYERS[layer.layer]
    for name in layer.arguments:
        if name not in {**table, **_NAME}:
            raise _unknown_argument(place, name, [*table, *_NAME])
    plain = {
        name: _parse_argument(place, name, argument, layer.arguments)
        for name, argument in {**table, **_NAME}.items()
    }
    del plain["name"]
    if "pool_size" in plain and plain["strides"] is None:
        plain["strides"] = plain["pool_size"]
    if "dilation_rate" in plain and max(plain["strides"]) > 1 < max(plain["dilation_rate"]):
        raise LayerError(
            say(
                "{place} has strides={strides} and dilation_rate={dilation}: Keras lets one of "
                "them be above 1, not both.",
                place=place,
                strides=plain["strides"],
                dilation=plain["dilation_rate"],
            ),
            remedy=say("Leave out strides or dilation_rate."),
            code="strides_and_dilation",
            values=place.values(strides=plain["strides"], dilation_rate=plain["dilation_rate"]),
        )
    return plain


def name_layers(layers: Sequence[LayerSpec]) -> tuple[str, ...]:
    """Name every layer: by its `name`, or else by class and number, such as "conv2d_1".

    Args:
      layers: in order, each of them known.
    Returns:
      One unique name per layer, deterministic.
    Raises:
      LayerError: two layers have the same name.
    """
    given = [layer.arguments.get("name") for layer in layers]
    owners = {INPUT_NAME: say("the input")}
    for position, (layer, name) in enumerate(zip(layers, given, strict=True), start=1):
        if name is None:
            continue
        if name in owners:
            place = Place(position, layer.layer, None)
            raise LayerError(
                say(
                    "{place} has name={name!r}, which {owner} has already; each name may be "
                    "there once.",
                    place=place,
                    name=name,
                    owner=owners[name],
                ),
                remedy=say("Give it another name, or none."),
                code="name_taken",
                values=place.values(name=name),
            )
        owners[name] = say("layer {position}", position=position)
    names = []
    for layer, name in zip(layers, given, strict=True):
        if name is None:
            kind = re.sub(r"(?<=[a-z])(?=[A-Z])", "_", layer.layer).lower()
            numbered = (f"{kind}_{number}" for number in itertools.count(1))
            name = next(candidate for candidate in numbered if candidate not in owners)
            owners[name] = kind
        names.append(name)
    return tuple(names)


def check_model(spec: ModelSpec) -> None:
    """Validate everything about a model that does not depend on the image shape.

    Raises:
      SpecError: the model has no layers, or an invalid name.
      LayerError: a layer is invalid.
    """
    try:
        NAME.parse(spec.name)
    except ValueError:
        raise SpecError(
            say(
                "The model has name={name}; {expected} was expected.",
                name=_show(spec.name),
                expected=NAME.expected,
            ),
            remedy=say('Give it a name such as name = "small".'),
            code="model_name",
            values={"name": _show(spec.name), **NAME.values()},
        ) from None
    if not spec.layers:
        raise SpecError(
            say("The model {name!r} has no layers; at least one was expected.", name=spec.name),
            remedy=say('Add layers that end with Dense and activation="softmax".'),
            code="no_layers",
        )
    for position, layer in enumerate(spec.layers, start=1):
        complete_layer(layer, position)
    name_layers(spec.layers)


def _show(value: object) -> str:
    try:
        return reprlib.repr(value)
    # Python limits the length of integers in decimal notation.
    except ValueError:
        return say("a number of thousands of digits")


def _unknown_argument(place: Place, name: str, known: Sequence[str]) -> LayerError:
    near = suggest(name, known)
    return LayerError(
        say(
            "{place} has no argument {name}: it takes {known}.",
            place=place,
            name=reprlib.repr(name),
            known=", ".join(known),
        ),
        remedy=say("Did you mean {near}?", near=near) if near else say("Leave it out."),
        code="unknown_argument",
        values=place.values(argument=reprlib.repr(name), known=tuple(known), near=near),
    )


def _parse_argument(place: Place, name: str, argument: Argument, given: Arguments) -> Any:
    kind = argument.kind
    if name not in given:
        if argument.required:
            raise LayerError(
                say(
                    "{place} has no {name}; {expected} was expected.",
                    place=place,
                    name=name,
                    expected=kind.expected,
                ),
                remedy=say(
                    "Add {name}, such as {name} = {example}.", name=name, example=kind.example
                ),
                code="missing_argument",
                values=place.values(argument=name, **kind.values()),
            )
        return argument.default
    value = given[name]
    if value is None and argument.default is None and not argument.required:
        return None
    try:
        return kind.parse(value)
    except ValueError:
        near = suggest(value, kind.choices) if isinstance(value, str) else None
        raise LayerError(
            say(
                "{place} has {name}={value}; {expected} was expected.",
                place=place,
                name=name,
                value=_show(value),
                expected=kind.expected,
            ),
            remedy=say('Did you mean "{near}"?', near=near)
            if near
            else say(
                "Give it a value such as {name} = {example}.", name=name, example=kind.example
            ),
            code="wrong_value",
            values=place.values(argument=name, given=_show(value), near=near, **kind.values()),
        ) from None
