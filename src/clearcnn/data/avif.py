"""Which image an ISO media file has: AVIF, which Pillow decodes, or HEIC, which it does not."""

from typing import Literal

from PIL import features

from clearcnn.data.image_error import ImageError
from clearcnn.language import say

_AVIF = frozenset([b"avif", b"avis"])
_HEIC = frozenset([b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx"])
_SHARED = frozenset([b"mif1", b"msf1", b"miaf"])
_MOST_BRANDS = 64

HEIC = say("a HEIC image")
"""What a HEIC file is, in messages."""


def find_media_kind(content: bytes) -> Literal["AVIF", "HEIC"] | None:
    """Detect AVIF and HEIC by the brands at the beginning of a file.

    Source: ISO/IEC 14496-12, section 4.3, "File Type Box".
    """
    if content[4:8] != b"ftyp":
        return None
    end = min(int.from_bytes(content[:4], "big"), 16 + 4 * _MOST_BRANDS, len(content))
    brands = {content[8:12]} | {content[k : k + 4] for k in range(16, end - 3, 4)}
    major = content[8:12]
    if major in _AVIF or (major in _SHARED and brands & _AVIF):
        return "AVIF"
    return "HEIC" if brands & _HEIC else None


def require_avif() -> None:
    """Raise an ImageError if this Pillow was built without AVIF."""
    if not features.check("avif"):
        raise ImageError(
            say("it is AVIF, and this build of Pillow cannot decode AVIF"),
            say("Install Pillow's own wheel, or save the image as PNG or JPEG."),
        )


def refuse_heic() -> ImageError:
    """The error about a HEIC image.

    None of the decoders for Python is used: docs/licences.md says why.
    """
    return ImageError(
        say("it is a HEIC image, which clearcnn does not decode"),
        say(
            "Convert it to JPEG or PNG: on a Mac with sips -s format jpeg *.heic --out "
            "FOLDER, elsewhere with ImageMagick; on an iPhone, set Camera > Formats to Most "
            "Compatible."
        ),
        HEIC,
    )
