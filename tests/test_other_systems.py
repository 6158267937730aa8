"""What Windows and macOS lack or do otherwise, faked here on whatever system the tests run.

Not the systems themselves: `docs/reliability.md` says what was not tried.
"""

import errno
import io
import json
import os
import re
import subprocess
import sys
import zipfile
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import platformdirs
import platformdirs.macos
import platformdirs.windows
import pytest
from PIL import Image

import clearcnn
from clearcnn import atomic_write, cache
from clearcnn.bundle import provenance, run_folder
from clearcnn.cli import streams
from clearcnn.data import unpack
from clearcnn.data.windows_names import is_valid_on_windows
from clearcnn.errors import DataError

# Modules of POSIX cannot be imported by clearcnn (libraries choose by the system themselves), and
# functions that Windows lacks are gone.
WITHOUT_POSIX = """
import builtins, os, signal, sys
MISSING = {"fcntl", "resource", "pwd", "grp", "termios", "posix"}
load = builtins.__import__
def check(name, globals=None, locals=None, fromlist=(), level=0):
    who = (globals or {}).get("__name__", "")
    if level == 0 and name in MISSING and who.partition(".")[0] == "clearcnn":
        raise ModuleNotFoundError(f"No module named {name!r}", name=name)
    return load(name, globals, locals, fromlist, level)
builtins.__import__ = check
import concurrent.futures.thread, logging, random, tempfile, threading, platformdirs
for name in ("nice", "register_at_fork", "getuid", "geteuid", "fchmod", "mkfifo", "O_NOFOLLOW",
             "O_NONBLOCK", "sched_getaffinity"):
    if hasattr(os, name): delattr(os, name)
for name in ("SIGHUP", "SIGALRM", "SIGUSR1"): delattr(signal, name)
"""

IMPORT_ALL = (
    WITHOUT_POSIX
    + """
import importlib, pkgutil
import clearcnn
count = 0
for module in pkgutil.walk_packages(clearcnn.__path__, "clearcnn."):
    if not module.name.endswith(("__main__", "libclearcnn_kernels")):
        importlib.import_module(module.name); count += 1
from clearcnn import atomic_write
assert atomic_write.fcntl is None
print(count)
"""
)

TRAIN_AND_PREDICT = (
    WITHOUT_POSIX
    + """
import json
import clearcnn
from clearcnn.cli.main import main
place = sys.argv[1]
few = clearcnn.load("digits").take(range(0, 1797, 9))
clearcnn.train(few, recipe="tutorial", epochs=2, out=f"{place}/run", verbose=0)
from clearcnn.workflows.predict.predict import predict
found = predict(f"{place}/run", [f"{place}/picture.png"])
print(json.dumps([each.prediction for each in found]))
"""
)


def run(program: str, *words: str, **environment: str) -> subprocess.CompletedProcess[bytes]:
    return subprocess.run(
        [sys.executable, "-c", program, *words],
        capture_output=True,
        env={**os.environ, **environment},
        check=False,
    )


@pytest.mark.process
def test_every_module_can_be_imported_without_posix() -> None:
    pytest.importorskip("fastapi", reason="needs the extra serve")
    done = run(IMPORT_ALL)
    assert done.returncode == 0, done.stderr.decode()[-2000:]
    assert int(done.stdout) > 300


@pytest.mark.process
def test_train_and_predict_without_posix(tmp_path: Path) -> None:
    picture = clearcnn.load("digits").images[0, ..., 0]
    Image.fromarray((picture * 15.9).astype(np.uint8)).save(tmp_path / "picture.png")
    done = run(TRAIN_AND_PREDICT, str(tmp_path))
    assert done.returncode == 0, done.stderr.decode()[-2000:]
    (name,) = json.loads(done.stdout.splitlines()[-1])
    assert name in list("0123456789")
    # Nothing but the finished run and the picture: drafts are removed without locks, too.
    assert sorted(path.name for path in tmp_path.iterdir()) == ["picture.png", "run"]


class WindowsOs:
    """`os` as on Windows: directories cannot be opened, and there is no signal 0."""

    name = "nt"

    def __getattr__(self, name: str) -> object:
        return getattr(os, name)

    def open(self, path: Path, flags: int, mode: int = 0o777) -> int:
        if Path(path).is_dir():
            raise PermissionError(errno.EACCES, "Permission denied", str(path))
        return os.open(path, flags, mode)

    def kill(self, pid: int, number: int) -> None:
        raise AssertionError("On Windows, os.kill ends the process.")


@pytest.fixture
def windows(monkeypatch: pytest.MonkeyPatch) -> None:
    rename = Path.rename

    def rename_onto_nothing(self: Path, target: Path) -> Path:
        if os.path.lexists(target):
            raise FileExistsError(errno.EEXIST, "File exists", str(self), None, str(target))
        return rename(self, target)

    monkeypatch.setattr(atomic_write, "fcntl", None)
    monkeypatch.setattr(atomic_write, "os", WindowsOs())
    monkeypatch.setattr(run_folder, "os", WindowsOs())
    monkeypatch.setattr(Path, "rename", rename_onto_nothing)


@pytest.mark.usefixtures("windows")
def test_runs_are_published_without_locks_and_beside_what_is_there(tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    (tmp_path / "other").mkdir()
    for name, expected in (("new", "new"), ("empty", "empty"), ("other", "other-2")):
        with run_folder.open_run_folder("digits", out=tmp_path / name) as folder:
            (folder.partial / "x.txt").write_text("x", "utf-8")
            if name == "other":  # Another process is first.
                (tmp_path / name / "y.txt").write_text("y", "utf-8")
        assert (tmp_path / expected / "x.txt").read_text("utf-8") == "x"
    assert (tmp_path / "other" / "y.txt").exists()
    assert not [path for path in tmp_path.iterdir() if path.name.startswith(".")]


@pytest.mark.usefixtures("windows")
def test_a_file_is_published_once_and_drafts_of_others_stay(tmp_path: Path) -> None:
    other = tmp_path / atomic_write.name_draft("other", os.getpid() + 1)
    other.mkdir()
    for content, is_first in (("a", True), ("b", False)):
        with atomic_write.open_draft(tmp_path, "x.txt") as draft:
            (draft / "x.txt").write_text(content, "utf-8")
            if is_first:
                atomic_write.publish(draft / "x.txt", tmp_path / "x.txt")
            else:
                with pytest.raises(FileExistsError):
                    atomic_write.publish(draft / "x.txt", tmp_path / "x.txt")
    assert (tmp_path / "x.txt").read_text("utf-8") == "a"
    # Whether its process lives cannot be known there, so it may be in use.
    assert sorted(path.name for path in tmp_path.iterdir()) == sorted([other.name, "x.txt"])


@pytest.mark.parametrize(
    ("system", "variable", "programs", "key"),
    [
        ("windows", "LOCALAPPDATA", "clearcnn/Cache/programs", "clearcnn/key"),
        (
            *("macos", "HOME", "Library/Caches/clearcnn/programs"),
            "Library/Application Support/clearcnn/key",
        ),
    ],
)
def test_caches_and_the_key_lie_where_the_system_keeps_such_files(
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
    system: str,
    variable: str,
    programs: str,
    key: str,
) -> None:
    kind = {"windows": platformdirs.windows.Windows, "macos": platformdirs.macos.MacOS}[system]
    monkeypatch.setattr(platformdirs, "PlatformDirs", kind)
    # On Windows it asks the system first, which cannot be called here.
    from_variables = platformdirs.windows.get_win_folder_from_env_vars
    monkeypatch.setattr(platformdirs.windows, "get_win_folder", from_variables)
    for name in ("XDG_CACHE_HOME", "XDG_STATE_HOME"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv(variable, str(tmp_path))
    assert cache.programs_folder() == tmp_path / programs
    assert provenance.key_path() == tmp_path / key


@pytest.mark.parametrize(
    ("name", "is_valid"),
    [
        *((name, True) for name in ("cat.png", "고양이", "a b", "console", "con1", "com10")),
        *((name, False) for name in ("CON", "aux.png", "nul .txt", "com1", "LPT¹.png", "a:b.png")),
        *((name, False) for name in ("a.", "a ", "a?b", "a|b", "a\x1fb", 'a"b', "a\\b")),
    ],
)
def test_names_that_windows_keeps(name: str, is_valid: bool) -> None:
    assert is_valid_on_windows(name) == is_valid


@pytest.mark.parametrize("name", ["cat/a:b.png", "con/1.png", "cat./1.png"])
def test_an_archive_with_a_name_that_windows_changes_is_rejected_there(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, name: str
) -> None:
    picture = io.BytesIO()
    Image.fromarray(np.arange(64, dtype=np.uint8).reshape(8, 8)).save(picture, "PNG")
    with zipfile.ZipFile(tmp_path / "x.zip", "w") as archive:
        for each in (name, f"{Path(name).parent}/x.png", "dog/1.png", "dog/2.png"):
            archive.writestr(each, picture.getvalue())
    assert len(clearcnn.load(tmp_path / "x.zip")) == 4
    monkeypatch.setattr(unpack, "_IS_WINDOWS", True)
    with pytest.raises(DataError, match="Windows cannot write the member"):
        clearcnn.load(tmp_path / "x.zip")


class _WindowsConsoleIO(io.RawIOBase):
    """Python's way to a console of Windows, which takes any Unicode."""


def test_a_console_of_windows_keeps_its_own_writer(monkeypatch: pytest.MonkeyPatch) -> None:
    console = SimpleNamespace(buffer=SimpleNamespace(raw=_WindowsConsoleIO()))
    pipe = io.TextIOWrapper(io.BytesIO(), encoding="cp949")
    monkeypatch.setattr(sys, "stdout", console)
    monkeypatch.setattr(sys, "stderr", pipe)
    streams.secure_streams()
    assert sys.stdout is console
    assert sys.stderr is not pipe and sys.stderr.encoding == "cp949"
    sys.stderr.close()


@pytest.mark.process
@pytest.mark.parametrize("encoding", ["cp949", "cp1252", "cp437"])
@pytest.mark.parametrize("words", [["train", "--help"], ["train", "none/here"], ["cache"]])
def test_a_pipe_of_an_old_code_page_gets_what_it_can_show(encoding: str, words: list[str]) -> None:
    program = "import sys; from clearcnn.cli.main import main; sys.exit(main(sys.argv[1:]))"
    done = run(program, *words, "--lang", "ko", PYTHONIOENCODING=encoding, PYTHONUTF8="0")
    told = (done.stdout + done.stderr).decode(encoding)
    assert done.returncode == (1 if "none/here" in words else 0), told
    assert "Traceback" not in told
    # What the code page lacks is escaped.
    assert bool(re.search("[가-힣]{2}", told)) == (encoding == "cp949")
    assert encoding == "cp949" or re.search(r"\\u[0-9a-f]{4}", told)


@pytest.mark.process
def test_no_file_is_opened_in_the_encoding_of_the_locale(tmp_path: Path) -> None:
    # Python warns where a call names no encoding: cp949 or cp1252 on Windows.
    done = subprocess.run(
        [
            *(sys.executable, "-X", "warn_default_encoding", "-W", "always::EncodingWarning"),
            *("-m", "clearcnn", "train", "digits", "--recipe", "tutorial", "--epochs", "1"),
            *("--out", str(tmp_path / "run")),
        ],
        capture_output=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr.decode()[-2000:]
    source = str(Path(clearcnn.__file__).parent)
    told = [line for line in done.stderr.decode().splitlines() if "EncodingWarning" in line]
    assert [line for line in told if source in line] == []
