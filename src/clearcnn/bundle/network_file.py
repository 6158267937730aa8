"""`model.keras` before anyone opens it: only what Keras puts there, and no larger than it must."""

import io
import math
import zipfile
from pathlib import Path

from clearcnn.archives import open_archive
from clearcnn.errors import BundleError

WEIGHTS = "model.weights.h5"

_MEMBERS = {"metadata.json", "config.json", WEIGHTS}
_MOST_CONFIG_BYTES = 4 * 2**20
# Adam keeps two more numbers for each weight; HDF5 adds some bytes for each array.
_MOST_COPIES = 4
_ROOM_BYTES = 2**20


def check_network_file(path: Path, parameters: int) -> None:
    """Check the archive of a Keras model by its members, and its weights by what they declare.

    Nothing in it may be compressed, as Keras leaves it, so that the file's size bounds what is
    read. Arrays that are larger than what holds them, or lie in other files, are refused.

    Args:
      path: a `.keras` file.
      parameters: of the model that its weights are for.
    Raises:
      BundleError: it is no archive, has other members than Keras writes, or they have a size
        that a model of so many parameters cannot have.
    """
    try:
        with path.open("rb") as file, open_archive(file) as archive:
            members = archive.infolist()
    except Exception as error:  # zipfile raises almost any kind on broken files.
        raise _strange(path, "it is no archive") from error
    names = sorted(member.filename for member in members)
    if names != sorted(_MEMBERS):
        shown = ", ".join(repr(name[:100]) for name in names[:4]) or "nothing"
        raise _strange(path, f"it holds {shown}, and {', '.join(sorted(_MEMBERS))} were expected")
    for member in members:
        if member.compress_type != zipfile.ZIP_STORED or member.file_size != member.compress_size:
            raise _strange(path, f"its {member.filename} is compressed, which Keras does not do")
        least, most = 0, _MOST_CONFIG_BYTES
        if member.filename == WEIGHTS:
            least, most = 4 * parameters, 4 * parameters * _MOST_COPIES + _ROOM_BYTES
        if not least <= member.file_size <= most:
            raise _strange(
                path,
                f"its {member.filename} has {member.file_size:,} bytes; from {least:,} to "
                f"{most:,} were expected for {parameters:,} parameters",
            )
    _check_arrays(path)


def _check_arrays(path: Path) -> None:
    # It comes with Keras, and takes a while to load.
    import h5py

    num_bytes, problems = 0, []

    def visit(name: str, item: object) -> None:
        nonlocal num_bytes
        if isinstance(item, h5py.Dataset):
            num_bytes += math.prod(item.shape or ()) * item.dtype.itemsize
            if item.external or item.is_virtual:
                problems.append(f"its array {name[:100]!r} lies in another file")

    try:
        with zipfile.ZipFile(path) as archive, archive.open(WEIGHTS) as stream:
            content = stream.read()
        with h5py.File(io.BytesIO(content), "r") as file:
            file.visititems(visit)
    except Exception as error:  # HDF5 has many ways to say that a file is broken.
        raise _strange(path, f"its {WEIGHTS} cannot be read") from error
    if num_bytes > len(content):
        problems.append(f"its arrays declare {num_bytes:,} bytes, more than there are")
    if problems:
        raise _strange(path, problems[0])


def _strange(path: Path, what: str) -> BundleError:
    return BundleError(
        f"{path} is not as clearcnn writes it: {what}.",
        remedy="Restore it from a copy, or train again.",
    )
