"""Run the contenders of one question in turn, each time in a fresh process."""

import json
import os
import re
import subprocess
import tempfile
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from benchmarks.environments import Device, EnvironmentMissingError, Environments

_CONTENDERS = Path(__file__).parent / "contenders"
_LONGEST_SECONDS = 3600

# Replaced in a command by the number of the round: a seed, the same for every contender.
SEED = "{seed}"

Result = dict[str, Any]


def read_last_line(stdout: str) -> Result:
    """Parse the JSON that a script of `contenders/` prints at its end."""
    result: Result = json.loads(stdout.splitlines()[-1])
    return result


@dataclass(frozen=True)
class Contender:
    """One way to do the work of a question.

    Attributes:
      name: in the tables.
      environment: of `environments.PINS`.
      command: arguments of Python; the name of a script in `contenders/` is replaced by its path.
      variables: environment variables.
      keeps_cache: whether caches on disk are kept between runs, or each run starts without.
      read: standard output → result.
      follows: word of the command → (contender, key): replaced by that figure of the contender's
        run in the same round, which must come before.
    """

    name: str
    environment: str
    command: tuple[str, ...]
    variables: Mapping[str, str] = field(default_factory=dict)
    keeps_cache: bool = True
    read: Callable[[str], Result] = read_last_line
    follows: Mapping[str, tuple[str, str]] = field(default_factory=dict)


@dataclass(frozen=True)
class Run:
    """The outcome of one process.

    Attributes:
      contender: its name.
      round: counted from 0.
      result: what it reported, with its `wall_seconds` from start to end; empty if it
        failed.
      failure: why it failed, or None.
    """

    contender: str
    round: int
    result: Result
    failure: str | None = None


def play(
    contenders: list[Contender],
    environments: Environments,
    rounds: int,
    warm_ups: int = 0,
    say: Callable[[str], None] = print,
) -> list[Run]:
    """Run A B C A B C …; a contender that fails is left out from then on.

    Args:
      contenders: in turn.
      environments: has their Pythons.
      rounds: runs of each, > 0.
      warm_ups: rounds before these that are not counted.
      say: called with a line about each run.
    """
    runs: list[Run] = []
    pythons: dict[str, Path] = {}
    for contender in contenders:
        try:
            pythons[contender.name] = environments.python(contender.environment)
        except EnvironmentMissingError as error:
            runs.append(Run(contender.name, 0, {}, f"its environment could not be made: {error}"))
            say(f"  {contender.name}: left out, {runs[-1].failure}")
    with tempfile.TemporaryDirectory(prefix="clearcnn-benchmark-") as folder:
        for number in range(-warm_ups, rounds):
            results: dict[str, Result] = {}
            for contender in contenders:
                if contender.name not in pythons:
                    continue
                python = pythons[contender.name]
                missing = [name for name, _ in contender.follows.values() if name not in results]
                if missing:
                    why = f"it follows {missing[0]}, which did not run"
                    run = Run(contender.name, max(number, 0), {}, why)
                else:
                    words = _fill(contender, number, results)
                    run = _run(contender, words, python, number, environments.device, Path(folder))
                results |= {} if run.failure else {contender.name: run.result}
                if number >= 0 or run.failure:
                    runs.append(run)
                if run.failure:
                    del pythons[contender.name]
                    say(f"  {contender.name}: left out, {run.failure}")
                else:
                    label = f"round {number + 1} of {rounds}" if number >= 0 else "warm-up"
                    say(f"  {label} · {contender.name}: {run.result['wall_seconds']:.1f} s")
    return runs


def _fill(contender: Contender, number: int, results: Mapping[str, Result]) -> list[str]:
    """The command with the round's number and the figures of those that it follows."""
    filled = {SEED: str(max(number, 0))}
    filled |= {word: str(results[name][key]) for word, (name, key) in contender.follows.items()}
    return [filled.get(word, word) for word in contender.command]


def _run(
    contender: Contender,
    words: list[str],
    python: Path,
    number: int,
    device: Device,
    folder: Path,
) -> Run:
    if words[0].endswith(".py"):
        words[0] = str(_CONTENDERS / words[0])
    caches = folder / f"cache of {contender.name}".replace("/", " ")
    if not contender.keeps_cache:
        caches = Path(tempfile.mkdtemp(dir=folder))
    start = time.perf_counter()
    try:
        done = subprocess.run(
            [str(python), *words],
            cwd=tempfile.mkdtemp(dir=folder),
            env=_variables(contender, device, caches),
            capture_output=True,
            text=True,
            check=False,
            timeout=_LONGEST_SECONDS,
        )
    except subprocess.TimeoutExpired:
        return Run(contender.name, max(number, 0), {}, f"no end after {_LONGEST_SECONDS} seconds")
    wall_seconds = time.perf_counter() - start
    if done.returncode:
        why = f"exit status {done.returncode}: {_find_cause(done.stderr)}"
        return Run(contender.name, max(number, 0), {}, why)
    result = contender.read(done.stdout)
    if device == "gpu" and not result.get("accelerator"):
        return Run(contender.name, max(number, 0), {}, "it found no GPU")
    return Run(contender.name, max(number, 0), {**result, "wall_seconds": wall_seconds})


def _find_cause(stderr: str) -> str:
    """The last line that names an exception, or the last line."""
    lines = stderr.strip().splitlines() or ["it said nothing"]
    named = [line for line in lines if re.match(r"[\w.]*(Error|Exception|Interrupt)\b", line)]
    return (named or lines)[-1].rstrip(".")


def _variables(contender: Contender, device: Device, caches: Path) -> dict[str, str]:
    """The caller's environment without variables that configure Keras or devices."""
    variables = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith(("JAX_", "KERAS_", "TF_", "XLA_", "PYTHON"))
    }
    if device == "cpu":
        variables |= {"CUDA_VISIBLE_DEVICES": "", "JAX_PLATFORMS": "cpu"}
    caches.mkdir(exist_ok=True)
    variables |= {
        "XDG_CACHE_HOME": str(caches),
        "KERAS_HOME": str(caches / "keras"),
        "TF_CPP_MIN_LOG_LEVEL": "2",
        "PYTHONIOENCODING": "utf-8",
    }
    return variables | {
        name: value.replace("{caches}", str(caches)) for name, value in contender.variables.items()
    }
