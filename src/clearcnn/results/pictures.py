"""Images kept beside a result, to be shown in a notebook; they are not part of its JSON."""

from dataclasses import Field, dataclass
from typing import Any

from clearcnn.language import say
from clearcnn.types import Pixels

NOT_IN_JSON = {"in_json": False}
"""The metadata of a dataclass field that is not written as JSON."""


@dataclass(frozen=True, eq=False)
class Pictures:
    """Images, and the values shown as black and white.

    Attributes:
      images: (n, height, width, channels), any real dtype.
      value_range: the smallest and largest value an image of this kind may have.
    """

    images: Pixels
    value_range: tuple[float, float]

    def __repr__(self) -> str:
        return say(
            "Pictures({num_images} of {shape})",
            num_images=len(self.images),
            shape=self.images.shape[1:],
        )


def is_in_json(each: "Field[Any]") -> bool:
    """Whether a dataclass field is written as JSON."""
    return bool(each.metadata.get("in_json", True))
