"""What the studio says beside pictures, and what about all of them."""

import numpy as np
import pytest
from PIL import Image

from clearcnn.language import load_language
from clearcnn.workflows.check import examine as examination
from clearcnn.workflows.fitting.listeners import EvaluateListener
from clearcnn.workflows.studio.look import look


@pytest.fixture
def faulty(folder, png):
    for channel, name in enumerate("ab"):
        folder.add_class(name)
        for k in range(3 if name == "a" else 40):
            folder.add(name, png(k, channel), f"{k}.png")
    folder.add("b", png(0, 1), "again.png")
    folder.add("a", png(1, 1), "wrong.png")
    near = Image.open(folder.root / "b" / "5.png")
    near.putpixel((0, 0), tuple(np.add(near.getpixel((0, 0)), 1).tolist()))
    near.save(folder.root / "b" / "nearly.png")
    Image.new("RGB", (12, 12), (9, 9, 9)).save(folder.root / "a" / "blank.png")
    (folder.root / "a" / "broken.png").write_bytes(b"nothing")
    return folder


def test_each_fault_is_said_beside_its_pictures_and_once(faulty):
    found = look(faulty.root, EvaluateListener())
    notes = {
        name: [(note["kind"], note.get("of")) for note in told if note["kind"] != "suspect"]
        for name, told in found["notes"].items()
    }
    assert {name: told for name, told in notes.items() if told} == {
        "a/blank.png": [("empty", None)],
        "a/broken.png": [("unreadable", None)],
        "a/wrong.png": [("other_label", "b/1.png")],
        "b/1.png": [("other_label", "a/wrong.png")],
        "b/again.png": [("duplicate", "b/0.png")],
        "b/nearly.png": [("near_duplicate", "b/5.png")],
    }
    # About all pictures: only what no picture has a note of.
    assert [finding["kind"] for finding in found["findings"]] == ["small classes"]


def test_it_does_not_depend_on_the_words_of_a_finding(faulty, monkeypatch):
    """Findings are told apart by what they are about, in every language."""
    english = look(faulty.root, EvaluateListener())
    korean = load_language("ko")
    for name in ("list_unreadable", "report_empty", "find_duplicates", "list_suspects"):
        real = getattr(examination, name)

        def translated(*values, real=real):
            for finding in real(*values):
                yield type(finding)(
                    korean.translate(finding.kind), *list(vars(finding).values())[1:]
                )

        monkeypatch.setattr(examination, name, translated)
    assert look(faulty.root, EvaluateListener()) == english


def test_a_file_of_an_unsupported_format_is_shown_and_can_be_removed(folder, png):
    for name in "ab":
        folder.add_class(name)
        for k in range(3):
            folder.add(name, png(k, "ab".index(name)), f"{k}.png")
    (folder.root / "a" / "IMG_1.HEIC").write_bytes(b"\0\0\0\x18ftypheic\0\0\0\0mif1heic")
    (folder.root / "a" / "Thumbs.db").write_bytes(b"x")
    pictures = {each.name: each.pictures for each in folder.scan()}
    assert pictures["a"] == ("0.png", "1.png", "2.png", "IMG_1.HEIC")
    (note,) = look(folder.root, EvaluateListener())["notes"]["a/IMG_1.HEIC"]
    assert note["kind"] == "unreadable" and "HEIC" in note["reason"]
    folder.remove(["a/IMG_1.HEIC"])
    assert not (folder.root / "a" / "IMG_1.HEIC").exists()
