"""The program of a worker process: `python -m clearcnn.data.decode_worker`.

A request is one line of JSON: [path, root] of each file. The answer is one line of JSON, with
[height, width, channels, dtype, notes] of each image, or null for what is left to the parent
process, and then the pixels of all images, one after another.
"""

import json
import signal
import sys
from functools import cache
from pathlib import Path

from clearcnn.data.decode_image import DecodedImage, decode
from clearcnn.data.resize import LARGEST_KEPT_SIDE
from clearcnn.data.safe_files import read_bytes
from clearcnn.errors import DataError


def main() -> None:
    """Answer requests until the parent process ends or closes the pipe."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for the parent, which ends this one.
    for line in sys.stdin.buffer:
        images = [_decode(path, root) for path, root in json.loads(line)]
        sys.stdout.buffer.write(json.dumps([_describe(image) for image in images]).encode() + b"\n")
        for image in images:
            if image is not None and image.pixels is not None:
                sys.stdout.buffer.write(image.pixels.tobytes())
        sys.stdout.buffer.flush()


def _decode(path: str, root: str | None) -> DecodedImage | None:
    """Decode a small image; None if it is large or cannot be read."""
    try:
        content = read_bytes(Path(path), None if root is None else _folder(root))
        image = decode(content, path, measure_above=LARGEST_KEPT_SIDE)
    except DataError:
        return None
    return None if image.pixels is None else image


_folder = cache(Path)  # Of many files, the same one.


def _describe(image: DecodedImage | None) -> tuple[object, ...] | None:
    if image is None or image.pixels is None:
        return None
    return *image.pixels.shape, image.pixels.dtype.str, image.notes


if __name__ == "__main__":
    main()
