"""Limits on the pixels of a request's images, checked from their headers before decoding."""

from collections.abc import Sequence

from clearcnn.data.decode_image import decode
from clearcnn.data.image_files import quiet_pillow
from clearcnn.language import say
from clearcnn.web.http_errors import Refusal
from clearcnn.web.multipart import NamedFile
from clearcnn.web.settings import ServeSettings

_SCAN, _JPEG = b"\xff\xda", b"\xff\xd8"
_USUAL_SCANS = 10


def count_pixels(pictures: Sequence[NamedFile], settings: ServeSettings) -> list[int]:
    """Count the pixels that would be decoded.

    Args:
      pictures: names and contents of image files.
      settings: with `max_pixels` and `max_request_pixels`.
    Returns:
      Height × width of each image. For a progressive JPEG with more than ten scans, multiplied by
      scans / 10, as each scan processes all pixels.
    Raises:
      DataError: an image cannot be read.
      Refusal: 413, one image or all together have too many pixels.
    """
    counts = [_count(name, content, settings.max_pixels) for name, content in pictures]
    total, most = sum(counts), settings.max_request_pixels
    if total > most:
        raise Refusal(
            413,
            say(
                "The {number} images have {total:,} pixels together; at most {most:,} are "
                "allowed in one request. (A JPEG counts once for every ten scans.)",
                number=len(counts),
                total=total,
                most=most,
            ),
            remedy=say("Send fewer or smaller images in one request."),
        )
    return counts


def _count(name: str, content: bytes, most: int) -> int:
    with quiet_pillow():
        height, width = decode(content, name, measure_above=0).size
    if height * width > most:
        raise Refusal(
            413,
            say(
                "{name} has {height}×{width} pixels; at most {most:,} are allowed.",
                name=name,
                height=height,
                width=width,
                most=most,
            ),
            remedy=say("Make the image smaller."),
        )
    scans = content.count(_SCAN) if content.startswith(_JPEG) else 1
    return height * width * max(1, scans // _USUAL_SCANS)
