"""The warnings of `train` about data and splits."""

from types import SimpleNamespace

import numpy as np
import pytest

import clearcnn
from clearcnn.data import Split, split
from clearcnn.evaluation import evaluate_predictions
from clearcnn.specs import SplitSpec, TrainSpec
from clearcnn.workflows.train.data_warnings import check_precision, list_data_warnings


@pytest.fixture
def plan():
    """Twelve different images of two classes: six to train on, two to validate, four to test."""
    images = SimpleNamespace(
        images=np.random.default_rng(0).integers(0, 255, (12, 8, 8, 1), dtype=np.uint8),
        labels=np.arange(12) % 2,
        names=tuple(f"{row}.png" for row in range(12)),
        groups=None,
    )
    splits = Split(train=np.arange(6), validation=np.arange(6, 8), test=np.arange(8, 12))
    return SimpleNamespace(
        images=images, splits=splits, split_spec=SplitSpec(), train_spec=TrainSpec(patience=3)
    )


def test_a_sound_plan_has_no_warnings(plan):
    assert list_data_warnings(plan) == ()


def test_a_duplicate_within_one_split_is_no_leak(plan):
    plan.images.images[9] = plan.images.images[8]
    plan.images.images[1] = plan.images.images[0]
    assert list_data_warnings(plan) == ()


def test_test_images_that_are_training_images_are_counted(plan):
    plan.images.images[9] = plan.images.images[3]
    plan.images.images[11] = plan.images.images[7]
    (sentence,) = list_data_warnings(plan)
    assert sentence.startswith("2 of 4 test images are exact duplicates of")
    assert "label" not in sentence
    assert "9.png" in sentence


def test_a_leak_with_another_label_is_counted_too(plan):
    plan.images.images[8] = plan.images.images[3]
    plan.images.images[9] = plan.images.images[3]
    (sentence,) = list_data_warnings(plan)
    assert "2 of 4 test images" in sentence
    assert "1 of them with another label" in sentence


def test_groups_in_two_splits_are_counted(plan):
    plan.images.groups = np.array(list("aabbccddaddd"))
    (sentence,) = list_data_warnings(plan)
    assert "ignores the 4 groups" in sentence
    assert "4 of 4 test images" in sentence
    plan.images.groups = np.array(list("aabbccddeefa"))
    assert "1 of 4 test images" in list_data_warnings(plan)[0]
    plan.images.groups = np.array(list("aabbccddeeff"))
    assert list_data_warnings(plan) == ()


def test_only_a_group_split_separates_the_writers_of_the_digits(plan):
    images = clearcnn.load("digits")
    for kind, count in (("stratified", 1), ("group", 0)):
        spec = SplitSpec(split=kind)
        splits = split(images, spec)
        mixed = SimpleNamespace(
            images=images, splits=splits, split_spec=spec, train_spec=plan.train_spec
        )
        cautions = list_data_warnings(mixed)
        assert len(cautions) == count
        assert all("14 groups" in sentence for sentence in cautions)


def score(correct, total):
    labels = np.zeros(total, int)
    probabilities = np.eye(2)[(np.arange(total) >= correct).astype(int)]
    rows = np.arange(total)
    names = [str(row) for row in rows]
    return evaluate_predictions(labels, probabilities, ("a", "b"), rows, names).score


# Wilson's half-widths: 1.50, 0.62 and 0.43 %.
@pytest.mark.parametrize(
    ("correct", "total", "is_told"), [(523, 540, True), (538, 540, False), (9_500, 10_000, False)]
)
def test_a_small_test_set_is_found_by_its_interval(correct, total, is_told):
    sentence = check_precision(score(correct, total))
    assert (sentence is not None) == is_told
    if is_told:
        assert "540 test images" in sentence
        assert "±1.5 points" in sentence


@pytest.mark.parametrize(("power", "words"), [(0.0, "counts the same"), (0.5, "count more")])
def test_unequal_classes_are_named_with_their_counts(plan, power, words):
    plan.images.class_names = ("rare", "common")
    plan.images.labels = np.array([1] * 10 + [0, 1])
    plan.splits = Split(train=np.arange(11), validation=np.arange(0), test=np.arange(11, 12))
    plan.train_spec = TrainSpec(class_weight_power=power)
    (sentence,) = list_data_warnings(plan)
    assert "common has 10 training images, rare 1;" in sentence
    assert words in sentence
    plan.images.labels[9] = 0
    assert list_data_warnings(plan) == ()
