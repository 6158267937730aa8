"""Signatures: this user's own runs are known again, and nobody else's."""

import dataclasses
import hashlib
import hmac
import json
import os
import stat
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from clearcnn.bundle import MANIFEST_NAME, is_own, make_request, sign, write_manifest
from clearcnn.bundle.manifest import parse_manifest
from clearcnn.bundle.provenance import key_path
from clearcnn.specs import DataSpec


@pytest.fixture(autouse=True)
def state(tmp_path, monkeypatch):
    """A user who has never trained."""
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    return tmp_path / "state"


@pytest.fixture
def request_of_run(manifest):
    return make_request(
        recipe="default",
        data=manifest.data,
        split=manifest.split,
        model=manifest.model,
        train=manifest.train,
        content_hash=manifest.content_hash,
        command="clearcnn train",
    )


def test_a_run_is_known_again_when_it_was_written_moved_and_read(manifest, tmp_path):
    folder = tmp_path / "run"
    folder.mkdir()
    (folder / "model.keras").write_bytes(b"x")
    written = write_manifest(folder, manifest)
    folder.rename(tmp_path / "moved")
    read = parse_manifest(json.loads((tmp_path / "moved" / MANIFEST_NAME).read_bytes()))
    assert is_own(written)
    assert is_own(read)


def test_whole_numbers_in_place_of_floats_change_nothing(manifest):
    contract = dataclasses.replace(manifest.input, value_range=(0, 255))
    signed = sign(dataclasses.replace(manifest, input=contract))
    assert is_own(parse_manifest(json.loads(json.dumps(dataclasses.asdict(signed)))))


def test_another_user_does_not_know_it(manifest, tmp_path, monkeypatch):
    signed = sign(manifest)
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "theirs"))
    assert not is_own(signed)
    theirs = sign(manifest)
    assert theirs.signature != signed.signature
    assert not is_own(signed)
    assert is_own(theirs)


@pytest.mark.parametrize(
    "change",
    [
        {"data": DataSpec("/")},
        {"data": DataSpec("pictures", size=(8, 8))},
        {"data": DataSpec("pictures", size=(8, 8), class_names=("고양이", "dog, <b>"), use="/x")},
        {"content_hash": "cd" * 32},
        {"files": {}},
        {"class_names": ("a", "b")},
        {"signature": None},
        {"signature": ""},
        {"signature": "0" * 64},
    ],
    ids=str,
)
def test_what_was_changed_is_no_longer_known(manifest, change, tmp_path):
    signed = write_manifest(_folder(tmp_path), manifest)
    assert is_own(signed)
    assert not is_own(dataclasses.replace(signed, **change))


def _folder(tmp_path):
    (tmp_path / "run").mkdir()
    (tmp_path / "run" / "a").write_bytes(b"a")
    return tmp_path / "run"


def test_an_unfinished_run_is_signed_like_a_finished_one(request_of_run):
    signed = sign(request_of_run)
    assert is_own(signed)
    assert not is_own(request_of_run)
    assert not is_own(dataclasses.replace(signed, data=DataSpec("/")))


@pytest.mark.parametrize(
    ("source", "is_relative"),
    [("a", True), ("folder:a", True), ("/a", False), ("folder:/a", False), ("~/a", False)],
)
def test_a_relative_source_is_known_in_its_working_folder_only(
    manifest, source, is_relative, tmp_path, monkeypatch
):
    signed = sign(dataclasses.replace(manifest, data=DataSpec(source)))
    listed = sign(dataclasses.replace(manifest, data=DataSpec("/a", use=source)))
    monkeypatch.chdir(tmp_path)
    assert is_own(signed) is not is_relative
    assert is_own(listed) is not (is_relative or source.startswith("folder:"))


def test_the_key_is_the_users_alone_and_made_by_training_only(manifest, state):
    assert not is_own(manifest)
    assert not state.exists()
    sign(manifest)
    assert [path.name for path in key_path().parent.iterdir()] == ["key"]
    assert stat.S_IMODE(key_path().stat().st_mode) == 0o600
    assert len(key_path().read_bytes()) == 32
    before = key_path().read_bytes()
    sign(manifest)
    assert key_path().read_bytes() == before


@pytest.mark.parametrize("content", [b"", b"short", b"x" * 33])
def test_what_is_no_key_is_replaced(manifest, content):
    key_path().parent.mkdir(parents=True)
    key_path().write_bytes(content)
    assert not is_own(dataclasses.replace(manifest, signature="0" * 64))
    assert is_own(sign(manifest))
    assert len(key_path().read_bytes()) == 32


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="the system has no named pipes")
def test_a_pipe_in_place_of_the_key_is_replaced_and_not_waited_for(manifest):
    key_path().parent.mkdir(parents=True)
    os.mkfifo(key_path())
    assert is_own(sign(manifest))
    assert len(key_path().read_bytes()) == 32


def test_a_key_that_is_a_link_stays_where_the_user_keeps_it(manifest, tmp_path):
    kept = tmp_path / "kept"
    kept.write_bytes(b"k" * 32)
    key_path().parent.mkdir(parents=True)
    key_path().symlink_to(kept)
    assert is_own(sign(manifest))
    assert key_path().is_symlink()


def test_where_no_key_can_be_kept_nothing_is_signed(manifest, state):
    state.write_text("a file where a folder should be")
    signed = sign(manifest)
    assert signed.signature is None
    assert not is_own(signed)


def test_without_links_the_key_is_renamed_into_its_place(manifest, monkeypatch):
    def refuse(*_, **__):
        raise PermissionError

    monkeypatch.setattr(os, "link", refuse)
    assert is_own(sign(manifest))
    assert [path.name for path in key_path().parent.iterdir()] == ["key"]


def test_of_many_who_make_the_first_key_one_does(manifest):
    with ThreadPoolExecutor(8) as pool:
        signed = list(pool.map(lambda _: sign(manifest), range(32)))
    assert len({each.signature for each in signed}) == 1
    assert is_own(signed[0])


def test_a_run_from_before_a_field_existed_is_still_known(manifest, tmp_path):
    """The signature is over the fields that such a run had, computed here as it was then."""
    (tmp_path / "model.keras").write_bytes(b"x")
    write_manifest(tmp_path, manifest)  # Makes the key.
    record = json.loads((tmp_path / MANIFEST_NAME).read_bytes())
    del record["signature"]
    for name in ("image_column", "label_column", "groups_from_name", "min_images"):
        assert record["data"].pop(name) is None
    content = json.dumps([record, [str(Path(manifest.data.source).absolute())]], sort_keys=True)
    old = hmac.new(key_path().read_bytes(), content.encode(), hashlib.sha256).hexdigest()
    assert is_own(parse_manifest({**record, "signature": old}))
    asked = {**record, "data": {**record["data"], "min_images": 2}}
    assert not is_own(parse_manifest({**asked, "signature": old}))
