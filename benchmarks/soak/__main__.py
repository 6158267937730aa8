"""Soak-test a server, print what it did and held, and fail if it leaked something."""

import argparse
import os
import random
import re
import shutil
import subprocess
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx
import numpy as np
from PIL import Image

from benchmarks.soak.clients import KINDS, MODEL, Client
from benchmarks.soak.watch import Sample, Watch, sum_up, take_sample, write_table

ROOT = Path(__file__).resolve().parents[2]
TABLE = ROOT / ".cache" / "benchmarks" / "soak.csv"

# One or two may still be closing.
_SPARE_FILES = 4
# Two files and a folder of each of the 24 attempts that the playground keeps.
_SPARE_TEMPORARY = 3 * 24
# asyncio's own pool, which decompresses bodies, grows to as many threads and keeps them.
_SPARE_THREADS = (os.cpu_count() or 1) + 4

# At the next request, anyio's pool ends threads that were idle for ten seconds.
_IDLE_SECONDS = 12


@dataclass(frozen=True)
class Soaking:
    """The outcome of a soak test.

    Attributes:
      outcomes: counts, for each kind of work.
      before: what the idle server held, after each kind of work was done once.
      samples: each second.
      after: what the idle server held at the end.
      faults: sentences; none if the test passed.
    """

    outcomes: dict[str, Counter[str]]
    before: Sample
    samples: list[Sample]
    after: Sample
    faults: list[str]


class Work:
    """All work with a server, until it is told to end.

    Args:
      url: of the server.
      place: the folder with the served run `model`.

    Attributes:
      outcomes: so far.
    """

    def __init__(self, url: str, place: Path) -> None:
        self.outcomes: dict[str, Counter[str]] = {}
        self._url, self._place = url, place
        self._over = threading.Event()
        self._lock = threading.Lock()

    def do_all_once(self) -> None:
        """Run each kind of client once, and replace a model."""
        self._replace(random.Random(0))
        with httpx.Client(base_url=self._url, timeout=60) as client:
            time.sleep(1.5)
            for kind, (ask, _, _) in KINDS.items():
                self._note(kind, ask(client, random.Random(1)))

    def go_on(self, seconds: float) -> None:
        """Do all of it concurrently and repeatedly."""
        threads = [
            threading.Thread(target=self._ask_again, args=(kind, ask, rest, number))
            for kind, (ask, count, rest) in KINDS.items()
            for number in range(count)
        ]
        threads.append(threading.Thread(target=self._run_verbs))
        for thread in threads:
            thread.start()
        self._over.wait(seconds)
        self._over.set()
        for thread in threads:
            thread.join()

    def _note(self, kind: str, outcome: str) -> None:
        with self._lock:
            self.outcomes.setdefault(kind, Counter())[outcome] += 1

    def _ask_again(self, kind: str, ask: Client, rest: float, number: int) -> None:
        chance = random.Random(f"{kind} {number}")
        with httpx.Client(base_url=self._url, timeout=60) as client:
            while not self._over.is_set():
                try:
                    self._note(kind, ask(client, chance))
                except Exception as error:  # A single failure is counted, and the work continues.
                    self._note(kind, type(error).__name__)
                self._over.wait(rest)

    def _run_verbs(self) -> None:
        chance = random.Random(2)
        while not self._over.is_set():
            try:
                self._run_verbs_once(chance)
            except OSError as error:
                self._note("verbs", type(error).__name__)

    def _run_verbs_once(self, chance: random.Random) -> None:
        answers, page = self._place / "answers.csv", self._place / "explanation"
        evaluation = self._place / "evaluation"
        pictures, run = self._place / "pictures", self._place / MODEL
        self._replace(chance)
        for verb in (
            ["predict", run, pictures, "--csv", answers],
            ["evaluate", run, "--out", evaluation],
            ["explain", run, pictures / "0.png", "--out", page],
        ):
            if self._over.is_set():
                return
            answers.unlink(missing_ok=True)
            for folder in (page, evaluation):
                shutil.rmtree(folder, ignore_errors=True)
            self._note(str(verb[0]), str(run_verb(*verb)))

    def _replace(self, chance: random.Random) -> None:
        new, old = self._place / "new", self._place / "old"
        seed = str(chance.getrandbits(16))
        words = ("--recipe", "tutorial", "--epochs", "1", "--seed", seed, "--out", new)
        self._note("train and replace", str(run_verb("train", "digits", *words)))
        (self._place / MODEL).rename(old)
        new.rename(self._place / MODEL)
        shutil.rmtree(old)


def run_verb(*words: object) -> int:
    """Run clearcnn, and return its exit status."""
    command = [sys.executable, "-m", "clearcnn", *map(str, words)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        sys.stderr.write(done.stderr)
    return done.returncode


@contextmanager
def serve(place: Path) -> Iterator[tuple[subprocess.Popen[str], str]]:
    """Start a server of the run `model`; return its process and address."""
    folder = place / "temporary"
    folder.mkdir()
    command = [sys.executable, "-m", "clearcnn", "serve", str(place / MODEL), "--port", "0"]
    with (place / "serve.log").open("w", encoding="utf-8") as log:
        process = subprocess.Popen(
            command,
            stdout=subprocess.PIPE,
            stderr=log,
            text=True,
            env={**os.environ, "TMPDIR": str(folder)},
        )
    assert process.stdout
    with process, process.stdout:
        found = re.search(r"http://[\w.:]+\d", process.stdout.readline())
        try:
            assert found, "The server did not start."
            yield process, found[0]
        finally:
            process.terminate()


def soak(place: Path, seconds: float) -> Soaking:
    """Soak-test a server.

    Args:
      place: an empty folder.
      seconds: duration of the work.
    """
    words = ("--recipe", "tutorial", "--epochs", "1", "--out", place / MODEL)
    assert run_verb("train", "digits", *words) == 0
    (place / "pictures").mkdir()
    for k in range(50):
        pixels = np.random.default_rng(k).integers(0, 256, (16, 16), np.uint8)
        Image.fromarray(pixels).save(place / "pictures" / f"{k}.png")
    with serve(place) as (process, url):
        begin, folder = time.monotonic(), place / "temporary"
        work = Work(url, place)
        work.do_all_once()
        before = _rest(process.pid, url, folder, begin)
        with Watch(process.pid, folder) as watch:
            work.go_on(seconds)
        after = _rest(process.pid, url, folder, begin)
        process.terminate()
        status = process.wait(60)
    faults = list(_find_faults(work.outcomes, before, after))
    if status:
        faults.append(f"The server ended with status {status}.")
    if "Traceback" in (log := (place / "serve.log").read_text(encoding="utf-8")):
        faults.append(log[log.index("Traceback") :][:2000])
    if left := [path.name for path in folder.iterdir()]:
        faults.append(f"The server left {', '.join(left)} behind.")
    return Soaking(work.outcomes, before, watch.samples, after, faults)


def _rest(pid: int, url: str, folder: Path, begin: float) -> Sample:
    time.sleep(_IDLE_SECONDS)
    httpx.get(f"{url}/page/models/{MODEL}").raise_for_status()
    time.sleep(1)
    return take_sample(pid, folder, begin)


def _find_faults(outcomes: dict[str, Counter[str]], before: Sample, after: Sample) -> Iterator[str]:
    for kind, found in outcomes.items():
        wrong = {
            outcome: count
            for outcome, count in found.items()
            if outcome in ("500", "1") or re.match(r".*(Error$|Timeout$|Error: )", outcome)
        }
        if wrong:
            yield f"{kind}: {wrong}."
    if after.files > before.files + _SPARE_FILES:
        yield f"{after.files} files are open, and {before.files} were."
    if after.threads > before.threads + _SPARE_THREADS:
        yield f"{after.threads} threads live, and {before.threads} did."
    if after.temporary > before.temporary + _SPARE_TEMPORARY:
        yield f"{after.temporary} temporary files are left, and {before.temporary} were there."
    if after.children > before.children:
        yield f"{after.children} processes live, and {before.children} did."


def main(words: Sequence[str] | None = None) -> int:
    """Run the soak test, and print the outcome."""
    parser = argparse.ArgumentParser(description="Soak-test a server.")
    parser.add_argument("--seconds", type=float, default=600)
    arguments = parser.parse_args(words)
    with tempfile.TemporaryDirectory() as folder:
        result = soak(Path(folder), arguments.seconds)
    TABLE.parent.mkdir(parents=True, exist_ok=True)
    write_table(result.samples, TABLE)
    for kind, found in result.outcomes.items():
        print(f"{kind}: " + ", ".join(f"{count:,} × {name}" for name, count in found.most_common()))
    print(f"At rest before: {result.before}.\nAt rest after: {result.after}.")
    print("\n".join(sum_up(result.samples)))
    print("\n".join(result.faults) or "Nothing was kept, nothing failed.")
    return int(bool(result.faults))


if __name__ == "__main__":
    sys.exit(main())
