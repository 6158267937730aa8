"""What is the same training is compiled once: XLA's own events are counted, and Keras compared."""

from collections.abc import Callable, Iterator

import jax
import numpy as np
import pytest
from jax._src import monitoring

from clearcnn.training import fit, fit_many, program_cache

import keras  # isort: skip

pytestmark = pytest.mark.reference

L = keras.layers
SCHEDULES = keras.optimizers.schedules
RANDOM = np.random.default_rng(0)
X = RANDOM.normal(size=(200, 6, 6, 1)).astype("float32")
Y = np.eye(3, dtype="float32")[RANDOM.integers(3, size=200)]
WEIGHTS = RANDOM.uniform(0.5, 2, size=200).astype("float32")


def make_model(
    more=list, *, rate=0.01, seed=0, loss="categorical_crossentropy", metrics=("accuracy",)
):
    keras.utils.set_random_seed(seed)
    layers = [L.Conv2D(4, 3, activation="relu"), *more(), L.Flatten()]
    model = keras.Sequential([keras.Input((6, 6, 1)), *layers, L.Dense(3, activation="softmax")])
    model.compile(keras.optimizers.Adam(rate), loss, metrics=list(metrics))
    return model


def normalized(**options):
    return make_model(lambda: [L.BatchNormalization()], **options)


def cosine(steps, warm_up=2, target=0.02):
    return SCHEDULES.CosineDecay(0.001, steps, warmup_target=target, warmup_steps=warm_up)


def select(train=150, validation=40, weights=False):
    rest = slice(160, 160 + validation)
    given = {"x": X[:train], "y": Y[:train], "validation_data": (X[rest], Y[rest])}
    if weights:
        given["sample_weight"] = WEIGHTS[:train]
    return given


def train(method, model, *, epochs=2, batch_size=32, **data):
    given = {"batch_size": batch_size, "epochs": epochs, "verbose": 0, "shuffle": False}
    history = method(**given, **data).history
    return history, model.get_weights()


def train_ours(model, **options):
    return train(lambda **given: fit(model, **given), model, **options)


def assert_as_keras_trains(make: Callable[[], keras.Model], **options) -> None:
    """Train with both from the same weights."""
    model, reference = make(), make()
    history, weights = train_ours(model, **options)
    expected, others = train(reference.fit, reference, **options)
    assert set(history) == set(expected)
    for name in history:
        np.testing.assert_allclose(history[name], expected[name], rtol=2e-4, atol=1e-6)
    for got, wanted in zip(weights, others, strict=True):
        np.testing.assert_allclose(got, wanted, rtol=2e-3, atol=2e-5)


@pytest.fixture(autouse=True)
def no_programs(monkeypatch):
    monkeypatch.setattr(program_cache, "_programs", type(program_cache._programs)())


@pytest.fixture
def compiled() -> Iterator[list[str]]:
    """The modules that XLA compiles or reads from its cache, as they come."""
    events: list[str] = []

    def note(event: str, _: float, **__: object) -> None:
        if event == "/jax/core/compile/backend_compile_duration":
            events.append(event)

    jax.monitoring.register_event_duration_secs_listener(note)
    yield events
    monitoring.unregister_event_duration_listener(note)


CHANGES = {
    "more epochs": {"epochs": 3},
    "many more epochs": {"epochs": 130},
    "another learning rate": {"rate": 0.03},
    "a few images less": {**select(train=147)},
    "a few images more": {**select(train=159)},
    "full batches alone": {**select(train=160)},
    "another validation set": {**select(validation=37)},
    "another fold": {"x": X[20:170], "y": Y[20:170]},
    "another seed": {"seed": 5},
}


@pytest.mark.parametrize("make", [make_model, normalized])
@pytest.mark.parametrize("change", CHANGES.values(), ids=CHANGES)
def test_none_of_these_compiles_again(make, change, compiled):
    options = {name: change[name] for name in ("rate", "seed") if name in change}
    data = {name: value for name, value in change.items() if name not in options}
    first, other = make(), make(**options)
    train_ours(first, **select())
    assert compiled
    compiled.clear()
    train_ours(other, **{**select(), **data})
    assert compiled == []


@pytest.mark.parametrize(
    ("then", "now"),
    [
        (cosine(10), cosine(31, warm_up=7, target=0.01)),
        (SCHEDULES.ExponentialDecay(0.01, 5, 0.9), SCHEDULES.ExponentialDecay(0.03, 4, 0.5)),
        (SCHEDULES.PolynomialDecay(0.01, 9), SCHEDULES.PolynomialDecay(0.02, 5, 0.001, 2.0)),
        (SCHEDULES.InverseTimeDecay(0.01, 5, 0.9), SCHEDULES.InverseTimeDecay(0.03, 4, 0.5)),
    ],
    ids=lambda schedule: type(schedule).__name__,
)
def test_another_schedule_of_the_kind_does_not_compile_and_trains_as_keras_does(
    then, now, compiled
):
    train_ours(make_model(rate=then), **select())
    model = make_model(rate=now)
    compiled.clear()
    train_ours(model, **select(), epochs=4)
    assert compiled == []
    assert_as_keras_trains(lambda: make_model(rate=now), epochs=4, **select())
    assert now.get_config() == type(now)(**now.get_config()).get_config()


def test_another_kind_of_schedule_gets_another_program():
    train_ours(make_model(rate=cosine(10)), **select())
    for rate in (
        SCHEDULES.CosineDecay(0.01, 10),
        SCHEDULES.ExponentialDecay(0.01, 5, 0.9, staircase=True),
        SCHEDULES.ExponentialDecay(0.01, 5, 0.9),
        SCHEDULES.PiecewiseConstantDecay([2, 4], [0.1, 0.01, 0.001]),
        SCHEDULES.PiecewiseConstantDecay([2, 4], [0.1, 0.01, 0.002]),
    ):
        before = len(program_cache._programs)
        assert_as_keras_trains(lambda rate=rate: make_model(rate=rate), **select())
        assert len(program_cache._programs) == before + 1


def test_folds_of_two_sizes_share_the_program():
    folds = [
        (np.arange(start, start + size), np.arange(180, 199))
        for start, size in ((0, 150), (30, 149))
    ]

    def build(seed):
        return make_model(seed=seed)

    arguments = {"batch_size": 32, "epochs": 2, "seeds": [1]}
    fit_many(build, X, Y, folds=folds[:1], **arguments)
    assert len(program_cache._programs) == 1
    fitted = fit_many(build, X, Y, folds=folds, learning_rates=[0.01, 0.02], **arguments)
    assert len(program_cache._programs) == 1
    for each in fitted:
        keras.utils.set_random_seed(1)
        model = build(1)
        model.optimizer.learning_rate = each.learning_rate
        rows, held_out = folds[each.fold]
        history = fit(
            model,
            X[rows],
            Y[rows],
            batch_size=32,
            epochs=2,
            seed=1,
            verbose=0,
            validation_data=(X[held_out], Y[held_out]),
        ).history
        for name, values in each.history.items():
            assert values == pytest.approx(history[name], rel=1e-5)


@pytest.mark.parametrize("make", [make_model, normalized])
@pytest.mark.parametrize("count", [150, 33, 31, 32, 5, 1])
@pytest.mark.parametrize("weights", [False, True])
@pytest.mark.filterwarnings("ignore:.*have no training sample:UserWarning")
@pytest.mark.filterwarnings("ignore:.*has no training sample:UserWarning")
def test_a_last_batch_that_is_filled_up_counts_as_keras_counts(make, count, weights):
    data = select(train=count, validation=min(count, 37), weights=weights)
    assert_as_keras_trains(lambda: make(metrics=["accuracy", "mae"]), **data)


@pytest.mark.parametrize(
    "make",
    [
        lambda: make_model(loss="mse", metrics=["mse"]),
        lambda: make_model(loss=keras.losses.CategoricalCrossentropy(reduction="sum")),
        lambda: make_model(loss=keras.losses.Dice()),
        lambda: make_model(loss="tversky"),
        lambda: make_model(metrics=[keras.metrics.AUC(name="area")]),
        lambda: make_model(lambda: [L.Conv2D(4, 3, activity_regularizer="l2")]),
        lambda: make_model(lambda: [L.Conv2D(4, 3, kernel_regularizer="l2")]),
        lambda: make_model(lambda: [L.BatchNormalization(axis=1)]),
        lambda: make_model(lambda: [L.Conv2D(1, 1, use_bias=False), L.BatchNormalization()]),
        lambda: make_model(lambda: [L.LayerNormalization(), L.Dropout(0.3, seed=1)]),
    ],
    ids=[
        "mse",
        "sum",
        "dice",
        "tversky",
        "AUC",
        "activity",
        "l2",
        "other axis",
        "one channel",
        "dropout",
    ],
)
def test_what_depends_on_the_size_of_a_batch_trains_as_in_keras(make):
    assert_as_keras_trains(make, **select(train=150, validation=37))
