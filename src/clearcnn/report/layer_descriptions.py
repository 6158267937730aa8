"""Plain descriptions of layers, for the explanation of one image."""

from clearcnn.language import join, say, say_count
from clearcnn.report.number_format import percent
from clearcnn.results.explain import LayerActivation

_WORDS = {
    "DepthwiseConv2D": say("Each map has its own filters, which see no other map."),
    "SeparableConv2D": say(
        "Each map is filtered on its own; then the maps are combined at every position."
    ),
    "MaxPooling2D": say(
        "A window moves over each map and keeps only its largest value. The maps shrink, and "
        "a pattern that moves a little gives the same output."
    ),
    "AveragePooling2D": say(
        "A window moves over each map and keeps the mean of its values. The maps shrink."
    ),
    "GlobalMaxPooling2D": say("Keeps one number per map: its largest value."),
    "GlobalAveragePooling2D": say("Keeps one number per map: its mean."),
    "BatchNormalization": say(
        "Shifts and scales each map by the mean and variance found in training."
    ),
    "Rescaling": say(
        "Multiplies every value by one number and adds another. First in a network, it moves "
        "pixels to values around 0."
    ),
    "ZeroPadding2D": say("Adds a border of zeros around every map."),
    "Dropout": say("Does nothing here: it drops values at random in training only."),
    "Flatten": say("Arranges all values in one vector. Nothing is computed."),
}
_IDLE = ("Dropout", "Flatten")


def is_idle(layer: LayerActivation) -> bool:
    """Whether a layer passes its values on unchanged, so that it has nothing to show."""
    return layer.summary.layer in _IDLE


def describe_layer(layer: LayerActivation, *, is_last: bool, silent: int) -> str:
    """Describe what a layer does, and its result on this image.

    Args:
      layer: its activation on the image.
      is_last: whether it gives the probabilities.
      silent: feature maps or units that are 0 everywhere.
    Returns:
      One to four sentences.
    """
    summary, activation = layer.summary, _activation(layer)
    shape = summary.output_shape
    words = _WORDS.get(summary.layer, "")
    if summary.layer == "Conv2D":
        words = say_count(
            "{number:,} filter slides over the input. It measures at every position how well its "
            "pattern fits there; the results are one feature map.",
            "{number:,} filters slide over the input. Each one measures at every position how well "
            "its pattern fits there; the results are one feature map.",
            shape[-1],
        )
    elif summary.layer == "Dense" and not is_last:
        words = say_count(
            "{number:,} unit: a weighted sum of all inputs.",
            "{number:,} units: each is a weighted sum of all inputs.",
            shape[-1],
        )
    elif summary.layer == "Dense":
        words = say(
            "{shape} of all inputs, one per class.",
            shape=say_count("{number:,} weighted sum", "{number:,} weighted sums", shape[-1]),
        )
    parts = [words]
    if activation == "relu":
        parts.append(
            say(
                "Relu then sets negative values to 0: here {zero_fraction} % of the values.",
                zero_fraction=percent(layer.zero_fraction),
            )
        )
    elif activation == "softmax":
        parts.append(say("Softmax turns them into probabilities."))
    elif activation:
        parts.append(say("Then {activation} is applied to each value.", activation=activation))
    if silent and activation == "relu":
        parts.append(
            say_count(
                "{number:,} map of {total:,} stays inactive: 0 everywhere.",
                "{number:,} maps of {total:,} stay inactive: 0 everywhere.",
                silent,
                total=shape[-1],
            )
            if len(shape) > 1
            else say_count(
                "{number:,} unit of {total:,} stays inactive: 0 everywhere.",
                "{number:,} units of {total:,} stay inactive: 0 everywhere.",
                silent,
                total=shape[-1],
            )
        )
    return join(" ", filter(None, parts))


def _activation(layer: LayerActivation) -> str | None:
    """Keras's name of the activation, the last word of the layer's name in the model table."""
    name, kind = layer.summary.name, layer.summary.layer
    if kind == "Activation":
        return name.removeprefix("Activation ")
    facts = name.split(" · ")[1:]
    named = (fact for fact in facts if fact != "same" and fact.replace("_", "").isalnum())
    return next((fact for fact in named if fact[0].isalpha()), None)
