"""The studio's routes, without a browser: who has access, and what is refused."""

import base64
import json
import re
import shlex
import subprocess
import sys
import time
from io import BytesIO
from pathlib import Path
from urllib.parse import urlencode

import pytest
from PIL import Image

import clearcnn
from clearcnn.web import studio_app
from clearcnn.web.thumbnails import Thumbnails
from clearcnn.workflows.studio.picture_names import GROUPS
from clearcnn.workflows.studio.studio import Studio

STATIC = Path(studio_app.__file__).parent / "static"
SOURCE = Path(clearcnn.__file__).parent


def add(client, name, content, class_name="a", **more):
    asked = urlencode({"class_name": class_name, "name": name, **more})
    return client.post(f"/studio/pictures?{asked}", content=content)


def test_pictures_are_collected_changed_and_undone(client, studio, picture):
    assert client.post("/studio/classes", json={"name": "고양이"}).json() == {"name": "고양이"}
    client.post("/studio/classes", json={"name": "a"})
    answer = add(client, "사진 1.png", picture(1), "고양이")
    assert (answer.status_code, answer.json()) == (201, {"picture": "고양이/사진 1.png"})
    assert (studio.folder.root / "고양이" / "사진 1.png").read_bytes() == picture(1)
    state = client.get("/studio/state").json()
    assert state["classes"] == [
        {"name": "a", "scenes": 0, "pictures": []},
        {"name": "고양이", "scenes": 1, "pictures": ["사진 1.png"]},
    ]
    assert "classes" not in client.get(f"/studio/state?known={state['version']}").json()
    moved = client.post("/studio/move", json={"pictures": ["고양이/사진 1.png"], "name": "a"})
    assert moved.json() == {"pictures": ["a/사진 1.png"]}
    shown = client.get("/studio/thumbnail", params={"picture": "a/사진 1.png"})
    assert shown.headers["content-type"] == "image/png" and shown.content.startswith(b"\x89PNG")
    assert client.post("/studio/remove", json={"pictures": ["a/사진 1.png"]}).status_code == 204
    assert client.get("/studio/thumbnail?picture=a/사진 1.png").status_code == 404
    assert client.post("/studio/undo").json() == {"kind": "remove", "count": 1}
    assert client.post("/studio/undo").json() == {"kind": "move", "count": 1}
    assert [*(studio.folder.root / "고양이").iterdir()] != []


def test_an_error_has_its_code_for_the_page(client, picture):
    client.post("/studio/classes", json={"name": "a"})
    answer = add(client, "x.png", b"nothing")
    assert answer.status_code == 422
    told = answer.json()
    assert (told["code"], told["values"]) == ("unreadable", {"name": "x.png"})
    assert told["error"].startswith("x.png cannot be read") and told["remedy"]
    assert add(client, "1.png", picture(1), "b").json()["code"] == "no_class"
    assert client.post("/studio/train", json={}).json()["code"] == "few_classes"
    assert client.post("/studio/look").json()["code"] == "no_pictures"
    missing = client.get("/studio/attempts/x")
    assert (missing.status_code, missing.json()["code"]) == (404, "no_run")
    missing = client.post("/studio/classes/remove", json={"name": "b"})
    assert (missing.status_code, missing.json()["code"]) == (404, "no_class")


def test_a_run_that_does_not_exist_has_no_page_inside(client):
    assert client.get("/inside/none/").status_code == 404
    forwarded = {"X-Forwarded-For": "203.0.113.9"}
    assert client.get("/inside/none/", headers=forwarded).status_code == 403


def test_a_folder_that_was_deleted_is_told(client, studio, picture):
    client.post("/studio/classes", json={"name": "a"})
    add(client, "1.png", picture(1))
    studio.folder.root.rename(studio.folder.root.with_name("away"))
    for path in ("/studio/state", "/studio/thumbnail?picture=a/1.png"):
        answer = client.get(path)
        assert (answer.status_code, answer.json()["code"]) == (422, "no_folder")
    studio.folder.root.with_name("away").rename(studio.folder.root)
    assert client.get("/studio/state").status_code == 200
    (studio.folder.root / "a" / "1.png").unlink()
    assert client.get("/studio/thumbnail?picture=a/1.png").status_code == 404


def test_a_picture_that_is_moved_is_not_made_again(client, studio, picture):
    for name in "ab":
        client.post("/studio/classes", json={"name": name})
    add(client, "1.png", picture(1))
    before = client.get("/studio/thumbnail?picture=a/1.png")
    thumbnails = Thumbnails(studio.folder.root)
    made = thumbnails.make(studio.folder.path_of("a/1.png"))
    client.post("/studio/move", json={"pictures": ["a/1.png"], "name": "b"})
    assert thumbnails.make(studio.folder.path_of("b/1.png")) is made
    known = {"If-None-Match": before.headers["etag"]}
    assert client.get("/studio/thumbnail?picture=b/1.png", headers=known).status_code == 304
    (studio.folder.root / "b" / "1.png").write_bytes(picture(2))
    again = client.get("/studio/thumbnail?picture=b/1.png", headers=known)
    assert again.status_code == 200 and again.content != before.content


def test_one_scene_is_not_enough_to_train_and_to_test(client, picture):
    for name in "ab":
        client.post("/studio/classes", json={"name": name})
        for k in range(6):
            add(client, "camera.png", picture(k), name, burst="2026-11", batch="x")
    told = client.post("/studio/train", json={}).json()
    assert (told["code"], told["values"]["count"]) == ("few_scenes", 1)


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({"Origin": "http://evil.test"}, 403),
        ({"Origin": "http://localhost:9999"}, 403),
        ({"Sec-Fetch-Site": "cross-site"}, 403),
        ({"Host": "evil.test"}, 421),
        ({"X-Forwarded-For": "10.0.0.1"}, 403),
    ],
)
def test_others_cannot_reach_it(client, studio, picture, headers, status):
    studio.folder.add_class("a")
    studio.folder.add("a", picture(1), "1.png")
    asked = [
        client.get("/", headers=headers),
        client.get("/studio/state", headers=headers),
        client.get("/studio/thumbnail?picture=a/1.png", headers=headers),
        client.post("/studio/pictures?class_name=a&name=2.png", content=b"x", headers=headers),
        client.post("/studio/undo", headers=headers),
        client.post("/studio/classes/remove", json={"name": "a"}, headers=headers),
        client.post("/studio/sources", json={"source": "x"}, headers=headers),
    ]
    assert [answer.status_code for answer in asked] == [status] * len(asked)
    assert [each.pictures for each in studio.folder.scan()] == [("1.png",)]


def test_limits_hold(client):
    client.post("/studio/classes", json={"name": "a"})
    assert add(client, "1.png", bytes(17 * 2**20)).status_code == 413
    many = {"pictures": ["a/1.png"] * 20_001}
    assert client.post("/studio/remove", json=many).status_code == 422
    deep = b"[" * 100_000
    headers = {"Content-Type": "application/json"}
    assert client.post("/studio/remove", content=deep, headers=headers).status_code == 400


def test_a_source_is_copied_with_its_groups(client, studio, picture, tmp_path):
    source = tmp_path / "source"
    source.mkdir()
    rows = [f"{k}.png,{'ab'[k % 2]},writer {k // 4}" for k in range(16)]
    (source / "metadata.csv").write_text("\n".join(["file_name,label,group", *rows]))
    for k in range(16):
        (source / f"{k}.png").write_bytes(picture(k))
    answer = client.post("/studio/sources", json={"source": str(source), "batch": "b"})
    assert (answer.status_code, answer.json()) == (201, {"count": 16})
    state = client.get("/studio/state").json()
    assert [each["name"] for each in state["classes"]] == ["a", "b"]
    assert state["has_bursts"] and state["classes"][0]["scenes"] == 4
    copied = clearcnn.load(studio.folder.root, groups_from_name=GROUPS)
    given = clearcnn.load(source)
    pixels = [{each.images[k].tobytes() for k in range(16)} for each in (copied, given)]
    assert pixels[0] == pixels[1]
    assert len(set(copied.groups)) == len(set(given.groups)) == 4
    assert client.post("/studio/undo").json()["count"] == 16 + 2
    assert client.get("/studio/state").json()["classes"] == []


def test_every_word_that_the_page_uses_is_there_once():
    """In Korean too, since ko.js is written from en.js and the catalogue."""
    text = (STATIC / "studio" / "en.js").read_text("utf-8")
    keys = re.findall(r'^  "?([\w .]+)"?:', text, re.M)
    assert len(set(keys)) == len(keys)
    page = (STATIC / "studio.html").read_text("utf-8")
    common = set(re.findall(r"^  (\w+):", (STATIC / "en.js").read_text("utf-8"), re.M))
    used = set(re.findall(r'data-t(?:-\w+)?="([\w.]+)"', page))
    for script in (STATIC / "studio").glob("*.js"):
        used |= set(re.findall(r'\bt\("(\w+)"', script.read_text("utf-8")))
    assert used <= {*keys, *common}


@pytest.mark.parametrize(
    "script", sorted((STATIC / "studio").iterdir()), ids=lambda path: path.name
)
def test_the_page_is_short_and_asks_nobody_else(script):
    text = script.read_text("utf-8")
    assert len(text.splitlines()) <= 400
    told = re.sub(r"^  \w+:\n?.*$", "", text, flags=re.M)
    assert not re.search(r"https?://|\bimport\(|innerHTML", told)


@pytest.mark.process
def test_what_it_trains_is_what_the_command_trains(client, studio, picture, tmp_path):
    """The same split, and with the same seed the same bits."""
    for channel, name in enumerate("ab"):
        client.post("/studio/classes", json={"name": name})
        for k in range(15):
            burst = f"2026-{name}{k // 3}"
            content = picture(k + 100 * channel, channel)
            assert add(client, "camera.png", content, name, burst=burst).status_code == 201
    started = client.post("/studio/train", json={"recipe": "tutorial", "epochs": 3, "seed": 5})
    assert started.status_code == 202
    assert client.post("/studio/look").json()["code"] == "busy"
    job = follow(client)
    assert job["events"][-1]["event"] == "end", job["events"][-1]
    assert [each["epoch"] for each in job["events"] if each["event"] == "epoch"] == [0, 1, 2]
    run = tmp_path / "runs" / job["events"][-1]["run"]

    words = shlex.split(job["command"])
    ours = tmp_path / "ours"
    command = [sys.executable, "-m", *words, "--out", str(ours), "--quiet"]
    subprocess.run(command, check=True, cwd=tmp_path, capture_output=True)
    for name in ("predictions.csv", "history.csv", "model.onnx", "model.toml"):
        assert (run / name).read_bytes() == (ours / name).read_bytes(), name
    rows = (run / "predictions.csv").read_text("utf-8").splitlines()[1:]
    tested = {row.split(",")[1].split("~")[1] for row in rows}
    assert len(rows) == 3 * len(tested), "a burst is on both sides"

    (listed,) = client.get("/studio/attempts").json()
    score = json.loads((run / "metrics.json").read_text("utf-8"))["test"]["score"]
    assert listed["score"] == score and listed["against"] is None
    told = client.get(f"/studio/attempts/{run.name}").json()
    assert told["commands"]["serve"].startswith("clearcnn serve ")
    report = client.get(f"/studio/runs/{run.name}/report.html")
    assert report.content == (run / "report.html").read_bytes()
    assert "sandbox" in report.headers["content-security-policy"]
    (run / "left.txt").write_text("not listed in the manifest")
    for name in ("left.txt", "%2e%2e/ours/report.html", "%2e%2e%2f%2e%2e%2fphotos%2fa%2f1.png"):
        assert client.get(f"/studio/runs/{run.name}/{name}").status_code == 404, name
    (run / "left.txt").unlink()
    address = client.post(f"/studio/runs/{run.name}/inside").json()["address"]
    assert client.get(f"/{address}page/models").json()["models"] == [run.name]
    assert client.get(f"/{address}").text.startswith("<!doctype html>")
    forwarded = {"X-Forwarded-For": "203.0.113.9"}
    assert client.get(f"/{address}page/models", headers=forwarded).status_code == 403

    again = client.post("/studio/train", json={"recipe": "tutorial", "epochs": 1000, "seed": 6})
    assert again.status_code == 202
    while not client.get("/studio/job").json()["events"]:
        time.sleep(0.01)
    client.post("/studio/cancel")
    job = follow(client)
    assert job["events"][-1]["event"] == "cancelled", job["events"][-3:]
    assert [path.name for path in run.parent.iterdir()] == [run.name]


def follow(client):
    while not (job := client.get("/studio/job").json())["is_over"]:
        time.sleep(0.1)
    return job


def test_sentences_are_in_the_language_that_is_asked_for(client):
    english = client.post("/studio/look")
    assert english.status_code == 422
    assert english.json()["error"] == "There are no pictures to check."
    for korean in (
        client.post("/studio/look", headers={"Accept-Language": "ko-KR,ko;q=0.9"}),
        client.post("/studio/look?lang=ko"),
    ):
        assert korean.json()["error"] == "검사할 사진이 없습니다."
        assert korean.json()["remedy"] == "먼저 사진을 모으세요."
        assert korean.json()["code"] == english.json()["code"]
        assert korean.headers["content-language"] == "ko"


def test_the_time_is_measured_and_gives_way_to_a_training(client, picture):
    assert client.get("/studio/estimate").json() is None
    assert client.post("/studio/measure", json={}).json()["code"] == "few_classes"
    for channel, name in enumerate("ab"):
        client.post("/studio/classes", json={"name": name})
        for k in range(8):
            add(client, f"{k}.png", picture(k, channel), class_name=name)
    assert client.post("/studio/measure", json={}).status_code == 202
    while (found := client.get("/studio/estimate?epochs=3").json())["basis"] == "measuring":
        time.sleep(0.1)
    assert found["basis"] == "measured" and found["seconds"] > 0
    assert client.get("/studio/job").json() is None  # A measurement is not shown as a job.

    assert client.post("/studio/measure", json={"seed": 3}).status_code == 202
    started = client.post("/studio/train", json={"epochs": 2})
    assert started.status_code == 202, started.json()
    assert follow(client)["events"][-1]["event"] == "end"
    assert client.get("/studio/estimate?epochs=3").json()["basis"] == "attempt"
    unknown = client.get("/studio/attempts/none/neighbours?picture=a/1.png")
    assert unknown.status_code == 404 and unknown.json()["code"] == "no_run"


@pytest.mark.parametrize("name", ["digits", "csv:x", "-q", "plain"])
def test_a_command_names_the_folder_whatever_its_name(picture, tmp_path, monkeypatch, name):
    """`clearcnn train digits` trains on scikit-learn's digits, and not on a folder of that name."""
    monkeypatch.chdir(tmp_path)
    opened = Studio(tmp_path / name)
    for label in ("cat", "dog"):
        opened.folder.add_class(label)
        for k in range(5):
            opened.folder.add(label, picture(k), f"{k}.png")
    try:
        job = opened.train(recipe="tutorial", epochs=1, seed=1)
        source = shlex.split(str(job.job["command"]))[2]
    finally:
        opened.close()
    assert clearcnn.load(source).class_names == ("cat", "dog")
    assert not source.startswith("-")


def test_thumbnails_are_sent_together(client, studio, picture):
    client.post("/studio/classes", json={"name": "a"})
    add(client, "small.png", picture(1))
    add(client, "large.png", picture(2, side=300))
    (studio.folder.root / "a" / "broken.png").write_bytes(b"nothing")
    asked = ["a/small.png", "a/large.png", "a/broken.png", "a/none.png", "../a/small.png"]
    found = client.post("/studio/thumbnails", json={"pictures": asked}).json()
    assert list(found) == asked[:3] and found["a/broken.png"] is None
    small, large = (read_address(found[name]) for name in asked[:2])
    # Each pixel of a small picture can be seen, so it is as it was; a large one is reduced.
    given = Image.open(BytesIO(picture(1)))
    assert small.format == "PNG" and small.tobytes() == given.tobytes()
    assert large.format == "JPEG" and large.size == (128, 128)
    again = client.post("/studio/thumbnails", json={"pictures": asked}).json()
    assert again == found
    (studio.folder.root / "a" / "small.png").write_bytes(picture(5))
    changed = client.post("/studio/thumbnails", json={"pictures": asked[:1]}).json()
    assert changed[asked[0]] != found[asked[0]]
    many = {"pictures": asked * 30}
    assert client.post("/studio/thumbnails", json=many).status_code == 422


def read_address(address):
    return Image.open(BytesIO(base64.b64decode(address.partition(",")[2])))
