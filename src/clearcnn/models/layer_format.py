"""Text of layers and shapes, for people."""

from dataclasses import dataclass
from typing import Any

from clearcnn.language import join, say, say_count
from clearcnn.specs import Arguments


def describe_shape(shape: tuple[int, ...]) -> str:
    """Format a shape without its batch: "8×8×1" for an image, "90 values" for a vector."""
    if len(shape) > 1:
        return "×".join(str(side) for side in shape)
    return say_count("{number:,} value", "{number:,} values", shape[0])


@dataclass(frozen=True)
class Place:
    """A layer in a model and its input; as text "Layer 3 (MaxPooling2D on 6×6×10)".

    Attributes:
      position: 1 for the first layer.
      layer: Keras's class name, as it was written.
      shape: of one input without the batch; None if unknown.
    """

    position: int
    layer: str
    shape: tuple[int, ...] | None

    def __str__(self) -> str:
        received = (
            "" if self.shape is None else say(" on {shape}", shape=describe_shape(self.shape))
        )
        return say(
            "Layer {position} ({layer}{received})",
            position=self.position,
            layer=self.layer,
            received=received,
        )

    def values(self, **others: object) -> dict[str, object]:
        """Return the position and other values of an error about it."""
        return {"position": self.position, "layer": self.layer, "shape": self.shape, **others}


def describe_layer(layer: str, arguments: Arguments) -> str:
    """Format a layer and its main arguments: "Conv2D 10 · 3×3 · same · relu".

    Args:
      layer: Keras's class name.
      arguments: all of them, as `complete_layer` gives them.
    Returns:
      One short line, without arguments at their defaults.
    """
    facts = [_describe_argument(name, value, arguments) for name, value in arguments.items()]
    told = [fact for fact in facts if fact]
    return join(" ", (layer, join(" · ", told))) if told else layer


def _describe_argument(name: str, value: Any, arguments: Arguments) -> str:
    match name:
        case "filters" | "units":
            return str(value)
        case "rate":
            return f"{value:g}"
        case "kernel_size" | "pool_size":
            return describe_shape(value)
        case "strides" if value != arguments.get("pool_size", (1, 1)):
            return say("strides {value}", value=_describe_pair(value))
        case "dilation_rate" if value != (1, 1):
            return say("dilation {value}", value=_describe_pair(value))
        case "padding" if isinstance(value, tuple):
            return _describe_borders(*value)
        case "padding" if value == "same":
            return "same"
        case "depth_multiplier" if value != 1:
            return say("depth ×{value}", value=value)
        case "activation" if value != "linear" or len(arguments) == 1:
            return str(value)
        case "use_bias" if not value:
            return say("no bias")
        case "scale":
            return f"×{value:.4g}"
        case "offset" if value != 0:
            return f"{'+' if value > 0 else '−'}{abs(value):.4g}"
    return ""


def _describe_pair(pair: tuple[int, int]) -> str:
    return str(pair[0]) if pair[0] == pair[1] else describe_shape(pair)


def _describe_borders(rows: tuple[int, int], columns: tuple[int, int]) -> str:
    if rows[0] == rows[1] and columns[0] == columns[1]:
        return _describe_pair((rows[0], columns[0]))
    return f"{rows[0]}+{rows[1]} × {columns[0]}+{columns[1]}"
