"""`model.keras` before anyone opens it: only what Keras puts there, and no larger than it must."""

import zipfile
from pathlib import Path

from clearcnn.errors import BundleError

WEIGHTS = "model.weights.h5"

_MEMBERS = {"metadata.json", "config.json", WEIGHTS}
_MOST_CONFIG_BYTES = 4 * 2**20
# Adam keeps two more numbers for each weight; HDF5 adds some bytes for each array.
_MOST_COPIES = 4
_ROOM_BYTES = 2**20


def check_network_file(path: Path, parameters: int) -> None:
    """Check the archive of a Keras model by its list of members, without unpacking any.

    Nothing in it may be compressed, as Keras leaves it, so that the file's size bounds what is
    read.

    Args:
      path: a `.keras` file.
      parameters: of the model that its weights are for.
    Raises:
      BundleError: it is no archive, has other members than Keras writes, or they have a size
        that a model of so many parameters cannot have.
    """
    try:
        with zipfile.ZipFile(path) as archive:
            members = archive.infolist()
    except (OSError, zipfile.BadZipFile, NotImplementedError, UnicodeDecodeError) as error:
        raise _strange(path, "it is no archive") from error
    names = sorted(member.filename for member in members)
    if names != sorted(_MEMBERS):
        shown = ", ".join(map(repr, names[:4])) or "nothing"
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


def _strange(path: Path, what: str) -> BundleError:
    return BundleError(
        f"{path} is not as clearcnn writes it: {what}.",
        remedy="Restore it from a copy, or train again.",
    )
