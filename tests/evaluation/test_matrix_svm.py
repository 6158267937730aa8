"""Against scikit-learn's SVC, which computes its kernel pair by pair."""

import pickle
import tracemalloc

import numpy as np
import pytest
from sklearn.base import clone
from sklearn.datasets import load_digits
from sklearn.model_selection import GridSearchCV, train_test_split
from sklearn.svm import SVC
from sklearn.utils.estimator_checks import parametrize_with_checks

from clearcnn.evaluation import make_baselines
from clearcnn.evaluation.matrix_svm import MatrixSVC


def read_digits():
    digits, labels = load_digits(return_X_y=True)
    return train_test_split(
        (digits / 16).astype(np.float32), labels, test_size=0.3, random_state=777
    )


def draw_colour_images():
    """Four classes of noisy 16×16 images, each brighter in one channel or one half."""
    generator = np.random.default_rng(3)
    labels = generator.integers(0, 4, 900)
    pixels = generator.normal(0.5, 0.25, (900, 16, 16, 3))
    pixels[..., 0] += 0.06 * (labels % 2)[:, None, None]
    pixels[:, :8] += 0.06 * (labels // 2)[:, None, None, None]
    flat = pixels.clip(0, 1).astype(np.float32).reshape(900, -1)
    return flat[:600], flat[600:], labels[:600], labels[600:]


IMAGES = {"digits": read_digits(), "colour": draw_colour_images()}


@pytest.fixture(params=IMAGES)
def images(request):
    return IMAGES[request.param]


@pytest.mark.parametrize("most_bytes", [1 << 30, 0], ids=["matrix", "pairs"])
def test_the_predictions_are_svc_s(images, most_bytes):
    train, test, labels, truth = images
    usual = SVC(C=10).fit(train, labels)
    ours = MatrixSVC(C=10, most_bytes=most_bytes).fit(train, labels)
    found = ours.predict(test)
    np.testing.assert_array_equal(found, usual.predict(test))
    assert 0.6 < np.mean(found == truth) < 1
    np.testing.assert_array_equal(ours.classes_, usual.classes_)


def test_decisions_and_support_vectors_are_svc_s(images):
    train, test, labels, _ = images
    usual = SVC(C=10).fit(train, labels)
    ours = MatrixSVC(C=10).fit(train, labels).svm_
    np.testing.assert_array_equal(ours.support_, usual.support_)
    np.testing.assert_allclose(
        ours.decision_function(test), usual.decision_function(test), atol=1e-4
    )


@pytest.mark.parametrize("class_weight", ["balanced", {0: 30.0, 1: 0.1}, None], ids=str)
@pytest.mark.parametrize("least", [0.001, 0], ids=["matrix", "pairs"])
def test_weights_are_svc_s(images, class_weight, least):
    train, test, labels, _ = images
    weights = np.random.default_rng(1).choice([least, 0.02, 1, 5], len(labels))
    fitted = MatrixSVC(class_weight=class_weight).fit(train, labels, weights)
    assert callable(fitted.svm_.kernel) == (least > 0)
    ours = fitted.predict(test)
    usual = SVC(class_weight=class_weight).fit(train, labels, weights).predict(test)
    np.testing.assert_array_equal(ours, usual)
    assert (ours != MatrixSVC().fit(train, labels).predict(test)).any()


@pytest.mark.parametrize(("num", "is_matrix"), [(100, True), (101, False)])
def test_above_the_limit_svc_computes_pair_by_pair(num, is_matrix):
    train, test, labels, _ = IMAGES["digits"]
    ours = MatrixSVC(most_bytes=100 * 100 * 8).fit(train[:num], labels[:num])
    assert callable(ours.svm_.kernel) == is_matrix
    usual = SVC().fit(train[:num], labels[:num])
    np.testing.assert_array_equal(ours.predict(test), usual.predict(test))


def test_images_that_are_all_equal_are_predicted_as_by_svc():
    equal, labels = np.full((20, 5), 0.3), np.arange(20) % 3
    ours = MatrixSVC().fit(equal, labels)
    np.testing.assert_array_equal(ours.predict(equal), SVC().fit(equal, labels).predict(equal))


def test_memory_is_one_matrix_and_blocks():
    """2,500 images: 50 MB; a product of all of them at once would take twice as much."""
    train = np.random.default_rng(0).random((2_500, 20))
    labels = np.arange(2_500) % 2
    matrix = len(train) ** 2 * 8
    tracemalloc.start()
    ours = MatrixSVC().fit(train, labels)
    fitted, most = tracemalloc.get_traced_memory()
    assert matrix < most < 1.4 * matrix
    assert fitted < 0.1 * matrix
    tracemalloc.reset_peak()
    ours.predict(np.tile(train, (4, 1)))
    predicted = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    # One batch of 500 rows is a fifth of the matrix; all rows would be four times the matrix.
    assert predicted < 0.7 * matrix


@parametrize_with_checks([MatrixSVC()])
def test_it_is_a_scikit_learn_classifier(estimator, check):
    check(estimator)


def test_it_is_cloned_pickled_and_searched():
    train, test, labels, _ = IMAGES["digits"]
    search = GridSearchCV(MatrixSVC(), {"C": [0.001, 10]}, cv=3).fit(train, labels)
    assert search.best_params_ == {"C": 10}
    copied = clone(search.best_estimator_)
    assert copied.get_params() == {"C": 10, "class_weight": None, "most_bytes": 1 << 30}
    assert not hasattr(copied, "svm_")
    loaded = pickle.loads(pickle.dumps(search.best_estimator_))
    np.testing.assert_array_equal(loaded.predict(test), SVC(C=10).fit(train, labels).predict(test))


def test_the_baseline_uses_it():
    pipeline = make_baselines(64, 10, 3_760, (0.0, 16.0), 0, {0: 2.0})["SVM (RBF)"]
    assert isinstance(pipeline[-1], MatrixSVC)
    assert pipeline[-1].get_params()["class_weight"] == {0: 2.0}
