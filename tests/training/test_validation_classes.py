"""A warning for validation classes without training samples, and for nothing else."""

import warnings

import numpy as np
import pytest

from clearcnn.training import fit, fit_many

import keras  # isort: skip

L = keras.layers
SPARSE = "sparse_categorical_crossentropy"
RANDOM = np.random.default_rng(0)
SORTED = np.repeat(np.arange(5), 20)
X = (SORTED[:, None] + RANDOM.uniform(size=(100, 3))).astype("float32")
MIXED = RANDOM.permutation(100)


def make_model(loss=SPARSE, units=5, activation="softmax", seed=0):
    weights = keras.initializers.GlorotUniform(seed)
    model = keras.Sequential(
        [keras.Input((3,)), L.Dense(units, activation=activation, kernel_initializer=weights)]
    )
    model.compile(keras.optimizers.Adam(0.05), loss, metrics=["accuracy"])
    return model


def run(y, x=X, model=None, **arguments):
    return fit(model or make_model(), x, y, epochs=2, verbose=0, seed=0, **arguments)


SPLIT_WORDS = r"1 of 1 validation classes have no training sample: 4\. .*shuffle x and y first"


@pytest.mark.parametrize(
    ("loss", "y"),
    [(SPARSE, SORTED), (SPARSE, SORTED[:, None]), ("categorical_crossentropy", np.eye(5)[SORTED])],
    ids=["numbers", "column", "one-hot"],
)
def test_sorted_rows_are_said(loss, y):
    with pytest.warns(UserWarning, match=SPLIT_WORDS) as caught:
        history = run(y, model=make_model(loss), validation_split=0.2)
    assert caught[0].filename == __file__
    assert history.history["val_accuracy"][-1] == 0
    # Shuffled, the same rows give no warning.
    run(y[MIXED], X[MIXED], make_model(loss), validation_split=0.2)


def test_sorted_rows_of_which_some_class_is_cut_in_two():
    with pytest.warns(UserWarning, match="1 of 2 validation classes have no training sample: 4"):
        run(SORTED, validation_split=0.3)


def test_streamed_rows(tmp_path):
    for name, array in (("x", X), ("y", SORTED)):
        np.save(tmp_path / name, array)
    x, y = (np.load(tmp_path / f"{name}.npy", mmap_mode="r") for name in "xy")
    with pytest.warns(UserWarning, match=SPLIT_WORDS):
        run(y, x, validation_split=0.2)


def test_two_classes_sorted_leave_one_to_validate():
    y = (SORTED > 2).astype(int)
    words = "All 20 validation samples are of class 1, and 2 classes are in the training data"
    with pytest.warns(UserWarning, match=words):
        run(y, model=make_model("binary_crossentropy", 1, "sigmoid"), validation_split=0.2)


def test_validation_data():
    later, before = SORTED >= 3, SORTED < 3
    with pytest.warns(UserWarning, match=r"2 of 2 .* sample: 3, 4\. .*stratify=y"):
        run(SORTED[before], X[before], validation_data=(X[later], SORTED[later]))
    # Validating on one class is a choice; it is trained on.
    run(SORTED, validation_data=(X[later], SORTED[later]))


def test_what_weighs_nothing_is_not_trained_on():
    weights = (SORTED < 4).astype("float32")
    with pytest.warns(UserWarning, match="no training sample: 4"):
        run(SORTED, sample_weight=weights, validation_data=(X, SORTED))


def test_folds_of_sorted_rows():
    rows = np.arange(100)
    folds = [(np.delete(rows, part), part) for part in np.split(rows, 5)]

    def build(seed):
        return make_model(seed=seed)

    with pytest.warns(UserWarning, match="no training sample") as caught:
        fit_many(build, X, SORTED, folds=folds[:2], epochs=1)
    said = {str(each.message).partition(". ")[0] for each in caught}
    assert said == {
        f"1 of 1 validation classes have no training sample: {number}" for number in (0, 1)
    }


def test_no_false_alarm():
    """Quantities, several labels, tokens, and a mixed label have no such classes."""
    with warnings.catch_warnings(action="error"):
        run(X[:, :1], model=make_model("mse", 1, None), validation_split=0.2)
        several = np.stack([number == SORTED for number in range(5)], axis=1)
        run(several, model=make_model("binary_crossentropy", 5, "sigmoid"), validation_split=0.2)
        y = SORTED[MIXED]
        mixed = 0.6 * np.eye(5)[y] + 0.4 * np.eye(5)[y[::-1]]
        run(mixed, X[MIXED], make_model("categorical_crossentropy"), validation_split=0.2)
        words = keras.Sequential([keras.Input((6,)), L.Embedding(50, 4), L.Dense(50)])
        words.compile("sgd", keras.losses.SparseCategoricalCrossentropy(from_logits=True))
        text = np.arange(60).reshape(10, 6) % 50
        run(text, text, words, validation_split=0.2)
