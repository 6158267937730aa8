"""A real browser on a page of another origin, which tries to reach the server."""

import json
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

pytestmark = pytest.mark.browser

EVIL = """<!doctype html><meta charset="utf-8"><title>evil</title><body><script>
async function attack(server) {
  const found = {};
  const outcome = (name, promise) => promise.then((value) => (found[name] = value), (error) =>
    (found[name] = error.name));
  const load = (name, tag, address, key = "src") => outcome(name, new Promise((resolve) => {
    const element = document.createElement(tag);
    element.onload = () => resolve("loaded");
    element.onerror = () => resolve("failed");
    if (tag === "link") element.rel = "stylesheet";
    element[key] = server + address;
    document.body.append(element);
  }));
  const ask = (address, options) => fetch(server + address, options).then(async (answer) =>
    answer.type === "opaque" ? "opaque" : answer.status + " " + (await answer.text()));
  const post = { method: "POST", body: "x", mode: "no-cors", credentials: "include" };
  await outcome("read", ask("/page/models", {}));
  await outcome("simple get", ask("/page/models/digits", { mode: "no-cors" }));
  await outcome("simple post", ask("/predict", post));
  await outcome("train", ask("/page/playground/prepare", post));
  await outcome("preflight", ask("/page/playground/check", {
    method: "POST", body: "{}", headers: { "Content-Type": "application/json" } }));
  await outcome("delete", ask("/page/playground/attempts/1", { method: "DELETE" }));
  await load("image", "img", "/static/icon.svg");
  await load("script", "script", "/static/app.js");
  await load("style", "link", "/static/style.css", "href");
  await outcome("beacon", Promise.resolve(navigator.sendBeacon(server + "/predict", "x")));
  await outcome("socket", new Promise((resolve) => {
    const socket = new WebSocket(server.replace("http", "ws") + "/predict");
    socket.onopen = () => resolve("open");
    socket.onerror = () => resolve("failed");
  }));
  for (const [method, address] of [["POST", "/page/playground/prepare"], ["GET", "/"]]) {
    await outcome("form " + method, new Promise((resolve) => {
      const frame = document.createElement("iframe");
      frame.name = "frame" + method;
      document.body.append(frame);
      const form = document.createElement("form");
      Object.assign(form, { method, action: server + address, target: frame.name });
      document.body.append(form);
      frame.onload = () => {
        if (frame.contentDocument === null) resolve("not readable");
      };
      form.submit();
    }));
  }
  return found;
}
</script>"""


@pytest.fixture(scope="module")
def evil_port() -> Iterator[int]:
    class Page(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200)
            self.send_header("Content-Type", "text/html; charset=utf-8")
            self.end_headers()
            self.wfile.write(EVIL.encode())

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Page)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield server.server_port
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.fixture
def server(serve: Callable[..., Any], digits_run: Path) -> Iterator[Any]:
    with serve(digits_run) as server:
        yield server


@pytest.mark.parametrize("name", ["evil.test", "localhost", "127.0.0.1"])
def test_a_page_from_elsewhere_gets_nothing(
    browser: Any, server: Any, evil_port: int, name: str
) -> None:
    """On another host; on another port of this one, under the server's own name too."""
    page = browser.new_page()
    page.goto(f"http://{name}:{evil_port}/")
    found = page.evaluate("server => attack(server)", server.url)
    page.close()
    assert found["read"] == "TypeError"
    assert found["simple get"] in ("opaque", "TypeError")
    assert found["simple post"] in ("opaque", "TypeError")
    assert found["preflight"] == found["delete"] == "TypeError"
    assert found["image"] == found["script"] == found["style"] == found["socket"] == "failed"
    assert server.stop() == 0
    asked = [line for line in server.lines() if line["event"] == "request"]
    assert len(asked) >= 10, "the browser kept the attack from the server"
    assert {line["status"] for line in asked} == {403}, json.dumps(asked)


def test_a_name_that_was_turned_to_this_computer_gets_nothing(browser: Any, server: Any) -> None:
    """DNS rebinding: to the browser, the evil page and the server are of one origin."""
    page = browser.new_page(bypass_csp=True)  # Its page came from its own server before.
    answer = page.goto(f"http://rebound.test:{server.port}/")
    assert answer.status == 421
    told = page.evaluate("fetch('/page/models').then((answer) => answer.status)")
    posted = page.evaluate(
        "fetch('/predict', { method: 'POST', body: 'x' }).then((answer) => answer.status)"
    )
    page.close()
    assert (told, posted) == (421, 421)


def test_a_link_from_elsewhere_may_be_followed(browser: Any, server: Any, evil_port: int) -> None:
    page = browser.new_page()
    page.goto(f"http://evil.test:{evil_port}/")
    with page.expect_navigation():
        page.evaluate("server => { location.href = server; }", server.url)
    assert page.title().startswith("clearcnn")
    assert page.evaluate("document.referrer") in ("", f"http://evil.test:{evil_port}/")
    page.close()
