import hashlib
import json
import sys
from dataclasses import replace
from datetime import UTC, datetime
from importlib import metadata

import pytest

from clearcnn.bundle import Confidence, read_bundle, write_manifest
from clearcnn.bundle.manifest import parse_manifest
from clearcnn.errors import BundleError
from clearcnn.results.json_codec import SCHEMA_VERSION, to_json
from clearcnn.results.train import SkippedFile
from clearcnn.specs import LayerSpec, ModelSpec
from clearcnn.version import __version__


def test_it_says_when_and_with_what_it_was_made(manifest):
    assert (manifest.schema_version, manifest.clearcnn) == (SCHEMA_VERSION, __version__)
    created = datetime.strptime(manifest.created, "%Y-%m-%dT%H:%M:%SZ").replace(tzinfo=UTC)
    assert abs((datetime.now(UTC) - created).total_seconds()) < 60
    assert manifest.versions == {
        "python": ".".join(map(str, sys.version_info[:3])),
        "keras": metadata.version("keras"),
        "jax": metadata.version("jax"),
        "numpy": metadata.version("numpy"),
    }


def test_versions_are_read_without_importing_anything_heavy():
    import subprocess

    code = (
        "import sys; from clearcnn.bundle import software_versions; software_versions();"
        "assert not {'jax', 'keras', 'sklearn', 'scipy', 'matplotlib'} & set(sys.modules)"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


def test_every_file_is_sealed_with_its_hash_and_size(whole_folder):
    values = json.loads((whole_folder / "bundle.json").read_text(encoding="utf-8"))
    on_disk = {
        path.relative_to(whole_folder).as_posix(): path.read_bytes()
        for path in whole_folder.rglob("*")
        if path.is_file() and path.name != "bundle.json"
    }
    assert "figures/data.png" in on_disk
    assert values["files"] == {
        name: {"sha256": hashlib.sha256(content).hexdigest(), "bytes": len(content)}
        for name, content in on_disk.items()
    }


def test_what_is_written_is_what_is_read(whole_folder, manifest):
    back = read_bundle(whole_folder).manifest
    assert replace(back, files={}, signature=None) == manifest


@pytest.mark.parametrize(
    "confidence",
    [
        Confidence(1.5, None, 2, 250, 21.5),
        Confidence(1.5, 0.4, 2, 250),
        Confidence(0.7, None, None, 20),
    ],
)
def test_confidence_is_kept_and_older_folders_have_none(tmp_path, manifest, confidence):
    write_manifest(tmp_path, replace(manifest, confidence=confidence))
    values = json.loads((tmp_path / "bundle.json").read_bytes())
    assert parse_manifest(values).confidence == confidence
    rate = None if confidence.false_alarms is None else 2 / 250
    assert confidence.false_alarm_rate == rate
    del values["confidence"]["distance_threshold"]
    assert parse_manifest(values).confidence == replace(confidence, distance_threshold=None)
    del values["confidence"]
    assert parse_manifest(values).confidence is None


@pytest.mark.parametrize("temperature", [0, -1, None, "warm"])
def test_a_temperature_that_cannot_be_is_refused(whole_folder, temperature):
    path = whole_folder / "bundle.json"
    values = json.loads(path.read_bytes())
    values["confidence"] = to_json(Confidence(1.5, 0.4, 2, 250)) | {"temperature": temperature}
    path.write_text(json.dumps(values), encoding="utf-8")
    with pytest.raises(BundleError, match="temperature"):
        read_bundle(whole_folder)


def test_it_is_readable_text(whole_folder):
    text = (whole_folder / "bundle.json").read_text(encoding="utf-8")
    assert "고양이" in text
    assert '"polarity": "light_on_dark"' in text


def test_a_file_name_that_is_no_unicode_survives(tmp_path, manifest):
    odd = replace(manifest, skipped=(SkippedFile("bad\udcff.png", "truncated"),))
    write_manifest(tmp_path, odd)
    values = json.loads((tmp_path / "bundle.json").read_bytes())
    assert parse_manifest(values).skipped == odd.skipped


def test_values_that_are_no_numbers_are_not_written_as_such(tmp_path, manifest):
    layer = LayerSpec("Dropout", {"rate": float("nan")})
    odd = replace(manifest, model=ModelSpec("odd", (layer,)))
    write_manifest(tmp_path, odd)
    text = (tmp_path / "bundle.json").read_text(encoding="utf-8")
    assert "NaN" not in text
    assert json.loads(text)["model"]["layers"][0]["arguments"] == {"rate": None}


def test_writing_twice_gives_the_same(tmp_path, manifest):
    (tmp_path / "model.toml").write_text("x", encoding="utf-8")
    first = write_manifest(tmp_path, manifest)
    assert write_manifest(tmp_path, first) == first
    assert to_json(first)["files"].keys() == {"model.toml"}


def test_a_missing_package_is_an_error_not_a_guess(monkeypatch):
    from clearcnn.bundle import software_versions

    def no_jax(name):
        raise metadata.PackageNotFoundError(name)

    monkeypatch.setattr(metadata, "version", no_jax)
    with pytest.raises(metadata.PackageNotFoundError):
        software_versions()
