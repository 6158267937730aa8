import unicodedata

import numpy as np
import pytest

from clearcnn.data.classes import check_counts, number_classes, quote
from clearcnn.errors import DataError


def test_texts_are_numbered_in_natural_order():
    labels, names = number_classes(["b10", "b2", "a", "b2"], "x")
    assert names == ("a", "b2", "b10")
    assert labels.tolist() == [2, 1, 0, 1]
    assert labels.dtype == np.int64


def test_integers_are_named_by_their_values_or_known_names():
    labels, names = number_classes(np.array([10, 2, 2, -1]), "x")
    assert names == ("-1", "2", "10")
    assert labels.tolist() == [2, 1, 1, 0]
    labels, names = number_classes(np.array([1, 0, 1]), "x", known=["dog", "cat"])
    assert names == ("dog", "cat")
    assert labels.tolist() == [1, 0, 1]


def test_the_wanted_order_wins():
    labels, names = number_classes(["a", "b", "a"], "x", wanted=["b", "a"])
    assert names == ("b", "a")
    assert labels.tolist() == [1, 0, 1]
    labels, names = number_classes(
        np.array([1, 0]), "x", known=["dog", "cat"], wanted=["cat", "dog"]
    )
    assert names == ("cat", "dog")
    assert labels.tolist() == [0, 1]


def test_wanted_and_found_classes_must_be_the_same():
    with pytest.raises(DataError, match="no image of 'cta'; 'cat' in the data") as info:
        number_classes(["cat", "dog"], "x", wanted=["cta", "dog"])
    assert "Did you mean 'cat'?" in info.value.remedy
    with pytest.raises(DataError, match="'dog' in the data, but not in class_names"):
        number_classes(["cat", "dog"], "x", wanted=["cat"])


@pytest.mark.parametrize(("label", "row"), [(-1, 2), (3, 2)])
def test_an_integer_outside_the_known_names_is_named_with_its_row(label, row):
    with pytest.raises(DataError, match=f"row {row} has the label {label}.*0 to 1"):
        number_classes(np.array([0, 1, label]), "x", known=["a", "b"])


def test_names_are_one_whatever_their_unicode_form():
    parted = unicodedata.normalize("NFD", "고양이")
    labels, names = number_classes([parted, "고양이", "개"], "x", wanted=["고양이", "개"])
    assert names == ("고양이", "개")
    assert labels.tolist() == [0, 0, 1]


@pytest.mark.parametrize(
    ("labels", "names", "problem"),
    [
        ([0, 0], ("a",), "only one class, 'a'"),
        ([0, 0, 2, 2], ("a", "b", "c"), "no image in the class 'b'"),
        ([0, 0, 1], ("a", "b"), "only one image in the class 'b'"),
        ([0, 1], ("a", "b"), "only one image in the classes 'a', 'b'"),
    ],
)
def test_too_few_classes_or_images_are_refused(labels, names, problem):
    with pytest.raises(DataError, match=problem):
        check_counts(np.array(labels), names, "x")


def test_long_lists_are_cut():
    assert quote(["a", "b", "c"], most=2) == "'a', 'b' and 1 more"
