"""Compiled programs are kept between processes, bounded, and can be cleared."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from clearcnn import cache
from clearcnn.cli.main import main

SCRIPT = """
import clearcnn.training, jax, sys
hits = []
jax.monitoring.register_event_listener(lambda event, **_: hits.append(event))
jax.jit(lambda x: x @ x + 7)(jax.numpy.ones((5, 5))).block_until_ready()
print(jax.config.values["jax_compilation_cache_max_size"])
print(sum(event == "/jax/compilation_cache/cache_hits" for event in hits))
"""


def run(home: Path, **variables: str) -> tuple[int, int]:
    """Give the largest size and the programs found on disk, as a new process sees them."""
    inherited = {k: v for k, v in os.environ.items() if not k.startswith("JAX_")}
    environment = {**inherited, "XDG_CACHE_HOME": str(home), **variables}
    done = subprocess.run(
        [sys.executable, "-c", SCRIPT], env=environment, capture_output=True, text=True, check=True
    )
    largest, hits = done.stdout.splitlines()[-2:]
    return int(largest), int(hits)


def test_a_second_process_finds_the_programs_of_the_first(tmp_path: Path) -> None:
    assert run(tmp_path) == (cache.LARGEST_BYTES, 0)
    num_files, num_bytes = cache.measure(tmp_path / "clearcnn" / "programs")
    assert num_files > 0
    assert 0 < num_bytes < cache.LARGEST_BYTES
    assert run(tmp_path)[1] > 0


def test_the_users_own_settings_win(tmp_path: Path) -> None:
    own = tmp_path / "own"
    largest, _ = run(tmp_path / "home", JAX_COMPILATION_CACHE_DIR=str(own))
    assert largest != cache.LARGEST_BYTES
    assert not (tmp_path / "home" / "clearcnn").exists()


def test_a_folder_that_cannot_be_made_is_done_without(tmp_path: Path) -> None:
    blocker = tmp_path / "file"
    blocker.write_text("")
    assert run(blocker)[1] == 0


def test_the_command_shows_and_clears(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    folder = cache.programs_folder()
    assert folder.is_relative_to(tmp_path)
    folder.mkdir(parents=True)
    (folder / "a").write_bytes(bytes(3 * 2**20))
    assert main(["cache"]) == 0
    assert capsys.readouterr().out == f"{folder}\n3.0 MiB in 1 files\n"
    assert main(["cache", "--clear"]) == 0
    assert capsys.readouterr().out == "Cleared 3.0 MiB in 1 files.\n"
    assert not folder.exists()
    assert main(["cache", "--clear"]) == 0


def test_what_cannot_be_cleared_is_one_message(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def refuse(path: Path) -> None:
        raise PermissionError(13, "Permission denied", str(path))

    monkeypatch.setattr(cache, "clear", refuse)
    assert main(["cache", "--clear"]) == 1
    errors = capsys.readouterr().err
    assert "Permission denied" in errors
    assert "Traceback" not in errors
