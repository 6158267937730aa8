"""Untrusted images and names, through the verbs."""

import csv
import json
import re
import shutil
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

import clearcnn
from clearcnn.cli.main import main
from clearcnn.specs import DataSpec

PNGSUITE = Path(__file__).parents[3] / "shared" / "data" / "pngsuite"
EVIL = '\x1b]0;owned\x07\x9b2J‮<script>alert(1)</script>\n,"=1+1'


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> str:
    place = tmp_path_factory.mktemp("work") / "run"
    return str(clearcnn.train("digits", recipe="tutorial", epochs=1, out=place).run_folder)


@pytest.fixture(scope="module")
def evil_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two classes; their names, and those of their images, would control a terminal or a page."""
    folder, rng = tmp_path_factory.mktemp("source") / "pictures", np.random.default_rng(0)
    for label in (f"a{EVIL.replace('/', '')}", "b"):
        (folder / label).mkdir(parents=True)
        for number in range(12):
            name = f"{number}{EVIL.replace('/', '')}.png"
            pixels = rng.integers(0, 256, (8, 8), np.uint8)
            Image.fromarray(pixels).save(folder / label / name)
        (folder / label / f"broken{EVIL.replace('/', '')}.png").write_bytes(b"no picture")
    return folder


def assert_harmless(text: str) -> None:
    strange = {c for c in text if not c.isprintable() and c != "\n"}
    assert not strange, strange


@pytest.mark.parametrize("verb", ["predict", "check"])
def test_pngsuites_good_files_are_read_and_its_broken_ones_rejected(
    verb: str, run: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    if not PNGSUITE.is_dir():
        pytest.skip("shared/data/pngsuite is not beside the repository")
    broken = {path.name for path in PNGSUITE.glob("x*.png")}
    assert len(broken) == 14
    if verb == "predict":
        assert main(["predict", run, str(PNGSUITE), "--json"]) == 1
        answers = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
        assert len(answers) == 175
        refused = {Path(each["name"]).name for each in answers if each["error"]}
    else:
        for path in PNGSUITE.glob("*.png"):
            place = tmp_path / "in" / "ab"[path.name > "c"]
            place.mkdir(parents=True, exist_ok=True)
            shutil.copy(path, place)
        words = ["check", str(tmp_path / "in"), "--no-labels", "--json"]
        main([*words, "--out", str(tmp_path / "out")])
        findings = json.loads(capsys.readouterr().out)["findings"]
        (unreadable,) = [each for each in findings if each["kind"] == "unreadable files"]
        refused = {Path(name.partition(".png")[0]).name + ".png" for name in unreadable["names"]}
    assert refused == broken


@pytest.mark.release
def test_names_cannot_control_a_terminal_or_a_table(
    run: str, evil_folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for words in (
        ["check", str(evil_folder), "--out", str(tmp_path / "check")],
        ["check", str(evil_folder), "--out", str(tmp_path / "again"), "--json"],
        ["predict", run, str(evil_folder)],
        ["predict", run, str(evil_folder), "--json"],
        ["predict", run, str(evil_folder), "--csv", str(tmp_path / "answers.csv")],
        ["train", str(evil_folder), "--out", str(tmp_path / "refused")],
    ):
        assert main(words) in (0, 1)
        said = capsys.readouterr()
        assert_harmless(said.out + said.err)
        assert "owned" in said.out + said.err or "--csv" in words
    for table in ("answers.csv", "check/use.csv"):
        text = (tmp_path / table).read_text(encoding="utf-8")
        assert_harmless(text)
        rows = list(csv.DictReader(text.splitlines()))
        assert sum("owned" in row["name"] for row in rows) >= 24
    # The cleaned list still names the images it was made from.
    images = clearcnn.load(DataSpec(str(evil_folder), use=str(tmp_path / "check/use.csv")))
    assert len(images) == 24


def test_names_cannot_control_a_page(evil_folder: Path, tmp_path: Path) -> None:
    words = ["train", str(evil_folder), "--epochs", "1", "--skip-unreadable", "--quiet"]
    assert main([*words, "--out", str(tmp_path / "run")]) == 0
    page = (tmp_path / "run" / "report.html").read_text(encoding="utf-8")
    assert "owned" in page
    assert "<script>alert" not in page
    assert not re.search("[\x00-\x08\x0b-\x1f\x7f-\x9f‪-‮⁦-⁩]", page)
    for name in ("predictions.csv", "history.csv"):
        assert_harmless((tmp_path / "run" / name).read_text(encoding="utf-8"))
