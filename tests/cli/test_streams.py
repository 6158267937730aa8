"""stdout that is closed, full or a closed pipe: one message at most, and no traceback."""

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

pytestmark = pytest.mark.process

CLEARCNN = [sys.executable, "-m", "clearcnn"]
FULL = Path("/dev/full")
QUICK = ("--help", "--version", "cache", "predict", "train", "evaluate", "explain")
LONG = ("check", "export", "serve")


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run and a few images."""
    import clearcnn

    place = tmp_path_factory.mktemp("home")
    clearcnn.train("digits", recipe="tutorial", epochs=1, out=place / "run")
    (place / "pictures").mkdir()
    for number in range(300):
        Image.new("L", (8, 8), number % 256).save(place / "pictures" / f"{number}.png")
    return place


def words_of(name: str, home: Path) -> list[str]:
    run = str(home / "run")
    return {
        "predict": ["predict", run, str(home / "pictures")],
        "train": ["train", "--epochs", "1", "--recipe", "tutorial"],
        "evaluate": ["evaluate", run],
        "explain": ["explain", run, "3"],
        "check": ["check", "--no-labels"],
        "export": ["export", run, "--to", "onnx"],
        "serve": ["serve", run, "--port", "0"],
    }.get(name, [name])


def run_full(name: str, home: Path, place: Path) -> None:
    if not FULL.exists():
        pytest.skip("there is no /dev/full")
    with FULL.open("w") as full:
        done = subprocess.run(
            [*CLEARCNN, *words_of(name, home)],
            stdout=full,
            stderr=subprocess.PIPE,
            text=True,
            cwd=place,
            check=False,
        )
    assert done.returncode == 1, done.stderr
    assert done.stderr.count("error: ") == 1, done.stderr
    assert "error: stdout cannot be written: No space left on device." in done.stderr
    assert "Traceback" not in done.stderr
    assert "Exception ignored" not in done.stderr


@pytest.mark.parametrize("name", QUICK)
def test_a_full_stdout_is_one_error(name: str, home: Path, tmp_path: Path) -> None:
    run_full(name, home, tmp_path)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.release
@pytest.mark.parametrize("name", LONG)
def test_a_full_stdout_is_one_error_for_the_others(name: str, home: Path, tmp_path: Path) -> None:
    run_full(name, home, tmp_path)


@pytest.mark.parametrize("name", ["--help", "cache", "predict"])
def test_a_closed_pipe_is_no_error(name: str, home: Path) -> None:
    reading, writing = os.pipe()
    os.close(reading)
    command = [*CLEARCNN, *words_of(name, home)]
    done = subprocess.run(command, stdout=writing, stderr=subprocess.PIPE, text=True, check=False)
    os.close(writing)
    assert done.returncode == 141
    assert done.stderr == ""


def test_the_first_line_is_enough(home: Path, tmp_path: Path) -> None:
    table = tmp_path / "a.csv"
    words = [*words_of("predict", home), "--json", "--csv", str(table)]
    pipes: Any = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True}
    environment = {**os.environ, "PYTHONUNBUFFERED": "1"}
    with subprocess.Popen([*CLEARCNN, *words], env=environment, **pipes) as process:
        assert process.stdout.readline().startswith("{")
        process.stdout.close()
        said = process.stderr.read()
    assert (process.returncode, said) == (141, "")
    rows = table.read_bytes()
    assert rows.endswith(b"\n")
    assert 2 <= len(rows.splitlines()) <= 301


@pytest.mark.parametrize("closed", [">&-", "2>&-", ">&- 2>&- <&-", "2> /dev/full"])
@pytest.mark.parametrize("name", ["--help", "predict"])
def test_closed_streams_do_no_harm(name: str, closed: str, home: Path, tmp_path: Path) -> None:
    table = tmp_path / "a.csv"
    more = ["--csv", str(table)] if name == "predict" else []
    command = ["sh", "-c", f'"$@" {closed}', "sh", *CLEARCNN, *words_of(name, home), *more]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert "Traceback" not in done.stderr
    if name == "predict":
        # Nothing printed went into a file that got the descriptor of stdout.
        lines = table.read_text("utf-8").splitlines()
        assert len(lines) == 301
        assert lines[0].startswith("name,prediction,")


def test_a_failing_stderr_keeps_the_exit_status(home: Path) -> None:
    command = ["sh", "-c", '"$@" 2> /dev/full', "sh", *CLEARCNN, "train", "no/such/place"]
    done = subprocess.run(command, capture_output=True, text=True, check=False, cwd=home)
    assert done.returncode == 1


def test_an_unexpected_os_error_is_one_message(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    from clearcnn import cache
    from clearcnn.cli.main import main

    def fail(folder: Path) -> None:
        raise PermissionError(13, "Permission denied", str(folder))

    monkeypatch.setattr(cache, "measure", fail)
    assert main(["cache"]) == 1
    said = capsys.readouterr().err
    assert said.startswith("error: ")
    assert len(said.splitlines()) == 2
    with pytest.raises(PermissionError):
        main(["cache", "--debug"])
