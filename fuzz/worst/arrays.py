"""Archives and arrays that declare, or unfold to, more than there is."""

import gzip
import io
import struct
import zipfile
from pathlib import Path

import numpy as np

from clearcnn.data.forms.idx import read_idx
from clearcnn.data.sources import load
from fuzz.target import put
from fuzz.worst.case import Case


def idx(shape: tuple[int, ...], content: bytes = b"") -> Path:
    """An IDX file of bytes that declares a shape."""
    head = struct.pack(f">BBBB{len(shape)}I", 0, 0, 8, len(shape), *shape)
    return put("x-idx3-ubyte", head + content)


def npz(**members: bytes) -> Path:
    """An archive of these members, deflated."""
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in members.items():
            archive.writestr(f"{name}.npy", content)
    return put("a.npz", file.getvalue())


def npy(shape: tuple[int, ...], kind: str, content: bytes = b"") -> bytes:
    """An array that declares a shape and a dtype."""
    file = io.BytesIO()
    header = {"descr": kind, "fortran_order": False, "shape": shape}
    np.lib.format.write_array_header_1_0(file, header)
    return file.getvalue() + content


def directory() -> Path:
    """An archive that lists a million members."""
    name = b"x.npy"
    entry = struct.pack("<4s6H3L5H2L", b"PK\1\2", *[0] * 9, len(name), *[0] * 6) + name
    entries = entry * 1_000_000
    end = struct.pack("<4s4H2LH", b"PK\5\6", 0, 0, 0xFFFF, 0xFFFF, len(entries), 0, 0)
    return put("a.npz", entries + end)


def overlapping() -> Path:
    """An archive whose thousand members are the same hundred megabytes."""
    path = npz(x=bytes(100 * 2**20))
    content = path.read_bytes()
    start, end = content.index(b"PK\1\2"), content.index(b"PK\5\6")
    entries = b"".join(
        content[start:end].replace(b"x.npy", f"{k:05}".encode()) for k in range(1000)
    )
    last = struct.pack("<4s4H2LH", b"PK\5\6", 0, 0, 1000, 1000, len(entries), start, 0)
    return put("a.npz", content[:start] + entries + last)


def many_rows() -> Path:
    """A Parquet file whose two thousand rows are one megabyte in a dictionary."""
    import pyarrow
    from pyarrow import parquet

    cells = pyarrow.array([{"bytes": bytes(10**6), "path": "x"}] * 100)
    labels = pyarrow.array([k % 2 for k in range(100)])
    path = put("a.parquet", b"")
    table = pyarrow.table({"image": cells, "label": labels})
    with parquet.ParquetWriter(path, table.schema, compression="zstd") as writer:
        for _ in range(20):
            writer.write_table(table)
    return path


def one_cell() -> Path:
    """A Parquet file whose only picture is a quarter of a gigabyte of zeros."""
    import pyarrow
    from pyarrow import parquet

    table = pyarrow.table({"image": [bytes(2**28)], "label": [0]})
    path = put("a.parquet", b"")
    parquet.write_table(table, path, compression="zstd", use_dictionary=False)
    del table
    pyarrow.default_memory_pool().release_unused()
    return path


def refused(make: object) -> Case:
    """A source that must be refused."""
    return Case(make, load)


_LABELS = npy((6,), "<i8", bytes(48))
_HALF = np.tile(np.arange(2, dtype=np.uint8), 2**20 // 2)

CASES = {
    "IDX, 2^96 values": Case(lambda: idx((2**32 - 1,) * 3), read_idx),
    "IDX, four gigabytes": Case(lambda: idx((2**12, 2**10, 2**10)), read_idx),
    "IDX, a gzip bomb of 128 MB": Case(
        lambda: put("x.gz", gzip.compress(idx((2**17, 2**5, 2**5), bytes(2**27)).read_bytes(), 1)),
        read_idx,
    ),
    "NPZ, an array of 2^60": refused(lambda: npz(x=npy((2**60,), "<f8"), y=_LABELS)),
    "NPZ, an array of 2^64, which wraps to 0": refused(
        lambda: npz(x=npy((2**32, 2**32), "|u1"), y=_LABELS)
    ),
    "NPZ, 2^40 names of no letters": refused(
        lambda: npz(x=npy((2**40, 0, 0), "|u1"), y=npy((2**40,), "|S0"))
    ),
    "NPZ, a header of 8,000 brackets": refused(
        lambda: npz(x=b"\x93NUMPY\1\0" + struct.pack("<H", 8000) + b"(" * 8000, y=_LABELS)
    ),
    "NPZ, a bomb of 128 MB": refused(lambda: npz(x=npy((2**27,), "|u1", bytes(2**27)), y=_LABELS)),
    "NPZ, a thousand times the same 100 MB": refused(overlapping),
    "NPZ, a list of a million members": refused(directory),
    "NPZ, a million images in 200 kB": Case(
        lambda: npz(
            x=npy((2**20, 7, 7), "|u1", np.repeat(_HALF, 49).tobytes()),
            y=npy((2**20,), "|u1", _HALF.tobytes()),
        ),
        load,
        is_refused=False,
    ),
    "Parquet, 2 GB from a dictionary": refused(many_rows),
    "Parquet, a picture of 256 MB": refused(one_cell),
}
