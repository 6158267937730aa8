"""The pixels of a request's pictures, from their heads alone, and their bounds."""

from collections.abc import Sequence

from clearcnn.data.decode_image import decode
from clearcnn.data.image_files import quiet_pillow
from clearcnn.web.http_errors import Refusal
from clearcnn.web.multipart import NamedFile
from clearcnn.web.settings import ServeSettings

_SCAN, _JPEG = b"\xff\xda", b"\xff\xd8"
_USUAL_SCANS = 10


def count_pixels(pictures: Sequence[NamedFile], settings: ServeSettings) -> list[int]:
    """Count the pixels that are to be decoded, before any is.

    Args:
      pictures: names and contents of picture files.
      settings: with `max_pixels` and `max_request_pixels`.
    Returns:
      For each picture height × width; for a progressive JPEG with more scans than usual so many
      times more, since each scan goes over all pixels.
    Raises:
      DataError: one cannot be read.
      Refusal: 413, one has too many pixels, or all together have.
    """
    counts = [_count(name, content, settings.max_pixels) for name, content in pictures]
    total, most = sum(counts), settings.max_request_pixels
    if total > most:
        raise Refusal(
            413,
            f"The {len(counts)} pictures have {total:,} pixels together; at most {most:,} are "
            "taken in one request. (A JPEG counts once for every ten scans.)",
            remedy="Send fewer or smaller pictures in one request.",
        )
    return counts


def _count(name: str, content: bytes, most: int) -> int:
    with quiet_pillow():
        height, width = decode(content, name, measure_above=0).size
    if height * width > most:
        raise Refusal(
            413,
            f"{name} has {height}×{width} pixels; at most {most:,} are taken.",
            remedy="Make the picture smaller.",
        )
    scans = content.count(_SCAN) if content.startswith(_JPEG) else 1
    return height * width * max(1, scans // _USUAL_SCANS)
