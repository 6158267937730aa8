"""Checkpoints with a checksum that fits, and more in them than their size tells."""

import hashlib
import io
import zipfile

from clearcnn.checkpoints import FACTS, decode_checkpoint
from fuzz.worst.case import Case


def seal(facts: bytes, *, entries: int = 0) -> bytes:
    """A checkpoint of these facts, with so many empty members."""
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_STORED) as archive:
        archive.writestr(zipfile.ZipInfo(FACTS), facts)
        for number in range(entries):
            archive.writestr(zipfile.ZipInfo(f"{number}"), b"")
        archive.comment = bytes(64)
    content = file.getvalue()[:-64]
    return content + hashlib.sha256(content).hexdigest().encode()


def facts(part: bytes, times: int) -> bytes:
    """Facts with a list of one thing, again and again."""
    return seal(b'{"epoch": 1, "history": [' + part * times + b"0]}")


def read(content: bytes) -> None:
    """Read the checkpoint."""
    decode_checkpoint(content, "checkpoint.npz")


CASES = {
    "checkpoint, 20 million empty objects": Case(lambda: facts(b"{},", 20_000_000), read),
    "checkpoint, 12 million empty lists": Case(lambda: facts(b"[],", 12_000_000), read),
    "checkpoint, 10 million short texts": Case(lambda: facts(b'"ab",', 10_000_000), read),
    "checkpoint, nested a million times": Case(lambda: facts(b"[", 1_000_000), read),
    "checkpoint, 60,000 members": Case(lambda: seal(b'{"epoch": 1}', entries=60_000), read),
}
