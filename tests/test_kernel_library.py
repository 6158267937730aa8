"""What is said of the compiled kernels, where they are and where they are not."""

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from clearcnn import kernel_library
from clearcnn.kernel_library import describe_kernels, open_library


@pytest.fixture
def anew() -> Iterator[None]:
    """Look for the library anew, here and in the tests that follow."""
    open_library.cache_clear()
    yield
    open_library.cache_clear()


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
