"""Trees of folders: any names, at any depth, with tables of labels beside them."""

import shutil
from pathlib import Path, PurePosixPath

from clearcnn.data.forms.folder_layout import lay_out
from clearcnn.data.forms.folder_tree import list_tree
from fuzz.target import Target, scratch


def seeds() -> list[bytes]:
    """Lists of files, one a line, as known data sets have them."""
    layouts = (
        ["cat/1.png", "cat/2.png", "dog/1.png"],
        ["train/a/1.png", "train/b/1.png", "test/a/1.png", "valid/b/2.png", "test.csv"],
        ["d/training_set/a/1.png", "d/training_set/b/1.png", "d/test_set/a/1.png", "d/one/1.png"],
        ["x/x/a/1.png", "x/x/b/1.png", "x/a/1.png", "x/b/1.png"],
        ["train/n1/images/1.png", "train/n2/images/1.png", "val/images/v.png", "val/w.png"],
        ["images/1.png", "images/2.png", "masks/1_mask.png", "masks/2_mask.png"],
        ["im/a/1.png", "im/b/1.png", "train.txt", "test.txt", "images.txt"],
        ["train/cat.0.png", "train/cat.1.png", "train/dog.0.png", "train/dog.1.png", "test/1.png"],
        ["Greek/c1/1.png", "Greek/d2/1.png", "loose.png", "Latin/c1/1.png"],
    )
    return ["\n".join(layout).encode() for layout in layouts]


def read(content: bytes) -> None:
    """Lay out the tree, stated to be class folders or not."""
    root = scratch() / "tree"
    shutil.rmtree(root, ignore_errors=True)
    root.mkdir()
    for line in content.decode("utf-8", "replace").split("\n")[:50]:
        _make(root, line)
    tree = list_tree(root)
    images = set(tree.all_images())
    for as_stated in (True, False):
        layout = lay_out(tree, as_stated=as_stated, may_be_empty=False)
        found = [p for each in layout.splits.values() for paths in each.values() for p in paths]
        assert len(found) == len(set(found))
        assert set(found) <= images
        # What is not read is said.
        assert len(found) == len(images) or layout.notes


def _make(root: Path, line: str) -> None:
    parts = PurePosixPath(line.replace("\0", "")).parts
    place = root.joinpath(*(part[:60] for part in parts[:40] if part not in ("..", "/", "//")))
    try:
        place.parent.mkdir(parents=True, exist_ok=True)
        place.touch()
    except OSError:
        return


TARGET = Target(seeds, read)
