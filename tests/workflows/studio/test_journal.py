"""A journal from elsewhere cannot reach outside its folder."""

import json

import pytest

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


def test_a_picture_of_another_spelling_is_not_overwritten(folder, png):
    folder.add_class("a")
    folder.add_class("b")
    folder.add("a", png(0), "cat.png")
    (folder.root / "b" / "CAT.PNG").write_bytes(png(1))
    (folder.root / "b" / "cat (2).png").symlink_to("nowhere")
    assert folder.move(["a/cat.png"], "b") == ["b/cat (3).png"]
    assert (folder.root / "b" / "CAT.PNG").read_bytes() == png(1)
