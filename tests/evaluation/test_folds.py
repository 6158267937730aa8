"""Folds: every image is tested once, by a model that saw neither it nor its group."""

import numpy as np
import pytest
from sklearn.model_selection import LeaveOneGroupOut

from clearcnn.errors import SpecError
from clearcnn.evaluation import leave_groups_out, make_random_folds

LABELS = np.random.default_rng(0).permutation(np.arange(120) % 3)


def check_partition(folds, num_images):
    tested = np.concatenate([fold.test for fold in folds])
    assert sorted(tested) == list(range(num_images))
    for fold in folds:
        assert sorted([*fold.train, *fold.test]) == list(range(num_images))


def test_few_groups_are_left_out_one_by_one_in_the_order_in_which_they_come():
    groups = np.repeat(["z", "b", "m"], 40)
    folds = leave_groups_out(LABELS, groups, num_folds=10, seed=0)
    check_partition(folds, 120)
    assert [fold.name for fold in folds] == ["z", "b", "m"]
    theirs = {tuple(test) for _, test in LeaveOneGroupOut().split(LABELS, LABELS, groups)}
    assert {tuple(fold.test) for fold in folds} == theirs


def test_many_groups_are_left_out_several_at_a_time_and_stay_whole():
    groups = np.arange(120) // 3
    folds = leave_groups_out(LABELS, groups, num_folds=5, seed=0)
    assert len(folds) == 5
    check_partition(folds, 120)
    for fold in folds:
        assert not set(groups[fold.train]) & set(groups[fold.test])


def test_one_group_is_refused():
    with pytest.raises(SpecError, match="found 1"):
        leave_groups_out(LABELS, np.zeros(120), num_folds=5, seed=0)


def test_random_folds_have_every_class_and_each_repeat_is_another_draw():
    first = make_random_folds(LABELS, num_folds=10, repeat=0, seed=5)
    second = make_random_folds(LABELS, num_folds=10, repeat=1, seed=5)
    again = make_random_folds(LABELS, num_folds=10, repeat=0, seed=5)
    check_partition(first, 120)
    assert all(np.bincount(LABELS[fold.test]).tolist() == [4, 4, 4] for fold in first)
    assert any((a.test != b.test).any() for a, b in zip(first, second, strict=True))
    assert all((a.test == b.test).all() for a, b in zip(first, again, strict=True))
    assert [fold.name for fold in second][:2] == ["fold 11", "fold 12"]


def test_more_folds_than_a_class_has_images_are_refused():
    with pytest.raises(SpecError, match="smallest class has 40"):
        make_random_folds(LABELS, num_folds=41, repeat=0, seed=0)
