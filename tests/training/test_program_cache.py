"""Models that differ only in inputs of the program share it; others never do."""

import gc

import jax
import numpy as np
import pytest

from clearcnn.training import fit, program_cache
from clearcnn.training.fingerprint import fingerprint_program

import keras  # isort: skip

pytestmark = pytest.mark.reference

L = keras.layers


def make_model(
    *,
    units=3,
    activation="relu",
    rate=0.1,
    dropout=0.2,
    seed=0,
    loss="mse",
    frozen=False,
    schedule=False,
    name="same",
):
    keras.utils.set_random_seed(seed)
    first = L.Dense(4, activation=activation, name=f"{name}_{seed}")
    first.trainable = not frozen
    inputs = keras.Input((2,))
    outputs = L.Dense(units)(L.Dropout(dropout, seed=seed)(first(inputs)))
    model = keras.Model(inputs, outputs)
    if schedule:
        rate = keras.optimizers.schedules.CosineDecay(rate, 10)
    model.compile(keras.optimizers.SGD(rate), loss, metrics=["mae"])
    return model


X = np.random.default_rng(0).normal(size=(12, 2)).astype("float32")
Y = np.random.default_rng(1).normal(size=(12, 3)).astype("float32")


@pytest.fixture(autouse=True)
def no_programs(monkeypatch):
    monkeypatch.setattr(program_cache, "_programs", type(program_cache._programs)())


def train(model, **arguments):
    return fit(model, X, Y, batch_size=4, verbose=0, shuffle=False, epochs=2, **arguments)


def test_another_seed_name_and_learning_rate_share_the_program_and_train_as_keras_does():
    train(make_model())
    assert len(program_cache._programs) == 1
    model, reference = make_model(seed=5, rate=0.01), make_model(seed=5, rate=0.01)
    ours = train(model)
    assert len(program_cache._programs) == 1
    theirs = reference.fit(X, Y, batch_size=4, verbose=0, shuffle=False, epochs=2)
    np.testing.assert_allclose(ours.history["loss"], theirs.history["loss"], rtol=1e-4)
    for got, wanted in zip(model.get_weights(), reference.get_weights(), strict=True):
        np.testing.assert_allclose(got, wanted, rtol=1e-4, atol=1e-6)


@pytest.mark.parametrize(
    "change",
    [
        {"activation": "tanh"},
        {"dropout": 0.5},
        {"loss": "mae"},
        {"frozen": True},
        {"schedule": True},
    ],
    ids=str,
)
def test_another_model_gets_another_program(change):
    train(make_model())
    model, reference = make_model(**change), make_model(**change)
    ours = train(model)
    assert len(program_cache._programs) == 2
    theirs = reference.fit(X, Y, batch_size=4, verbose=0, shuffle=False, epochs=2)
    np.testing.assert_allclose(ours.history["loss"], theirs.history["loss"], rtol=1e-4)


def test_other_shapes_get_another_program():
    train(make_model())
    fit(make_model(), X[:8], Y[:8], batch_size=4, verbose=0)
    assert len(program_cache._programs) == 2


def count_executables():
    """Count the programs that XLA has compiled and that are still in memory."""
    gc.collect()
    return len(jax.devices()[0].client.live_executables())


@pytest.mark.parametrize("shared", [True, False], ids=["shared programs", "programs of one fit"])
def test_fits_of_ever_other_numbers_of_samples_hold_no_more_programs(shared, monkeypatch):
    monkeypatch.setattr(program_cache, "_MOST_PROGRAMS", 3)

    def train_on(counts):
        for count in counts:
            model = make_model() if shared else own_model()
            validation = (X[count:], Y[count:])
            arguments = {"batch_size": 2, "verbose": 0, "validation_data": validation}
            fit(model, X[:count], Y[:count], **arguments)

    train_on([5, 6, 7])
    held = count_executables()
    train_on([8, 9, 10, 11, 3])
    assert len(program_cache._programs) == (3 if shared else 0)
    assert count_executables() <= held


class OwnLayer(L.Dense):
    pass


class OwnModel(keras.Model):
    pass


def own_layer():
    model = keras.Sequential([keras.Input((2,)), OwnLayer(3)])
    model.compile(loss="mse")
    return model


def own_loss():
    return make_model(loss=lambda y, p: keras.ops.mean((y - p) ** 2, axis=-1))


def own_model():
    inputs = keras.Input((2,))
    model = OwnModel(inputs, L.Dense(3)(inputs))
    model.compile(loss="mse")
    return model


@pytest.mark.parametrize("build", [own_layer, own_loss, own_model])
def test_what_is_not_keras_own_is_compiled_anew(build):
    for _ in range(2):
        model = build()
        train(model)
        assert fingerprint_program(model) is None
    assert len(program_cache._programs) == 0


def test_rescaling_by_other_numbers_shares_the_program_and_trains_as_keras_does():
    def rescaled(scale, offset):
        keras.utils.set_random_seed(0)
        model = keras.Sequential([keras.Input((2,)), L.Rescaling(scale, offset), L.Dense(3)])
        model.compile("sgd", "mse")
        return model

    train(rescaled(2.0, 1.0))
    model, reference = rescaled(0.5, -1.0), rescaled(0.5, -1.0)
    ours = train(model)
    assert len(program_cache._programs) == 1
    theirs = reference.fit(X, Y, batch_size=4, verbose=0, shuffle=False, epochs=2)
    np.testing.assert_allclose(ours.history["loss"], theirs.history["loss"], rtol=1e-4)
    assert (model.layers[0].scale, model.layers[0].offset) == (0.5, -1.0)
    train(rescaled([0.5, 2.0], -1.0))
    assert len(program_cache._programs) == 2


def normalised(scale):
    keras.utils.set_random_seed(0)
    normalization = L.Normalization()
    normalization.adapt(X * scale)
    model = keras.Sequential([keras.Input((2,)), normalization, L.Dense(3)])
    model.compile("sgd", "mse")
    return model


def with_another_loss(scale):
    model = make_model(dropout=0.0)
    if scale > 1:

        def compute_loss(x=None, y=None, y_pred=None, sample_weight=None, training=True):
            return scale * keras.ops.mean(abs(y - y_pred))

        model.compute_loss = compute_loss
    return model


def with_another_call(scale):
    model = make_model(dropout=0.0)
    if scale > 1:
        layer = model.layers[-1]
        plain = layer.call
        layer.call = lambda x, *args, **kwargs: scale * plain(x, *args, **kwargs)
    return model


@pytest.mark.parametrize("build", [normalised, with_another_loss, with_another_call])
def test_what_no_configuration_shows_is_not_taken_from_another_model(build):
    train(build(1.0))
    model, reference = build(5.0), build(5.0)
    ours = train(model)
    theirs = reference.fit(X, Y, batch_size=4, verbose=0, shuffle=False, epochs=2)
    np.testing.assert_allclose(ours.history["loss"], theirs.history["loss"], rtol=1e-4)


def test_threads_wait_for_one_compilation(monkeypatch):
    from concurrent.futures import ThreadPoolExecutor

    compiled = []
    compile_epochs = program_cache.compile_epochs

    def count(*arguments):
        compiled.append(arguments)
        return compile_epochs(*arguments)

    monkeypatch.setattr(program_cache, "compile_epochs", count)
    models = [make_model(seed=seed) for seed in range(4)]
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(train, models))
    assert len(compiled) == 1


def test_a_program_that_cannot_be_compiled_is_tried_again(monkeypatch):
    def fail(*_):
        raise MemoryError("no room")

    with monkeypatch.context() as broken, pytest.raises(MemoryError, match="no room"):
        broken.setattr(program_cache, "compile_epochs", fail)
        train(make_model())
    train(make_model())
    assert len(program_cache._programs) == 1
