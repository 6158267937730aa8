"""A real training killed again and again ends in the same bits as one that never was.

`kill -9` strikes at random moments, while checkpoints are kept as often as can be, and each time
the run is gone on with, now by a compiled program from the cache, now by one compiled anew.

`make torture` kills 200 times; without it, KILLS is 2. SEED moves the moments.
"""

import os
import random
import shutil
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path

import pytest

from clearcnn.checkpoints import CheckpointFolder, decode_checkpoint

pytestmark = pytest.mark.kill

KILLS = int(os.environ.get("KILLS", "2"))
SEED = int(os.environ.get("SEED", "0"))
LONGEST_SECONDS = 300.0
LAYERS = """\
name = "everything"
[[layers]]
layer = "Rescaling"
scale = 0.0625
[[layers]]
layer = "Conv2D"
filters = 4
kernel_size = 3
[[layers]]
layer = "BatchNormalization"
[[layers]]
layer = "Activation"
activation = "relu"
[[layers]]
layer = "Dropout"
rate = 0.3
[[layers]]
layer = "Flatten"
[[layers]]
layer = "Dense"
units = 10
activation = "softmax"
"""
# The recipe adds augmentation, one cycle of AdamW, and early stopping with the best weights.
WORDS = ["digits", "--model", "model.toml", "--epochs", "150", "--out", "runs/killed"]
SAME = ("checkpoint.npz", "history.csv", "predictions.csv", "model.onnx", "model.toml")


class Victim:
    """One process of `clearcnn train`, and what it leaves behind."""

    def __init__(self, home: Path, words: list[str]) -> None:
        self.home = home
        self.unfinished = home / "runs" / "killed.unfinished"
        self.before = self.newest()
        self.output = home / "output.txt"
        with self.output.open("wb") as file:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "clearcnn", "train", *words, "--checkpoint-seconds", "0"],
                cwd=home,
                stdout=file,
                stderr=subprocess.STDOUT,
                env=os.environ
                | {"JAX_COMPILATION_CACHE_DIR": str(home / "programs"), "PYTHONUNBUFFERED": "1"},
            )

    def newest(self) -> int:
        files = CheckpointFolder(self.unfinished).list_files()
        return int(files[0].stem.removeprefix("epoch-")) if files else 0

    def wait(self, until: str) -> None:
        """Wait until it says so, keeps a checkpoint, or ends."""
        end = time.monotonic() + LONGEST_SECONDS
        while self.process.poll() is None and time.monotonic() < end:
            if until == "a checkpoint" and self.newest() > self.before:
                return
            if until != "a checkpoint" and until in self.said:
                return
            time.sleep(0.002)

    @property
    def said(self) -> str:
        return self.output.read_text(encoding="utf-8", errors="replace")

    def kill(self) -> str | None:
        """Kill it; say what it was doing, or None if it had ended."""
        self.process.kill()
        if self.process.wait() != -9:
            assert self.process.returncode == 0, self.said
            return None
        if list(self.unfinished.glob(".partial-*")):
            return "keeping a checkpoint"
        if any((each / "model.onnx").exists() for each in self.home.glob("runs/.partial-*")):
            return "writing the run"
        if "compiling" not in self.said:
            return "starting"
        return "training" if self.newest() > self.before else "compiling"


def read_all(folder: Path) -> int:
    """Every checkpoint that lies there must be whole; gives how many there are."""
    files = CheckpointFolder(folder).list_files()
    for path in files:
        decode_checkpoint(path.read_bytes(), path)
    return len(files)


def choose_moment(random_: random.Random, victim: Victim) -> None:
    """Most often between checkpoints, sometimes before the first or while the run is written."""
    kind = random_.random()
    if kind < 0.1:
        time.sleep(random_.uniform(0, 3))
    elif kind < 0.2:
        victim.wait("compiling")
        time.sleep(random_.uniform(0, 2))
    else:
        victim.wait("a checkpoint")
        time.sleep(random_.uniform(0, 0.4 if kind < 0.9 else 4))


@pytest.fixture
def home(tmp_path: Path) -> Path:
    (tmp_path / "model.toml").write_text(LAYERS, encoding="utf-8")
    return tmp_path


def test_killed_at_random_it_ends_in_the_same_bits(home: Path) -> None:
    never = Victim(home, WORDS)
    assert never.process.wait(LONGEST_SECONDS) == 0, never.said
    runs = home / "runs"
    (runs / "killed").rename(runs / "never")
    random_ = random.Random(SEED)
    moments: Counter[str] = Counter()
    looked, finished, start = 0, 0, time.monotonic()
    words = WORDS
    while True:
        if random_.random() < 0.1:
            shutil.rmtree(home / "programs", ignore_errors=True)
        victim = Victim(home, words)
        if moments.total() < KILLS:
            choose_moment(random_, victim)
            moment = victim.kill()
        else:
            assert victim.process.wait(LONGEST_SECONDS) == 0, victim.said
            moment = None
        if moment is not None:
            moments[moment] += 1
            looked += read_all(victim.unfinished)
            said = f"kill {moments.total()} of {KILLS}: {moment}, after epoch {victim.newest()}"
            print(said, flush=True)  # noqa: T201
        if (runs / "killed").exists():
            finished += 1
            for name in SAME:
                assert (runs / "killed" / name).read_bytes() == (runs / "never" / name).read_bytes()
            shutil.rmtree(runs / "killed")
            shutil.rmtree(victim.unfinished, ignore_errors=True)
            print(f"the same bits, {finished}", flush=True)  # noqa: T201
            if moments.total() >= KILLS:
                break
        is_begun = (victim.unfinished / "request.json").exists()
        words = ["--resume", "runs/killed"] if is_begun else WORDS
    print(  # noqa: T201
        f"\n{moments.total()} kills ({', '.join(f'{n} {what}' for what, n in moments.items())}), "
        f"{looked} checkpoints read, {finished} runs finished in the same bits, "
        f"{time.monotonic() - start:.0f} s"
    )
    assert sorted(path.name for path in runs.iterdir()) == ["never"]
