"""`clearcnn check`, from the command line to its exit status."""

import json

import numpy as np
import pytest

from clearcnn.cli.main import main


@pytest.fixture(autouse=True)
def elsewhere(tmp_path, monkeypatch):
    """Work in a temporary folder."""
    monkeypatch.chdir(tmp_path)


@pytest.fixture
def spoilt(tmp_path):
    """Forty images of two classes in an .npz file; the last is a duplicate with another label."""
    x = np.random.default_rng(0).integers(0, 255, (40, 8, 8), dtype=np.uint8)
    y = np.arange(40) % 2
    x[39] = x[0]
    path = tmp_path / "spoilt.npz"
    np.savez(path, x=x, y=y)
    return path


def test_findings_are_printed_with_a_verdict(spoilt, capsys):
    assert main(["check", str(spoilt), "--no-labels", "--out", "c"]) == 0
    out = capsys.readouterr().out
    assert "40 images of 2 classes" in out
    assert "problem  Exact duplicates with another label: 1 image." in out
    assert "row 39 = row 0" in out
    assert out.rstrip().endswith("1 problem found")
    assert "cleaned list: c/use.csv (excludes 2; for train --use)" in out


def test_json_has_the_fields_of_the_record(spoilt, capsys):
    assert main(["check", str(spoilt), "--json", "--no-labels"]) == 0
    record = json.loads(capsys.readouterr().out)
    assert record["num_images"] == 40
    assert [finding["kind"] for finding in record["findings"]] == [
        "duplicates with another label",
    ]


@pytest.mark.parametrize("spoils", [True, False])
def test_strict_sets_the_exit_status(spoils, spoilt, capsys):
    assert main(["check", str(spoilt) if spoils else "digits", "--strict", "--no-labels"]) == int(
        spoils
    )
    assert ("no problem found" in capsys.readouterr().out) != spoils


def test_a_missing_source_gives_one_message(tmp_path, capsys):
    assert main(["check", str(tmp_path / "nowhere")]) == 1
    assert capsys.readouterr().err.startswith("error: ")
