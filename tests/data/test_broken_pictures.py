"""What is said of pictures that are broken."""

from io import BytesIO

import numpy as np
from PIL import Image

from clearcnn.data.decode_image import decode
from clearcnn.errors import DataError


def _saved(image: Image.Image, kind: str, **options) -> bytes:
    buffer = BytesIO()
    image.save(buffer, kind, **options)
    return buffer.getvalue()


def test_words_of_pillow_never_reach_people():
    """Broken in the header, in the middle and at the end, in every format."""
    words = "Pillow", "decoder", "codec", "C ssize_t", "bytes not processed", "Error", "unpack"
    words += (
        "NoneType",
        "index out of",
        "file is truncated",
        "struct",
        "argument",
        "PIL",
        "identify",
    )
    rng = np.random.default_rng(0)
    grey = rng.integers(0, 256, (40, 40), np.uint8)
    for kind in ("PNG", "JPEG", "BMP", "GIF", "WEBP", "TIFF"):
        whole = _saved(Image.fromarray(grey), kind)
        refused = 0
        for _ in range(200):
            content = bytearray(whole)
            for place in rng.integers(0, rng.choice([16, 64, len(whole)]), 3):
                content[place % len(content)] = rng.choice([0, 255, rng.integers(256)])
            try:
                decode(bytes(content[: rng.integers(1, 2 * len(whole))]), "x")
            except DataError as error:
                refused += 1
                assert not [word for word in words if word in error.problem], error.problem
        assert refused > 20
