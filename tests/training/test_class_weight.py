"""`class_weight` means what it does in Keras and scikit-learn, or raises an error."""

import numpy as np
import pytest
from sklearn.utils.class_weight import compute_class_weight

from clearcnn.errors import TrainingError
from clearcnn.training import fit, fit_many

import keras  # isort: skip

pytestmark = pytest.mark.reference

L = keras.layers
RANDOM = np.random.default_rng(0)
X = RANDOM.uniform(size=(40, 4)).astype("float32")
Y = np.array([0] * 25 + [1] * 10 + [2] * 5)[RANDOM.permutation(40)]
SPARSE = "sparse_categorical_crossentropy"
DICT = {0: 0.5, 1: 2.0, 2: 7.0}


def make_model(loss=SPARSE, units=3, activation="softmax", seed=0):
    weights = keras.initializers.GlorotUniform(seed)
    model = keras.Sequential(
        [keras.Input((4,)), L.Dense(units, activation=activation, kernel_initializer=weights)]
    )
    model.compile(keras.optimizers.SGD(0.1), loss)
    return model


def balanced(y):
    classes = np.unique(y)
    weights = compute_class_weight("balanced", classes=classes, y=y)
    return dict(zip(classes.tolist(), weights.tolist(), strict=True))


@pytest.mark.parametrize(
    ("given", "for_keras"),
    [
        (DICT, DICT),
        ({1: 2.0}, {1: 2.0}),
        ({np.int64(0): np.float32(0.5), 1.0: 2, True + 1: 7}, DICT),
        ([0.5, 2.0, 7.0], DICT),
        ((0.5, 2, 7), DICT),
        (np.array([0.5, 2.0, 7.0], "float32"), DICT),
        ({0: 0, 1: 1, 2: 1}, {0: 0, 1: 1, 2: 1}),
        ("balanced", balanced(Y)),
    ],
    ids=["dict", "part", "numpy", "list", "tuple", "array", "zero", "balanced"],
)
def test_what_is_taken_equals_keras(given, for_keras):
    ours, keras_own = make_model(), make_model()
    settings = {"batch_size": 8, "epochs": 3, "shuffle": False, "verbose": 0}
    settings |= {"validation_data": (X[Y > 0], Y[Y > 0])}
    history = fit(ours, X, Y, class_weight=given, **settings).history
    wanted = keras_own.fit(X, Y, class_weight=for_keras, **settings).history
    for name in wanted:
        np.testing.assert_allclose(history[name], wanted[name], rtol=1e-5)
    for got, other in zip(ours.get_weights(), keras_own.get_weights(), strict=True):
        np.testing.assert_allclose(got, other, rtol=1e-5, atol=1e-7)


@pytest.mark.parametrize(
    ("loss", "units", "y", "weights"),
    [
        ("categorical_crossentropy", 3, np.eye(3)[Y] * 0.9 + 0.1 / 3, DICT),
        ("categorical_crossentropy", 3, np.eye(3)[Y], [0.5, 2.0, 7.0]),
        ("binary_crossentropy", 1, Y[:, None] > 0, [1.0, 3.0]),
        ("binary_crossentropy", 1, (Y > 0) * 0.8 + 0.1, {0: 1.0, 1: 3.0}),
        ("mse", 1, (Y > 0) * 1.0, {1: 3.0}),
    ],
    ids=["smoothed", "one-hot", "bool", "soft binary", "mse"],
)
def test_other_losses_equal_keras(loss, units, y, weights):
    activation = "sigmoid" if units == 1 else "softmax"
    ours, keras_own = (make_model(loss, units, activation) for _ in "ab")
    settings = {"batch_size": 8, "epochs": 2, "shuffle": False, "verbose": 0}
    history = fit(ours, X, y, class_weight=weights, **settings).history
    as_dict = weights if isinstance(weights, dict) else dict(enumerate(weights))
    wanted = keras_own.fit(X, y.astype("float32"), class_weight=as_dict, **settings).history
    np.testing.assert_allclose(history["loss"], wanted["loss"], rtol=1e-5)


def refuse(words, class_weight, model=None, y=Y, **arguments):
    model = model or make_model()
    before = model.get_weights()
    with pytest.raises(TrainingError, match=words):
        fit(model, X, y, class_weight=class_weight, verbose=0, seed=0, **arguments)
    for got, wanted in zip(model.get_weights(), before, strict=True):
        np.testing.assert_array_equal(got, wanted)


@pytest.mark.parametrize(
    ("class_weight", "words"),
    [
        ({"cat": 2.0}, "the class 'cat'; the classes of y are whole numbers"),
        ({"1": 2.0}, "the class '1'"),
        ({0.5: 2.0}, "the class 0.5"),
        ({None: 2.0}, "the class None"),
        ({float("nan"): 2.0}, "the class nan"),
        ({3: 2.0}, "names class 3; the classes of the model are 0 to 2"),
        ({-1: 2.0, 1: 1.0}, "names class -1"),
        ({1: 1, 2: 1, 3: 1}, "names class 3"),
        ({1: -1.0}, "the class 1 the weight -1.0"),
        ({1: float("nan")}, "the weight nan"),
        ({1: float("inf")}, "the weight inf"),
        ({1: None}, "the weight None"),
        ({1: "2"}, "the weight '2'"),
        ({1: [2.0]}, r"the weight \[2.0\]"),
        ([1.0, 2.0], "a list of 2 weights, and there are 3 classes"),
        ([1.0, 2.0, 3.0, 4.0], "a list of 4 weights, and there are 3 classes"),
        ([], "a list of 0 weights"),
        ([1.0, -2.0, 3.0], "the class 1 the weight -2.0"),
        (np.ones((3, 1)), "is a ndarray"),
        ("Balanced", "is 'Balanced'; .*\"balanced\""),
        (2.0, "is a float"),
        ({0: 0, 1: 0, 2: 0}, "class_weight gives every sample the weight 0"),
    ],
    ids=str,
)
def test_the_rest_is_refused_by_name(class_weight, words):
    refuse(words, class_weight)


@pytest.mark.parametrize(
    ("y", "model", "words"),
    [
        (Y / 3 + 2, lambda: make_model("mse", 1, None), "fractions or NaN"),
        (np.ones((40, 3)), lambda: make_model("mse"), "3 values that are not one-hot"),
        (
            np.stack([Y > 0, Y > 1, Y < 9], axis=1),
            lambda: make_model("binary_crossentropy", 3, "sigmoid"),
            "not one-hot",
        ),
        (np.ones((40, 4, 4), int), make_model, r"the shape \(40, 4, 4\)"),
    ],
    ids=["quantities", "several", "several labels", "class maps"],
)
def test_targets_that_are_not_one_class_each(y, model, words):
    refuse(f"one class per sample, and y has .*{words}", {0: 1.0, 1: 2.0}, model(), y)


def test_several_outputs_are_refused_as_in_keras():
    inputs = keras.Input((4,))
    model = keras.Model(inputs, [L.Dense(3, activation="softmax")(inputs) for _ in "ab"])
    model.compile("sgd", [SPARSE, SPARSE])
    refuse("several outputs", {0: 1.0}, model, [Y, Y])


def test_a_class_without_a_sample_is_said():
    words = "names class 2, which no training sample has; .*the classes 0, 1"
    with pytest.warns(UserWarning, match=words):
        fit(make_model(), X, Y % 2, class_weight=DICT, verbose=0, seed=0)
    # A list has every class, and a weight of 1 changes nothing.
    for weights in ([0.5, 2.0, 7.0], {0: 3.0, 2: 1}, "balanced"):
        fit(make_model(), X, Y % 2, class_weight=weights, verbose=0, seed=0)


def test_a_loss_of_ones_own_does_not_say_how_many_classes_there_are():
    def own(y_true, y_pred):
        return keras.losses.sparse_categorical_crossentropy(y_true, y_pred)

    fit(make_model(own), X, Y, class_weight=[1.0, 2.0, 3.0], verbose=0, seed=0)
    refuse("there are 3 classes", [1.0, 2.0], make_model(own))
    refuse("names class -1", {-1: 1.0}, make_model(own))
    with pytest.warns(UserWarning, match="names class 7"):
        fit(make_model(own), X, Y, class_weight={7: 2.0}, verbose=0, seed=0)


def test_balanced_counts_what_is_trained_on():
    """The validation set does not count: its rows have other class frequencies."""
    settings = {"batch_size": 8, "epochs": 2, "shuffle": False, "verbose": 0}
    by_name, by_hand = make_model(), make_model()
    fit(by_name, X, Y, class_weight="balanced", validation_split=0.25, **settings)
    fit(by_hand, X, Y, class_weight=balanced(Y[:30]), validation_split=0.25, **settings)
    for got, wanted in zip(by_name.get_weights(), by_hand.get_weights(), strict=True):
        np.testing.assert_array_equal(got, wanted)


@pytest.mark.parametrize("class_weight", ["balanced", DICT, [0.5, 2.0, 7.0]], ids=str)
def test_folds_weigh_as_fit_alone_does(class_weight):
    rows = np.arange(40)
    folds = [(rows[:28], rows[28:]), (rows[12:], rows[:12])]
    settings = {"batch_size": 8, "epochs": 2, "class_weight": class_weight}
    fitted = fit_many(lambda seed: make_model(seed=seed), X, Y, folds=folds, **settings)
    for result, (train, test) in zip(fitted, folds, strict=True):
        alone = make_model()
        held_out = X[test], Y[test]
        history = fit(
            alone, X[train], Y[train], validation_data=held_out, seed=0, verbose=0, **settings
        ).history
        assert result.history == history
        for got, wanted in zip(result.model.get_weights(), alone.get_weights(), strict=True):
            np.testing.assert_array_equal(got, wanted)


def test_streamed_labels_weigh_the_same(tmp_path):
    np.save(tmp_path / "y.npy", Y)
    np.save(tmp_path / "x.npy", X)
    x, y = (np.load(tmp_path / f"{name}.npy", mmap_mode="r") for name in "xy")
    settings = {"batch_size": 8, "epochs": 2, "shuffle": False, "verbose": 0}
    settings |= {"class_weight": "balanced"}
    in_memory = fit(make_model(), X, Y, **settings).history["loss"]
    np.testing.assert_allclose(fit(make_model(), x, y, **settings).history["loss"], in_memory)
