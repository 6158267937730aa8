"""Compiled programs are kept between processes, bounded, and can be cleared."""

import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

from clearcnn import cache
from clearcnn.cli.main import main

pytestmark = pytest.mark.process

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


@pytest.mark.release
def test_the_users_own_settings_win(tmp_path: Path) -> None:
    own = tmp_path / "own"
    largest, _ = run(tmp_path / "home", JAX_COMPILATION_CACHE_DIR=str(own))
    assert largest != cache.LARGEST_BYTES
    assert not (tmp_path / "home" / "clearcnn").exists()


@pytest.mark.release
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
    (folder / "traces").mkdir(parents=True)
    (folder / "mine").mkdir()
    key = "0123456789abcdef" * 4
    (folder / f"jit_a-{key}-cache").write_bytes(bytes(2 * 2**20))
    (folder / f"jit_a-{key}-atime").write_bytes(b"")
    (folder / "traces" / key).write_bytes(bytes(2**20))
    mine = ["a", "jit_a-cache", f"mine/jit_a-{key}-cache", "traces/notes"]
    for name in mine:
        (folder / name).write_bytes(b"mine")
    assert main(["cache"]) == 0
    assert capsys.readouterr().out == f"{folder}\n3.0 MiB in 3 files\n"
    assert main(["cache", "--clear"]) == 0
    assert capsys.readouterr().out == "Cleared 3.0 MiB in 3 files.\n"
    cache.delete_program(folder, "jit_a")
    cache.repair(folder)
    left = {path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()}
    assert left == {".lockfile", *mine}
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


MANY = """
import warnings
warnings.simplefilter("error")
import clearcnn.training, jax, sys
for size in range(3, 3 + int(sys.argv[1])):
    jax.jit(lambda x: x @ x + 7)(jax.numpy.ones((size, size))).block_until_ready()
"""


def start_compiling(home: Path, programs: int) -> subprocess.Popen[str]:
    inherited = {k: v for k, v in os.environ.items() if not k.startswith("JAX_")}
    return subprocess.Popen(
        [sys.executable, "-c", MANY, str(programs)],
        env={**inherited, "XDG_CACHE_HOME": str(home)},
        stderr=subprocess.PIPE,
        text=True,
    )


@pytest.mark.release
def test_clearing_harms_no_process_that_compiles(tmp_path: Path) -> None:
    folder = tmp_path / "clearcnn" / "programs"
    both = [start_compiling(tmp_path, 15) for _ in range(2)]
    cleared = 0
    while any(process.poll() is None for process in both):
        cleared += cache.measure(folder)[0]
        cache.clear(folder)
        cache.repair(folder)
        # Whoever waits for the lock looks twenty times a second.
        time.sleep(0.3)
    for process in both:
        _, said = process.communicate()
        assert process.returncode == 0, said
    assert cleared > 0
    assert run(tmp_path)[1] == 0
    assert run(tmp_path)[1] > 0


HEARD = (
    """
from clearcnn.cli.warnings_filter import show_warnings_once
show_warnings_once()
"""
    + SCRIPT
)


@pytest.mark.release
@pytest.mark.parametrize("damage", ["cut off", "random bytes"])
def test_a_damaged_program_is_compiled_and_kept_anew(damage: str, tmp_path: Path) -> None:
    assert run(tmp_path)[1] == 0
    hits = run(tmp_path)[1]
    assert hits > 0
    folder = tmp_path / "clearcnn" / "programs"
    programs = list(folder.glob("*-cache"))
    for program in programs:
        content = program.read_bytes()
        whole = len(content)
        program.write_bytes(content[: whole // 2] if damage == "cut off" else os.urandom(whole))
    inherited = {k: v for k, v in os.environ.items() if not k.startswith("JAX_")}
    done = subprocess.run(
        [sys.executable, "-c", HEARD],
        env={**inherited, "XDG_CACHE_HOME": str(tmp_path)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert done.stderr.count("warning: ") == 1, done.stderr
    assert "compiled and cached again" in done.stderr
    assert run(tmp_path)[1] == hits


@pytest.mark.release
def test_what_a_kill_or_a_full_disk_cut_off_is_dropped(tmp_path: Path) -> None:
    assert run(tmp_path)[1] == 0
    hits = run(tmp_path)[1]
    folder = tmp_path / "clearcnn" / "programs"
    program = next(folder.glob("jit_*-cache"))
    # JAX writes this one after the program itself.
    Path(str(program).removesuffix("-cache") + "-atime").unlink()
    program.write_bytes(program.read_bytes()[:100])
    assert run(tmp_path)[1] == hits - 1
    assert run(tmp_path)[1] == hits
    others = {path.name for path in folder.iterdir()}
    cache.repair(folder)
    assert {path.name for path in folder.iterdir()} == others
    cache.repair(tmp_path / "nowhere")


@pytest.mark.release
def test_a_cache_on_a_full_disk_is_one_warning(tmp_path: Path) -> None:
    program = """
import resource, sys
from clearcnn.cli.warnings_filter import show_warnings_once
show_warnings_once()
resource.setrlimit(resource.RLIMIT_FSIZE, (200, 200))
""" + MANY.replace('warnings.simplefilter("error")', "")
    inherited = {k: v for k, v in os.environ.items() if not k.startswith("JAX_")}
    done = subprocess.run(
        [sys.executable, "-c", program, "5"],
        env={**inherited, "XDG_CACHE_HOME": str(tmp_path)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    # Matplotlib, which Keras brings along, has a word to say of its own cache.
    said = [line for line in done.stderr.splitlines() if "font_manager" not in line]
    assert len(said) == 1, done.stderr
    assert said[0].startswith(
        "warning: Compiled programs cannot be cached for the next run: OSError"
    )
