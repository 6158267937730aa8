"""Lists of the training and test images beside class folders.

Food-101 has `meta/train.txt` and `meta/test.txt`, whose lines are paths without an extension; CUB
has `images.txt` with a number and a path, and `train_test_split.txt` with the number and 1 for
training.
"""

from collections.abc import Mapping, Sequence
from itertools import islice
from pathlib import Path

from clearcnn.data.forms.folder_tree import FolderTree
from clearcnn.data.label_tables.named_files import NamedFiles
from clearcnn.data.split_names import parse_split_name
from clearcnn.data.tables import open_text, read_lines
from clearcnn.errors import DataError
from clearcnn.language import say, say_count

Classes = dict[str, list[Path]]

_MOST_LINES = 2_000_000
_NUMBERS, _SPLIT_OF_NUMBER = "images.txt", "train_test_split.txt"


def split_by_lists(
    classes: Mapping[str, Sequence[Path]], tree: FolderTree
) -> tuple[dict[str | None, Classes], tuple[str, ...]]:
    """Split the images of classes as lists in the tree say.

    Args:
      classes: class name → its images.
      tree: the folder that the user named.
    Returns:
      (splits, sentences): split name → class name → images; all without a split (None) if there are
      no lists, or if they do not name these images, which a sentence says.
    """
    whole: dict[str | None, Classes] = {None: {name: [*paths] for name, paths in classes.items()}}
    files = {path.name.lower(): path for path in tree.all_others()}
    listed = _read_numbers(files, tree) or _read_lists(files, tree)
    if not {"train", "test"} <= {*listed} and not {"train", "validation"} <= {*listed}:
        return whole, ()
    images = [path for paths in classes.values() for path in paths]
    known = NamedFiles(tree.path, images)
    split_of: dict[str, str] = {}
    for split, names in listed.items():
        for name in names:
            found = known.find(name)
            if len(found) != 1 or found[0] in split_of:
                what = say("is in two lists") if len(found) == 1 else say("is no image beside it")
                return whole, (
                    say(
                        "The lists of the splits {listed} were not used: {name} {what}.",
                        listed=", ".join(listed),
                        name=name[:80],
                        what=what,
                    ),
                )
            split_of[found[0]] = split
    by_path = dict(zip(images, known.paths, strict=True))
    splits: dict[str | None, Classes] = {
        split: {
            name: [path for path in paths if split_of.get(by_path[path]) == split]
            for name, paths in classes.items()
        }
        for split in ("train", "validation", "test")
        if split in listed
    }
    said = [say("Splits read from lists of images: {listed}.", listed=", ".join(listed))]
    if left := len(images) - len(split_of):
        said.append(
            say_count(
                "Left out {number:,} image that no list names.",
                "Left out {number:,} images that no list names.",
                left,
            )
        )
    return splits, tuple(said)


def _read_lists(files: Mapping[str, Path], tree: FolderTree) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for path in files.values():
        split = parse_split_name(path.stem) if path.suffix.lower() == ".txt" else None
        if split is not None and split not in found:
            lines = _read(path, tree)
            if lines:
                found[split] = lines
    return found


def _read_numbers(files: Mapping[str, Path], tree: FolderTree) -> dict[str, list[str]]:
    if not {_NUMBERS, _SPLIT_OF_NUMBER} <= {*files}:
        return {}
    paths = dict(line.split(maxsplit=1) for line in _read(files[_NUMBERS], tree) if " " in line)
    found: dict[str, list[str]] = {}
    for line in _read(files[_SPLIT_OF_NUMBER], tree):
        number, _, is_train = line.partition(" ")
        if number in paths and is_train.strip() in ("0", "1"):
            split = "train" if is_train.strip() == "1" else "test"
            found.setdefault(split, []).append(paths[number])
    return found


def _read(path: Path, tree: FolderTree) -> list[str]:
    """Read the lines that are not empty; none of a file that is no text."""
    try:
        with open_text(path, tree.path) as text:
            lines = (line.strip() for line in islice(read_lines(text, path), _MOST_LINES))
            return [line for line in lines if line]
    except DataError:
        return []
