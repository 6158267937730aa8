"""Whether a folder has image files anywhere."""

import os
from pathlib import Path

from clearcnn.data.decode_image import SUFFIXES
from clearcnn.data.safe_files import is_hidden


def has_images(folder: Path) -> bool:
    """Whether there is an image file in a folder or its subfolders; stops at the first one."""
    return any(
        Path(name).suffix.lower() in SUFFIXES
        for _, _, names in os.walk(folder)
        for name in names
        if not is_hidden(name)
    )
