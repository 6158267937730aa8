"""`clearcnn evaluate`, from the command line to its folder."""

import json

import numpy as np
import pytest

from clearcnn.cli.main import main

BARE = ["--recipe", "tutorial", "--epochs", "2", "--folds", "2"]
QUICK = [*BARE, "--no-baselines", "--no-learning-curve"]


@pytest.fixture
def few(tmp_path, monkeypatch):
    """Eighty images of two classes, light at the left or at the right, in the working folder."""
    rng = np.random.default_rng(0)
    labels = np.arange(80) % 2
    images = rng.integers(0, 60, (80, 8, 8), dtype=np.uint8)
    images[labels == 0, :, :4] += 150
    images[labels == 1, :, 4:] += 150
    np.savez(tmp_path / "few.npz", x=images, y=labels)
    monkeypatch.chdir(tmp_path)
    return "few.npz"


def test_the_table_has_models_intervals_and_the_report(few, capsys, tmp_path):
    assert main(["evaluate", few, *BARE, "--out", "e"]) == 0
    out = capsys.readouterr().out
    assert "training on folds, 2 times" in out
    assert "Random folds  80 images in 2 stratified folds" in out
    assert "SVM (RBF)" in out
    assert "shifted by 1 pixel" in out
    assert "report: e/report.html" in out
    assert (tmp_path / "e" / "report.html").is_file()


def test_json_goes_to_stdout_and_everything_else_to_stderr(few, capsys):
    assert main(["evaluate", few, *QUICK, "--json", "--out", "e"]) == 0
    captured = capsys.readouterr()
    record = json.loads(captured.out)
    assert record["num_images"] == 80
    assert record["protocols"][0]["models"][0]["score"]["total"] == 80
    assert "Result" in captured.err


def test_quiet_prints_the_score_and_the_folder(few, capsys):
    assert main(["evaluate", few, *QUICK, "--quiet", "--out", "e"]) == 0
    first, second = capsys.readouterr().out.splitlines()
    assert "predictions correct" in first
    assert second == "e"


def test_a_run_is_scored_on_other_images(few, capsys):
    assert main(["train", few, *BARE[:4], "--out", "run", "--quiet"]) == 0
    capsys.readouterr()
    assert main(["evaluate", "run", few, "--json", "--quiet", "--out", "e"]) == 0
    record = json.loads(capsys.readouterr().out)
    assert record["protocols"][0]["kind"] == "test"
    assert record["num_images"] == 80


def test_groups_come_from_a_column_of_the_metadata(tmp_path, capsys, monkeypatch):
    from PIL import Image

    monkeypatch.chdir(tmp_path)
    folder = tmp_path / "pictures"
    folder.mkdir()
    rows = ["file_name,label,camera"]
    for number in range(48):
        level = 40 if number % 2 else 200
        Image.new("L", (8, 8), level + number % 7).save(folder / f"{number}.png")
        rows.append(f"{number}.png,{'dark' if number % 2 else 'light'},camera {number % 3}")
    (folder / "metadata.csv").write_text("\n".join(rows) + "\n", encoding="utf-8")
    words = ["evaluate", "pictures", "--groups", "camera", *QUICK, "--json", "--quiet"]
    assert main([*words, "--out", "e"]) == 0
    headline = json.loads(capsys.readouterr().out)["protocols"][0]
    assert headline["kind"] == "groups"
    assert {f["name"] for f in headline["models"][0]["folds"]} == {
        "camera 0",
        "camera 1",
        "camera 2",
    }
    assert main(["evaluate", "pictures", "--groups", "lens", *QUICK]) == 1
    assert "lens" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (["evaluate", "digits", "digits"], "is not a run folder"),
        (["evaluate", "digits", "--groups", "writer"], "no column 'writer'"),
        (["evaluate", "--compare", "nowhere.toml"], "nowhere.toml"),
        (["evaluate", "nowhere"], "no file or folder"),
    ],
)
def test_an_invalid_request_gives_one_message(words, sentence, capsys, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert main(words) == 1
    captured = capsys.readouterr()
    assert sentence in captured.err
    assert "Traceback" not in captured.err
    assert not (tmp_path / "evaluations").exists()
