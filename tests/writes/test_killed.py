"""A process that is killed at any step of its writing: nothing half-written under a final name.

After SIGTERM nothing is left at all; after SIGKILL a draft, which the next run removes.
"""

import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

pytestmark = pytest.mark.kill

SCRIPT = Path(__file__).with_name("kill_at_every_write.py")


def kill(home: Path, out: Path, every: int, names: Any) -> list[str]:
    done = subprocess.run(
        [sys.executable, SCRIPT, home, out, str(every), *names],
        capture_output=True,
        text=True,
        check=False,
        timeout=900,
    )
    assert done.returncode == 0, done.stderr
    assert "Traceback" not in done.stderr
    return done.stdout.splitlines()


@pytest.mark.usefixtures("strikes")
def test_killed_while_writing(home: Path, out: Path) -> None:
    assert len(kill(home, out, 6, ("train", "export onnx", "predict"))) == 6


@pytest.mark.release
@pytest.mark.usefixtures("strikes")
def test_killed_at_every_step(home: Path, out: Path, verbs: Any) -> None:
    lines = kill(home, out, 1, verbs.VERBS)
    assert len(lines) == 2 * len(verbs.VERBS), lines
