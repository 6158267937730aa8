"""Bodies with a Content-Encoding."""

import gzip
import zlib

from clearcnn.web.request_body import _inflate
from fuzz.target import Target

_MOST = 10_000


def seeds() -> list[bytes]:
    """Something, gzipped and deflated."""
    return [gzip.compress(b"abc" * 99, mtime=0), zlib.compress(bytes(_MOST)), gzip.compress(b"")]


def read(content: bytes) -> None:
    """Unpack it both ways."""
    bits = 31 if content.startswith(b"\x1f\x8b") else 15
    assert len(_inflate(content, bits, _MOST)) <= _MOST


TARGET = Target(seeds, read)
