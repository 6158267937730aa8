"""Optimizer, loss and learning rate follow the spec, checked against formulas in NumPy."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from clearcnn.specs import TrainSpec
from clearcnn.training import compile_model, fit
from clearcnn.training.optimizer import learning_rate

import keras  # isort: skip  (after clearcnn, which names the backend)


def make_model(units: int = 3) -> keras.Model:
    return keras.Sequential(
        [
            keras.Input((4,)),
            keras.layers.Dense(units, activation="softmax", kernel_initializer="zeros"),
        ]
    )


def compiled(spec: TrainSpec, num_samples: int = 100) -> keras.Model:
    model = make_model()
    compile_model(model, spec, num_samples)
    return model


def fresh_optimizer(spec: TrainSpec) -> keras.optimizers.Optimizer:
    """The optimizer of `compile_model`, for other variables than the model's."""
    chosen = compiled(spec).optimizer
    return type(chosen).from_config(chosen.get_config())


def one_cycle(peak: float, steps: int) -> np.ndarray:
    """From peak/25 linearly to the peak over 30 % of the steps, then along a cosine to 0."""
    rising = int(0.3 * steps)
    step = np.arange(steps + 1)
    up = peak / 25 + (peak - peak / 25) * step / max(rising, 1)
    down = peak / 2 * (1 + np.cos(np.pi * (step - rising) / (steps - rising)))
    return np.where(step < rising, up, down)


def rates_of(schedule: keras.optimizers.schedules.LearningRateSchedule, steps: int) -> np.ndarray:
    """The rates at the steps 0 to `steps`, computed at once."""
    return np.asarray(jax.jit(jax.vmap(schedule))(jnp.arange(steps + 1, dtype=jnp.float32)))


def test_the_lessons_optimizer_and_loss() -> None:
    model = compiled(TrainSpec(learning_rate=0.002))
    assert type(model.optimizer) is keras.optimizers.Adam
    assert float(model.optimizer.learning_rate) == pytest.approx(0.002)
    assert model.optimizer.weight_decay is None
    assert type(model.loss) is keras.losses.CategoricalCrossentropy
    assert model.loss.label_smoothing == 0
    assert model.loss.from_logits is False
    x, y = np.ones((6, 4), np.float32), np.eye(3, dtype=np.float32)[[0, 1, 2, 0, 1, 2]]
    assert set(model.evaluate(x, y, verbose=0, return_dict=True)) == {"loss", "accuracy"}


@pytest.mark.parametrize("smoothing", [0.0, 0.05, 0.3])
def test_label_smoothing_shares_the_target_among_all_classes(smoothing: float) -> None:
    model = compiled(TrainSpec(label_smoothing=smoothing))
    truth = np.array([[0.0, 1.0, 0.0]])
    chances = np.array([[0.2, 0.7, 0.1]])
    target = (1 - smoothing) * truth + smoothing / 3
    expected = -np.sum(target * np.log(chances))
    assert float(model.loss(truth, chances)) == pytest.approx(expected, rel=1e-5)


@pytest.mark.parametrize(("optimizer", "kind"), [("adam", "Adam"), ("adamw", "AdamW")])
def test_weight_decay_is_decoupled(optimizer: str, kind: str) -> None:
    spec = TrainSpec(optimizer=optimizer, learning_rate=0.1, weight_decay=0.2)
    chosen = fresh_optimizer(spec)
    assert type(chosen).__name__ == kind
    assert chosen.weight_decay == pytest.approx(0.2)
    variable = keras.Variable(np.array([2.0], np.float32))
    chosen.build([variable])
    # Without a gradient Adam does nothing, and only the decay acts: w − rate · decay · w.
    chosen.apply([np.zeros(1, np.float32)])
    assert float(variable.numpy()[0]) == pytest.approx(2.0 * (1 - 0.1 * 0.2), rel=1e-6)


def test_adamw_without_decay_is_adam() -> None:
    variables = [keras.Variable(np.array([2.0, -1.0], np.float32)) for _ in range(2)]
    for variable, optimizer in zip(variables, ("adam", "adamw"), strict=True):
        chosen = fresh_optimizer(TrainSpec(optimizer=optimizer, learning_rate=0.1))
        chosen.build([variable])
        for gradient in ([1.0, -3.0], [0.5, 2.0]):
            chosen.apply([np.array(gradient, np.float32)])
    np.testing.assert_allclose(variables[0].numpy(), variables[1].numpy(), rtol=1e-6)


@pytest.mark.parametrize(
    ("epochs", "steps_per_epoch"), [(60, 16), (8, 750), (10, 1), (1, 10), (2, 2), (1, 2)]
)
def test_one_cycle_is_its_formula(epochs: int, steps_per_epoch: int) -> None:
    spec = TrainSpec(epochs=epochs, learning_rate=0.003, schedule="one_cycle")
    schedule = learning_rate(spec, steps_per_epoch)
    steps = epochs * steps_per_epoch
    rates = rates_of(schedule, steps)
    np.testing.assert_allclose(rates, one_cycle(0.003, steps), atol=0.003 * 1e-5)


def test_one_cycle_starts_low_peaks_after_three_tenths_and_ends_at_nothing() -> None:
    spec = TrainSpec(epochs=50, learning_rate=0.01, schedule="one_cycle")
    rates = rates_of(learning_rate(spec, 20), 1000)
    assert rates[0] == pytest.approx(0.01 / 25)
    assert rates.argmax() == 300
    assert rates[300] == pytest.approx(0.01)
    assert np.all(np.diff(rates[:301]) > 0)
    assert np.all(np.diff(rates[300:]) < 0)
    assert 0 <= rates[999] < 0.01 * 1e-5
    assert abs(rates[1000]) < 1e-9


def test_a_cycle_of_one_step_is_finite() -> None:
    spec = TrainSpec(epochs=1, learning_rate=0.01, schedule="one_cycle")
    np.testing.assert_allclose(rates_of(learning_rate(spec, 1), 1), [0.01, 0.0], atol=1e-9)


def test_the_constant_rate_stays() -> None:
    assert learning_rate(TrainSpec(learning_rate=0.5, epochs=3), 7) == 0.5


@pytest.mark.parametrize(("num_samples", "steps_per_epoch"), [(100, 13), (104, 13), (5, 1)])
def test_the_cycle_ends_when_the_training_does(num_samples: int, steps_per_epoch: int) -> None:
    spec = TrainSpec(epochs=10, batch_size=8, learning_rate=0.01, schedule="one_cycle")
    model = compiled(spec, num_samples)
    x = np.ones((num_samples, 4), np.float32)
    y = np.eye(3, dtype=np.float32)[np.arange(num_samples) % 3]
    fit(model, x, y, batch_size=8, epochs=10, verbose=0, seed=0)
    steps = int(model.optimizer.iterations)
    assert steps == 10 * steps_per_epoch
    assert abs(float(model.optimizer.learning_rate)) < 1e-9
    # A step earlier it still moved.
    model.optimizer.iterations.assign(steps - 1)
    assert float(model.optimizer.learning_rate) > 0
