"""For all tests: programs and the user's key are kept in the checkout, Ctrl-C is Python's own.

A second run of the tests is quick, since it finds its programs. XLA optimises these less than a
user's, which takes a third less time; `make test-all` tests them as users have them. A shell that
starts the tests in the background has them ignore SIGINT, and so everything they start.
"""

import os
import shutil
import signal
from collections.abc import Iterator
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

# Where single tests take longest: begun first, so that no process is left with them in the end.
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


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Bring the folders of long tests to the front; within a file the order stays."""

    def rank(item: pytest.Item) -> int:
        folder = item.path.parent.relative_to(Path(__file__).parent).as_posix()
        found = (i for i, name in enumerate(LONGEST_FIRST) if f"{folder}/".startswith(f"{name}/"))
        return next(found, len(LONGEST_FIRST))

    items.sort(key=rank)


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
            args=["--no-sandbox", "--host-resolver-rules=MAP *.test 127.0.0.1"],
        )
        yield opened
        opened.close()
