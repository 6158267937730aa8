"""What is said of the compiled kernels, where they are and where they are not."""

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from clearcnn import kernel_library
from clearcnn.kernel_library import SOURCES, describe_kernels, find_library, open_library
from clearcnn.kernel_stamp import hash_sources
from clearcnn.training.cpu_kernels.native import build


@pytest.fixture
def anew() -> Iterator[None]:
    """Look for the library anew, here and in the tests that follow."""
    find_library.cache_clear()
    yield
    find_library.cache_clear()


def test_none_built(anew: None, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(kernel_library, "LIBRARY", tmp_path / "absent.so")
    assert open_library() is None
    assert "none; install a C++ compiler" in describe_kernels()
    assert "2.5 times as long" in describe_kernels()


@pytest.mark.parametrize("content", [b"", b"\x7fELF damaged"])
def test_one_that_cannot_be_opened(
    anew: None, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, content: bytes
) -> None:
    damaged = tmp_path / "damaged.so"
    damaged.write_bytes(content)
    monkeypatch.setattr(kernel_library, "LIBRARY", damaged)
    assert open_library() is None
    assert "not for this processor" in describe_kernels()


def compile_library(folder: Path, source: str) -> Path:
    """Compile a library that has a level and lacks all kernels."""
    written, made = folder / "other.cpp", folder / "other.so"
    written.write_text('extern "C" const char* clearcnn_level() { return "x86_64_v2"; }\n' + source)
    try:
        words = [*build.find_compiler(), "-shared", "-fPIC", str(written), "-o", str(made)]
    except build.BuildError as error:
        pytest.skip(str(error))
    subprocess.run(words, check=True)
    return made


@pytest.mark.parametrize(
    "stamp", ["", 'extern "C" const char* clearcnn_stamp() { return "0123456789abcdef"; }\n']
)
def test_one_of_another_version_is_not_used(anew: None, tmp_path: Path, stamp: str) -> None:
    other = compile_library(tmp_path, stamp)
    program = (
        "import sys; from pathlib import Path; from clearcnn import kernel_library\n"
        "kernel_library.LIBRARY = Path(sys.argv.pop(1))\n"
        "from clearcnn.cli.main import main; sys.exit(main(sys.argv[1:]))"
    )
    words = ["train", "digits", "--recipe", "tutorial", "--epochs", "1"]
    done = subprocess.run(
        [sys.executable, "-c", program, str(other), *words, "--out", str(tmp_path / "run")],
        env={name: value for name, value in os.environ.items() if name != "CLEARCNN_KERNELS"},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    assert "CPU kernels: of another version than this clearcnn; install it again" in done.stdout
    assert (tmp_path / "run" / "model.keras").is_file()


@pytest.mark.parametrize("changed", ["multiply.cpp", "tiles.h", "build.py", "new.cpp"])
def test_the_stamp_is_of_all_sources(tmp_path: Path, changed: str) -> None:
    copy = tmp_path / "native"
    shutil.copytree(SOURCES, copy)
    before = hash_sources(copy)
    assert before == hash_sources(SOURCES)
    with (copy / changed).open("a") as source:
        source.write("// changed\n")
    assert hash_sources(copy) != before


def test_where_they_were_asked_for_they_are_here() -> None:
    if os.environ.get("CLEARCNN_KERNELS") != "required":
        pytest.skip("CLEARCNN_KERNELS is not 'required' here, as it is in CI")
    assert open_library() is not None, describe_kernels()


def test_switched_off_a_training_says_so_and_works(tmp_path: Path) -> None:
    words = ["train", "digits", "--recipe", "tutorial", "--epochs", "1"]
    done = subprocess.run(
        [sys.executable, "-m", "clearcnn", *words, "--out", str(tmp_path / "run")],
        env={**os.environ, "CLEARCNN_KERNELS": "off"},
        capture_output=True,
        text=True,
        check=True,
    )
    assert "CPU kernels: switched off by CLEARCNN_KERNELS" in done.stdout
    assert (tmp_path / "run" / "model.keras").is_file()
