"""Whether a folder is one that the studio can change: class folders with pictures in them."""

import os
from pathlib import Path

from clearcnn import data
from clearcnn.data.forms.table import BY_NAME
from clearcnn.data.safe_files import is_hidden
from clearcnn.data.sources import recognise
from clearcnn.data.split_names import parse_split_folders
from clearcnn.errors import StudioError
from clearcnn.language import say


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
        raise _other(
            root, say("folders named after splits, {splits}", splits=data.quote(sorted(splits), 3))
        )
    if not entries:
        return
    form, _ = recognise(str(root))
    if form is not BY_NAME["folder"]:
        raise _other(root, say("images in another form, {name}", name=form.name))
    for entry in entries:
        if not entry.is_dir():
            if Path(entry.name).suffix.lower() in {".png", ".jpg", ".jpeg", ".csv", ".jsonl"}:
                raise _other(
                    root, say("the file {name!r} outside the class folders", name=entry.name)
                )
            continue
        if entry.is_symlink():
            raise _other(root, say("a link to a folder, {name!r}", name=entry.name))
        with os.scandir(entry.path) as found:
            inner = next((each.name for each in found if each.is_dir()), None)
        if inner is not None:
            raise _other(
                root,
                say(
                    "a folder {inner!r} in the class folder {name!r}", inner=inner, name=entry.name
                ),
            )


def _other(root: Path, what: str) -> StudioError:
    return StudioError(
        say("The studio cannot change {root}: it has {what}.", root=root, what=what),
        remedy=say(
            "Open an empty folder, and add this one to it on the page under “a folder or file "
            "on this computer”."
        ),
    )
