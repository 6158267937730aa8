"""The soak in short: a server that worked for half a minute holds what it held before."""

import importlib
import sys
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parents[2]


@pytest.fixture
def load(monkeypatch: pytest.MonkeyPatch) -> Any:
    monkeypatch.syspath_prepend(ROOT)
    return lambda name: importlib.import_module(f"benchmarks.soak.{name}")


@pytest.mark.release
@pytest.mark.skipif(sys.platform != "linux", reason="looks at /proc")
def test_a_server_keeps_no_files_threads_or_processes(load: Any, tmp_path: Path) -> None:
    pytest.importorskip("fastapi", reason="needs the extra serve")
    result = load("__main__").soak(tmp_path, 30)
    assert result.faults == []
    answered = {kind for kind, found in result.outcomes.items() if found.total()}
    assert answered >= set(load("clients").KINDS) | {"train and replace", "predict"}
    assert len(result.samples) > 10


def test_a_client_that_fails_oddly_is_counted_and_asks_again(load: Any, tmp_path: Path) -> None:
    work = load("__main__").Work("http://localhost:1", tmp_path)

    def ask(*_: object) -> str:
        if work.outcomes:
            work._over.set()
        raise KeyError("event")

    work._ask_again("odd", ask, 0.0, 0)
    assert work.outcomes == {"odd": {"KeyError": 2}}
    rest = load("watch").Sample(*[0] * 7)
    assert list(load("__main__")._find_faults(work.outcomes, rest, rest)) == [
        "odd: {'KeyError': 2}."
    ]


def test_a_slope_is_that_of_numpy(load: Any) -> None:
    import numpy as np

    random = np.random.default_rng(0)
    x, y = np.sort(random.uniform(0, 100, 50)), random.normal(size=50)
    found = load("watch").slope_per_minute(x.tolist(), y.tolist())
    assert found == pytest.approx(60 * np.polyfit(x, y, 1)[0])


@pytest.mark.skipif(sys.platform != "linux", reason="looks at /proc")
def test_a_leak_is_seen(load: Any, tmp_path: Path) -> None:
    """Of this process itself: a file, a thread and a temporary file more."""
    import os
    import threading

    watch, over = load("watch"), threading.Event()
    before = watch.take_sample(os.getpid(), tmp_path, 0.0)
    with (tmp_path / "left").open("w"):
        thread = threading.Thread(target=over.wait)
        thread.start()
        after = watch.take_sample(os.getpid(), tmp_path, 0.0)
        over.set()
        thread.join()
    grown = [getattr(after, each) - getattr(before, each) for each in ("files", "threads")]
    assert grown == [1, 1]
    assert (before.temporary, after.temporary) == (0, 1)
    faults = load("__main__")._find_faults
    threads = before.threads + load("__main__")._SPARE_THREADS + 1
    leaking = watch.Sample(0, 1, 1, before.files + 5, threads, 9, 0)
    assert len(list(faults({}, before, leaking))) == 3
    assert list(faults({}, before, before)) == []
