import numpy as np
import pytest

from clearcnn.data import load
from clearcnn.errors import DataError, SpecError
from clearcnn.specs import DataSpec


@pytest.fixture
def faces(tmp_path, write_picture):
    """As in Labeled Faces in the Wild: most people have one picture."""
    for name, count in {"Ann": 1, "Bo": 3, "Cy": 1, "Di": 4, "Ed": 2}.items():
        for number in range(count):
            write_picture(tmp_path / name / f"{name}_{number:04}.png", number)
    return tmp_path


def test_classes_with_fewer_images_are_left_out_and_said(faces):
    with pytest.raises(DataError, match="only one image in the classes 'Ann', 'Cy'") as info:
        load(faces)
    assert "--min-images 2" in info.value.remedy
    data = load(faces, min_images=3)
    assert data.class_names == ("Bo", "Di")
    np.testing.assert_array_equal(data.labels, [0] * 3 + [1] * 4)
    assert data.names[3] == "Di/Di_0000.png"
    assert data.preparation[-1] == (
        "Left out 3 classes with fewer than 3 images: 'Ann', 'Cy', 'Ed'; 4 of 11 images."
    )


def test_the_order_of_those_that_are_left_may_be_chosen(faces):
    assert load(faces, min_images=2, class_names=["Ed", "Di", "Bo"]).class_names == (
        "Ed",
        "Di",
        "Bo",
    )
    with pytest.raises(DataError, match="no image of 'Ann'"):
        load(faces, min_images=2, class_names=["Ann", "Ed", "Di", "Bo"])


def test_every_form_leaves_out_classes(tmp_path):
    images = np.random.default_rng(0).integers(0, 256, (7, 4, 4), np.uint8)
    np.savez(tmp_path / "a.npz", x=images, y=np.array([0, 0, 1, 2, 2, 2, 0]))
    data = load(tmp_path / "a.npz", min_images=2)
    assert data.class_names == ("0", "2")
    np.testing.assert_array_equal(data.images[..., 0], images[[0, 1, 3, 4, 5, 6]])


def test_two_classes_must_be_left_to_train(faces):
    with pytest.raises(DataError, match="only one class, 'Di'"):
        load(faces, min_images=4)
    with pytest.raises(DataError, match="no class has 5 images; the largest has 4"):
        load(faces, min_images=5)
    assert len(load(DataSpec(str(faces), min_images=4, for_training=False))) == 4


@pytest.mark.parametrize("number", [1, 0, -2])
def test_a_class_of_one_image_cannot_be_asked_for(number):
    with pytest.raises(SpecError, match="min_images"):
        DataSpec(min_images=number)
