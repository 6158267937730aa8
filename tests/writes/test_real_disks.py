"""The command on disks that are full, read-only, or where files may only be so large."""

import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

pytestmark = pytest.mark.process

pytest.importorskip("resource", reason="file size limits are a POSIX thing")

MORE = ("check", "evaluate", "explain", "export onnx", "export triton")
# What these write would have room in the one page of the disk.
FITTING = ("export onnx",)

LIMITED = """
import resource, sys
from clearcnn.cli.main import main
limit = int(sys.argv.pop(1))
resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit))
sys.exit(main())
"""


def run(words: list[str], limit: int | None = None) -> tuple[int, str]:
    """Run `clearcnn` in a process of its own, with files of so many bytes at most."""
    start = ["-m", "clearcnn"] if limit is None else ["-c", LIMITED, str(limit)]
    done = subprocess.run(
        [sys.executable, *start, *words], capture_output=True, text=True, check=False
    )
    return done.returncode, done.stderr


def say_one_message(said: str, reason: str) -> None:
    assert said.count("error: ") == 1, said
    message = said[said.index("error: ") :]
    assert len(message.splitlines()) == 2, said
    assert reason in message, said
    assert "Traceback" not in said
    assert "Exception ignored" not in said


def check_full(name: str, disk: Any, strikes: Any, verbs: Any, home: Path) -> None:
    place = disk("size=4k")
    if name in FITTING:
        (place / "mine").write_bytes(bytes(4096))
    before = strikes.look(place)
    status, said = run(verbs.command(verbs.VERBS[name], home, place))
    assert status == 1, said
    say_one_message(said, "No space left on device")
    if verbs.VERBS[name].keeps_rows:
        # Rows that were written are whole, and stay to be gone on with.
        table = place / "a.csv"
        assert not table.exists() or table.read_bytes().endswith(b"\n")
        table.unlink(missing_ok=True)
    assert strikes.look(place) == before


def check_limit(name: str, out: Path, strikes: Any, verbs: Any, home: Path) -> None:
    before = strikes.look(out)
    status, said = run(verbs.command(verbs.VERBS[name], home, out), limit=300)
    assert status == 1, said
    say_one_message(said, "File too large")
    if verbs.VERBS[name].keeps_rows:
        assert (out / "a.csv").read_bytes().endswith(b"\n")
        (out / "a.csv").unlink()
    assert strikes.look(out) == before


@pytest.mark.parametrize("name", [pytest.param("export keras", marks=pytest.mark.release), "train"])
def test_a_full_disk(name: str, disk: Any, strikes: Any, verbs: Any, home: Path) -> None:
    check_full(name, disk, strikes, verbs, home)


def test_a_full_disk_with_checkpoints_says_that_they_are_kept(
    disk: Any, verbs: Any, home: Path
) -> None:
    # Checkpoints of some KB have room there, a run folder with its figures and report has none.
    place = disk("size=160k")
    words = ["train", str(home / "a.npz"), "--model", str(home / "m.toml"), "--epochs", "3"]
    words += ["--quiet", "--checkpoint-seconds", "0", "--out", str(place / "run")]
    status, said = run(words)
    assert status == 1, said
    say_one_message(said, "No space left on device")
    assert [path.name for path in place.iterdir()] == ["run.unfinished"]
    assert f"epoch-000003.npz is kept in {place / 'run.unfinished'}." in said
    assert said.rstrip().endswith(f"Resume with: clearcnn train --resume {place / 'run'}")
    subprocess.run(["mount", "-o", "remount,size=64m", place], check=True)
    assert run(["train", "--quiet", "--resume", str(place / "run")])[0] == 0
    assert [path.name for path in place.iterdir()] == ["run"]


def test_a_table_on_a_full_disk_goes_on_elsewhere(
    disk: Any, verbs: Any, home: Path, tmp_path: Path
) -> None:
    place = disk("size=4k")
    many = tmp_path / "many"
    many.mkdir()
    for number in range(60):
        shutil.copy(home / "pictures" / f"{number % 5}.png", many / f"{number}.png")
    words = ["predict", str(home / "run"), str(many), "--csv"]
    status, said = run([*words, str(place / "a.csv")])
    assert status == 1, said
    say_one_message(said, "No space left on device")
    kept = (place / "a.csv").read_bytes()
    assert 0 < len(kept) <= 4096
    assert kept.endswith(b"\n")
    (tmp_path / "a.csv").write_bytes(kept)
    status, said = run([*words, str(tmp_path / "a.csv"), "--resume"])
    assert status == 0, said
    whole = (tmp_path / "a.csv").read_bytes()
    assert whole.startswith(kept)
    assert len(whole.splitlines()) == 61


@pytest.mark.parametrize("name", ["predict", pytest.param("train", marks=pytest.mark.release)])
def test_a_size_limit(name: str, out: Path, strikes: Any, verbs: Any, home: Path) -> None:
    check_limit(name, out, strikes, verbs, home)


def test_a_read_only_folder(disk: Any, strikes: Any, verbs: Any, home: Path) -> None:
    place = disk("size=1m,ro")
    for name in ("predict", "export onnx"):
        status, said = run(verbs.command(verbs.VERBS[name], home, place))
        assert status == 1, said
        say_one_message(said, "Read-only file system")
    assert strikes.look(place) == {}


@pytest.mark.release
@pytest.mark.parametrize("name", MORE)
def test_a_full_disk_for_the_other_verbs(
    name: str, disk: Any, strikes: Any, verbs: Any, home: Path
) -> None:
    check_full(name, disk, strikes, verbs, home)


@pytest.mark.release
@pytest.mark.parametrize("name", [*MORE, "export keras"])
def test_a_size_limit_for_the_other_verbs(
    name: str, out: Path, strikes: Any, verbs: Any, home: Path
) -> None:
    check_limit(name, out, strikes, verbs, home)
