"""Against the figures published for the digits, on the lesson's split."""

import numpy as np
import pytest
from PIL import Image
from sklearn.base import clone
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split

from clearcnn.evaluation import make_baselines, shrink_for_baselines

X, Y = load_digits(return_X_y=True)
X_TRAIN, X_TEST, Y_TRAIN, Y_TEST = train_test_split(X, Y, test_size=0.3, random_state=777)
# The lesson's MLP has 50 units: 64·50 + 50 + 50·10 + 10 parameters.
BASELINES = make_baselines(64, 10, 3_760, (0.0, 16.0), seed=0)


@pytest.mark.parametrize(
    ("name", "accuracy"),
    [
        ("nearest neighbour", 0.972),
        ("logistic regression", 0.954),
        ("SVM (RBF)", 0.987),
        ("extra trees", 0.980),
        ("MLP", 0.969),
    ],
)
def test_the_digits_are_answered_as_was_published(name, accuracy):
    baseline = clone(BASELINES[name]).fit(X_TRAIN, Y_TRAIN)
    assert baseline.score(X_TEST, Y_TEST) == pytest.approx(accuracy, abs=0.012)


def test_the_most_frequent_class_is_all_that_chance_gives():
    baseline = clone(BASELINES["most frequent class"]).fit(X_TRAIN, Y_TRAIN)
    most = np.bincount(Y_TRAIN).argmax()
    assert (baseline.predict(X_TEST) == most).all()


@pytest.mark.parametrize(("parameters", "units"), [(3_760, 50), (115_586, 1_541), (5, 1)])
def test_the_mlp_has_as_many_parameters(parameters, units):
    baselines = make_baselines(64, 10, parameters, (0.0, 16.0), seed=0)
    assert baselines["MLP"][-1].hidden_layer_sizes == (units,)


def test_pixels_of_any_range_mean_the_same():
    """Bytes of 0 to 240 in place of 0 to 16 change no answer."""
    wide = make_baselines(64, 10, 3_760, (0.0, 240.0), seed=0)["SVM (RBF)"]
    wide.fit((X_TRAIN * 15).astype(np.uint8), Y_TRAIN)
    usual = clone(BASELINES["SVM (RBF)"]).fit(X_TRAIN, Y_TRAIN)
    np.testing.assert_array_equal(
        wide.predict((X_TEST * 15).astype(np.uint8)), usual.predict(X_TEST)
    )


@pytest.mark.parametrize("shape", [(64, 64), (96, 96), (96, 64), (70, 131)], ids=str)
def test_large_images_are_averaged_in_blocks_as_pillow_does(shape):
    pixels = np.random.default_rng(0).integers(0, 256, (2, *shape, 3), np.uint8)
    small = shrink_for_baselines(pixels)
    block = max(shape) // 32
    rows, columns = (side // block for side in shape)
    assert 32 <= max(small.shape[1:3]) < 64
    inner = pixels[:, : rows * block, : columns * block]
    for one, reduced in zip(inner, small, strict=True):
        expected = np.asarray(Image.fromarray(one).reduce(block), np.float32)
        # Pillow rounds, and in fixed point.
        assert np.abs(reduced[:rows, :columns] - expected).max() < 1


@pytest.mark.parametrize("shape", [(96, 96), (70, 131)], ids=str)
def test_some_images_are_reduced_as_among_all(shape):
    pixels = np.random.default_rng(0).integers(0, 256, (9, *shape, 3), np.uint8)
    rows = np.array([7, 0, 4])
    np.testing.assert_array_equal(
        shrink_for_baselines(pixels[rows]), shrink_for_baselines(pixels)[rows]
    )


@pytest.mark.parametrize("side", [8, 35, 63])
def test_smaller_images_stay_as_they_are(side):
    pixels = np.zeros((1, side, 20, 1), np.uint8)
    assert shrink_for_baselines(pixels) is pixels


@pytest.mark.parametrize("name", ["logistic regression", "SVM (RBF)", "extra trees"])
def test_weights_of_classes_count_as_weights_of_images(name):
    weights = {digit: 20.0 if digit == 8 else 0.05 for digit in range(10)}
    weighed = make_baselines(64, 10, 3_760, (0.0, 16.0), 0, weights)[name]
    of_images = np.array([weights[label] for label in Y_TRAIN.tolist()])
    by_hand = clone(BASELINES[name][-1])
    assert by_hand.get_params()["class_weight"] is None
    by_hand.fit((X_TRAIN / 16).astype(np.float32), Y_TRAIN, sample_weight=of_images)
    weighed.fit(X_TRAIN, Y_TRAIN)
    found = weighed.predict(X_TEST)
    np.testing.assert_array_equal(found, by_hand.predict((X_TEST / 16).astype(np.float32)))
    assert (found != clone(BASELINES[name]).fit(X_TRAIN, Y_TRAIN).predict(X_TEST)).any()
