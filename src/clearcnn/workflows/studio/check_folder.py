"""Whether a folder is one that the studio can change: class folders with pictures in them."""

import os
from pathlib import Path

from clearcnn import data
from clearcnn.data.forms.table import BY_NAME
from clearcnn.data.safe_files import is_hidden
from clearcnn.data.sources import recognise
from clearcnn.data.split_names import parse_split_folders
from clearcnn.errors import StudioError


def check_folder(root: Path) -> None:
    """Check that a folder is empty or has nothing but class folders.

    Other layouts are read by `train`, but a picture in them has no one place for its class.

    Raises:
      StudioError: it has splits, a table of labels, pictures outside class folders, or folders in
        class folders.
    """
    with os.scandir(root) as found:
        entries = [entry for entry in found if not is_hidden(entry.name)]
    folders = [entry.name for entry in entries if entry.is_dir()]
    if splits := parse_split_folders(folders):
        raise _other(root, f"folders named after splits, {data.quote(sorted(splits), 3)}")
    if not entries:
        return
    form, _ = recognise(str(root))
    if form is not BY_NAME["folder"]:
        raise _other(root, f"images in another form, {form.name}")
    for entry in entries:
        if not entry.is_dir():
            if Path(entry.name).suffix.lower() in {".png", ".jpg", ".jpeg", ".csv", ".jsonl"}:
                raise _other(root, f"the file {entry.name!r} outside the class folders")
            continue
        if entry.is_symlink():
            raise _other(root, f"a link to a folder, {entry.name!r}")
        with os.scandir(entry.path) as found:
            inner = next((each.name for each in found if each.is_dir()), None)
        if inner is not None:
            raise _other(root, f"a folder {inner!r} in the class folder {entry.name!r}")


def _other(root: Path, what: str) -> StudioError:
    return StudioError(
        f"The studio cannot change {root}: it has {what}.",
        remedy="Open an empty folder, and add this one to it on the page under “a folder or file "
        "on this computer”.",
    )
