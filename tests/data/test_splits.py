import dataclasses

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image
from sklearn.model_selection import train_test_split

from clearcnn.data import LabelledImages, choose_validation_fraction, load, split
from clearcnn.errors import DataError
from clearcnn.specs import SplitSpec


@pytest.fixture(scope="module")
def digits() -> LabelledImages:
    return load("digits")


def _data(labels, *, groups=None, parts=None) -> LabelledImages:
    labels = np.asarray(labels, np.int64)
    return LabelledImages(
        images=np.zeros((len(labels), 2, 2, 1), np.uint8),
        labels=labels,
        class_names=tuple("abcdefghij"[: labels.max() + 1]),
        source="toy",
        value_range=(0, 255),
        names=tuple(map(str, range(len(labels)))),
        groups=None if groups is None else np.asarray(groups, np.str_),
        split_names=None if parts is None else np.asarray(parts, np.str_),
    )


def _is_partition(parted, total) -> bool:
    rows = np.concatenate([parted.train, parted.validation, parted.test])
    return sorted(rows.tolist()) == list(range(total))


def test_random_is_train_test_split_and_keras_validation_split(digits):
    parted = split(digits, SplitSpec(split="random"))
    train, test = train_test_split(np.arange(1797), test_size=0.3, random_state=777, shuffle=True)
    np.testing.assert_array_equal(parted.test, test)
    np.testing.assert_array_equal(np.concatenate([parted.train, parted.validation]), train)
    assert (len(parted.train), len(parted.validation), len(parted.test)) == (1005, 252, 540)


@pytest.mark.parametrize("fraction", [0.1, 0.2, 1 / 3, 0.7])
@pytest.mark.parametrize("total", [20, 37, 1257])
def test_the_validation_count_is_kerass(fraction, total):
    from keras.src.trainers.data_adapters.array_slicing import train_validation_split

    (train,), _ = train_validation_split((np.arange(total),), validation_split=fraction)
    for kind in ("random", "stratified"):
        data = _data(np.arange(total + 10) % 2, parts=["train"] * total + ["test"] * 10)
        spec = SplitSpec(split=kind, validation_fraction=fraction)
        assert len(split(data, spec).train) == len(train)


def test_stratified_is_train_test_split_with_the_shares_kept(digits):
    parted = split(digits, SplitSpec(split="stratified", seed=3))
    train, test = train_test_split(
        np.arange(1797), test_size=0.3, random_state=3, stratify=digits.labels
    )
    np.testing.assert_array_equal(parted.test, test)
    assert set(parted.train) | set(parted.validation) == set(train)
    assert (len(parted.train), len(parted.validation), len(parted.test)) == (1005, 252, 540)
    shares = np.bincount(digits.labels) / 1797
    for rows in (parted.train, parted.validation, parted.test):
        counts = np.bincount(digits.labels[rows], minlength=10)
        assert np.abs(counts - shares * len(rows)).max() < 1.5


@pytest.mark.parametrize("seed", range(5))
def test_groups_stay_whole_near_the_fractions(digits, seed):
    parted = split(digits, SplitSpec(split="group", seed=seed))
    assert _is_partition(parted, 1797)
    assert digits.groups is not None
    kept = [set(digits.groups[rows]) for rows in (parted.train, parted.validation, parted.test)]
    assert sum(map(len, kept)) == len(set.union(*kept)) == 14
    # Blocks hold 7 % each, so half of one is as near as can be promised.
    assert len(parted.test) / 1797 == pytest.approx(0.3, abs=0.04)
    assert len(parted.validation) / (1797 - len(parted.test)) == pytest.approx(0.2, abs=0.06)


def test_equal_groups_are_shared_exactly_and_classes_evenly():
    groups = np.repeat(np.arange(20), 4)
    labels = np.tile([0, 0, 1, 1, 0, 1, 1, 1], 10)
    parted = split(_data(labels, groups=groups), SplitSpec(split="group", test_fraction=0.25))
    assert len(parted.test) == 20
    assert len(parted.validation) == 12
    assert labels[parted.test].mean() == pytest.approx(labels.mean(), abs=0.06)


def test_a_group_split_keeps_every_class_in_training_if_it_can():
    # Class b lies in one group only, which by its share would rather belong to the test.
    groups = np.repeat(np.arange(6), 10)
    labels = (groups == 0).astype(int)
    for seed in range(20):
        spec = SplitSpec(split="group", test_fraction=0.7, validation_fraction=0, seed=seed)
        assert 1 in labels[split(_data(labels, groups=groups), spec).train]


@pytest.mark.parametrize("kind", ["random", "stratified", "group"])
def test_the_seed_decides_and_nothing_else(digits, kind):
    first, again, other = (split(digits, SplitSpec(split=kind, seed=s)) for s in (1, 1, 2))
    for part in ("train", "validation", "test"):
        np.testing.assert_array_equal(getattr(first, part), getattr(again, part))
    assert set(first.test) != set(other.test)


SPLIT_NAMES = np.array(["train"] * 60 + ["validation"] * 20 + ["test"] * 20)
SORTED = np.repeat([0, 1, 0, 1, 0, 1], [30, 30, 10, 10, 10, 10])


@pytest.mark.parametrize("kind", ["random", "stratified", "group"])
def test_given_parts_win(kind):
    data = _data(SORTED, parts=SPLIT_NAMES, groups=np.arange(100) % 7)
    parted = split(data, SplitSpec(split=kind))
    assert sorted(parted.train) == list(range(60))
    assert parted.validation.tolist() == list(range(60, 80))
    assert parted.test.tolist() == list(range(80, 100))


@pytest.mark.parametrize("kind", ["random", "stratified"])
def test_validation_is_never_carved_from_class_sorted_order(kind):
    parts = np.where(SPLIT_NAMES == "validation", "train", SPLIT_NAMES)
    data = _data(np.repeat([0, 1, 0, 1], [40, 40, 10, 10]), parts=parts)
    parted = split(data, SplitSpec(split=kind))
    assert parted.test.tolist() == list(range(80, 100))
    assert len(parted.validation) == 16
    assert len(set(data.labels[parted.validation])) == 2
    assert parted.train.tolist() != sorted(parted.train)


@pytest.mark.parametrize("parts", [["train"] * 100, None])
@pytest.mark.parametrize("kind", ["random", "stratified"])
def test_a_train_part_alone_is_split_like_data_without_parts(kind, parts):
    data = _data(SORTED, parts=parts)
    expected = split(_data(SORTED), SplitSpec(split=kind))
    parted = split(data, SplitSpec(split=kind))
    np.testing.assert_array_equal(parted.test, expected.test)
    np.testing.assert_array_equal(parted.train, expected.train)
    assert len(parted.test) == 30


def test_a_given_validation_part_is_kept_while_the_test_is_carved():
    data = _data(SORTED, parts=np.where(SPLIT_NAMES == "test", "train", SPLIT_NAMES))
    parted = split(data, SplitSpec())
    assert parted.validation.tolist() == list(range(60, 80))
    assert len(parted.test) == 24
    assert _is_partition(parted, 100)


@pytest.mark.parametrize("kind", ["random", "stratified", "group"])
def test_no_validation_is_an_empty_one(digits, kind):
    parted = split(digits, SplitSpec(split=kind, validation_fraction=0))
    assert parted.validation.tolist() == []
    assert parted.validation.dtype.kind == "i"
    assert _is_partition(parted, 1797)


@pytest.mark.parametrize(("total", "held_out"), [(1_999, 400), (2_000, 200), (5_000, 500)])
@pytest.mark.parametrize("kind", ["random", "stratified", "group"])
def test_of_many_images_a_smaller_share_is_held_out(kind, total, held_out):
    labels = np.arange(total + 100) % 4
    parts = ["train"] * total + ["test"] * 100
    data = _data(labels, parts=parts, groups=np.arange(total + 100))
    parted = split(data, SplitSpec(split=kind, validation_fraction=None))
    assert len(parted.validation) == held_out
    fraction = choose_validation_fraction(total)
    same = split(data, SplitSpec(split=kind, validation_fraction=fraction))
    np.testing.assert_array_equal(parted.validation, same.validation)
    np.testing.assert_array_equal(parted.train, same.train)


@pytest.mark.parametrize(
    ("data", "spec", "problem"),
    [
        (_data([0, 0, 1, 1]), SplitSpec(split="group"), "have no groups"),
        (
            _data([0, 0, 1, 1], groups=list("xxyy")),
            SplitSpec(split="group"),
            "2 groups .* too few to hold out a test set; at least 3 are needed",
        ),
        (
            _data([0, 1], groups=list("xx")),
            SplitSpec(split="group", validation_fraction=0),
            "1 groups .* 2 are needed",
        ),
        (
            _data([0] * 30 + [1]),
            SplitSpec(),
            r"class 'b' \(1 images in total\) has only one image left.*test",
        ),
        (
            _data([0] * 30 + [1] * 2),
            SplitSpec(),
            r"class 'b' \(2 images in total\) has only one image left.*validation",
        ),
        (
            _data(np.repeat(np.arange(10), 2)),
            SplitSpec(test_fraction=0.3),
            "taking 6 of 20 images for the test set leaves too few .* each of 10 classes",
        ),
        (
            _data([0] * 30 + [1] * 2),
            SplitSpec(split="random", test_fraction=0.9),
            r"no image of the classes 'b' \(2 images in total\)",
        ),
        (
            _data([0, 0, 1, 1], parts=["test"] * 4),
            SplitSpec(),
            "the source's split has no training images",
        ),
        (
            _data([0, 0, 0, 1, 1], parts=["train"] * 3 + ["test"] * 2),
            SplitSpec(validation_fraction=0),
            "no image of the classes 'b'",
        ),
        (
            _data([0, 1]),
            SplitSpec(split="random", test_fraction=0.9),
            "with 2 of 2 images in the test set, that set or the training set is empty",
        ),
    ],
)
def test_impossible_splits_are_refused(data, spec, problem):
    with pytest.raises(DataError, match=problem):
        split(data, spec)


@settings(max_examples=60, deadline=None)
@given(
    st.integers(40, 120),
    st.integers(2, 4),
    st.floats(0.15, 0.6),
    st.floats(0.0, 0.5),
    st.sampled_from(["random", "stratified", "group"]),
    st.integers(0, 2**32 - 1),
)
def test_every_split_is_a_partition(total, classes, test, validation, kind, seed):
    data = _data(np.arange(total) % classes, groups=np.arange(total) % 11)
    spec = SplitSpec(kind, test, validation, seed)
    try:
        parted = split(data, spec)
    except DataError:
        return
    assert _is_partition(parted, total)
    assert set(data.labels[parted.train]) == set(range(classes))
    if kind != "group":
        assert len(parted.test) == int(np.ceil(test * total))


def test_the_default_is_stratified(digits):
    default = split(digits)
    expected = split(digits, SplitSpec())
    np.testing.assert_array_equal(default.test, expected.test)
    assert dataclasses.asdict(SplitSpec())["split"] == "stratified"


@pytest.mark.parametrize("names", [["train", "val"], ["train", "val", "test"]])
def test_a_validation_set_is_the_test_set_of_a_source_that_has_no_other(tmp_path, names):
    for name in names:
        for class_name in ("cat", "dog"):
            folder = tmp_path / name / class_name
            folder.mkdir(parents=True)
            for k in range(10):
                pixels = np.random.default_rng([k, len(name)]).integers(0, 256, (8, 8), np.uint8)
                Image.fromarray(pixels).save(folder / f"{k}.png")
    data = load(tmp_path)
    parted = split(data)
    in_val = [k for k, name in enumerate(data.names) if name.startswith("val/")]
    assert (parted.test if len(names) == 2 else parted.validation).tolist() == in_val
    assert len(parted.validation) == (4 if len(names) == 2 else 20)
    assert any("its validation set is the test set" in each for each in data.preparation) == (
        len(names) == 2
    )
