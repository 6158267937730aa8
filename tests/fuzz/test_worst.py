"""The inputs that cost most, within bounds: each in a process of its own, under a limit."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.fuzz

ROOT = Path(__file__).parents[2]
KINDS = ("checkpoints", "networks")
LONGER = ("archives", "arrays", "bodies", "pictures", "texts")
MOST_BYTES = 512 * 2**20


@pytest.mark.skipif(sys.platform != "linux", reason="limits and measures a forked process")
@pytest.mark.parametrize(
    "kind", [*KINDS, *(pytest.param(kind, marks=pytest.mark.release) for kind in LONGER)]
)
def test_the_worst_inputs_are_read_or_refused_within_their_memory(kind: str) -> None:
    # A reader that hangs is ended here; how long each takes, docs/reliability.md tells.
    run = subprocess.run(
        [sys.executable, "-m", "fuzz.worst", kind, "--json"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
        timeout=300,
    )
    found = [json.loads(line) for line in run.stdout.splitlines() if line.startswith("{")]
    assert len(found) >= 5
    for case in found:
        assert not case["said"].startswith("!"), case
        assert "Traceback" not in case["said"], case
        assert case["peak_bytes"] <= MOST_BYTES, case
