"""The studio as an application in this process, and as a program with a page in a browser."""

import re
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("fastapi", reason="needs the extra serve")

from fastapi.testclient import TestClient
from tests.workflows.studio.pictures import make_png

from clearcnn.web.settings import ServeSettings
from clearcnn.web.studio_app import make_studio_app
from clearcnn.workflows.studio.studio import Studio

BASE = "http://localhost:8010"


@pytest.fixture(scope="session")
def picture() -> Callable[..., bytes]:
    return make_png


@pytest.fixture
def studio(tmp_path: Path) -> Iterator[Studio]:
    opened = Studio(tmp_path / "photos")
    yield opened
    opened.close()


@pytest.fixture
def client(studio: Studio) -> Iterator[TestClient]:
    app = make_studio_app(studio, ServeSettings())
    local = ("127.0.0.1", 50_000)
    with TestClient(app, base_url=BASE, client=local, raise_server_exceptions=False) as opened:
        yield opened


@contextmanager
def started(folder: Path, *words: str) -> Iterator[tuple[subprocess.Popen[str], str]]:
    """`clearcnn studio` as a process; yields it and its address."""
    with subprocess.Popen(
        [sys.executable, "-m", "clearcnn", "studio", str(folder), "--no-browser", "--port", "0"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE if words else subprocess.DEVNULL,
        cwd=folder.parent,
        text=True,
    ) as process:
        assert process.stdout
        first = process.stdout.readline()
        found = re.search(r"http://\S+:\d+", first)
        assert found, first
        try:
            yield process, found[0]
        finally:
            process.kill()


@contextmanager
def running(folder: Path, *words: str) -> Iterator[str]:
    """`clearcnn studio` in a separate process; yields its address."""
    with started(folder, *words) as (_, address):
        yield address


@pytest.fixture(scope="session")
def run_studio() -> Callable[..., Any]:
    return running


@pytest.fixture(scope="session")
def start_studio() -> Callable[..., Any]:
    return started


@pytest.fixture
def open_page(browser):
    """Open the page; at the end, it must have reported no errors but refused requests."""
    complaints, contexts = [], []

    def show(address, *, width=1280, locale="en", scheme="light", step="collect"):
        context = browser.new_context(
            viewport={"width": width, "height": 900},
            locale=locale,
            color_scheme=scheme,
            permissions=["camera"],
            bypass_csp=True,  # For the tests' own scripts.
        )
        contexts.append(context)
        page = context.new_page()
        page.set_default_timeout(240_000)
        page.on("pageerror", lambda error: complaints.append(str(error)))
        page.on(
            "request",
            lambda request: (
                None
                if request.url.startswith((address, "blob:"))
                else complaints.append(request.url)
            ),
        )
        page.goto(f"{address}/#step={step}")
        page.wait_for_selector("body[data-ready]")
        return page

    yield show
    for context in contexts:
        context.close()
    assert complaints == []


@pytest.fixture
def address(run_studio, tmp_path):
    with run_studio(tmp_path / "photos") as found:
        yield found
