"""Images of a different range from the training images' warn, and dark images do not."""

import pickle
import warnings
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from sklearn.base import clone
from sklearn.datasets import load_digits, load_sample_images
from sklearn.model_selection import cross_val_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import MinMaxScaler, StandardScaler

from clearcnn import CNNClassifier
from clearcnn.pixel_range import PixelRange
from clearcnn.specs import LayerSpec, ModelSpec

Rows = NDArray[Any]

DIGITS, LABELS = load_digits(n_class=3, return_X_y=True)
DIGITS, LABELS = DIGITS[:120], LABELS[:120]


def cut_photos() -> Rows:
    """Give tiles of the two photographs that scikit-learn has; uint8 (n, 16 * 16 * 3)."""
    tiles = [
        photo[top : top + 16, left : left + 16].reshape(-1)
        for photo in load_sample_images().images
        for top in range(0, 400, 40)
        for left in range(0, 600, 40)
    ]
    return np.array(tiles, np.uint8)


PHOTOS = cut_photos()
UNIT = (PHOTOS / 255).astype("float32")
STANDARD = ((PHOTOS - PHOTOS.mean()) / PHOTOS.std()).astype("float32")
RANDOM = np.random.default_rng(0)


def has_mismatch(trained: Rows, asked: Rows) -> bool:
    return PixelRange.of(trained).find_mismatch(asked) is not None


@pytest.mark.parametrize("count", [1, 200])
@pytest.mark.parametrize(
    ("trained", "asked"),
    [
        (PHOTOS, UNIT),
        (PHOTOS.astype("float32"), UNIT),
        (UNIT, PHOTOS),
        (UNIT, PHOTOS.astype("float32")),
        (PHOTOS, 2 * UNIT - 1),
        (STANDARD, PHOTOS),
        (2 * UNIT - 1, PHOTOS),
        (PHOTOS, PHOTOS.astype("uint16") * 257),
        (DIGITS, DIGITS / 16),
        (DIGITS / 16, DIGITS),
        (DIGITS, np.minimum(DIGITS * 16, 255)),
        (DIGITS, DIGITS / 8 - 1),
        (UNIT, np.full((1, 768), 255.0)),
    ],
)
def test_another_scale_is_detected(trained: Rows, asked: Rows, count: int) -> None:
    assert has_mismatch(trained, asked[:count])


def test_a_scale_that_one_image_does_not_show_is_detected_in_ten() -> None:
    binary = (DIGITS > 7).astype("uint8")
    assert has_mismatch(PHOTOS, np.resize(binary, (10, 768)))
    assert has_mismatch(UNIT, UNIT[:10] / 255)
    assert not has_mismatch(UNIT, UNIT[:9] / 255)
    # Of these, a bright picture has no negative values.
    assert has_mismatch(UNIT, 2 * UNIT - 1)
    assert has_mismatch(PHOTOS, STANDARD)
    assert has_mismatch(UNIT, STANDARD)


DARK = (PHOTOS * 0.03).astype("uint8")
WITH_LIGHT = np.concatenate([DARK[:50], PHOTOS[:1]])
SMOOTH = PHOTOS.astype("float32") * 0.97 + 3.3


@pytest.mark.parametrize(
    ("trained", "asked"),
    [
        (PHOTOS, PHOTOS),
        (PHOTOS, np.zeros((1, 768), "uint8")),
        (PHOTOS, np.zeros((50, 768), "uint8")),
        (PHOTOS, np.zeros((50, 768), "float32")),
        (PHOTOS, np.full((50, 768), 0.5, "float32")),
        (PHOTOS, np.full((50, 768), 255, "uint8")),
        (PHOTOS, DARK[:1]),
        (PHOTOS, DARK[:9].astype("float32")),
        (PHOTOS, WITH_LIGHT),
        (PHOTOS, (PHOTOS * 0.2).astype("uint8")),
        (PHOTOS, SMOOTH),
        (PHOTOS, SMOOTH[:1] * 0.05),
        (PHOTOS, PHOTOS + RANDOM.normal(scale=50, size=PHOTOS.shape)),
        (PHOTOS, RANDOM.uniform(-20, 250, size=(1, 768))),
        (UNIT, UNIT[:1] * 0.01),
        (UNIT, UNIT + 1e-3),
        (UNIT, 255 - PHOTOS[:1] // 255 - 254),
        (UNIT, 1 - UNIT),
        (STANDARD, STANDARD[::-1] * 3),
        (STANDARD, STANDARD[:1] * 0.01),
        (STANDARD, np.zeros((3, 768))),
        (2 * UNIT - 1, UNIT),
        (np.concatenate([DARK, PHOTOS[:5]]), PHOTOS),
        (DIGITS, (DIGITS > 7) * 1.0),
        (DIGITS, DIGITS[:1]),
        (DIGITS, np.full((1, 64), 16.0)),
        (DIGITS, DIGITS * 0.5),
        (np.zeros((9, 64)), np.zeros((9, 64))),
    ],
)
def test_no_false_alarm(trained: Rows, asked: Rows) -> None:
    if trained is DIGITS and asked.max() == 1:
        asked = asked[:9]
    assert not has_mismatch(trained, asked)


SMALL = ModelSpec(
    "small", (LayerSpec("Flatten"), LayerSpec("Dense", {"units": 3, "activation": "softmax"}))
)


def make() -> CNNClassifier:
    return CNNClassifier(recipe="tutorial", model=SMALL, epochs=2, random_state=0)


@pytest.fixture(scope="module")
def fitted() -> CNNClassifier:
    return make().fit(DIGITS, LABELS)


WORDS = "X has values from 0 to 1, and the classifier was trained on values from 0 to 16"


def test_predictions_warn(fitted: CNNClassifier) -> None:
    with pytest.warns(UserWarning, match=WORDS):
        fitted.predict_proba(DIGITS / 16)
    with pytest.warns(UserWarning, match=WORDS) as caught:
        fitted.predict(DIGITS.reshape(-1, 8, 8) / 16)
    assert len(caught) == 1
    with pytest.warns(UserWarning, match=WORDS):
        fitted.score(DIGITS / 16, LABELS)


def test_the_range_is_in_pickles_and_not_in_clones(fitted: CNNClassifier) -> None:
    back = pickle.loads(pickle.dumps(fitted))
    assert back.pixel_range_ == fitted.pixel_range_ == PixelRange(0, 16, 16, True)
    with pytest.warns(UserWarning, match=WORDS):
        back.predict(DIGITS / 16)
    assert not hasattr(clone(fitted), "pixel_range_")
    again = clone(fitted).fit(DIGITS / 16, LABELS)
    with pytest.warns(UserWarning, match="X has values from 0 to 16, .* from 0 to 1,"):
        again.predict(DIGITS)


def test_scikit_learns_tools_do_not_warn() -> None:
    with warnings.catch_warnings(action="error"):
        for scaler in (StandardScaler(), MinMaxScaler()):
            pipeline = make_pipeline(scaler, make()).fit(DIGITS, LABELS)
            pipeline.predict(DIGITS[:1])
        cross_val_score(make(), DIGITS, LABELS, cv=2)
