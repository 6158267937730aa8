"""The class folder on disk: what is shown as kept is kept, and every change can be undone."""

import errno
import os
import signal
import subprocess
import sys
import textwrap
import threading
import unicodedata
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

import clearcnn
from clearcnn.errors import StudioError
from clearcnn.workflows.studio.class_folder import ClassFolder


def content(root):
    """Every picture and class on the disk, without asking the code under test."""
    return {
        path.relative_to(root).as_posix(): path.read_bytes() if path.is_file() else None
        for path in root.rglob("*")
        if ".studio" not in path.parts
    }


def test_pictures_lie_in_an_ordinary_class_folder(folder, png):
    for name in ("컵", "dog"):
        folder.add_class(name)
        for number in range(3):
            folder.add(name, png(number), f"{number}.png")
    images = clearcnn.load(folder.root)
    assert images.class_names == ("dog", "컵")
    assert images.names == tuple(f"{name}/{k}.png" for name in ("dog", "컵") for k in range(3))
    opened = [np.asarray(Image.open(folder.root / name)) for name in images.names]
    np.testing.assert_array_equal(images.images, opened)
    listed = [f"{each.name}/{file}" for each in folder.scan() for file in each.pictures]
    assert listed == list(images.names)


def test_nothing_is_overwritten(folder, png):
    folder.add_class("a")
    folder.add_class("b")
    names = [folder.add("a", png(k), "same.png") for k in range(3)]
    assert names == ["a/same.png", "a/same (2).png", "a/same (3).png"]
    other = folder.add("b", png(9), "same.png")
    assert folder.move([other], "a") == ["a/same (4).png"]
    assert [(folder.root / name).read_bytes() for name in names] == [png(k) for k in range(3)]
    assert (folder.root / "a" / "same (4).png").read_bytes() == png(9)


def test_names_of_other_systems_become_one(folder, png):
    """macOS drops names in Unicode's decomposed form; other programs look for the composed one."""
    decomposed = unicodedata.normalize("NFD", "고양이")
    assert decomposed != "고양이"
    assert folder.add_class(decomposed) == "고양이"
    picture = folder.add("고양이", png(1), f"C:\\{decomposed}.PNG")
    assert picture == "고양이/고양이.png"
    with pytest.raises(StudioError, match="already"):
        folder.add_class("고양이")


@pytest.mark.parametrize(
    ("name", "code"),
    [
        *(("", "empty"), ("  ", "empty"), ("a/b", "letters"), ("..", "letters"), (".x", "hidden")),
        *(("a\0b", "letters"), ("a~b", "letters"), ("CON", "letters"), ("x" * 200, "long")),
        *(("train", "split"), ("테스트", "split"), ("images", "split"), ("thumbs.db", "hidden")),
    ],
)
def test_a_name_that_is_no_class_is_refused(folder, name, code):
    with pytest.raises(StudioError) as caught:
        folder.add_class(name)
    assert caught.value.code == f"class_{code}"
    assert content(folder.root) == {}


@pytest.mark.parametrize("given", ["../../evil.png", "a/b/../c.png", "..png", ".png", "x\0y.png"])
def test_a_file_name_leads_nowhere_else(folder, png, given):
    folder.add_class("a")
    picture = folder.add("a", png(1), given)
    assert (folder.root / picture).resolve().parent == folder.root / "a"
    assert list(content(folder.root)) == ["a", picture]


def test_what_is_no_image_is_refused(folder, png):
    folder.add_class("a")
    for given, file in (("x.png", b"no"), ("x.txt", png(1)), ("x.png", png(1)[:-40]), ("x", b"")):
        with pytest.raises(StudioError) as caught:
            folder.add("a", file, given)
        assert caught.value.code in ("unreadable", "not_an_image")
    assert content(folder.root) == {"a": None}


@pytest.mark.parametrize("picture", ["../x.png", "a/../a/1.png", "a", "/a/1.png", "a/", "b/1.png"])
def test_only_pictures_of_the_folder_can_be_named(folder, png, picture):
    folder.add_class("a")
    folder.add("a", png(1), "1.png")
    before = content(folder.root)
    for change in (folder.path_of, lambda name: folder.remove([name])):
        with pytest.raises(StudioError, match="no picture"):
            change(picture)
    assert content(folder.root) == before


def test_everything_can_be_undone_step_by_step(folder, png):
    steps = [content(folder.root)]

    def after(change):
        change()
        steps.append(content(folder.root))

    after(lambda: folder.add_class("a"))
    after(lambda: folder.add_class("b"))
    after(lambda: folder.add("a", png(1), "1.png"))
    after(lambda: [folder.add("a", png(k), "c.png", "2026-1", "batch") for k in range(4)])
    after(lambda: folder.move(["a/1.png", "a/c~2026-1~002.png"], "b"))
    after(lambda: folder.remove(["b/1.png", "a/c~2026-1~001.png"]))
    after(lambda: folder.rename_class("a", "c"))
    after(lambda: folder.remove_class("c"))
    root = folder.root
    folder.close()
    again = ClassFolder(root)  # The journal outlives the process.
    for before in steps[-2::-1]:
        assert again.undo() is not None
        assert content(root) == before
    assert again.undo() is None
    again.close()


def test_undo_leaves_what_others_have_changed_meanwhile(folder, png):
    folder.add_class("a")
    picture = folder.add("a", png(1), "1.png")
    folder.remove([picture])
    (folder.root / picture).write_bytes(png(2))
    assert folder.undo() == ("remove", 0)
    assert (folder.root / picture).read_bytes() == png(2)


def test_frames_of_a_burst_are_one_group_for_training(folder, png):
    from clearcnn.data.name_groups import find_groups
    from clearcnn.workflows.studio.picture_names import GROUPS

    folder.add_class("a")
    folder.add_class("b")
    frames = [folder.add("a", png(k), "camera.png", "2026-aa") for k in range(3)]
    others = [folder.add("a", png(k), "camera.png", "2026-bb") for k in range(2)]
    single = [folder.add(name, png(9), "1~2.png") for name in ("a", "b")]
    (moved,) = folder.move(frames[:1], "b")
    groups = find_groups([*frames[1:], moved, *others, *single], GROUPS)
    assert None not in groups
    assert len(set(groups[:3])) == 1  # A relabelled frame is still of its scene.
    assert len(set(groups[3:5])) == 1
    assert len(set(groups)) == 4
    assert [each.num_scenes for each in folder.scan()] == [3, 2]


def test_what_other_programs_change_is_seen(folder, png):
    folder.add_class("a")
    version = folder.version()
    assert folder.version() == version
    (folder.root / "b").mkdir()
    assert folder.version() != version
    version = folder.version()
    (folder.root / "b" / "1.png").write_bytes(png(1))
    assert folder.version() != version
    assert [each.pictures for each in folder.scan()] == [(), ("1.png",)]


def test_two_studios_cannot_open_one_folder(folder):
    program = f"from clearcnn.workflows.studio.class_folder import ClassFolder as C\nfrom pathlib \
import Path\nC(Path({str(folder.root)!r}))"
    ended = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    assert ended.returncode == 1
    assert "Another studio has" in ended.stderr


@pytest.mark.parametrize("layout", ["splits", "table", "loose", "deep"])
def test_a_folder_of_another_layout_is_not_opened(tmp_path, png, layout):
    places = {
        "splits": ["train/a/1.png", "train/b/1.png", "test/a/1.png", "test/b/1.png"],
        "table": ["a/1.png", "metadata.csv"],
        "loose": ["1.png", "a/1.png"],
        "deep": ["a/x/1.png", "b/1.png"],
    }
    for place in places[layout]:
        (tmp_path / place).parent.mkdir(parents=True, exist_ok=True)
        file = b"file_name,label\na/1.png,a\n" if place.endswith(".csv") else png(1)
        (tmp_path / place).write_bytes(file)
    with pytest.raises(StudioError, match="cannot change"):
        ClassFolder(tmp_path)
    files = {path.relative_to(tmp_path).as_posix() for path in tmp_path.rglob("*.*")}
    assert files == {*places[layout]}  # Not even a folder of its own was made.


def test_a_full_disk_is_said_and_nothing_is_half_done(folder, png, monkeypatch):
    folder.add_class("a")
    folder.add_class("b")
    folder.add("a", png(1), "1.png")
    before = content(folder.root)
    real = Path.write_bytes

    def fail(path, data):
        real(path, data[: len(data) // 2])
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(Path, "write_bytes", fail)
    with pytest.raises(StudioError, match="No space left") as caught:
        folder.add("a", png(2), "2.png")
    assert caught.value.code == "disk"
    monkeypatch.undo()
    assert content(folder.root) == before

    class FullFile:
        def __init__(self, file):
            self.file = file

        def __getattr__(self, name):
            return getattr(self.file, name)

        def write(self, line):
            return self.file.write(line[:5])

    journal = folder._journal
    journal._file = FullFile(journal._file)
    with pytest.raises(StudioError, match="No space left"):
        folder.move(["a/1.png"], "b")
    with pytest.raises(StudioError, match="No space left"):
        folder.add("a", png(3), "3.png")
    with pytest.raises(StudioError, match="No space left"):
        folder.add_class("c")
    assert content(folder.root) == before
    journal._file = journal._file.file
    assert folder.move(["a/1.png"], "b") == ["b/1.png"]
    assert folder.undo() == ("move", 1)
    assert content(folder.root) == before


@pytest.mark.kill
def test_a_killed_process_loses_no_picture_that_it_showed_as_kept(tmp_path, png):
    root = tmp_path / "photos"
    program = textwrap.dedent(f"""
        import sys
        sys.path.insert(0, {str(Path(__file__).parent)!r})
        from pathlib import Path
        from conftest import make_png
        from clearcnn.workflows.studio.class_folder import ClassFolder
        folder = ClassFolder(Path({str(root)!r}))
        folder.add_class("a"); folder.add_class("b")
        for number in range(10_000):
            print(folder.add("a", make_png(number), "camera.png", "2026-aa"), flush=True)
            if number % 3 == 2:
                folder.move([folder.scan()[0].name + "/" + folder.scan()[0].pictures[0]], "b")
    """)
    with subprocess.Popen(
        [sys.executable, "-c", program], stdout=subprocess.PIPE, text=True
    ) as run:
        kept = [run.stdout.readline().strip() for _ in range(30)]
        run.send_signal(signal.SIGKILL)
        kept += [line.strip() for line in run.stdout if line.endswith("\n")]
    assert len(kept) >= 30
    folder = ClassFolder(root)  # The lock of the killed process is gone.
    names = {name for each in folder.scan() for name in each.pictures}
    assert {name.partition("/")[2] for name in kept} <= names
    for path in root.glob("[ab]/*"):
        Image.open(path).load()
    assert len(names) <= len(kept) + 1
    while folder.undo():
        pass
    assert content(root) == {}
    assert [path.name for path in (root / ".studio").glob(".partial-*")] != []  # Our own only.
    folder.close()
    assert list((root / ".studio").glob(".partial-*")) == []


def test_many_threads_do_no_harm(folder, png):
    folder.add_class("a")
    folder.add_class("b")

    def work(number):
        for k in range(5):
            name = folder.add("a", png(10 * number + k), "same.png")
            if k % 2:
                folder.move([name], "b")

    threads = [threading.Thread(target=work, args=(number,)) for number in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    files = sorted(path.read_bytes() for path in folder.root.glob("[ab]/*"))
    assert files == sorted(png(10 * number + k) for number in range(6) for k in range(5))


def test_many_pictures_are_changed_with_one_listing_of_the_folder(folder, png, monkeypatch):
    """The work grows with the pictures that are changed, not with their product."""
    for name in "ab":
        folder.add_class(name)
    content = png(1)
    for k in range(60):
        (folder.root / "a" / f"{k}.png").write_bytes(content)
    real, listed = os.scandir, []

    def count(path):
        listed.append(path)
        return real(path)

    def change(act):
        listed.clear()
        monkeypatch.setattr(os, "scandir", count)
        act()
        monkeypatch.setattr(os, "scandir", real)
        return len(listed)

    few = change(lambda: folder.move([f"a/{k}.png" for k in range(3)], "b"))
    many = change(lambda: folder.move([f"a/{k}.png" for k in range(3, 50)], "b"))
    assert few == many
    few = change(lambda: folder.remove([f"b/{k}.png" for k in range(3)]))
    many = change(lambda: folder.remove([f"b/{k}.png" for k in range(3, 50)]))
    assert few == many
