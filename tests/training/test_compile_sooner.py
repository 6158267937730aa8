"""Programs that are compiled sooner give the same training, and are cached separately."""

import jax
import numpy as np
import pytest

from clearcnn.training import NoEpoch, Watch, compile_sooner, fit, program_cache, xla_options

import keras  # isort: skip

L = keras.layers
RANDOM = np.random.default_rng(0)
X = RANDOM.normal(size=(12, 6, 6, 1)).astype("float32")
Y = RANDOM.integers(0, 3, 12)


@pytest.fixture(autouse=True)
def no_programs(monkeypatch):
    monkeypatch.setattr(program_cache, "_programs", type(program_cache._programs)())


def make_model():
    keras.utils.set_random_seed(0)
    layers = [L.Conv2D(3, 3, activation="relu"), L.MaxPooling2D(), L.Flatten(), L.Dense(3)]
    model = keras.Sequential([keras.Input(X.shape[1:]), *layers])
    model.compile("sgd", keras.losses.SparseCategoricalCrossentropy(from_logits=True))
    return model


def train(model, *callbacks):
    return fit(model, X, Y, batch_size=4, epochs=3, verbose=0, callbacks=callbacks, seed=0)


@pytest.mark.parametrize("level", [0, 1])
def test_each_level_trains_as_usual_with_a_program_of_its_own(level):
    usual, soon = make_model(), make_model()
    wanted = train(usual).history["loss"]
    with compile_sooner(level):
        found = train(soon).history["loss"]
        assert len(program_cache._programs) == 2
    np.testing.assert_allclose(found, wanted, rtol=1e-5)
    for ours, theirs in zip(soon.get_weights(), usual.get_weights(), strict=True):
        np.testing.assert_allclose(ours, theirs, rtol=1e-4, atol=1e-6)
    train(make_model())
    assert len(program_cache._programs) == 2


def test_an_xla_without_the_options_compiles_as_usual():
    asked = []

    class Lowered:
        def compile(self, compiler_options=None):
            asked.append(compiler_options)
            if compiler_options:
                raise jax.errors.JaxRuntimeError("No such compile option: 'xla_cpu_x'")
            return "program"

    with compile_sooner(0):
        assert xla_options.compile_lowered(Lowered()) == "program"
    assert asked[0] and asked[1] is None


def test_this_xla_knows_the_options():
    with compile_sooner(0):
        lowered = jax.jit(lambda x: x + 1).lower(1.0)
        options = []
        original = lowered.compile
        lowered.compile = lambda compiler_options=None: (
            options.append(compiler_options) or original(compiler_options=compiler_options)
        )
        assert xla_options.compile_lowered(lowered)(1.0) == 2
    assert len(options) == 1 and options[0]["xla_backend_optimization_level"] == 0


def test_no_epoch_trains_nothing_and_leaves_the_program_for_the_next_fit():
    model = make_model()
    before = model.get_weights()
    assert train(model, NoEpoch()).history == {}
    for ours, theirs in zip(model.get_weights(), before, strict=True):
        np.testing.assert_array_equal(ours, theirs)
    (program,) = program_cache._programs.values()
    told = []
    train(model, Watch(lambda epoch, logs: told.append(epoch)))
    assert told == [0, 1, 2]
    assert list(program_cache._programs.values()) == [program]
    straight = make_model()
    train(straight)
    for ours, theirs in zip(model.get_weights(), straight.get_weights(), strict=True):
        np.testing.assert_array_equal(ours, theirs)
