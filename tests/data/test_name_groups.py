"""Groups from names: found by a regular expression, and proposed where images look alike."""

import dataclasses

import numpy as np
import pytest

from clearcnn.data import LabelledImages, load, propose_name_groups
from clearcnn.data.name_groups import with_name_groups
from clearcnn.errors import DataError, SpecError
from clearcnn.specs import DataSpec

NUM_TRACKS, NUM_FRAMES = 6, 8


def _tracks(name: str, noise: float = 0.3, seed: int = 0) -> LabelledImages:
    """Two classes of tracks; the frames of a track are one picture with some noise."""
    rng = np.random.default_rng(seed)
    rows = [(c, t, f) for c in range(2) for t in range(NUM_TRACKS) for f in range(NUM_FRAMES)]
    tracks = rng.normal(size=(2, NUM_TRACKS, 8, 8, 1))
    images = np.stack([tracks[c, t] + noise * rng.normal(size=(8, 8, 1)) for c, t, _ in rows])
    names = tuple(name.format(label="ab"[c], track=t, frame=f) for c, t, f in rows)
    return LabelledImages(
        images=images.astype(np.float32),
        labels=np.array([c for c, _, _ in rows], np.int64),
        class_names=("a", "b"),
        source="tracks",
        value_range=(-9.0, 9.0),
        names=names,
    )


@pytest.mark.parametrize(
    "name",
    [
        "{label}/{track:05}_{frame:05}.png",
        "{label}/patient{track}-{frame}.png",
        "{label}/{track}_jpg.rf.{frame:032x}.jpg",
        "{label}/p{track}_left{frame}x.png",
    ],
)
def test_tracks_are_proposed_as_groups(name: str) -> None:
    images = _tracks(name)
    found = propose_name_groups(images)
    assert found is not None
    assert found.num_groups == 2 * NUM_TRACKS
    expected = np.repeat(np.arange(2 * NUM_TRACKS), NUM_FRAMES)
    _, codes = np.unique(found.groups, return_inverse=True)
    # The same partition: each pair of labels occurs in one combination.
    assert len(set(zip(codes.tolist(), expected.tolist(), strict=True))) == 2 * NUM_TRACKS
    assert found.alike > 0.8
    assert abs(found.others) < 0.2
    assert with_name_groups(images, found.pattern).groups is not None
    # A test image has seven mates; all of them are in the test set with a probability of 0.3⁷.
    assert found.estimate_leak(0.3) == pytest.approx(1 - 0.3**7)


@pytest.mark.parametrize(
    "name", ["{label}/{track}{frame}.png", "{label}/{label}_{track}{frame}.png"]
)
def test_names_of_classes_or_numbers_are_no_groups(name: str) -> None:
    assert propose_name_groups(_tracks(name)) is None


def test_groups_whose_images_do_not_look_alike_are_not_proposed() -> None:
    assert propose_name_groups(_tracks("{label}/{track:05}_{frame:05}.png", noise=30)) is None


def test_groups_come_with_the_source(tmp_path, write_picture) -> None:
    for number in range(8):
        write_picture(tmp_path / "ab"[number % 2] / f"cam{number // 4}_{number}.png", number)
    data = load(DataSpec(str(tmp_path), groups_from_name=r"(cam\d)_"))
    assert data.groups is not None
    assert sorted(set(data.groups.tolist())) == ["cam0", "cam1"]
    assert "2 groups found in the names" in data.preparation[-1]
    with pytest.raises(DataError, match=r"4 of 8 names do not match '\(cam1\)', such as 'a/cam0_0"):
        load(DataSpec(str(tmp_path), groups_from_name="(cam1)"))
    with pytest.raises(DataError, match="groups already"):
        with_name_groups(dataclasses.replace(data), "(.)")


@pytest.mark.parametrize("pattern", ["cam", "(a)(b)", "(", "*"])
def test_a_pattern_has_one_group(pattern: str) -> None:
    with pytest.raises(SpecError, match="not a regular expression with one group"):
        DataSpec(groups_from_name=pattern)
