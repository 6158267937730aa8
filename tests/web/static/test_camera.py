"""The camera's module, against Chromium's fake camera and against what can go wrong."""

import shutil
import threading
from collections.abc import Iterator
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from clearcnn.web import assets

pytestmark = pytest.mark.browser

STATIC = Path(assets.__file__).parent / "static"
OPEN = """async () => {
  const {openCamera} = await import("/camera.js");
  const video = document.body.appendChild(document.createElement("video"));
  try {
    window.ended = 0;
    window.video = video;
    window.camera = await openCamera(video, {onend: () => window.ended++});
    return "open";
  } catch (error) {
    return error.kind;
  }
}"""
TAKE = """async () => {
  const bytes = await (await window.camera.still()).arrayBuffer();
  return [[...new Uint8Array(bytes)], window.video.videoWidth, window.video.videoHeight];
}"""


class _Quiet(SimpleHTTPRequestHandler):
    def log_message(self, *_: object) -> None:
        pass

    def end_headers(self) -> None:
        self.send_header("Permissions-Policy", assets.PERMISSIONS_POLICY)
        super().end_headers()


@pytest.fixture(scope="module")
def port() -> Iterator[int]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(_Quiet, directory=str(STATIC)))
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield server.server_address[1]
    server.shutdown()
    server.server_close()


@pytest.fixture
def show(browser: Any, port: int) -> Iterator[Any]:
    pages = []

    def open_page(host: str = "localhost", *, allowed: bool = True, by: Any = browser) -> Any:
        context = by.new_context(permissions=["camera"] if allowed else [])
        page = context.new_page()
        pages.append(context)
        page.goto(f"http://{host}:{port}/camera.js")
        return page

    yield open_page
    for context in pages:
        context.close()


def take(page: Any) -> np.ndarray[Any, Any]:
    content, width, height = page.evaluate(TAKE)
    image = Image.open(BytesIO(bytes(content)))
    assert (image.format, image.size) == ("PNG", (width, height))
    return np.asarray(image.convert("RGB"))


def test_a_still_is_the_frame_that_the_camera_shows(show: Any) -> None:
    page = show()
    assert page.evaluate(OPEN) == "open"
    first = take(page)
    # Chromium's fake camera shows a moving clock and a pie on green.
    assert np.median(first[..., 1]) > 100 and first.std() > 20
    page.wait_for_timeout(500)
    assert (take(page) != first).any()


def test_a_closed_camera_is_off_and_gives_no_stills(show: Any) -> None:
    page = show()
    page.evaluate(OPEN)
    state = page.evaluate("""async () => {
      const [track] = video.srcObject.getTracks();
      camera.close();
      camera.close();
      const kind = await camera.still().catch((error) => error.kind);
      return [track.readyState, video.srcObject, kind, ended];
    }""")
    assert state == ["ended", None, "none", 0]
    assert page.evaluate(OPEN) == "open"
    assert take(page).std() > 20


def test_an_unplugged_camera_is_told(show: Any) -> None:
    page = show()
    page.evaluate(OPEN)
    # Only the browser can end a track, so the event is sent in its place.
    page.evaluate("video.srcObject.getTracks()[0].dispatchEvent(new Event('ended'))")
    assert page.evaluate("[ended, video.srcObject]") == [1, None]


def test_a_refused_camera_is_denied(show: Any) -> None:
    assert show(allowed=False).evaluate(OPEN) == "denied"


def test_without_https_the_camera_is_insecure_elsewhere(show: Any) -> None:
    assert show("elsewhere.test").evaluate(OPEN) == "insecure"


def test_a_computer_without_a_camera_has_none(browser: Any, show: Any) -> None:
    args = ["--no-sandbox", "--use-fake-device-for-media-stream=device-count=0"]
    path = shutil.which("chromium") or shutil.which("chromium-browser")
    other = browser.browser_type.launch(executable_path=path, args=args)
    try:
        assert show(by=other).evaluate(OPEN) == "none"
    finally:
        other.close()


def test_a_camera_that_another_program_uses_is_busy(show: Any) -> None:
    page = show()
    page.evaluate("""() => {
      navigator.mediaDevices.getUserMedia = () =>
        Promise.reject(new DOMException("Could not start video source", "NotReadableError"));
    }""")
    assert page.evaluate(OPEN) == "busy"
