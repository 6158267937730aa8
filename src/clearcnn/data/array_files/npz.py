"""NumPy archives: several arrays by name."""

from collections.abc import Callable, Collection, Sequence
from pathlib import Path
from zipfile import BadZipFile

from clearcnn.archives import open_archive
from clearcnn.data.array_files.npy import read_stream
from clearcnn.data.safe_files import check_decompressed_size, open_regular
from clearcnn.errors import DataError
from clearcnn.language import say
from clearcnn.types import Array


def read_arrays(
    path: Path, root: Path | None, choose: Callable[[Sequence[str]], Collection[str]]
) -> dict[str, Array]:
    """Read the chosen arrays of an NPZ file.

    Raises:
      DataError: it is no zip archive, decompresses too far, or an array is pickled or damaged.
    """
    try:
        with open_regular(path, root) as file, open_archive(file) as archive:
            members = {info.filename.removesuffix(".npy"): info for info in archive.infolist()}
            check_decompressed_size(sum(info.file_size for info in archive.infolist()), path)
            arrays = {}
            for name in choose(list(members)):
                with archive.open(members[name]) as stream:
                    size = members[name].file_size
                    arrays[name] = read_stream(stream, size, f"{path}: {name}")
            return arrays
    except DataError:
        raise
    except BadZipFile:
        reason = say("it is not a complete zip archive")
    except Exception:  # zipfile and NumPy raise almost any kind on broken files
        reason = say("an array in it is damaged, or has an unsupported format")
    raise DataError(
        say("{path} cannot be read as an NPZ file: {reason}.", path=path, reason=reason),
        remedy=say("Write the file again with numpy.savez."),
    )
