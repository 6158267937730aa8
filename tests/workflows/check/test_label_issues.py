"""Planted problems in real digits are found, listed, and excluded by `train --use`."""

import csv
import dataclasses
import json
import re
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

import clearcnn
from clearcnn import evaluation
from clearcnn.errors import DataError
from clearcnn.specs import DataSpec
from clearcnn.workflows.check.use_list import propose_uses

MNIST = Path(__file__).parents[3] / "shared" / "data" / "mnist"
DIGITS = clearcnn.load("digits")


def read_list(folder):
    with (folder / "use.csv").open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


@pytest.mark.mnist
@pytest.mark.release
@pytest.mark.skipif(not MNIST.is_dir(), reason="shared/data/mnist is not beside the repository")
def test_flipped_labels_in_mnist_are_found(tmp_path, monkeypatch):
    """Of 5 % flipped labels among 1,000, at least 80 % rank within the first 6 %."""
    seen = []
    find = evaluation.find_suspects

    def watch(*answers):
        seen.append(answers)
        return find(*answers)

    monkeypatch.setattr(evaluation, "find_suspects", watch)
    rng = np.random.default_rng(0)
    whole = clearcnn.load(str(MNIST))
    images = whole.take(rng.permutation(len(whole))[:1_000])
    flipped = rng.choice(1_000, 50, replace=False)
    labels = images.labels.copy()
    labels[flipped] = (labels[flipped] + rng.integers(1, 10, 50)) % 10
    images = dataclasses.replace(images, labels=labels, split_names=None)
    result = clearcnn.check(images, out=tmp_path / "check")
    first = np.argsort(-evaluation.estimate_label_errors(*seen[0]))[:60]
    assert np.isin(flipped, first).sum() >= 40
    suspects = [suspect.index for suspect in result.suspects]
    assert np.isin(flipped, suspects).sum() >= 30
    assert np.isin(suspects, flipped).mean() >= 0.8
    for suspect in result.suspects[:20]:
        assert suspect.label == images.class_names[labels[suspect.index]]
        assert suspect.suggested_confidence > suspect.confidence
    with Image.open(tmp_path / "check" / "suspects.png") as sheet:
        assert sheet.width > 1_000
    assert [finding.kind for finding in result.findings] == ["suspect labels"]
    assert result.num_problems == 0
    assert all(row["use"] == "yes" for row in read_list(tmp_path / "check"))


def test_models_that_know_nothing_make_no_suspects_and_are_said_to_be_weak(tmp_path):
    rng = np.random.default_rng(0)
    noise = dataclasses.replace(
        DIGITS.take(np.arange(90)),
        images=rng.integers(0, 17, (90, 8, 8, 1), np.uint8),
        labels=np.arange(90) % 3,
        class_names=("a", "b", "c"),
        groups=None,
    )
    result = clearcnn.check(noise, out=tmp_path / "check")
    assert len(result.suspects) <= 2
    weak = next(finding for finding in result.findings if finding.kind == "weak label check")
    share = int(re.search(r"agree with only (\d+) %", weak.sentence)[1])
    assert 10 < share < 60


def test_small_classes_are_reported_as_unchecked(tmp_path):
    rows = np.concatenate(
        [np.flatnonzero(DIGITS.labels == k)[: 4 if k == 3 else 30] for k in range(10)]
    )
    result = clearcnn.check(DIGITS.take(rows), out=tmp_path / "check")
    unchecked = next(f for f in result.findings if f.kind == "labels not checked")
    assert "has 4 images" in unchecked.sentence
    assert result.suspects == ()


def test_the_list_keeps_first_duplicates_and_the_test_set_but_no_contradictions(tmp_path):
    images, labels = DIGITS.images[:200].copy(), DIGITS.labels[:200].copy()
    parts = np.where(np.arange(200) < 150, "train", "test")
    images[10], labels[10] = images[3], labels[3]
    images[20], labels[20] = images[4], (labels[4] + 1) % 10
    images[160], labels[160] = images[5], labels[5]
    images[30] = 7
    data = dataclasses.replace(
        DIGITS.take(np.arange(200)), images=images, labels=labels, split_names=parts, groups=None
    )
    result = clearcnn.check(data, labels=False, out=tmp_path / "check")
    left_out = {
        row["name"]: row["reason"] for row in read_list(result.folder) if row["use"] == "no"
    }
    assert left_out == {
        "row 10": "duplicate of row 3",
        "row 4": "duplicate of row 20, with another label",
        "row 20": "duplicate of row 4, with another label",
        "row 5": "duplicate of row 160",
        "row 30": "all pixels have the same value",
    }
    assert result.num_left_out == 5
    written = json.loads((result.folder / "check.json").read_text(encoding="utf-8"))
    assert written["num_left_out"] == 5


def test_near_duplicates_are_excluded_only_across_splits():
    rows = np.arange(4)
    near = np.array([0, 0, 2, 2])
    data = dataclasses.replace(
        DIGITS.take(rows), groups=None, split_names=np.array(["train", "train", "train", "test"])
    )
    uses = propose_uses(data, exact=rows, near=near, empty=rows[:0], suspects=())
    assert uses.use.tolist() == [True, True, False, True]
    assert uses.reasons[2] == "near duplicate of row 3, in the test set"


@pytest.fixture
def pictures(tmp_path):
    """Forty images in two folders, one duplicate, and one broken file."""
    rng = np.random.default_rng(0)
    for name, level in (("dark", 0), ("light", 120)):
        (tmp_path / "pictures" / name).mkdir(parents=True)
        for number in range(20):
            pixels = rng.integers(level, level + 100, (8, 8), dtype=np.uint8)
            Image.fromarray(pixels).save(tmp_path / "pictures" / name / f"{number}.png")
    source = tmp_path / "pictures"
    (source / "dark" / "copy.png").write_bytes((source / "dark" / "3.png").read_bytes())
    (source / "light" / "broken.png").write_bytes(b"no picture")
    return source


def test_odd_sizes_are_reported(pictures, tmp_path):
    Image.new("L", (9, 8), 50).save(pictures / "dark" / "wide.png")
    result = clearcnn.check(pictures, labels=False, out=tmp_path / "check")
    assert any("9" in sentence and "esize" in sentence for sentence in result.preparation)


def test_train_uses_the_list(pictures, tmp_path):
    folder = clearcnn.check(pictures, labels=False, out=tmp_path / "check").folder
    spec = DataSpec(str(pictures), use=str(folder / "use.csv"))
    images = clearcnn.load(spec)
    assert len(images) == 40
    assert "dark/copy.png" not in images.names
    assert "1 of 41 images left out, as listed in use.csv." in images.preparation
    result = clearcnn.train(spec, recipe="tutorial", epochs=1, out=tmp_path / "run")
    assert result.data.shape[0] == 40
    assert [skipped.path for skipped in result.data.skipped] == ["light/broken.png"]
    again = clearcnn.evaluate(tmp_path / "run", out=tmp_path / "evaluation")
    assert again.evaluation.score == result.test.score


def test_manual_changes_count(pictures, tmp_path):
    path = clearcnn.check(pictures, labels=False, out=tmp_path / "check").folder / "use.csv"
    text = path.read_text(encoding="utf-8").replace(
        "light/7.png,light,yes", "light/7.png,light, No "
    )
    path.write_text(text, encoding="utf-8")
    images = clearcnn.load(DataSpec(str(pictures), use=str(path)))
    assert len(images) == 39
    assert "light/7.png" not in images.names


@pytest.mark.parametrize(
    ("old", "new", "sentence"),
    [
        (",yes,", ",perhaps,", "use is 'perhaps'; expected yes or no"),
        ("dark/0.png", "dark/00.png", "they differ from image 0 on"),
        (",yes,", ",no,", "excludes every image"),
        ("name,label,use,reason", "name,label,keep,reason", "no column 'use'"),
    ],
)
def test_an_invalid_list_raises(pictures, tmp_path, old, new, sentence):
    path = clearcnn.check(pictures, labels=False, out=tmp_path / "check").folder / "use.csv"
    path.write_text(path.read_text(encoding="utf-8").replace(old, new), encoding="utf-8")
    with pytest.raises(DataError, match=sentence):
        clearcnn.load(DataSpec(str(pictures), use=str(path)))


def test_a_list_of_another_source_raises(pictures, tmp_path):
    path = clearcnn.check(pictures, labels=False, out=tmp_path / "check").folder / "use.csv"
    with pytest.raises(DataError, match="it lists 41 images, scikit-learn's digits has 1,797"):
        clearcnn.load(DataSpec("digits", use=str(path)))
