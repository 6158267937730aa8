"""The studio's errors: each is told in the language of the page."""

import ast
import re
from pathlib import Path
from urllib.parse import urlencode

from tests.language.latin import find_latin

import clearcnn
from clearcnn.workflows.studio import import_source

SOURCE = Path(clearcnn.__file__).parent

# These need a job, a full disk or a deleted folder: other tests raise them.
ELSEWHERE = {"busy", "disk", "no_folder", "no_memory", "process_ended"}


def find_codes():
    found = set()
    for path in (SOURCE / "workflows" / "studio").glob("*.py"):
        text = path.read_text("utf-8")
        found |= set(re.findall(r'code="(\w+)"', text))
        for call in ast.walk(ast.parse(text)):
            if isinstance(call, ast.Call) and getattr(call.func, "id", "") == "_bad_class":
                found.add(f"class_{call.args[2].value}")
    return found


def test_every_error_of_the_studio_is_told_in_the_language_of_the_page(
    client, picture, monkeypatch
):
    monkeypatch.setattr(import_source, "MOST_IMAGES", 1000)
    told = set()
    formats = ["PNG", "JPEG", "BMP", "GIF", "WebP", "WEBP", "TIFF", "AVIF", "PPM", "PGM", "PBM"]
    kept = {*formats, "epochs", "png", "txt", "none"}

    def check(code, path, *, method="POST", **body):
        """Ask in both languages; the last error was this one, in both."""
        for language in ("ko", "en"):
            headers = {"Accept-Language": language}
            answer = client.request(method, path, headers=headers, **body).json()
            assert answer["code"] == code
            for field in ("error", "remedy"):
                if language == "ko":
                    text = re.sub("a{9,}", "", answer[field])
                    assert find_latin([text], kept) == {}
                assert bool(re.search("[가-힣]", answer[field])) == (language == "ko")
        told.add(code)

    def add_to(name, file, burst=None):
        asked = {"class_name": name, "name": file, **({"burst": burst} if burst else {})}
        return f"/studio/pictures?{urlencode(asked)}"

    client.post("/studio/classes", json={"name": "a"})
    check("class_taken", "/studio/classes", json={"name": "a"})
    check("class_empty", "/studio/classes", json={"name": ""})
    check("class_long", "/studio/classes", json={"name": "a" * 900})
    check("class_letters", "/studio/classes", json={"name": "a/b"})
    check("class_hidden", "/studio/classes", json={"name": ".a"})
    check("class_split", "/studio/classes", json={"name": "train"})
    check("no_class", "/studio/classes/remove", json={"name": "b"})
    check("no_picture", "/studio/remove", json={"pictures": ["a/1.png"]})
    check("no_pictures", "/studio/look", json={})
    check("not_an_image", add_to("a", "1.txt"), content=picture(1))
    check("unreadable", add_to("a", "1.png"), content=b"nothing")
    check("bad_burst", add_to("a", "1.png", "?"), content=picture(1))
    check("source_too_large", "/studio/sources", json={"source": "digits"})
    check("epochs_range", "/studio/train", json={"epochs": 0})
    check("no_run", "/studio/attempts/none", method="GET")
    check("few_classes", "/studio/train", json={})
    client.post("/studio/classes", json={"name": "b"})
    check("few_pictures", "/studio/train", json={})
    for name in "ab":
        for k in range(9):
            content = picture(k)
            assert client.post(add_to(name, "1.png", "2026-1"), content=content).status_code == 201
    check("few_scenes", "/studio/train", json={})
    assert told | ELSEWHERE == find_codes()


def test_a_refusal_names_no_page_that_the_studio_does_not_have(client):
    asked = {
        "/nowhere": 404,
        "/studio/thumbnail": 422,
        "/static/none.js": 404,
    }
    for path, status in asked.items():
        answer = client.get(path)
        assert answer.status_code == status and answer.json()["error"]
        assert "/docs" not in answer.text
    assert client.get("/docs").status_code == 404
