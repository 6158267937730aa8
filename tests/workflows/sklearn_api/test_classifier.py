"""`CNNClassifier` behaves like a scikit-learn classifier."""

import copy
import io
import pickle
from typing import Any

import joblib
import numpy as np
import pytest
from sklearn.base import clone
from sklearn.datasets import load_digits
from sklearn.exceptions import NotFittedError
from sklearn.metrics import accuracy_score
from sklearn.model_selection import (
    GridSearchCV,
    StratifiedKFold,
    cross_val_score,
    cross_validate,
)
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.utils.class_weight import compute_sample_weight

from clearcnn import CNNClassifier, models
from clearcnn.backend import load_keras
from clearcnn.errors import ClearCNNError
from clearcnn.specs import LayerSpec, ModelSpec

pytestmark = pytest.mark.reference

ROWS, DIGITS = load_digits(n_class=3, return_X_y=True)
ROWS, DIGITS = ROWS[:120], DIGITS[:120]
IMAGES = ROWS.reshape(-1, 8, 8)
WORDS = np.array(["zero", "one", "two"])[DIGITS]
SMALL = ModelSpec(
    "small",
    (
        LayerSpec("Rescaling", {"scale": 1 / 16}),
        LayerSpec("Conv2D", {"filters": 4, "kernel_size": 3, "activation": "relu"}),
        LayerSpec("Flatten"),
        LayerSpec("Dense", {"units": 3, "activation": "softmax"}),
    ),
)


def make(**parameters: Any) -> CNNClassifier:
    """A small model that trains quickly with the tutorial's recipe."""
    quick = {"recipe": "tutorial", "model": SMALL, "epochs": 3, "random_state": 0}
    return CNNClassifier(**(quick | parameters))


@pytest.fixture(scope="module")
def fitted() -> CNNClassifier:
    return make(epochs=20).fit(IMAGES, WORDS)


def fingerprint(classifier: CNNClassifier) -> bytes:
    return classifier.predict_proba(IMAGES).tobytes()


def test_it_learns_and_predicts_the_given_labels(fitted: CNNClassifier) -> None:
    assert fitted.classes_.tolist() == ["one", "two", "zero"]
    assert fitted.score(IMAGES, WORDS) == accuracy_score(WORDS, fitted.predict(IMAGES)) > 0.9
    probabilities = fitted.predict_proba(IMAGES)
    assert (fitted.classes_[probabilities.argmax(axis=1)] == fitted.predict(IMAGES)).all()
    assert (fitted.n_features_in_, fitted.image_shape_) == (64, (8, 8, 1))
    assert fitted.history_.num_epochs == 20
    assert set(fitted.history_.metrics) == {"loss", "accuracy", "val_loss", "val_accuracy"}
    assert not hasattr(fitted, "partial_fit")


def test_the_predictions_are_those_of_the_keras_model(fitted: CNNClassifier) -> None:
    assert isinstance(fitted.model_, load_keras().Sequential)
    own = fitted.model_.predict(IMAGES[..., None], verbose=0)
    np.testing.assert_allclose(fitted.predict_proba(IMAGES), own, atol=1e-6)


def test_images_and_flattened_rows_give_the_same(fitted: CNNClassifier) -> None:
    assert fingerprint(make().fit(ROWS, DIGITS)) == fingerprint(make().fit(IMAGES, DIGITS))
    same = fitted.predict_proba(ROWS)
    for images in (IMAGES, IMAGES[..., None], IMAGES.tolist(), list(IMAGES)):
        np.testing.assert_array_equal(fitted.predict_proba(images), same)


@pytest.mark.release
def test_colour_and_rectangular_images_and_rows(fitted: CNNClassifier) -> None:
    colour = np.repeat(IMAGES[..., None], 3, axis=3).astype(np.uint8)
    by_images = make().fit(colour, DIGITS)
    by_rows = make(image_shape=(8, 8, 3)).fit(colour.reshape(len(colour), -1), DIGITS)
    assert by_images.image_shape_ == by_rows.image_shape_ == (8, 8, 3)
    np.testing.assert_array_equal(by_images.predict_proba(colour), by_rows.predict_proba(colour))
    oblong = make(image_shape=(4, 16), epochs=1).fit(ROWS, DIGITS)
    assert oblong.model_.input_shape == (None, 4, 16, 1)


@pytest.mark.release
def test_a_non_square_number_of_values_is_one_row_of_pixels() -> None:
    rows = np.random.default_rng(0).normal(size=(90, 6)) - 5
    classifier = CNNClassifier(epochs=60, random_state=0).fit(rows, rows[:, 2] > -5)
    assert classifier.image_shape_ == (1, 6, 1)
    assert classifier.score(rows, rows[:, 2] > -5) > 0.9


def test_a_prediction_does_not_depend_on_the_other_images(fitted: CNNClassifier) -> None:
    alone = np.concatenate([fitted.predict_proba(image[None]) for image in IMAGES[:70]])
    np.testing.assert_array_equal(fitted.predict_proba(IMAGES[:70]), alone)


def test_the_same_random_state_gives_the_same_bits() -> None:
    by_number = fingerprint(make(random_state=1).fit(ROWS, WORDS))
    assert by_number == fingerprint(make(random_state=np.int64(1)).fit(ROWS, WORDS))
    assert by_number != fingerprint(make(random_state=2).fit(ROWS, WORDS))
    drawn = [
        fingerprint(make(random_state=np.random.RandomState(1)).fit(ROWS, WORDS)) for _ in "ab"
    ]
    assert drawn[0] == drawn[1]
    source = make(random_state=np.random.RandomState(1))
    assert fingerprint(source.fit(ROWS, WORDS)) != fingerprint(source.fit(ROWS, WORDS))


def test_without_random_state_numpys_global_generator_is_used() -> None:
    state = np.random.get_state()
    try:
        given = []
        for seed in (3, 3, 4):
            np.random.seed(seed)
            given.append(fingerprint(make(random_state=None).fit(ROWS, WORDS)))
    finally:
        np.random.set_state(state)
    assert given[0] == given[1] != given[2]


def test_a_pickle_has_no_keras_object_and_gives_the_same_predictions(fitted: CNNClassifier) -> None:
    written = pickle.dumps(fitted)
    packages = set()

    class Listing(pickle.Unpickler):
        def find_class(self, module: str, name: str) -> Any:
            packages.add(module.partition(".")[0])
            return super().find_class(module, name)

    Listing(io.BytesIO(written)).load()
    assert packages == {"clearcnn", "numpy"}
    for other in (pickle.loads(written), copy.deepcopy(fitted)):
        # Pickled again before the model was rebuilt.
        again = pickle.loads(pickle.dumps(other))
        assert fingerprint(other) == fingerprint(again) == fingerprint(fitted)
        assert other.history_ == fitted.history_


@pytest.mark.release
def test_another_process_predicts_the_same(fitted: CNNClassifier) -> None:
    with joblib.parallel_config(backend="loky", n_jobs=2):
        given = joblib.Parallel()(joblib.delayed(fingerprint)(fitted) for _ in range(2))
    assert given == [fingerprint(fitted)] * 2


def test_a_clone_keeps_every_parameter() -> None:
    parameters = {
        "recipe": "tutorial",
        "model": SMALL,
        "image_shape": (8, 8),
        "epochs": 4,
        "batch_size": 7,
        "learning_rate": 0.01,
        "patience": 2,
        "validation_fraction": 0.1,
        "class_weight": {0: 2.0},
        "random_state": 5,
        "verbose": 0,
    }
    classifier = CNNClassifier(**parameters)
    assert clone(classifier).get_params() == classifier.get_params() == parameters


@pytest.mark.release
def test_cross_validation_trains_every_epoch_where_keras_own_wrapper_trains_one() -> None:
    folds = StratifiedKFold(3)
    done = cross_validate(make(epochs=9), ROWS, WORDS, cv=folds, return_estimator=True)
    assert [each.history_.num_epochs for each in done["estimator"]] == [9, 9, 9]
    by_hand = [
        make(epochs=9).fit(ROWS[train], WORDS[train]).score(ROWS[test], WORDS[test])
        for train, test in folds.split(ROWS, WORDS)
    ]
    assert done["test_score"].tolist() == by_hand

    keras = load_keras()

    def build(X: Any, y: Any) -> Any:  # noqa: N803
        layers = [keras.Input((64,)), keras.layers.Dense(3, activation="softmax")]
        model = keras.Sequential(layers)
        model.compile("adam", "categorical_crossentropy")
        return model

    wrapper = keras.wrappers.SKLearnClassifier(build, fit_kwargs={"epochs": 9, "verbose": 0})
    theirs = clone(wrapper)
    theirs.fit(ROWS, WORDS, verbose=0)
    assert len(theirs.history_.history["loss"]) == 1


@pytest.mark.parametrize("backend", ["loky", "threading"])
def test_a_grid_search_gives_the_same_with_workers(backend: str) -> None:
    grid = {"learning_rate": [1e-4, 1e-2], "batch_size": [16, 50]}
    alone = GridSearchCV(make(), grid, cv=2).fit(ROWS, WORDS)
    with joblib.parallel_config(backend=backend, n_jobs=2):
        shared = GridSearchCV(make(), grid, cv=2).fit(ROWS, WORDS)
    for key in ("split0_test_score", "split1_test_score"):
        assert shared.cv_results_[key].tolist() == alone.cv_results_[key].tolist()
    assert len(set(alone.cv_results_["mean_test_score"])) > 1
    assert shared.best_params_ == alone.best_params_
    assert fingerprint(shared.best_estimator_) == fingerprint(alone.best_estimator_)


def test_it_is_the_last_step_of_a_pipeline() -> None:
    pipeline = make_pipeline(StandardScaler(), make(epochs=15, learning_rate=0.05))
    assert cross_val_score(pipeline, ROWS, WORDS, cv=2).min() > 0.8
    weighted = pipeline.fit(ROWS, WORDS, cnnclassifier__sample_weight=np.ones(len(ROWS)))
    assert weighted.score(ROWS, WORDS) > 0.8


def test_fits_of_one_shape_share_a_program(monkeypatch: pytest.MonkeyPatch) -> None:
    from clearcnn.training import program_cache

    compiled = []
    real = program_cache.compile_epochs
    monkeypatch.setattr(program_cache, "_programs", type(program_cache._programs)())
    monkeypatch.setattr(
        program_cache, "compile_epochs", lambda *given: compiled.append(given) or real(*given)
    )
    make().fit(ROWS, WORDS)
    first = len(compiled)
    assert first > 0
    make(random_state=9, learning_rate=0.02).fit(ROWS[::-1] * 3, WORDS)
    assert len(compiled) == first


@pytest.mark.release
def test_parameters_reach_the_training() -> None:
    stopped = make(epochs=60, learning_rate=0.05, patience=1).fit(ROWS, WORDS)
    assert stopped.history_.best_epoch == stopped.history_.num_epochs - 2 < 58
    losses = stopped.history_.metrics["val_loss"]
    assert losses[stopped.history_.best_epoch] == min(losses)
    everything = make(validation_fraction=0, patience=1).fit(ROWS, WORDS)
    assert set(everything.history_.metrics) == {"loss", "accuracy"}
    # A class with one image cannot be split.
    few = make().fit(ROWS[:4], DIGITS[[0, 1, 2, 0]])
    assert set(few.history_.metrics) == {"loss", "accuracy"}


def test_layers_may_come_from_a_file(tmp_path: Any) -> None:
    path = tmp_path / "small.toml"
    path.write_text(models.write_model(SMALL), encoding="utf-8")
    for model in (path, str(path)):
        assert fingerprint(make(model=model).fit(ROWS, WORDS)) == fingerprint(
            make().fit(ROWS, WORDS)
        )


def test_verbose_prints_like_keras(capsys: pytest.CaptureFixture[str]) -> None:
    make().fit(ROWS, WORDS)
    assert capsys.readouterr().out == ""
    make(verbose=2).fit(ROWS, WORDS)
    assert "Epoch 3/3" in capsys.readouterr().out


@pytest.mark.parametrize("class_weight", ["balanced", {"zero": 5.0}, {"zero": 3, "one": 0.5}])
def test_class_weight_equals_the_same_sample_weight(class_weight: Any) -> None:
    uneven = (WORDS != "two") | (np.arange(len(WORDS)) < 60)
    rows, words = ROWS[uneven], WORDS[uneven]
    named = class_weight
    if isinstance(class_weight, dict):
        named = {"zero": 1.0, "one": 1.0, "two": 1.0} | class_weight
    by_class = make(class_weight=class_weight).fit(rows, words)
    by_sample = make().fit(rows, words, compute_sample_weight(named, words))
    np.testing.assert_allclose(
        by_class.predict_proba(IMAGES), by_sample.predict_proba(IMAGES), rtol=1e-5, atol=1e-6
    )
    assert fingerprint(by_class) != fingerprint(make().fit(rows, words))


def test_class_weight_uses_string_labels() -> None:
    words = DIGITS.astype(str)
    by_words = make(class_weight={"0": 9.0}).fit(ROWS, words)
    assert fingerprint(by_words) == fingerprint(make(class_weight={0: 9.0}).fit(ROWS, DIGITS))


def test_sample_weight_reaches_the_loss_as_in_keras() -> None:
    weights = np.random.default_rng(0).uniform(0.2, 3.0, len(ROWS))
    whole = make(validation_fraction=0, batch_size=len(ROWS), epochs=4)
    whole.fit(IMAGES, DIGITS, sample_weight=weights)

    keras = load_keras()
    reference = models.build_model(SMALL, (8, 8, 1), 3, seed=0)
    reference.compile(keras.optimizers.Adam(1e-3), "categorical_crossentropy")
    history = reference.fit(
        IMAGES[..., None],
        np.eye(3)[DIGITS],
        batch_size=len(ROWS),
        epochs=4,
        sample_weight=weights / weights.mean(),
        verbose=0,
    )
    np.testing.assert_allclose(whole.history_.metrics["loss"], history.history["loss"], rtol=1e-5)
    own = reference.predict(IMAGES[..., None], verbose=0)
    np.testing.assert_allclose(whole.predict_proba(IMAGES), own, rtol=1e-4, atol=1e-6)


def test_without_randomness_a_weight_of_two_equals_two_duplicates() -> None:
    weights = np.random.default_rng(1).integers(0, 4, len(ROWS))
    whole = {"validation_fraction": 0, "batch_size": 4 * len(ROWS), "epochs": 4}
    weighted = make(**whole).fit(ROWS, DIGITS, sample_weight=weights)
    repeated = make(**whole).fit(ROWS.repeat(weights, axis=0), DIGITS.repeat(weights))
    np.testing.assert_allclose(
        weighted.predict_proba(ROWS), repeated.predict_proba(ROWS), rtol=1e-3, atol=1e-5
    )


def test_a_weight_of_zero_removes_an_image_and_only_ratios_matter() -> None:
    weights = (np.arange(len(ROWS)) % 3 > 0).astype(float)
    left_out = make().fit(ROWS, WORDS, sample_weight=weights)
    assert fingerprint(left_out) == fingerprint(make().fit(ROWS[weights > 0], WORDS[weights > 0]))
    assert fingerprint(left_out) == fingerprint(make().fit(ROWS, WORDS, sample_weight=7 * weights))


@pytest.mark.parametrize(
    ("parameters", "told"),
    [
        ({"recipe": "defalt"}, "did you mean 'default'"),
        ({"epochs": 0}, "epochs=0 is out of range"),
        ({"patience": 0}, "patience=0 is out of range"),
        ({"validation_fraction": 1.0}, "validation_fraction=1.0 is out of range"),
        ({"image_shape": (8, 9)}, r"image_shape=\(8, 9\) does not match X.*64 values"),
        ({"image_shape": 8}, "image_shape=8 is not a shape"),
        ({"image_shape": (8, 8.0)}, r"image_shape=\(8, 8.0\) is not a shape"),
        ({"class_weight": "even"}, "class_weight='even' is invalid: \"balanced\""),
        ({"class_weight": {"nil": 2}}, "class_weight has 'nil'; the classes of y are 'one'"),
        ({"class_weight": {"one": -1}}, "gives 'one' the weight -1"),
        ({"class_weight": {"one": float("nan")}}, "gives 'one' the weight nan"),
        ({"class_weight": {"one": "2"}}, "gives 'one' the weight '2'"),
        ({"class_weight": {"one": [2]}}, r"gives 'one' the weight \[2\]"),
        (
            {"class_weight": dict.fromkeys(["zero", "one", "two"], 0)},
            "every image a weight of zero",
        ),
        ({"model": "nowhere.toml"}, "nowhere.toml cannot be read"),
    ],
)
def test_invalid_parameters_are_errors(parameters: dict[str, Any], told: str) -> None:
    classifier = make(**parameters)
    with pytest.raises(ClearCNNError, match=told):
        classifier.fit(ROWS, WORDS)
    with pytest.raises(NotFittedError):
        classifier.predict(ROWS)
    assert not hasattr(classifier, "model_")


@pytest.mark.parametrize(
    ("images", "told"),
    [
        (
            IMAGES[:, :4],
            "images of shape \\(4, 8, 1\\); the model was trained on \\(8, 8, 1\\)",
        ),
        (IMAGES.reshape(-1, 4, 16), "images of shape \\(4, 16, 1\\)"),
        (ROWS[:, :9], "X has 9 features, but CNNClassifier is expecting 64"),
        (IMAGES * np.nan, "contains NaN"),
        (IMAGES * 1j, "Complex data not supported"),
        (IMAGES * 1e300, "infinity or a value too large"),
        (IMAGES[None, None], "X has the shape \\(1, 1, 120, 8, 8\\)"),
    ],
)
def test_images_unlike_the_training_images_are_rejected(
    fitted: CNNClassifier, images: Any, told: str
) -> None:
    with np.errstate(over="ignore"), pytest.raises(ValueError, match=told):
        fitted.predict(images)


def test_one_class_or_a_wrong_image_shape_is_rejected() -> None:
    with pytest.raises(ClearCNNError, match="y has one class, 'one'; two or more"):
        make().fit(ROWS[:5], ["one"] * 5)
    with pytest.raises(ClearCNNError, match=r"images have the shape \(8, 8, 1\)"):
        make(image_shape=(4, 16)).fit(IMAGES, WORDS)
