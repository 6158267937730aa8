"""Steps that a compiled fit does not support raise an error before anything is trained."""

import jax
import numpy as np
import pytest

from clearcnn.errors import TrainingError
from clearcnn.training import fit

import keras  # isort: skip
from keras import ops  # isort: skip

pytestmark = pytest.mark.reference

X = np.random.default_rng(0).normal(size=(10, 4)).astype("float32")
Y = X[:, :2].copy()


class TensorFlowStep(keras.Model):
    def train_step(self, data):
        return {"loss": 0.0}


class TwoOptimizers(keras.Model):
    """As for TensorFlow: the second optimizer changes its variables itself."""

    def compile(self, *args, second, **kwargs):
        super().compile(*args, **kwargs)
        self.second = second
        second.build(self.trainable_variables)

    def train_step(self, state, data):
        self.second.apply([ops.ones_like(value) for value in state[0]])
        return super().train_step(state, data)


class UpdatesMetric(keras.Model):
    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        self.seen = keras.metrics.Mean(name="seen")

    def train_step(self, state, data):
        self.seen.update_state(1.0)
        return super().train_step(state, data)


class ReadsRate(keras.Model):
    def train_step(self, state, data):
        logs, state = super().train_step(state, data)
        return {**logs, "rate": self.optimizer.learning_rate.value}, state


class MeasuresRate(keras.Model):
    def compute_metrics(self, x, y, y_pred, sample_weight=None):
        logs = super().compute_metrics(x, y, y_pred, sample_weight)
        return {**logs, "rate": self.optimizer.learning_rate + 0.0}


class LosesRegularizer(keras.Model):
    """The guide's own loss, which sees no state: for Keras, a regulariser of first weights."""

    def train_step(self, state, data):
        def loss(trainable):
            y_pred, _ = self.stateless_call(trainable, state[1], data[0])
            return self.compute_loss(*data, y_pred)

        jax.grad(loss)(state[0])
        return super().train_step(state, data)


class OwnLoop(keras.Model):
    def make_train_function(self, force=False):
        self.train_function = None


class Changed(keras.Model):
    change = staticmethod(lambda logs, state: (logs, state))

    def train_step(self, state, data):
        return self.change(*super().train_step(state, data))


def changed(change):
    return type("Changed", (Changed,), {"change": staticmethod(change)})


SECOND = {"second": keras.optimizers.SGD(momentum=0.9)}
REFUSED = {
    "TensorFlow's form": (TensorFlowStep, {}, r"TensorFlowStep.train_step\(data\)"),
    "two optimizers": (TwoOptimizers, SECOND, "assigns to sgd.*momentum"),
    "a metric": (UpdatesMetric, {}, "reads seen/total"),
    "a rate": (ReadsRate, {}, "ReadsRate reads .*learning_rate"),
    "a rate in a metric": (MeasuresRate, {}, "MeasuresRate reads .*learning_rate"),
    "a weight in a loss": (LosesRegularizer, {}, "LosesRegularizer reads .*kernel"),
    "its own loop": (OwnLoop, {}, "OwnLoop overrides make_train_function"),
    "no optimizer": (keras.Model, {"optimizer": None}, "without an optimizer"),
    "logs that are no dict": (
        changed(lambda logs, state: ([], state)),
        {},
        "Changed.train_step returns logs that are a list",
    ),
    "a log of many numbers": (
        changed(lambda logs, state: ({"all": state[0][0]}, state)),
        {},
        r"'all' has the shape \(4, 2\)",
    ),
    "a group too few": (changed(lambda logs, state: (logs, state[:3])), {}, "3 groups; 4 were"),
    "a value too few": (
        changed(lambda logs, state: (logs, (*state[:3], state[3][:1]))),
        {},
        "other metrics' variables than it was given: 1 values for 2",
    ),
    "another dtype": (
        changed(lambda logs, state: (logs, ([v.astype("float16") for v in state[0]], *state[1:]))),
        {},
        r"other trainable variables .* float16\(4, 2\) for float32\(4, 2\)",
    ),
}


def build(kind, compiled):
    inputs = keras.Input((4,))
    model = kind(inputs, keras.layers.Dense(2, kernel_regularizer="l2")(inputs))
    model.compile(**{"optimizer": "sgd", "loss": "mse", **compiled})
    return model


@pytest.mark.parametrize("case", REFUSED.values(), ids=REFUSED)
def test_what_a_step_may_not_do_is_refused_and_the_model_stays_as_it_was(case):
    kind, compiled, words = case
    model = build(kind, compiled)
    before = model.get_weights()
    with pytest.raises(TrainingError, match=words) as refused:
        fit(model, X, Y, verbose=0)
    assert refused.value.remedy
    for got, wanted in zip(model.get_weights(), before, strict=True):
        np.testing.assert_array_equal(got, wanted)
    assert "compute_loss_and_updates" not in vars(model)


def test_unseeded_random_numbers_are_refused_by_keras_itself():
    class Unseeded(keras.Model):
        def train_step(self, state, data):
            return super().train_step(state, (data[0] + keras.random.normal((10, 4)), data[1]))

    with pytest.raises(ValueError, match="SeedGenerator"):
        fit(build(Unseeded, {}), X, Y, verbose=0)
