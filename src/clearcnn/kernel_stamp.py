"""The version of the compiled CPU kernels: a hash of the sources that they are built from.

`native/build.py` loads this file by its path, so it imports nothing of clearcnn.
"""

import hashlib
from pathlib import Path

_SOURCES = ("*.cpp", "*.h", "build.py", "exports.map")


def hash_sources(folder: Path) -> str:
    """Hash the names and the contents of the kernels' sources.

    Args:
      folder: `training/cpu_kernels/native`.
    Returns:
      Sixteen hexadecimal digits.
    """
    digest = hashlib.sha256()
    for path in sorted(path for pattern in _SOURCES for path in folder.glob(pattern)):
        content = path.read_bytes()
        digest.update(f"{path.name} {len(content)}\n".encode() + content)
    return digest.hexdigest()[:16]
