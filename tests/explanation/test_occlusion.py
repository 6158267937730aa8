"""Covering, against covering by hand and Keras's predict."""

import numpy as np
import pytest

from clearcnn.explanation import Network, Patch, choose_patch, occlude


@pytest.mark.parametrize("patch", [Patch((3, 2), (1, 1)), Patch((4, 3), (3, 2))])
def test_the_map_is_the_mean_drop_of_the_patches_on_a_pixel(make_model, image, patch):
    model = make_model("plain")
    found, largest = occlude(Network(model), image, 1, patch, (3.0, 0.0, 16.0))

    height, width = image.shape[:2]
    tops = {*range(0, height - patch.size[0] + 1, patch.stride[0]), height - patch.size[0]}
    lefts = {*range(0, width - patch.size[1] + 1, patch.stride[1]), width - patch.size[1]}
    whole = model.predict(image[np.newaxis], verbose=0)[0, 1]
    drops = [[[] for _ in range(width)] for _ in range(height)]
    seen = []
    for top in tops:
        for left in lefts:
            copy = image.copy()
            copy[top : top + patch.size[0], left : left + patch.size[1]] = (3, 0, 16)
            seen.append(whole - model.predict(copy[np.newaxis], verbose=0)[0, 1])
            for row in range(top, top + patch.size[0]):
                for column in range(left, left + patch.size[1]):
                    drops[row][column].append(seen[-1])
    np.testing.assert_allclose(found, [[np.mean(d) for d in row] for row in drops], atol=2e-6)
    assert largest == pytest.approx(max(seen), abs=2e-6)


def test_covering_with_what_is_there_changes_nothing(make_model):
    plain = np.full((9, 7, 3), 5, np.uint8)
    found, largest = occlude(Network(make_model("plain")), plain, 0, Patch((3, 3), (1, 1)), 5.0)
    np.testing.assert_allclose(found, 0, atol=1e-7)
    assert abs(largest) < 1e-7


@pytest.mark.parametrize(
    ("side", "size"), [((8, 8), (2, 2)), ((28, 20), (7, 5)), ((1, 3), (1, 1)), ((96, 96), (24, 24))]
)
def test_a_patch_is_a_quarter_of_each_side_and_has_about_a_thousand_places_at_most(side, size):
    patch = choose_patch(*side)
    assert patch.size == size
    places = [-(-(s - p) // step) + 1 for s, p, step in zip(side, size, patch.stride, strict=True)]
    assert places[0] * places[1] <= 1_100
    assert all(step <= p for step, p in zip(patch.stride, size, strict=True))
