"""What a layer does, in plain words, for the page that explains one image."""

from clearcnn.report.number_format import count, percent
from clearcnn.results.explain import LayerActivation

_WORDS = {
    "Conv2D": "{maps} slide over what came before. Each one answers, place by place, how well "
    "its pattern fits there; its answers are one feature map.",
    "DepthwiseConv2D": "Every map is looked at by filters of its own, which see no other map.",
    "SeparableConv2D": "Every map is filtered by itself; then the maps are mixed, place by place.",
    "MaxPooling2D": "A window moves over each map, and only the largest value in it is kept. The "
    "maps shrink, and a pattern that moves a little gives the same answer.",
    "AveragePooling2D": "A window moves over each map, and the mean of its values is kept. The "
    "maps shrink.",
    "GlobalMaxPooling2D": "Of each map one number is left: its largest.",
    "GlobalAveragePooling2D": "Of each map one number is left: its mean.",
    "BatchNormalization": "Each map is shifted and scaled by what training found to be usual.",
    "Rescaling": "Every pixel is multiplied by one number and another is added, so that the "
    "values lie around 0.",
    "ZeroPadding2D": "A border of zeros is put around every map.",
    "Dropout": "Does nothing here: it leaves values out at random, and only in training.",
    "Flatten": "Lays all values end to end. Nothing is computed.",
    "Dense": "{maps}: each adds up all values from before, every one times a weight of its own.",
}
_IDLE = ("Dropout", "Flatten")


def is_idle(layer: LayerActivation) -> bool:
    """Whether a layer passes its values on as they are, so that there is nothing to see."""
    return layer.summary.layer in _IDLE


def say_layer(layer: LayerActivation, *, is_last: bool, silent: int) -> str:
    """Say what a layer does, and what came of it on this image.

    Args:
      layer: measured on the image.
      is_last: it gives the probabilities.
      silent: maps, or units, that are 0 everywhere.
    Returns:
      One to four sentences.
    """
    summary, activation = layer.summary, _activation(layer)
    shape = summary.output_shape
    noun = "filter" if len(shape) > 1 else "unit"
    words = _WORDS.get(summary.layer, "").format(maps=count(shape[-1], noun))
    if summary.layer == "Dense" and is_last:
        words = (
            f"{count(shape[-1], 'sum')}, one for each class, over all values from before, every "
            "one times a weight of its own."
        )
    parts = [words]
    if activation == "relu":
        parts.append(
            f"Relu then sets what is below 0 to 0: here {percent(layer.zero_fraction)} % of the "
            "values."
        )
    elif activation == "softmax":
        parts.append("Softmax makes them probabilities.")
    elif activation:
        parts.append(f"Each value then goes through {activation}.")
    if silent and activation == "relu":
        things = count(silent, "map" if len(shape) > 1 else "unit")
        stay = "stays" if silent == 1 else "stay"
        parts.append(f"{things} of {shape[-1]:,} {stay} silent: 0 everywhere.")
    return " ".join(filter(None, parts))


def _activation(layer: LayerActivation) -> str | None:
    """Keras's name of the activation, which ends the layer's name in the model table."""
    name, kind = layer.summary.name, layer.summary.layer
    if kind == "Activation":
        return name.removeprefix("Activation ")
    facts = name.split(" · ")[1:]
    named = (fact for fact in facts if fact != "same" and fact.replace("_", "").isalnum())
    return next((fact for fact in named if fact[0].isalpha()), None)
