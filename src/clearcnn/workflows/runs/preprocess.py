"""A picture of any size, colour and polarity, made like those a model was trained on."""

from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from clearcnn import data
from clearcnn.contract import InputContract
from clearcnn.data import PreparedImage, infer_polarity

POLARITY_NAMES = {"light_on_dark": "light on dark", "dark_on_light": "dark on light"}


def prepare_picture(
    content: bytes, name: str, contract: InputContract, *, keep_polarity: bool = False
) -> PreparedImage:
    """Make a picture like those the model was trained on, and say what was done.

    Colour, size and values are brought to the contract as they were for training. Where the
    training pictures had light figures on dark ground and this one clearly has the opposite,
    or the other way round, light and dark are exchanged.

    Args:
      content: the whole file.
      name: what to call the picture in an error.
      contract: of the model.
      keep_polarity: leave light and dark as they are.
    Returns:
      PreparedImage.
    Raises:
      DataError: it cannot be read, or holds floats, whose range nobody can know.
    """
    picture = data.prepare_image(
        content,
        name,
        size=contract.shape[:2],
        color_mode=contract.color_mode,
        dtype=contract.dtype,
        value_range=contract.value_range,
    )
    seen = None if keep_polarity else find_opposite(picture.pixels, contract)
    if seen is None:
        return picture
    sentence = (
        f"Light and dark exchanged: it is {seen}, and the model was trained on "
        f"{POLARITY_NAMES[contract.polarity]}."
    )
    return replace(
        picture,
        pixels=exchange_light_and_dark(picture.pixels, contract.value_range),
        preparation=(*picture.preparation, sentence),
    )


def find_opposite(pixels: NDArray[Any], contract: InputContract) -> str | None:
    """Tell whether figure and ground are clearly the other way round than in training.

    Args:
      pixels: (height, width, channels) as the contract wants them.
      contract: of the model.
    Returns:
      What the picture is, "light on dark" or "dark on light", if the training pictures were
      the opposite; None if they were not, or if it is unknown of either.
    """
    if contract.polarity == "unknown":
        return None
    seen = infer_polarity(pixels[np.newaxis], contract.value_range)
    return None if seen in ("unknown", contract.polarity) else POLARITY_NAMES[seen]


def exchange_light_and_dark(pixels: NDArray[Any], value_range: tuple[float, float]) -> NDArray[Any]:
    """Exchange light and dark within the range of values; shape and dtype stay."""
    low, high = value_range
    turned: NDArray[Any] = (low + high - pixels.astype(np.float64)).astype(pixels.dtype)
    return turned
