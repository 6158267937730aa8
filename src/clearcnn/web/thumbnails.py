"""Small versions of pictures for the studio's page, made once and kept."""

import threading
from base64 import b64encode
from collections import OrderedDict
from io import BytesIO
from pathlib import Path

from PIL import Image

from clearcnn import data
from clearcnn.errors import ClearCNNError

_SIDE = 128
_QUALITY = 88
# Below this side, losses of JPEG would show: each pixel is enlarged.
_SMALLEST_JPEG = 48
_MOST_BYTES = 64 * 2**20

# Inode, time and size: a file that is moved into another class stays the same picture.
_Key = tuple[int, int, int]


class Thumbnails:
    """Makes thumbnails of the pictures of a folder, and keeps the latest up to 64 MiB.

    Methods may be called from any thread.

    Args:
      root: the class folder.
    """

    def __init__(self, root: Path) -> None:
        self._root = root
        self._lock = threading.Lock()
        self._known: OrderedDict[_Key, tuple[bytes, str]] = OrderedDict()
        self._bytes = 0

    def make(self, path: Path) -> tuple[bytes, str]:
        """Return (content, media type) of a picture as training reads it, with its aspect.

        Raises:
          DataError: it cannot be read as an image.
          OSError: there is no such file.
        """
        key = _identify(path)
        with self._lock:
            if key in self._known:
                self._known.move_to_end(key)
                return self._known[key]
        made = _encode(path, self._root)
        with self._lock:
            if key not in self._known:
                self._known[key] = made
                self._bytes += len(made[0])
            while self._bytes > _MOST_BYTES:
                self._bytes -= len(self._known.popitem(last=False)[1][0])
        return made

    def tag(self, path: Path) -> str:
        """Return the HTTP entity tag of a picture, which stays when it is moved.

        Raises:
          OSError: there is no such file.
        """
        return f'"{"-".join(f"{each:x}" for each in _identify(path))}"'

    def as_address(self, path: Path) -> str | None:
        """Return a thumbnail as a `data:` address; None if the picture cannot be read."""
        try:
            content, kind = self.make(path)
        except (ClearCNNError, OSError):
            return None
        return f"data:{kind};base64,{b64encode(content).decode()}"


def _identify(path: Path) -> _Key:
    found = path.stat()
    return found.st_ino, found.st_mtime_ns, found.st_size


def _encode(path: Path, root: Path) -> tuple[bytes, str]:
    image = Image.fromarray(data.read_thumbnail(path, root, _SIDE))
    file = BytesIO()
    if min(image.size) < _SMALLEST_JPEG:
        image.save(file, "PNG", compress_level=1)
        return file.getvalue(), "image/png"
    image.save(file, "JPEG", quality=_QUALITY)
    return file.getvalue(), "image/jpeg"
