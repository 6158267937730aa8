"""Archives and arrays that declare, or unfold to, more than there is."""

import gzip
import io
import struct
import zipfile
import zlib
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


def matlab(shape: tuple[int, ...], content: bytes, *, packed: bool = False) -> Path:
    """A MATLAB file with one array x of bytes that declares a shape."""
    element = struct.pack("<IIIII", 6, 8, 9, 0, 5) + struct.pack("<I", 4 * len(shape))
    element += struct.pack(f"<{len(shape)}i", *shape) + bytes(4 * (len(shape) % 2))
    element += struct.pack("<II", 1, 1) + b"x" + bytes(7)
    element += struct.pack("<II", 2, len(content)) + content
    whole = struct.pack("<II", 14, len(element)) + element
    if packed:
        body = zlib.compress(whole, 9)
        whole = struct.pack("<II", 15, len(body)) + body
    return put("a.mat", b"MATLAB 5.0".ljust(124) + b"\0\1IM" + whole)


def nested(depth: int) -> Path:
    """A MATLAB file of structs within structs, each declared to hold the rest of the file."""
    flags = struct.pack("<IIII", 6, 8, 2, 0) + struct.pack("<IIii", 5, 8, 1, 1)
    names = flags + struct.pack("<II", 1, 1) + b"x" + bytes(7)
    field = struct.pack("<HHi", 5, 4, 8) + struct.pack("<II", 1, 8) + b"a" + bytes(7)
    body = b""
    for _ in range(depth):
        inner = names + field + body
        body = struct.pack("<II", 14, len(inner)) + inner
    return put("a.mat", b"MATLAB 5.0".ljust(124) + b"\0\1IM" + body)


def hdf5(shape: tuple[int, ...], **options: object) -> Path:
    """An HDF5 file with a dataset x of zeros, of which nothing or packed chunks are stored."""
    import h5py

    path = put("a.h5", b"")
    with h5py.File(path, "w") as file:
        file.create_dataset("x", shape, "u1", **options)
        file["y"] = np.zeros(6, np.uint8)
    return path


def linked() -> Path:
    """An HDF5 file whose arrays are links to another file."""
    import h5py

    other = hdf5((6, 4, 4)).rename(put("b.h5", b""))
    path = put("a.h5", b"")
    with h5py.File(path, "w") as file:
        for name in ("x", "y"):
            file[name] = h5py.ExternalLink(str(other), name)
    return path


def outside() -> Path:
    """An HDF5 file whose images are the bytes of another file."""
    return hdf5((6, 4, 4), external=[(str(put("secret", bytes(96))), 0, 96)])


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
    "MATLAB, an array of 2^62": refused(lambda: matlab((2**31 - 1, 2**31 - 1), bytes(64))),
    "MATLAB, a bomb of 128 MB": refused(lambda: matlab((2**17, 2**10), bytes(2**27), packed=True)),
    "MATLAB, structs in structs, 3,000 deep": refused(lambda: nested(3_000)),
    "HDF5, 2^60 bytes of which none are stored": refused(lambda: hdf5((2**40, 2**10, 2**10))),
    "HDF5, a bomb of 128 MB": refused(
        lambda: hdf5((2**17, 2**5, 2**5), chunks=(2**14, 2**5, 2**5), compression="gzip")
    ),
    "HDF5, a chunk of 1 GB": refused(
        lambda: hdf5((6, 4, 4), maxshape=(None,) * 3, chunks=(2**10, 2**10, 2**10))
    ),
    "HDF5, links to another file": refused(linked),
    "HDF5, pixels from another file": refused(outside),
    "NPY, an array of 2^60": refused(lambda: put("x.npy", npy((2**60,), "<f8"))),
    "CIFAR, one byte too many": refused(lambda: put("test_batch.bin", bytes(3074))),
    "Parquet, 2 GB from a dictionary": refused(many_rows),
    "Parquet, a picture of 256 MB": refused(one_cell),
}
