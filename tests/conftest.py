"""For all tests: programs and the user's key are kept in the checkout, Ctrl-C is Python's own.

A second run of the tests is quick, since it finds its programs. XLA optimises these less than a
user's, which takes a third less time; `make test-all` tests them as users have them. A shell that
starts the tests in the background has them ignore SIGINT, and so everything they start.
"""

import os
import shutil
import signal
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

CACHE = Path(__file__).parents[1] / ".cache" / "programs"
STATE = CACHE.with_name("state")

os.environ.setdefault("JAX_COMPILATION_CACHE_DIR", str(CACHE))
os.environ["XDG_STATE_HOME"] = str(STATE)
os.environ.setdefault("JAX_PERSISTENT_CACHE_MIN_COMPILE_TIME_SECS", "0")
os.environ.setdefault(
    "XLA_FLAGS", "--xla_cpu_use_fusion_emitters=false --xla_backend_optimization_level=1"
)
signal.signal(signal.SIGINT, signal.default_int_handler)

# The key that the first training would make: no test is to be the first.
if not (STATE / "clearcnn" / "key").is_file():
    (STATE / "clearcnn").mkdir(parents=True, exist_ok=True)
    (aside := STATE / "clearcnn" / f"key.{os.getpid()}").write_bytes(os.urandom(32))
    aside.replace(STATE / "clearcnn" / "key")

KINDS = frozenset(
    ("attack", "browser", "fuzz", "kill", "process", "reference", "simulate", "strike")
)

# Where single tests take longest: started first, so that no worker is left with them at the end.
LONGEST_FIRST = (
    "workflows",
    "web/static",
    "training",
    "contracts",
    "torture",
    "writes",
    "cli",
    "web",
)


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add --sample."""
    parser.addoption(
        "--sample", action="store_true", help="run only the first test of each kind in each file"
    )


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Mark what uses the browser, take the sample, and bring folders of long tests to the front."""
    for item in items:
        if "browser" in getattr(item, "fixturenames", ()):
            item.add_marker("browser")
    if config.getoption("sample"):
        left_out = _find_left_out(items)
        config.hook.pytest_deselected(items=list(left_out))
        items[:] = [item for item in items if item not in left_out]

    def rank(item: pytest.Item) -> int:
        folder = item.path.parent.relative_to(Path(__file__).parent).as_posix()
        found = (i for i, name in enumerate(LONGEST_FIRST) if f"{folder}/".startswith(f"{name}/"))
        return next(found, len(LONGEST_FIRST))

    items.sort(key=rank)


def _find_left_out(items: list[pytest.Item]) -> dict[pytest.Item, None]:
    seen: set[tuple[Path, str]] = set()
    left_out: dict[pytest.Item, None] = {}
    for item in items:
        kinds = {(item.path, mark.name) for mark in item.iter_markers() if mark.name in KINDS}
        if kinds and kinds <= seen:
            left_out[item] = None
        seen |= kinds
    return left_out


@pytest.fixture(scope="session")
def browser() -> Iterator[Any]:
    """Chromium; Playwright lets one process drive it from one place only.

    Every name under .test leads to this computer, for pages from elsewhere.
    """
    chromium = shutil.which("chromium") or shutil.which("chromium-browser")
    if chromium is None:
        pytest.skip("there is no chromium on this machine")
    playwright = pytest.importorskip("playwright.sync_api")
    with playwright.sync_playwright() as driver:
        opened = driver.chromium.launch(
            executable_path=chromium,
            args=[
                "--no-sandbox",
                "--host-resolver-rules=MAP *.test 127.0.0.1",
                "--use-fake-device-for-media-stream",
            ],
        )
        yield opened
        opened.close()


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Callable[[str], Path]]:
    """Mounts a disk in memory, with the options given."""
    place = tmp_path / "disk"
    place.mkdir()

    def mount(options: str) -> Path:
        command = ["mount", "-t", "tmpfs", "-o", options, "tmpfs", place]
        try:
            done = subprocess.run(command, capture_output=True, text=True, check=False)
        except FileNotFoundError:
            pytest.skip("there is no mount")
        if done.returncode:
            pytest.skip(f"a disk cannot be mounted: {done.stderr.strip()}")
        return place

    yield mount
    if place.is_mount():
        subprocess.run(["umount", "--lazy", place], check=True)
