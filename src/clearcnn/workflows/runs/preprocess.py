"""Preprocess an image of any size, colour and polarity for a model."""

from dataclasses import replace

import numpy as np

from clearcnn import data
from clearcnn.contract import InputContract
from clearcnn.data import PreparedImage, infer_polarity
from clearcnn.language import say
from clearcnn.types import Pixels

POLARITY_NAMES = {"light_on_dark": say("light on dark"), "dark_on_light": say("dark on light")}


def prepare_image(
    content: bytes | Pixels, name: str, contract: InputContract, *, keep_polarity: bool = False
) -> PreparedImage:
    """Preprocess an image file for a model, and describe each conversion.

    Colour, size and value range are converted as they were for training. An image whose polarity
    is clearly the opposite of the training images' is inverted.

    Args:
      content: the bytes of the file; or (height, width, channels) pixels on the scale of the
        training images.
      name: of the image, for errors.
      contract: the model's input contract.
      keep_polarity: never invert.
    Returns:
      PreparedImage.
    Raises:
      DataError: it cannot be read, or has float values, whose range is unknown.
    """
    if isinstance(content, bytes):
        image = data.prepare_image(
            content,
            name,
            size=contract.shape[:2],
            color_mode=contract.color_mode,
            dtype=contract.dtype,
            value_range=contract.value_range,
        )
    else:
        image = data.prepare_pixels(
            content,
            name,
            size=contract.shape[:2],
            color_mode=contract.color_mode,
            dtype=contract.dtype,
        )
    return image if keep_polarity else match_polarity(image, contract)


def match_polarity(image: PreparedImage, contract: InputContract) -> PreparedImage:
    """Invert an image whose polarity is clearly the opposite of the training images'.

    Args:
      image: (height, width, channels) as in the contract.
      contract: the model's input contract.
    Returns:
      PreparedImage; if it was inverted, its preparation says so.
    """
    polarity = find_opposite_polarity(image.pixels, contract)
    if polarity is None:
        return image
    sentence = say(
        "Inverted: the image is {polarity}, and the model was trained on {polarity_names} images.",
        polarity=polarity,
        polarity_names=POLARITY_NAMES[contract.polarity],
    )
    return replace(
        image,
        pixels=invert_pixels(image.pixels, contract.value_range),
        preparation=(*image.preparation, sentence),
    )


def find_opposite_polarity(pixels: Pixels, contract: InputContract) -> str | None:
    """Return an image's polarity if it is clearly the opposite of the training images'.

    Args:
      pixels: (height, width, channels) as in the contract.
      contract: the model's input contract.
    Returns:
      "light on dark" or "dark on light"; None if it is the same or either polarity is unknown.
    """
    if contract.polarity == "unknown":
        return None
    polarity = infer_polarity(pixels[np.newaxis], contract.value_range)
    return None if polarity in ("unknown", contract.polarity) else POLARITY_NAMES[polarity]


def invert_pixels(pixels: Pixels, value_range: tuple[float, float]) -> Pixels:
    """Invert an image within its value range; shape and dtype stay."""
    low, high = value_range
    inverted: Pixels = (low + high - pixels.astype(np.float64)).astype(pixels.dtype)
    return inverted
