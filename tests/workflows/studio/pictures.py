"""Small pictures of noise, one colour stronger than the others."""

from io import BytesIO

import numpy as np
from PIL import Image


def make_png(number: int, channel: int = 0, side: int = 12) -> bytes:
    random = np.random.default_rng(number)
    pixels = random.integers(0, 100, (side, side, 3)).astype(np.uint8)
    pixels[..., channel] += 120
    file = BytesIO()
    Image.fromarray(pixels).save(file, "PNG")
    return file.getvalue()
