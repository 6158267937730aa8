"""What the page showed as kept is on the disk: after SIGKILL, and when a disk fills."""

import json
import urllib.error
import urllib.request
from urllib.parse import urlencode

import pytest
from PIL import Image


def read_all(root):
    """Decode every picture; return their names."""
    found = sorted(path for path in root.glob("[!.]*/*"))
    for path in found:
        Image.open(path).load()
    return {path.relative_to(root).as_posix() for path in found}


@pytest.mark.browser
def test_a_process_killed_in_a_burst_loses_no_picture_on_the_sheet(
    start_studio, open_page, tmp_path
):
    root = tmp_path / "photos"
    with start_studio(root) as (process, address):
        page = open_page(address)
        page.fill("#class-name", "cup")
        page.press("#class-name", "Enter")
        page.click('[data-act="openCamera cup"]')
        page.wait_for_selector("#take-burst:enabled")
        page.click("#take-burst")
        page.wait_for_function("Number(document.body.dataset.count) >= 4")
        process.kill()  # SIGKILL
        process.wait()
        page.wait_for_function("document.querySelector('#camera-problem').textContent")
        shown = page.evaluate(
            "[...document.querySelectorAll('[data-picture]')].map((e) => e.dataset.picture)"
        )
        assert 4 <= len(shown) < 12
        kept = read_all(root)
        assert set(shown) <= kept and len(kept) <= len(shown) + 1
    with start_studio(root) as (_, address):
        page = open_page(address)
        page.wait_for_selector(f'body[data-count="{len(kept)}"]')
        page.click("#undo")  # The burst is one change.
        page.wait_for_selector('body[data-count="0"]')


@pytest.mark.process
def test_a_disk_that_fills_loses_no_picture_that_was_kept(start_studio, disk, picture):
    root = disk("size=96k") / "photos"
    with start_studio(root) as (_, address):

        def post(path, body=b"{}"):
            kind = {"Content-Type": "application/json"}
            request = urllib.request.Request(f"{address}/studio/{path}", body, kind)
            with urllib.request.urlopen(request) as answer:
                return json.load(answer)

        post("classes", b'{"name": "a"}')
        kept = set()
        with pytest.raises(urllib.error.HTTPError) as full:
            for k in range(100):
                asked = urlencode({"class_name": "a", "name": f"{k}.png"})
                kept.add(post(f"pictures?{asked}", picture(k, side=32))["picture"])
        told = json.load(full.value)
        assert (full.value.code, told["code"]) == (422, "disk")
        assert "No space left on device" in told["error"]
        assert 3 < len(kept) < 100
        assert read_all(root) == kept
        for name, content in ((name, (root / name).read_bytes()) for name in kept):
            assert content == picture(int(name[2:-4]), side=32)
        # Nothing of the refused picture is left, so it fits once something else has gone.
        (root / sorted(kept)[0]).unlink()
        (root / sorted(kept)[1]).unlink()
        asked = urlencode({"class_name": "a", "name": "more.png"})
        assert post(f"pictures?{asked}", picture(7, side=32)) == {"picture": "a/more.png"}
        assert read_all(root) == {*sorted(kept)[2:], "a/more.png"}
