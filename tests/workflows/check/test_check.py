"""`check` finds planted problems, and none in clean data."""

import dataclasses
import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

import clearcnn
from clearcnn.data import LabelledImages
from clearcnn.errors import DataError
from clearcnn.language import Message
from clearcnn.workflows.fitting.listeners import EvaluateListener

DIGITS = clearcnn.load("digits")


@pytest.fixture
def check(tmp_path):
    """`clearcnn.check` without trainings, in a temporary folder."""
    made = []

    def look(source):
        made.append(tmp_path / f"check {len(made)}")
        return clearcnn.check(source, labels=False, out=made[-1])

    return look


def kinds(result):
    return {finding.kind: finding for finding in result.findings}


def planted(images=None, labels=None, parts=None, groups=None, names=None) -> LabelledImages:
    """The digits with changes."""
    return dataclasses.replace(
        DIGITS,
        images=DIGITS.images if images is None else images,
        labels=DIGITS.labels if labels is None else labels,
        split_names=parts,
        groups=groups,
    )


def test_the_digits_are_clean(check):
    result = check("digits")
    assert result.findings == ()
    assert (result.num_images, result.num_problems) == (1797, 0)


def test_duplicates_with_their_labels_and_splits(check):
    images, labels = DIGITS.images.copy(), DIGITS.labels.copy()
    parts = np.where(np.arange(1797) < 1500, "train", "test")
    for copy, original in ((10, 3), (1600, 4), (1700, 5)):
        images[copy], labels[copy] = images[original], labels[original]
    labels[1700] = (labels[5] + 1) % 10
    found = kinds(check(planted(images, labels, parts)))
    assert set(found) == {
        "duplicates",
        "duplicates with another label",
        "duplicates across splits",
    }
    assert found["duplicates"].sentence == "Other exact duplicates: 1 image."
    assert found["duplicates"].names == ("row 10 = row 3",)
    assert not found["duplicates"].is_problem
    assert found["duplicates with another label"].names == ("row 1700 = row 5",)
    # Each is listed once, where it does the most harm.
    assert found["duplicates across splits"].names == ("row 1600 = row 4",)
    assert found["duplicates across splits"].is_problem


def test_a_resaved_duplicate_is_a_near_duplicate(check):
    images = DIGITS.images.astype(np.float32)
    images[900] = 0.8 * images[30] + np.random.default_rng(0).normal(0, 0.05, (8, 8, 1))
    found = kinds(
        check(planted(images, np.where(np.arange(1797) == 900, DIGITS.labels[30], DIGITS.labels)))
    )
    assert set(found) == {"near duplicates"}
    assert found["near duplicates"].names == ("row 900 = row 30",)


def test_empty_images_groups_and_classes(check):
    images = DIGITS.images.copy()
    images[[7, 8]] = 3
    groups = np.array([f"writer {row // 300}" for row in range(1797)])
    parts = np.where(np.arange(1797) < 1500, "train", "test")
    parts[0] = "test"
    found = kinds(check(planted(images, None, parts, groups)))
    assert found["empty images"].names == ("row 7", "row 8")
    assert found["groups across splits"].names == ("writer 0",)
    assert "1 of 6 groups" in found["groups across splits"].sentence
    few = (DIGITS.labels != 9) | (np.cumsum(DIGITS.labels == 9) <= 5)
    rows = np.flatnonzero(few)
    smaller = dataclasses.replace(
        DIGITS,
        images=DIGITS.images[rows],
        labels=DIGITS.labels[rows],
        groups=None,
        names=tuple(DIGITS.names[row] for row in rows),
    )
    found = kinds(check(smaller))
    assert found["small classes"].names == ("9: 5",)
    assert "9 5" in found["imbalance"].sentence


def test_unreadable_files_are_listed_and_the_others_checked(check, tmp_path: Path):
    random = np.random.default_rng(0)
    for name in ("cat", "dog"):
        (tmp_path / name).mkdir()
        for number in range(20):
            pixels = random.integers(0, 255, (12, 12), dtype=np.uint8)
            Image.fromarray(pixels).save(tmp_path / name / f"{number}.png")
    (tmp_path / "cat" / "broken.png").write_bytes(b"no picture")
    (tmp_path / "dog" / "new.heic").write_bytes(b"\0\0\0\x18ftypheic\0\0\0\0mif1heic")
    result = check(tmp_path)
    (finding,) = result.findings
    assert (finding.kind, result.num_images) == ("unreadable files", 40)
    assert "broken.png" in finding.names[0] and finding.names[0].endswith(".")
    assert "a HEIC image" in finding.names[1] and "Convert it to JPEG" in finding.names[1]


def test_narrow_value_ranges_are_reported(check):
    found = kinds(check(dataclasses.replace(DIGITS, value_range=(0.0, 255.0))))
    assert set(found) == {"narrow values"}


@pytest.mark.parametrize("counts", [(1, 1), (1, 25), (25, 0)])
def test_classes_too_small_to_train_do_not_stop_the_check(counts, tmp_path: Path):
    random = np.random.default_rng(0)
    for name, count in zip(("cat", "dog"), counts, strict=True):
        (tmp_path / "in" / name).mkdir(parents=True)
        for number in range(count):
            pixels = random.integers(0, 255, (12, 12), dtype=np.uint8)
            Image.fromarray(pixels).save(tmp_path / "in" / name / f"{number}.png")
    result = clearcnn.check(tmp_path / "in", out=tmp_path / "out")
    found = kinds(result)
    assert result.num_images == sum(counts)
    assert found["classes too small to train"].is_problem
    assert found["classes too small to train"].names == tuple(
        f"{name}: {count}" for name, count in zip(("cat", "dog"), counts, strict=True) if count < 2
    )
    assert f"the smallest class has {min(counts)} image" in found["labels not checked"].sentence
    with pytest.raises(DataError):
        clearcnn.train(tmp_path / "in", out=tmp_path / "run")


def test_a_single_class_is_a_problem_and_its_labels_are_not_checked(tmp_path: Path):
    random = np.random.default_rng(0)
    (tmp_path / "in" / "cat").mkdir(parents=True)
    for number in range(25):
        pixels = random.integers(0, 255, (12, 12), dtype=np.uint8)
        Image.fromarray(pixels).save(tmp_path / "in" / "cat" / f"{number}.png")
    found = kinds(clearcnn.check(tmp_path / "in", out=tmp_path / "out"))
    assert found["one class"].is_problem
    assert "only one class" in found["labels not checked"].sentence


def test_a_float_image_is_listed_and_does_not_stop_the_check(check, tmp_path):
    pixels = np.random.default_rng(0).integers(0, 256, (6, 8, 8), np.uint8)
    for number, each in enumerate(pixels):
        path = tmp_path / "photos" / "ab"[number % 2] / f"{number}.png"
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(each).save(path)
    Image.fromarray(pixels[0].astype(np.float32)).save(tmp_path / "photos" / "a" / "odd.tif")
    result = check(str(tmp_path / "photos"))
    assert result.num_images == 6
    (name,) = kinds(result)["unreadable files"].names
    assert "odd.tif: It has floating-point numbers" in name


class Interrupting(EvaluateListener):
    """Presses Ctrl-C when the trainings are about to begin."""

    def on_phase(self, title, steps):
        raise KeyboardInterrupt


@pytest.mark.parametrize("language", ["en", "ko"])
def test_ctrl_c_leaves_out_the_labels_and_says_so_in_every_language(tmp_path, language):
    few = DIGITS.take(np.arange(0, 1797, 6))
    result = clearcnn.check(
        few, epochs=1, out=tmp_path / "c", listener=Interrupting(), language=language
    )
    assert result.interrupted and result.epochs is None and result.suspects == ()
    assert [finding.kind for finding in result.findings] == ["label check stopped"]
    record = json.loads((tmp_path / "c" / "check.json").read_text("utf-8"))
    assert record["interrupted"] is True


def test_what_was_not_interrupted_says_so(check):
    assert not check(DIGITS.take(np.arange(40))).interrupted


def test_kinds_are_the_same_in_every_language(check):
    few = dataclasses.replace(DIGITS.take(np.arange(40)), value_range=(0.0, 255.0))
    result = check(few)
    assert kinds(result).keys() >= {"small classes", "narrow values"}
    assert not any(isinstance(finding.kind, Message) for finding in result.findings)
    assert all(isinstance(finding.sentence, Message) for finding in result.findings)
