"""A journal from elsewhere cannot reach outside its folder."""

import json

import pytest

from clearcnn.errors import DataError
from clearcnn.workflows.studio.class_folder import ClassFolder

OUTSIDE = ["../secret.txt", "/secret.txt", "a/../../secret.txt", "..\\secret.txt", 1]


@pytest.mark.parametrize("path", OUTSIDE)
def test_undo_never_touches_what_lies_outside(tmp_path, png, path):
    (tmp_path / "secret.txt").write_text("mine")
    root = tmp_path / "photos"
    if path == "/secret.txt":
        path = str(tmp_path / "secret.txt")
    opened = ClassFolder(root)
    opened.add_class("a")
    opened.close()
    (journal,) = root.rglob("journal.jsonl")
    with journal.open("a", encoding="utf-8") as file:
        for renames in ([["", path]], [["a/x.png", path]], [1], [["a"]]):
            file.write(json.dumps(["move", "", renames]) + "\n")
    again = ClassFolder(root)
    assert again.undo() == ("new_class", 1)
    assert again.undo() is None
    again.close()
    assert (tmp_path / "secret.txt").read_text() == "mine"


@pytest.mark.parametrize(
    "renames", [["", ".x/secret.txt"], ["a/1.png", ".x/secret.txt"], [".x/1.png", "a/mine.png"]]
)
def test_undo_follows_no_link_out_of_the_folder(tmp_path, png, renames):
    home, root = tmp_path / "home", tmp_path / "photos"
    home.mkdir()
    (home / "secret.txt").write_text("mine")
    opened = ClassFolder(root)
    opened.add_class("a")
    opened.close()
    (root / "a" / "mine.png").write_bytes(png(0))
    (root / ".x").symlink_to(home)
    (journal,) = root.rglob("journal.jsonl")
    with journal.open("a", encoding="utf-8") as file:
        file.write(json.dumps(["add", "", [renames]]) + "\n")
    again = ClassFolder(root)
    assert again.undo() == ("add", 0)
    again.close()
    assert [path.name for path in home.iterdir()] == ["secret.txt"]
    assert (root / "a" / "mine.png").exists()


@pytest.mark.parametrize("own", [".studio", ".studio/removed"])
def test_a_link_in_place_of_the_studios_own_folders_is_refused(tmp_path, own):
    home, root = tmp_path / "home", tmp_path / "photos"
    home.mkdir()
    (root / own).parent.mkdir(parents=True)
    (root / own).symlink_to(home)
    with pytest.raises(DataError, match="is a link to a folder"):
        ClassFolder(root)
    assert list(home.iterdir()) == []


def test_a_picture_of_another_spelling_is_not_overwritten(folder, png):
    folder.add_class("a")
    folder.add_class("b")
    folder.add("a", png(0), "cat.png")
    (folder.root / "b" / "CAT.PNG").write_bytes(png(1))
    (folder.root / "b" / "cat (2).png").symlink_to("nowhere")
    assert folder.move(["a/cat.png"], "b") == ["b/cat (3).png"]
    assert (folder.root / "b" / "CAT.PNG").read_bytes() == png(1)
