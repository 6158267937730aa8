import json
import os
import shutil

import pytest

from clearcnn.bundle import read_bundle
from clearcnn.errors import BundleError
from clearcnn.results.json_codec import SCHEMA_VERSION


def _rewrite(folder, change):
    path = folder / "bundle.json"
    values = json.loads(path.read_bytes())
    change(values)
    path.write_text(json.dumps(values), encoding="utf-8")


def test_a_whole_folder_is_read_wherever_it_is(whole_folder, tmp_path):
    moved = tmp_path / "옮긴 곳"
    shutil.move(whole_folder, moved)
    bundle = read_bundle(str(moved))
    assert bundle.manifest.class_names == ("고양이", "dog, <b>")
    assert bundle.read("model.toml", 100) == b"content of model.toml"
    with pytest.raises(BundleError, match=r"has no model.onnx"):
        bundle.read("model.onnx", 100)


def test_files_of_others_do_no_harm(whole_folder):
    (whole_folder / ".DS_Store").write_bytes(b"")
    (whole_folder / "notes.txt").write_text("mine", encoding="utf-8")
    read_bundle(whole_folder)


@pytest.mark.parametrize("name", ["model.keras", "history.csv", "figures/data.png"])
def test_an_altered_file_is_named(whole_folder, name):
    path = whole_folder / name
    path.write_bytes(path.read_bytes().swapcase())
    with pytest.raises(BundleError, match=f"{name} has been altered.*other content"):
        read_bundle(whole_folder)
    path.write_bytes(path.read_bytes() + b"x")
    with pytest.raises(BundleError, match=f"{name} has been altered.*bytes instead of"):
        read_bundle(whole_folder)


def test_a_missing_file_is_named(whole_folder):
    (whole_folder / "model.keras").unlink()
    with pytest.raises(BundleError, match=r"model\.keras is missing"):
        read_bundle(whole_folder)


def test_a_manifest_that_does_not_list_the_model_is_refused(whole_folder):
    _rewrite(whole_folder, lambda values: values["files"].pop("model.keras"))
    with pytest.raises(BundleError, match=r"does not list model\.keras"):
        read_bundle(whole_folder)


@pytest.mark.parametrize("version", [SCHEMA_VERSION + 1, SCHEMA_VERSION - 1])
def test_another_schema_is_refused_with_what_to_do(whole_folder, version):
    _rewrite(whole_folder, lambda values: values.update(schema_version=version))
    with pytest.raises(BundleError, match="newer" if version > SCHEMA_VERSION else "older"):
        read_bundle(whole_folder)


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", "is not JSON"),
        (b"{", "is not JSON"),
        (b"\xff\xfe{}", "is not JSON"),
        (b"[" * 100_000, "is nested too deeply"),
        (b"[{},{}" + b",{}" * 2_000_000 + b"]", "bytes in memory, and at most 268,435,456 are"),
        (b" " * (8 * 2**20 + 1), "is larger than any run writes"),
        (b"[]", "no schema_version"),
        (b'{"schema_version": true}', "no schema_version"),
        (b'{"schema_version": 1}', "bundle lacks clearcnn"),
    ],
)
def test_a_damaged_manifest_is_one_clear_error(whole_folder, content, words):
    (whole_folder / "bundle.json").write_bytes(content)
    with pytest.raises(BundleError, match=words):
        read_bundle(whole_folder)


def test_a_field_of_the_wrong_kind_is_named(whole_folder):
    _rewrite(whole_folder, lambda values: values["input"].update(shape=[8, "8", 1]))
    with pytest.raises(BundleError, match=r"bundle\.input\.shape\[1\] is '8', not int"):
        read_bundle(whole_folder)


def test_a_spec_out_of_its_range_is_named(whole_folder):
    _rewrite(whole_folder, lambda values: values["train"].update(batch_size=0))
    with pytest.raises(BundleError, match="batch_size=0 is out of range"):
        read_bundle(whole_folder)


@pytest.mark.parametrize("name", ["../secret", "/etc/hosts", "a/../../b", "C:x", "a\\b", ""])
def test_a_manifest_cannot_point_outside(whole_folder, name):
    entry = {"sha256": "0" * 64, "bytes": 1}
    _rewrite(whole_folder, lambda values: values["files"].update({name: entry}))
    with pytest.raises(BundleError, match="which is outside it"):
        read_bundle(whole_folder)


@pytest.mark.skipif(os.name == "nt", reason="links need rights on Windows")
def test_a_link_cannot_point_outside(whole_folder, tmp_path):
    secret = tmp_path / "secret"
    shutil.copy(whole_folder / "model.toml", secret)
    (whole_folder / "model.toml").unlink()
    (whole_folder / "model.toml").symlink_to(secret)
    with pytest.raises(BundleError, match=r"model\.toml cannot be read: it is a link"):
        read_bundle(whole_folder)


@pytest.mark.parametrize("place", ["nowhere", "."])
def test_what_is_no_run_folder_is_said(tmp_path, place):
    with pytest.raises(BundleError, match="is not a run folder"):
        read_bundle(tmp_path / place)


def test_only_the_files_that_are_needed_are_checked(whole_folder):
    (whole_folder / "report.html").unlink()
    (whole_folder / "history.csv").write_text("altered", encoding="utf-8")
    bundle = read_bundle(whole_folder, only=("model.toml", "model.onnx"))
    assert bundle.read("model.toml", 100)
    with pytest.raises(BundleError, match=r"history\.csv has been altered"):
        bundle.read("history.csv", 100)
    (whole_folder / "model.toml").write_text("altered", encoding="utf-8")
    with pytest.raises(BundleError, match=r"model\.toml has been altered"):
        read_bundle(whole_folder, only=("model.toml", "model.onnx"))
