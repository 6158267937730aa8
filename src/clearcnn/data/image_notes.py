"""What was converted while images were decoded, as sentences."""

from collections.abc import Callable

from clearcnn.language import say

# Each is described for the images, such as "3 images".
NOTES: dict[str, Callable[[str], str]] = {
    "turned": lambda images: say(
        "{images} rotated or flipped according to the EXIF orientation.", images=images
    ),
    "transparent": lambda images: say(
        "{images} with transparency composited on white.", images=images
    ),
    "animated": lambda images: say(
        "{images} with several frames; only the first was read.", images=images
    ),
    "reduced": lambda images: say("{images} with 16 bits a channel converted to 8.", images=images),
    "converted": lambda images: say(
        "{images} converted to RGB from another colour space.", images=images
    ),
    "greys": lambda images: say(
        "{images} stored in colour, but with only grey pixels, read as greyscale.", images=images
    ),
    "greyed": lambda images: say(
        "{images} in colour converted to greyscale (ITU-R 601-2 luma).", images=images
    ),
}
