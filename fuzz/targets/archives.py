"""Zip and tar archives of class folders, and of a table of labels."""

import io
import tarfile
import zipfile
from collections.abc import Callable, Mapping

import numpy as np
from PIL import Image

from clearcnn.data.sources import load
from fuzz.target import Target, put

_NAMES = ("a/1.png", "a/2.png", "b/1.png", "b/2.png")

Files = Mapping[str, bytes]


def seeds() -> list[bytes]:
    """Archives of every kind, stored and compressed."""
    rng = np.random.default_rng(0)
    files = {name: _picture(rng) for name in _NAMES}
    table = {name.replace("/", "_"): content for name, content in files.items()}
    rows = [f"{name},{name[0]}" for name in table]
    table["metadata.csv"] = "\n".join(["file_name,label", *rows]).encode()
    packers = [_zip(zipfile.ZIP_STORED), _zip(zipfile.ZIP_DEFLATED)]
    packers += [_tar(mode) for mode in ("w:", "w:gz", "w:bz2", "w:xz")]
    return [pack(content) for content in (files, table) for pack in packers]


def read(content: bytes) -> None:
    """Read the archive as a source."""
    data = load(put("a.archive", content))
    assert len(data) >= 2
    assert all(len(name) > 0 for name in data.names)


def _picture(rng: np.random.Generator) -> bytes:
    file = io.BytesIO()
    Image.fromarray(rng.integers(0, 256, (3, 4), np.uint8)).save(file, "png")
    return file.getvalue()


def _zip(method: int) -> Callable[[Files], bytes]:
    def pack(files: Files) -> bytes:
        file = io.BytesIO()
        with zipfile.ZipFile(file, "w", method) as archive:
            for name, content in files.items():
                archive.writestr(name, content)
        return file.getvalue()

    return pack


def _tar(mode: str) -> Callable[[Files], bytes]:
    def pack(files: Files) -> bytes:
        file = io.BytesIO()
        with tarfile.open(fileobj=file, mode=mode) as archive:
            for name, content in files.items():
                member = tarfile.TarInfo(name)
                member.size = len(content)
                archive.addfile(member, io.BytesIO(content))
        return file.getvalue()

    return pack


TARGET = Target(seeds, read)
