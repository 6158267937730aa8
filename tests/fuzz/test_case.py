"""The measuring itself: it must tell what takes too much."""

import json
import subprocess
import sys
from pathlib import Path

# In a process of its own, which has no threads when it forks.
PROGRAM = """
import json, time
from dataclasses import asdict
from clearcnn.errors import DataError
from fuzz.worst.case import Case, measure

def refuse(_):
    raise DataError("It is broken.", remedy="Mend it.")

reads = {
    "nothing": lambda _: None,
    "slow": lambda _: time.sleep(0.2),
    "large": lambda _: bytearray(2**29).count(1),
    "refused": refuse,
    "wrong": lambda _: 1 / 0,
    "endless": lambda _: bytes(2**40),
}
for name, read in reads.items():
    case = Case(lambda: b"", read, is_refused=name not in ("slow", "large"))
    print(json.dumps({"name": name, **asdict(measure(case))}))
"""


def test_a_case_tells_time_memory_and_outcome() -> None:
    run = subprocess.run(
        [sys.executable, "-c", PROGRAM],
        cwd=Path(__file__).parents[2],
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
    )
    found = {each["name"]: each for each in map(json.loads, run.stdout.splitlines())}
    said = {name: each["said"] for name, each in found.items()}
    assert said["nothing"] == "! it was read"
    assert said["slow"] == said["large"] == "read"
    assert said["refused"] == "It is broken. Mend it."
    assert said["wrong"] == "! ZeroDivisionError: division by zero"
    assert said["endless"].startswith("! MemoryError")
    assert found["slow"]["seconds"] >= 0.2
    assert found["large"]["peak_bytes"] - found["slow"]["peak_bytes"] > 2**28
