"""The errors of `clearcnn serve`; its work is tested in tests/web."""

import subprocess
import sys
from pathlib import Path

import pytest

from clearcnn.cli.main import main

pytestmark = pytest.mark.process

TOKEN = "a-token-of-enough-letters"


@pytest.fixture(autouse=True)
def no_token(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("CLEARCNN_TOKEN", raising=False)


@pytest.mark.parametrize(
    ("words", "status", "message"),
    [
        ((), 2, "RUN is missing"),
        (("run", "--prot", "1"), 2, "Did you mean --port?"),
        (("run", "--port", "x"), 2, "not a whole number"),
        (("nowhere",), 1, "is not a run folder"),
        (("run", "--port", "70000"), 1, "The port is 70000"),
        (("run", "--queue", "-1"), 1, "--queue"),
        (("run", "--host", "0.0.0.0"), 1, "there is no token"),
        (("run", "--token-file", "nowhere"), 1, "cannot be read: No such file"),
    ],
)
def test_an_invalid_request_gives_one_message(
    words: tuple[str, ...], status: int, message: str, capsys: pytest.CaptureFixture[str]
) -> None:
    pytest.importorskip("fastapi", reason="needs the extra serve")
    assert main(["serve", *words]) == status
    said = capsys.readouterr()
    assert message in said.err
    assert said.out == ""


def test_an_empty_token_file_is_no_token(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    pytest.importorskip("fastapi", reason="needs the extra serve")
    file = tmp_path / "token"
    file.write_text("\n")
    assert main(["serve", "run", "--token-file", str(file)]) == 1
    assert "The token has 0 characters" in capsys.readouterr().err


@pytest.mark.parametrize("package", ["fastapi", "uvicorn", "prometheus_client"])
def test_a_missing_extra_is_named(package: str) -> None:
    program = (
        f"import sys; sys.modules[{package!r}] = None; "
        "from clearcnn.cli.main import main; sys.exit(main(['serve', 'run']))"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=False
    )
    assert done.returncode == 1
    assert f"needs the package {package}" in done.stderr
    assert "pip install 'clearcnn[serve]'" in done.stderr
    assert "Traceback" not in done.stderr
