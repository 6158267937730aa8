"""schemathesis generates requests from the schema; none may cause an internal error."""

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

# A schema cannot require that the shape match the data, or that bytes be an image.
_EXCLUDED = "positive_data_acceptance"


@pytest.mark.release
def test_schemathesis_finds_no_failure(
    serve: Callable[..., Any], digits_run: Path, colours_run: Path, tmp_path: Path
) -> None:
    pytest.importorskip("schemathesis", reason="schemathesis is not installed")
    with serve(digits_run, colours_run) as server:
        words = ("run", f"{server.url}/openapi.json", "--seed", "777", "--max-examples", "10")
        more = ("--exclude-checks", _EXCLUDED, "--suppress-health-check", "all", "--no-color")
        done = subprocess.run(
            [sys.executable, "-m", "schemathesis.cli", *words, *more],
            cwd=tmp_path,
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stdout + done.stderr
        asked = [line for line in server.lines() if line["event"] == "request"]
        # Some requests were valid: images were classified.
        answered = {line["path"] for line in asked if line.get("images") and line["status"] == 200}
        assert "/v2/models/digits/infer" in answered
        assert not [line for line in asked if line["status"] >= 500]
        assert "Traceback" not in server.log.read_text()
