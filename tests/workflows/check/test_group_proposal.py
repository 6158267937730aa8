import dataclasses

import numpy as np

from clearcnn.data import LabelledImages
from clearcnn.workflows.check.group_proposal import find_name_groups


def _images() -> LabelledImages:
    rng = np.random.default_rng(0)
    tracks = rng.integers(0, 256, (8, 6, 6, 1))
    frames = np.repeat(tracks, 5, axis=0) + rng.integers(-9, 9, (40, 6, 6, 1))
    return LabelledImages(
        images=frames.clip(0, 255).astype(np.uint8),
        labels=np.repeat(np.arange(2), 20),
        class_names=("a", "b"),
        source="tracks",
        value_range=(0.0, 255.0),
        names=tuple(f"{'ab'[k // 20]}/{k // 5}_{k % 5}.png" for k in range(40)),
    )


def test_the_finding_says_what_leaks_and_how_to_avoid_it() -> None:
    (finding,) = find_name_groups(_images())
    assert "8 groups that look alike" in finding.sentence
    assert "99 % of the test images" in finding.sentence  # 1 − 0.3⁴
    assert "--groups-from-name '(.+)[_-][0-9]+\\.'" in finding.sentence
    assert finding.names == ("a/0_0.png: group a/0",)


def test_nothing_is_proposed_for_groups_or_splits_that_are_known() -> None:
    images = _images()
    groups = np.array([f"g{k % 3}" for k in range(40)])
    assert not list(find_name_groups(dataclasses.replace(images, groups=groups)))
    splits = np.array([("train", "validation", "test", "train")[k % 4] for k in range(40)])
    assert not list(find_name_groups(dataclasses.replace(images, split_names=splits)))
