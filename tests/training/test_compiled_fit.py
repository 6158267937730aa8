"""`clearcnn.fit` checked against `keras.Model.fit`: same weights in, same numbers out."""

import numpy as np
import pytest
import scipy.stats

from clearcnn.training import fit

import keras  # isort: skip  (after clearcnn, which names the backend)

pytestmark = pytest.mark.reference

L = keras.layers


def make_data(n=53, seed=0):
    random = np.random.default_rng(seed)
    x = random.uniform(0, 16, (n, 8, 8, 1)).astype("float32")
    labels = (x[:, :4].mean((1, 2, 3)) > x[:, 4:].mean((1, 2, 3))).astype(int) + (
        x[:, :, :4].mean((1, 2, 3)) > 8
    )
    return x, labels


def one_hot(labels):
    return np.eye(3, dtype="float32")[labels]


def tutorial_model():
    return keras.Sequential(
        [
            keras.Input((8, 8, 1)),
            L.Conv2D(10, 3),
            L.Activation("relu"),
            L.MaxPooling2D(2),
            L.Flatten(),
            L.Dense(50, activation="relu"),
            L.Dense(3, activation="softmax"),
        ]
    )


def normalised_model():
    return keras.Sequential(
        [
            keras.Input((8, 8, 1)),
            L.Rescaling(1 / 16),
            L.Conv2D(6, 3, padding="same", strides=2, use_bias=False, kernel_regularizer="l2"),
            L.BatchNormalization(momentum=0.8),
            L.Activation("relu"),
            L.Dropout(0.3, seed=5),
            L.AveragePooling2D(2, padding="same"),
            L.Flatten(),
            L.Dense(3, activation="softmax"),
        ]
    )


def branched_model():
    inputs = keras.Input((8, 8, 1))
    left = L.Conv2D(4, 3, activation="relu")(inputs)
    left = L.GlobalMaxPooling2D()(left)
    right = L.SeparableConv2D(5, 3, dilation_rate=2, activation="tanh")(inputs)
    right = L.GlobalAveragePooling2D()(right)
    return keras.Model(inputs, L.Dense(3, activation="softmax")(L.Concatenate()([left, right])))


MODELS = {"tutorial": tutorial_model, "normalised": normalised_model, "branched": branched_model}


def twins(build, **compile_arguments):
    """Two models with the same initial weights and seeds, compiled in the same way."""
    keras.utils.set_random_seed(3)
    first = build()
    keras.utils.set_random_seed(3)
    second = build()
    second.set_weights(first.get_weights())
    for model in (first, second):
        arguments = {
            name: value() if callable(value) else value for name, value in compile_arguments.items()
        }
        model.compile(**arguments)
    return first, second


def assert_same(ours, theirs, model, reference, rtol=2e-3, atol=2e-4):
    assert list(ours.history) == list(theirs.history)
    assert ours.epoch == theirs.epoch
    for name, values in theirs.history.items():
        np.testing.assert_allclose(ours.history[name], values, rtol=rtol, atol=atol, err_msg=name)
    for got, wanted in zip(model.get_weights(), reference.get_weights(), strict=True):
        np.testing.assert_allclose(got, wanted, rtol=rtol, atol=atol)


@pytest.mark.parametrize("build", MODELS.values(), ids=MODELS)
def test_history_and_weights_equal_keras(build):
    x, labels = make_data()
    model, reference = twins(
        build, optimizer="adam", loss="categorical_crossentropy", metrics=["accuracy"]
    )
    arguments = {
        "batch_size": 8,
        "epochs": 4,
        "validation_split": 0.2,
        "shuffle": False,
        "verbose": 0,
    }
    ours = fit(model, x, one_hot(labels), **arguments)
    theirs = reference.fit(x, one_hot(labels), **arguments)
    assert set(theirs.history) == {"loss", "accuracy", "val_loss", "val_accuracy"}
    assert_same(ours, theirs, model, reference)


CASES = {
    "sparse labels, SGD with momentum": (
        {
            "optimizer": lambda: keras.optimizers.SGD(0.01, momentum=0.9, nesterov=True),
            "loss": "sparse_categorical_crossentropy",
            "metrics": ["accuracy"],
        },
        lambda y: y,
        {},
    ),
    "class weights, AdamW on a schedule": (
        {
            "optimizer": lambda: keras.optimizers.AdamW(
                keras.optimizers.schedules.CosineDecay(
                    1e-4, 20, warmup_target=1e-2, warmup_steps=5
                ),
                weight_decay=0.01,
                clipnorm=1.0,
            ),
            "loss": "sparse_categorical_crossentropy",
            "weighted_metrics": lambda: ["accuracy"],
        },
        lambda y: y,
        {"class_weight": {0: 0.5, 2: 3.0}},
    ),
    "mean squared error, weighted averages of the weights": (
        {
            "optimizer": lambda: keras.optimizers.RMSprop(1e-3, use_ema=True, ema_momentum=0.9),
            "loss": "mse",
            "metrics": lambda: [keras.metrics.AUC(name="auc"), "mae"],
        },
        one_hot,
        {},
    ),
    "accumulated gradients, focal loss": (
        {
            "optimizer": lambda: keras.optimizers.Adam(1e-3, gradient_accumulation_steps=2),
            "loss": lambda: keras.losses.CategoricalFocalCrossentropy(label_smoothing=0.1),
            "metrics": ["accuracy"],
        },
        one_hot,
        {},
    ),
}


LONGER = (
    "mean squared error, weighted averages of the weights",
    "accumulated gradients, focal loss",
)


@pytest.mark.parametrize(
    "case",
    [
        pytest.param(case, id=name, marks=[pytest.mark.release] if name in LONGER else [])
        for name, case in CASES.items()
    ],
)
def test_losses_optimizers_and_weights_equal_keras(case):
    compile_arguments, encode, fit_arguments = case
    x, labels = make_data()
    validation = make_data(11, seed=1)
    model, reference = twins(tutorial_model, **compile_arguments)
    arguments = {
        "batch_size": 10,
        "epochs": 3,
        "shuffle": False,
        "verbose": 0,
        **fit_arguments,
        "validation_data": (validation[0], encode(validation[1])),
    }
    ours = fit(model, x, encode(labels), **arguments)
    theirs = reference.fit(x, encode(labels), **arguments)
    assert_same(ours, theirs, model, reference)


def test_sample_weights_and_weighted_validation_equal_keras():
    x, labels = make_data()
    weights = np.random.default_rng(4).uniform(0, 2, len(x)).astype("float32")
    arguments = {
        "batch_size": 16,
        "epochs": 2,
        "shuffle": False,
        "verbose": 0,
        "sample_weight": weights,
        "validation_split": 0.3,
    }
    model, reference = twins(
        tutorial_model,
        optimizer="adam",
        loss="sparse_categorical_crossentropy",
        weighted_metrics=lambda: ["accuracy"],
    )
    assert_same(
        fit(model, x, labels, **arguments), reference.fit(x, labels, **arguments), model, reference
    )


def test_two_inputs_and_two_outputs_equal_keras():
    def build():
        a, b = keras.Input((8, 8, 1), name="a"), keras.Input((4,), name="b")
        h = L.Concatenate()([L.Flatten()(L.Conv2D(2, 3)(a)), b])
        return keras.Model(
            {"a": a, "b": b},
            {
                "kind": L.Dense(3, activation="softmax", name="kind")(h),
                "size": L.Dense(1, name="size")(h),
            },
        )

    x, labels = make_data()
    inputs = {"a": x, "b": x[:, 0, :4, 0]}
    targets = {"kind": labels, "size": x.mean((1, 2, 3))[:, None]}
    model, reference = twins(
        build,
        optimizer="adam",
        loss=lambda: {"kind": "sparse_categorical_crossentropy", "size": "mse"},
    )
    arguments = {"batch_size": 9, "epochs": 2, "shuffle": False, "verbose": 0}
    ours = fit(model, inputs, targets, **arguments)
    theirs = reference.fit(inputs, targets, **arguments)
    assert_same(ours, theirs, model, reference)


def test_a_custom_train_step_keeps_its_meaning():
    class Halved(keras.Model):
        def train_step(self, state, data):
            x, y = data[0], data[1]
            logs, state = super().train_step(state, (x, y, None))
            return {"half": logs["loss"] / 2, "twice": logs["loss"] * 2}, state

    def build():
        inputs = keras.Input((8, 8, 1))
        return Halved(inputs, L.Dense(3, activation="softmax")(L.Flatten()(inputs)))

    x, labels = make_data()
    model, reference = twins(build, optimizer="sgd", loss="sparse_categorical_crossentropy")
    arguments = {"batch_size": 10, "epochs": 2, "shuffle": False, "verbose": 0}
    ours, theirs = fit(model, x, labels, **arguments), reference.fit(x, labels, **arguments)
    assert set(ours.history) == {"half", "twice"}
    assert_same(ours, theirs, model, reference)


def test_a_last_partial_batch_counts_exactly():
    """The epoch's loss at learning rate 0 is the mean over all samples, the odd one included."""
    x, labels = make_data(21)
    model, _ = twins(
        tutorial_model,
        optimizer=lambda: keras.optimizers.SGD(0.0),
        loss="sparse_categorical_crossentropy",
    )
    probabilities = np.asarray(model(x / 16))
    wanted = -np.log(probabilities[np.arange(21), labels]).mean()
    history = fit(model, x / 16, labels, batch_size=10, verbose=0)
    assert history.history["loss"][0] == pytest.approx(wanted, rel=1e-5)


def test_the_same_seed_gives_the_same_bits_and_another_does_not():
    x, labels = make_data()

    def train(seed):
        keras.utils.set_random_seed(0)
        model = normalised_model()
        model.compile("adam", "sparse_categorical_crossentropy")
        fit(model, x, labels, batch_size=10, epochs=3, verbose=0, seed=seed)
        return np.concatenate([w.ravel() for w in model.get_weights()])

    first, again, other = train(1), train(1), train(2)
    np.testing.assert_array_equal(first, again)
    assert not np.array_equal(first, other)


def test_with_shuffling_the_results_are_distributed_as_in_keras():
    """Over seeds, the final losses of fit and of Keras come from one distribution."""
    x, labels = make_data()
    start = keras.Sequential([keras.Input((8, 8, 1)), L.Flatten(), L.Dense(3)])
    losses = {fit: [], keras.Model.fit: []}
    for train, values in losses.items():
        model = keras.models.clone_model(start)
        loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
        model.compile(keras.optimizers.SGD(0.02), loss)
        for seed in range(20):
            model.set_weights(start.get_weights())
            np.random.seed(seed)
            train(model, x / 16, labels, batch_size=2, epochs=1, verbose=0)
            values.append(model.evaluate(x / 16, labels, verbose=0))
    assert np.std(losses[fit]) > 0
    assert scipy.stats.ks_2samp(*losses.values()).pvalue > 0.01


def test_shuffling_by_batch_keeps_the_batches():
    x, labels = make_data()
    model, reference = twins(
        tutorial_model, optimizer="adam", loss="sparse_categorical_crossentropy"
    )
    np.random.seed(11)
    ours = fit(model, x, labels, batch_size=10, epochs=2, shuffle="batch", verbose=0)
    np.random.seed(11)
    theirs = reference.fit(x, labels, batch_size=10, epochs=2, shuffle="batch", verbose=0)
    assert_same(ours, theirs, model, reference)


def test_integer_images_train_as_in_keras():
    x, labels = make_data()
    x = x.astype("uint8")
    model, reference = twins(
        tutorial_model, optimizer="adam", loss="sparse_categorical_crossentropy"
    )
    arguments = {"batch_size": 10, "epochs": 2, "shuffle": False, "verbose": 0}
    assert_same(
        fit(model, x, labels, **arguments), reference.fit(x, labels, **arguments), model, reference
    )


def test_the_model_is_left_whole():
    """No attribute is left behind, and Keras's own methods work afterwards."""
    x, labels = make_data()
    model, _ = twins(tutorial_model, optimizer="adam", loss="sparse_categorical_crossentropy")
    layers = list(model.layers)
    before = set(vars(model))
    fit(model, x, labels, batch_size=10, epochs=2, verbose=0)
    assert set(vars(model)) - before <= {"history"}
    assert model.layers == layers
    assert "compute_loss_and_updates" not in vars(model)
    more = model.fit(x, labels, batch_size=10, epochs=1, verbose=0)
    assert np.isfinite(more.history["loss"][0])


def test_fit_goes_on_from_where_it_stopped():
    x, labels = make_data()
    model, reference = twins(
        tutorial_model, optimizer="adam", loss="sparse_categorical_crossentropy"
    )
    arguments = {"batch_size": 10, "shuffle": False, "verbose": 0}
    fit(model, x, labels, epochs=2, **arguments)
    ours = fit(model, x, labels, epochs=5, initial_epoch=2, **arguments)
    reference.fit(x, labels, epochs=2, **arguments)
    theirs = reference.fit(x, labels, epochs=5, initial_epoch=2, **arguments)
    assert ours.epoch == [2, 3, 4]
    assert_same(ours, theirs, model, reference)


def test_a_model_without_an_input_is_built_as_keras_builds_it():
    x, labels = make_data()

    def build():
        model = keras.Sequential([L.Flatten(), L.Dense(3, activation="softmax")])
        model.compile("sgd", "sparse_categorical_crossentropy")
        return model

    model, reference = build(), build()
    fit(model, x, labels, batch_size=10, verbose=0)
    reference.fit(x, labels, batch_size=10, verbose=0)
    assert model.output_shape == reference.output_shape
