"""Labels that a loss would silently misread raise an error before training; others are accepted."""

import functools

import hypothesis.extra.numpy as some
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from clearcnn.errors import TrainingError
from clearcnn.training import fit, fit_many
from clearcnn.training.data_checks import check_data
from clearcnn.training.fit_arrays import arrange

import keras  # isort: skip

pytestmark = pytest.mark.reference

L = keras.layers
K = keras.losses
RANDOM = np.random.default_rng(0)
X = RANDOM.uniform(size=(40, 4)).astype("float32")
DIGITS = np.arange(40) % 10
HALVES = np.arange(40) % 2
SPARSE = "sparse_categorical_crossentropy"


def make_model(loss, units=10, activation="softmax", seed=0):
    weights = keras.initializers.GlorotUniform(seed)
    model = keras.Sequential(
        [keras.Input((4,)), L.Dense(units, activation=activation, kernel_initializer=weights)]
    )
    model.compile(keras.optimizers.SGD(0.1), loss)
    return model


def refuse(words, model, y, x=X, **arguments):
    before = model.get_weights()
    with pytest.raises(TrainingError, match=words):
        fit(model, x, y, verbose=0, seed=0, **arguments)
    for got, wanted in zip(model.get_weights(), before, strict=True):
        np.testing.assert_array_equal(got, wanted)


def assert_trains_as_keras(make, y, x=X, **arguments):
    ours, keras_own = make(), make()
    keras_own.set_weights(ours.get_weights())
    arguments = {"batch_size": 8, "epochs": 2, "shuffle": False, "verbose": 0} | arguments
    history = fit(ours, x, y, **arguments).history
    wanted = keras_own.fit(x, y, **arguments).history
    assert history.keys() == wanted.keys()
    for name in wanted:
        np.testing.assert_allclose(history[name], wanted[name], rtol=1e-4)
    for got, other in zip(ours.get_weights(), keras_own.get_weights(), strict=True):
        np.testing.assert_allclose(got, other, rtol=1e-4, atol=1e-6)


@pytest.mark.parametrize(
    "loss",
    [
        SPARSE,
        "SparseCategoricalCrossentropy",
        "crossentropy",
        K.sparse_categorical_crossentropy,
        K.SparseCategoricalCrossentropy(),
        functools.partial(K.sparse_categorical_crossentropy, from_logits=False),
        K.CategoricalGeneralizedCrossEntropy(),
        [SPARSE],
        {"dense": SPARSE},
    ],
)
def test_labels_from_1_are_refused_whatever_form_the_loss_has(loss):
    inputs = keras.Input((4,))
    model = keras.Model(inputs, L.Dense(10, activation="softmax", name="dense")(inputs))
    model.compile("sgd", loss)
    words = r"y runs from 1 to 10, and the model has 10 outputs, 0 to 9\. .*y - 1"
    refuse(words, model, DIGITS + 1)


@pytest.mark.parametrize(
    ("y", "words"),
    [
        (np.where(DIGITS == 9, 12, DIGITS), "y runs from 0 to 12, .* 13 units"),
        (np.where(DIGITS == 0, -1, DIGITS), r"y runs from -1 to 9, .*ignore_class=-1"),
        (
            np.where(DIGITS == 0, 255, DIGITS).astype("uint8"),
            "y runs from 1 to 255, .*ignore_class=255",
        ),
        ((DIGITS + 1)[:, None], "y runs from 1 to 10"),
        (DIGITS + 0.5, r"fractions such as 0\.5"),
        (np.where(DIGITS == 3, np.nan, DIGITS), "4 NaN or infinite"),
        (np.where(DIGITS == 3, np.inf, DIGITS), "4 NaN or infinite"),
        (np.where(DIGITS == 3, 2**40, DIGITS), "y runs from 0 to 1.09"),
        (np.eye(10)[DIGITS], r"shape \(n, 10\).*categorical_crossentropy"),
        (np.zeros((40, 3), int), r"shape \(n, 3\), and the model's output \(n, 10\)"),
    ],
    ids=lambda value: "" if isinstance(value, np.ndarray) else value,
)
def test_labels_that_are_no_class_numbers(y, words):
    refuse(words, make_model(SPARSE), y)


NUMBERS = st.one_of(
    some.arrays(np.int64, 6, elements=st.integers(-2, 11)),
    some.arrays(np.uint8, (6, 1), elements=st.integers(0, 11)),
    some.arrays(np.float32, 6, elements=st.sampled_from([0, 1, 9, 9.5, -1, 10, np.nan, np.inf])),
)
NAMED = make_model(SPARSE)
WITH_VOID = make_model(K.SparseCategoricalCrossentropy(ignore_class=-1))


@settings(deadline=None, max_examples=300)
@given(NUMBERS, some.arrays(np.float32, 6, elements=st.sampled_from([0.0, 1.0, 2.0])))
def test_taken_is_what_has_an_output_and_nothing_else(y, weights):
    weights[0] = 1
    counts = weights.reshape(y.shape) != 0
    for model, named in ((NAMED, range(10)), (WITH_VOID, range(-1, 10))):
        arrays = arrange(X[:6], y, weights, None, 0.0, None)
        if np.isin(y[counts], list(named)).all():
            check_data(model, arrays, 32)
        else:
            with pytest.raises(TrainingError, match="y "):
                check_data(model, arrays, 32)


def test_one_output_and_class_numbers():
    refuse("1 output, 0.*binary_crossentropy", make_model(SPARSE, 1), HALVES)


@pytest.mark.parametrize("loss", ["categorical_crossentropy", K.CategoricalFocalCrossentropy()])
@pytest.mark.parametrize(
    ("y", "words"),
    [
        (DIGITS, r"shape \(n,\), .*\"sparse_categorical_crossentropy\""),
        (np.eye(9)[DIGITS % 9], r"shape \(n, 9\), .*to_categorical\(y, 10\)"),
        (np.where(np.eye(10)[DIGITS] > 0, np.nan, 0), "40 NaN"),
    ],
    ids=["numbers", "nine", "nan"],
)
def test_one_hot_labels_that_do_not_fit(loss, y, words):
    refuse(words, make_model(loss), y)


@pytest.mark.parametrize(
    "loss", ["binary_crossentropy", K.BinaryCrossentropy(from_logits=True), "crossentropy"]
)
@pytest.mark.parametrize(
    ("y", "words"),
    [
        (HALVES + 1, r"y runs from 1 to 2; .*from 0 to 1\. .*y - 1"),
        (2 * HALVES - 1, r"y runs from -1 to 1; .*\(y \+ 1\) / 2"),
        (255.0 * HALVES, r"y runs from 0 to 255; .*y / 255"),
        (DIGITS, r"y runs from 0 to 9; .*sparse_categorical"),
        (np.where(HALVES, np.nan, 0), "20 NaN"),
    ],
    ids=["1 and 2", "-1 and 1", "bytes", "digits", "nan"],
)
def test_binary_labels_outside_0_to_1(loss, y, words):
    refuse(words, make_model(loss, 1, "sigmoid"), y)


def test_binary_labels_of_another_shape():
    refuse(r"shape \(n,\), .*\(n, 10\)", make_model("binary_crossentropy", 10, "sigmoid"), HALVES)


def test_hinge_labels():
    refuse("from 1 to 2; .*-1 and 1", make_model("hinge", 1, "tanh"), HALVES + 1)


@pytest.mark.parametrize(
    ("make", "y"),
    [
        (lambda: make_model(SPARSE), DIGITS.astype("float64")),
        (lambda: make_model(SPARSE), DIGITS[:, None].astype("uint8")),
        (lambda: make_model(SPARSE, 12), DIGITS),
        (lambda: make_model("categorical_crossentropy"), np.eye(10)[DIGITS] * 0.9 + 0.01),
        (
            lambda: make_model("categorical_crossentropy"),
            np.eye(10)[DIGITS] * RANDOM.normal(size=(40, 1)),
        ),
        (lambda: make_model("binary_crossentropy", 1, "sigmoid"), HALVES.astype(bool)),
        (lambda: make_model("binary_crossentropy", 1, "sigmoid"), HALVES * 0.8 + 0.1),
        (lambda: make_model("binary_crossentropy", 1, "sigmoid"), HALVES * (1 + 1e-6)),
        (lambda: make_model("binary_crossentropy", 10, "sigmoid"), np.eye(10)[DIGITS]),
        (lambda: make_model("hinge", 1, "tanh"), HALVES[:, None]),
        (lambda: make_model("hinge", 1, "tanh"), 2 * HALVES[:, None] - 1),
        (lambda: make_model("mse", 1, None), 100.0 * DIGITS[:, None]),
        (lambda: make_model("poisson", 1, "softplus"), DIGITS[:, None]),
        (
            lambda: make_model(K.SparseCategoricalCrossentropy(ignore_class=-1)),
            np.where(DIGITS == 0, -1, DIGITS),
        ),
        (
            lambda: make_model(K.SparseCategoricalCrossentropy(ignore_class=255)),
            np.where(DIGITS == 0, 255, DIGITS).astype("uint8"),
        ),
    ],
)
def test_labels_that_keras_reads_as_they_are_meant(make, y):
    assert_trains_as_keras(make, y)


def make_segmenter():
    model = keras.Sequential([keras.Input((4, 4, 1)), L.Conv2D(3, 1, activation="softmax")])
    model.compile(keras.optimizers.SGD(0.1), SPARSE)
    return model


def test_class_maps():
    images = RANDOM.uniform(size=(20, 4, 4, 1)).astype("float32")
    maps = RANDOM.integers(0, 3, (20, 4, 4))
    assert_trains_as_keras(make_segmenter, maps, images)
    assert_trains_as_keras(make_segmenter, maps[..., None], images)
    refuse("y runs from 1 to 3", make_segmenter(), maps + 1, images)
    void = np.where(maps == 0, 255, maps)
    weights = (void != 255).astype("float32")
    assert_trains_as_keras(make_segmenter, void, images, sample_weight=weights)


def test_what_a_mask_leaves_out_may_be_padded():
    def make():
        keras.utils.set_random_seed(0)
        model = keras.Sequential(
            [keras.Input((5,)), L.Embedding(7, 4, mask_zero=True), L.Dense(3, activation="softmax")]
        )
        model.compile(keras.optimizers.SGD(0.1), SPARSE)
        return model

    tokens = RANDOM.integers(0, 7, (20, 5))
    labels = np.where(tokens == 0, -1, tokens % 3)
    assert_trains_as_keras(make, labels, tokens)


def make_two(outputs, loss):
    inputs = keras.Input((4,))
    a = L.Dense(10, activation="softmax", name="a")(inputs)
    b = L.Dense(1, activation="sigmoid", name="b")(inputs)
    model = keras.Model(inputs, outputs(a, b))
    model.compile(keras.optimizers.SGD(0.1), loss)
    return model


@pytest.mark.parametrize(
    ("outputs", "loss", "y"),
    [
        (lambda a, b: [a, b], [SPARSE, "binary_crossentropy"], lambda a, b: [a, b]),
        (
            lambda a, b: {"a": a, "b": b},
            {"b": K.BinaryCrossentropy(), "a": K.SparseCategoricalCrossentropy()},
            lambda a, b: {"b": b, "a": a},
        ),
        (lambda a, b: [a, b], {"b": "binary_crossentropy", "a": SPARSE}, lambda a, b: (a, b)),
        (lambda a, b: [a, b], "crossentropy", lambda a, b: {"a": a, "b": b}),
    ],
    ids=["lists", "dicts", "dict of losses", "one loss"],
)
def test_of_several_outputs_the_one_is_named(outputs, loss, y):
    def make():
        keras.utils.set_random_seed(0)
        return make_two(outputs, loss)

    assert_trains_as_keras(make, y(DIGITS, HALVES[:, None]))
    refuse("y of the output 'a' runs from 1 to 10", make(), y(DIGITS + 1, HALVES[:, None]))
    refuse("y of the output 'b' runs from 1 to 2", make(), y(DIGITS, HALVES[:, None] + 1))


def test_an_output_without_a_loss_has_any_labels():
    model = make_two(lambda a, b: {"a": a, "b": b}, {"a": SPARSE})
    fit(model, X, {"a": DIGITS, "b": DIGITS * 7.5}, verbose=0, seed=0)


def test_a_model_without_a_graph():
    class Own(keras.Model):
        def __init__(self):
            super().__init__()
            self.dense = L.Dense(10, activation="softmax")

        def call(self, x):
            return self.dense(x)

    for labels, words in ((DIGITS + 1, "y runs from 1 to 10"), (np.eye(9)[DIGITS % 9], "shape")):
        model = Own()
        model.compile("sgd", SPARSE)
        with pytest.raises(TrainingError, match=words):
            fit(model, X, labels, verbose=0)

    def make():
        keras.utils.set_random_seed(0)
        model = Own()
        model.compile(keras.optimizers.SGD(0.1), SPARSE)
        return model

    ours = make()
    fit(ours, X, DIGITS, batch_size=8, shuffle=False, verbose=0)
    keras_own = make()
    keras_own.fit(X, DIGITS, batch_size=8, shuffle=False, verbose=0)
    for got, wanted in zip(ours.get_weights(), keras_own.get_weights(), strict=True):
        np.testing.assert_allclose(got, wanted, rtol=1e-5, atol=1e-7)


def test_a_training_step_or_a_loss_of_its_own_reads_y_in_its_own_way():
    class Shifted(keras.Sequential):
        def compute_loss(self, x=None, y=None, y_pred=None, sample_weight=None, training=True):
            return super().compute_loss(x, y - 1, y_pred, sample_weight, training)

    class Own(K.SparseCategoricalCrossentropy):
        def call(self, y_true, y_pred):
            return super().call(y_true - 1, y_pred)

    layers = [keras.Input((4,)), L.Dense(10, activation="softmax")]
    for kind, loss in ((Shifted, SPARSE), (keras.Sequential, Own())):
        model = kind(layers)
        model.compile("sgd", loss)
        fit(model, X, DIGITS + 1, verbose=0, seed=0)


def test_validation_labels_are_looked_at_too():
    model = make_model(SPARSE)
    words = "validation y runs from 1 to 10"
    refuse(words, model, DIGITS, validation_data=(X, DIGITS + 1))
    shifted = np.where(np.arange(40) >= 30, DIGITS + 1, DIGITS)
    refuse(words, model, shifted, validation_split=0.25)
    weights = np.zeros(40, "float32")
    refuse("validation sample_weight", model, DIGITS, validation_data=(X, DIGITS, weights))


@pytest.mark.parametrize("wrong", [0, 29_999])
def test_streamed_labels_are_read_once_in_chunks(wrong, tmp_path, monkeypatch):
    """A wrong label is found anywhere, and no chunk is larger than asked for."""
    from clearcnn.training import label_stats
    from clearcnn.training.streamed_array import StoredArray

    y = (np.arange(30_000) % 10).astype("int64")
    y[wrong] = 10
    np.save(tmp_path / "y.npy", y)
    np.save(tmp_path / "x.npy", np.zeros((30_000, 4), "float32"))
    chunks = []
    read = StoredArray.read

    def spy(self, rows):
        chunks.append(rows.copy())
        return read(self, rows)

    monkeypatch.setattr(StoredArray, "read", spy)
    monkeypatch.setattr(label_stats, "_CHUNK_BYTES", 8 * 7_000)
    x, y = (np.load(tmp_path / name, mmap_mode="r") for name in ("x.npy", "y.npy"))
    refuse("y runs from 0 to 10", make_model(SPARSE), y, x)
    assert [len(rows) for rows in chunks] == [7_000] * 4 + [2_000]
    np.testing.assert_array_equal(np.concatenate(chunks), np.arange(30_000))


def test_many_trainings_refuse_them_too():
    def build(seed):
        return make_model(SPARSE, seed=seed)

    with pytest.raises(TrainingError, match="y runs from 1 to 10"):
        fit_many(build, X, DIGITS + 1, seeds=[0, 1])
    folds = [(np.arange(20), np.arange(20, 40))]
    with pytest.raises(TrainingError, match="validation y runs from 0 to 10"):
        fit_many(build, X, np.where(np.arange(40) == 39, 10, DIGITS), folds=folds)
