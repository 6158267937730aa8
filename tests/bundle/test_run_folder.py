import errno
import os
import subprocess
import sys
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path

import pytest

from clearcnn.bundle import open_run_folder
from clearcnn.bundle.run_folder import name_run
from clearcnn.errors import BundleError, DataError

NOON = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)


def _names(folder):
    return sorted(path.name for path in folder.iterdir())


@pytest.mark.parametrize(
    ("source", "slug"),
    [
        ("digits", "digits"),
        ("folder:/pictures/My cats & dogs/", "My-cats-dogs"),
        ("C:\\pictures\\cats", "cats"),
        ("/data/고양이와 개", "고양이와-개"),
        ("data/train.npz", "train-npz"),
        ("../../<script>", "script"),
        ("idx:***", "run"),
        ("x" * 300, "x" * 40),
    ],
)
def test_a_name_is_safe_and_says_its_source(source, slug):
    assert name_run(source, NOON) == f"{slug}-20260102T030405Z"


def test_a_name_uses_universal_time():
    seoul = NOON.astimezone(timezone(timedelta(hours=9)))
    assert name_run("digits", seoul) == name_run("digits", NOON)


def test_the_folder_one_stands_in_has_its_own_name(tmp_path, monkeypatch):
    (tmp_path / "cats").mkdir()
    monkeypatch.chdir(tmp_path / "cats")
    assert name_run(".", NOON) == name_run("folder:./", NOON) == name_run("cats", NOON)


def test_nothing_shows_until_all_is_there(tmp_path):
    with open_run_folder("digits", parent=tmp_path / "runs") as run:
        (run.partial / "figures").mkdir()
        (run.partial / "figures" / "a.png").write_bytes(b"a")
        (run.partial / "model.toml").write_bytes(b"m")
        assert not run.path.exists()
        assert run.path.is_absolute()
        assert run.partial.parent == run.path.parent
        assert str(os.getpid()) in run.partial.name
    assert _names(tmp_path / "runs") == [run.path.name]
    assert run.path.name.startswith("digits-2")
    assert (run.path / "figures" / "a.png").read_bytes() == b"a"
    assert (run.path / "model.toml").read_bytes() == b"m"


@pytest.mark.parametrize(
    "error", [KeyboardInterrupt(), SystemExit(1), ValueError("x"), DataError("x.", remedy="y.")]
)
def test_any_exception_leaves_nothing_and_goes_on(tmp_path, error):
    with (
        pytest.raises(type(error)) as caught,
        open_run_folder("digits", parent=tmp_path / "a" / "b") as run,
    ):
        (run.partial / "model.toml").write_bytes(b"m")
        raise error
    assert caught.value is error
    assert _names(tmp_path) == []


def test_runs_of_one_second_are_numbered(tmp_path, monkeypatch):
    monkeypatch.setattr("clearcnn.bundle.run_folder.name_run", lambda source, now: source)
    names = []
    for _ in range(3):
        with open_run_folder("digits", parent=tmp_path) as run:
            (run.partial / "x").write_bytes(b"x")
        names.append(run.path.name)
    assert names == ["digits", "digits-2", "digits-3"]
    with (
        open_run_folder("digits", parent=tmp_path) as first,
        open_run_folder("digits", parent=tmp_path) as second,
    ):
        assert (first.path.name, second.path.name) == ("digits-4", "digits-5")
    assert _names(tmp_path) == ["digits", *(f"digits-{n}" for n in range(2, 6))]


def test_out_is_used_exactly(tmp_path):
    out = tmp_path / "새 폴더" / "run"
    with open_run_folder("digits", out=out) as run:
        (run.partial / "x").write_bytes(b"x")
    assert run.path == out
    assert _names(out) == ["x"]


def test_out_may_be_an_empty_folder(tmp_path):
    out = tmp_path / "run"
    out.mkdir()
    with open_run_folder("digits", out=out) as run:
        (run.partial / "x").write_bytes(b"x")
    assert _names(tmp_path) == ["run"]
    assert _names(out) == ["x"]


def test_out_is_refused_before_anything_is_done_if_it_is_taken(tmp_path):
    full = tmp_path / "full"
    full.mkdir()
    (full / "mine").write_bytes(b"mine")
    for out, words in ((full, "not empty"), (full / "mine", "is a file")):
        with pytest.raises(BundleError, match=words), open_run_folder("digits", out=out):
            pytest.fail("training would have started")
    assert _names(tmp_path) == ["full"]
    assert (full / "mine").read_bytes() == b"mine"


def test_a_mount_point_is_refused_before_training(tmp_path, monkeypatch):
    monkeypatch.setattr(Path, "is_mount", lambda self: self == tmp_path / "volume")
    with (
        pytest.raises(BundleError, match="mount point"),
        open_run_folder("digits", out=tmp_path / "volume"),
    ):
        pytest.fail("training would have started")


def test_a_place_taken_while_training_costs_nothing(tmp_path):
    out = tmp_path / "run"
    with open_run_folder("digits", out=out) as run:
        (run.partial / "x").write_bytes(b"x")
        out.mkdir()
        (out / "theirs").write_bytes(b"theirs")
    assert run.path == tmp_path / "run-2"
    assert _names(run.path) == ["x"]
    assert _names(out) == ["theirs"]


@pytest.mark.parametrize("code", [errno.ENOSPC, errno.EDQUOT, errno.EROFS, errno.EIO])
def test_a_failing_write_is_one_error_and_leaves_nothing(tmp_path, code):
    with (
        pytest.raises(BundleError, match=os.strerror(code)) as caught,
        open_run_folder("digits", parent=tmp_path / "runs"),
    ):
        raise OSError(code, os.strerror(code))
    assert "\n" not in str(caught.value)
    assert _names(tmp_path) == []


def test_a_real_size_limit_is_one_error_and_leaves_nothing(tmp_path):
    if sys.platform == "win32":
        pytest.skip("file size limits are a POSIX thing")
    code = f"""
import resource, signal
from pathlib import Path
from clearcnn.bundle import open_run_folder
from clearcnn.errors import BundleError
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
resource.setrlimit(resource.RLIMIT_FSIZE, (1000, 1000))
try:
    with open_run_folder("digits", parent=Path({str(tmp_path)!r})) as run:
        (run.partial / "model.keras").write_bytes(bytes(2000))
except BundleError as error:
    print(error)
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert os.strerror(errno.EFBIG) in done.stdout
    assert _names(tmp_path) == []


def test_a_failing_flush_publishes_nothing(tmp_path, monkeypatch):
    def no_space(descriptor):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, "fsync", no_space)
    with (
        pytest.raises(BundleError, match="No space left"),
        open_run_folder("digits", parent=tmp_path) as run,
    ):
        (run.partial / "x").write_bytes(b"x")
    assert _names(tmp_path) == []


def test_every_file_and_folder_is_flushed_before_the_rename(tmp_path, monkeypatch):
    flushed, rename = [], Path.rename

    def record(descriptor):
        flushed.append(Path(f"/proc/self/fd/{descriptor}").readlink())

    def check(self, target):
        if self.name.startswith(".partial"):
            assert set(flushed) == {self, self / "figures", self / "x", self / "figures" / "y"}
        return rename(self, target)

    if not Path("/proc/self/fd").exists():
        pytest.skip("needs /proc to see what is flushed")
    monkeypatch.setattr(os, "fsync", record)
    monkeypatch.setattr(Path, "rename", check)
    with open_run_folder("digits", parent=tmp_path.resolve()) as run:
        (run.partial / "figures").mkdir()
        (run.partial / "x").write_bytes(b"x")
        (run.partial / "figures" / "y").write_bytes(b"y")
    assert flushed[-1] == tmp_path.resolve()


def test_an_error_about_a_file_elsewhere_is_not_a_write_error(tmp_path):
    with pytest.raises(FileNotFoundError), open_run_folder("digits", parent=tmp_path):
        (tmp_path / "nowhere").read_bytes()
    assert _names(tmp_path) == []


def test_a_place_that_cannot_be_made_is_refused_before_training(tmp_path):
    (tmp_path / "file").write_bytes(b"")
    for options in ({"parent": tmp_path / "file" / "runs"}, {"out": tmp_path / "file" / "run"}):
        with pytest.raises(BundleError, match="cannot be"), open_run_folder("digits", **options):
            pytest.fail("training would have started")
    assert _names(tmp_path) == ["file"]


def test_only_what_a_killed_process_left_is_removed(tmp_path):
    code = f"""
import os, signal
from pathlib import Path
from clearcnn.bundle import open_run_folder
with open_run_folder("digits", parent=Path({str(tmp_path)!r})) as run:
    (run.partial / "x").write_bytes(b"x")
    os.kill(os.getpid(), signal.SIGKILL)
"""
    if sys.platform == "win32":
        pytest.skip("Windows has no SIGKILL")
    subprocess.run([sys.executable, "-c", code], check=False)
    (left,) = _names(tmp_path)
    assert left.startswith(".partial-digits-")
    host = left.rpartition("@")[2].partition("~")[0]
    others = [".partial-a.1@elsewhere", ".partial-notes", f".partial-b.{os.getppid()}@{host}"]
    for name in others:
        (tmp_path / name).mkdir()
    with open_run_folder("digits", parent=tmp_path) as run:
        pass
    assert _names(tmp_path) == sorted([*others, run.path.name])
