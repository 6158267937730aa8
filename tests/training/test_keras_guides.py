"""Examples after Keras's guides on JAX: the same history and weights as with `model.fit`.

Unsupported steps are in test_train_step.py.
"""

import jax
import numpy as np
import pytest

from clearcnn.training import fit

import keras  # isort: skip
from keras import ops  # isort: skip

pytestmark = pytest.mark.reference

L = keras.layers
RANDOM = np.random.default_rng(0)
X = RANDOM.normal(size=(22, 4)).astype("float32")
Y = RANDOM.normal(size=(22, 2)).astype("float32")
WEIGHTS = RANDOM.uniform(0.2, 2, 22).astype("float32")


def dense(kind, *, layers=(), **compiled):
    inputs = keras.Input((4,))
    outputs = inputs
    for layer in (*layers, L.Dense(2)):
        outputs = layer(outputs)
    model = kind(inputs, outputs)
    model.compile(**{"optimizer": keras.optimizers.Adam(0.01), "loss": "mse", **compiled})
    return model


class OwnLoss(keras.Model):
    """A loss function with another signature than Keras's own of that name."""

    def compute_loss_and_updates(self, trainable, other, x, y, weight=None, training=False):
        y_pred, other = self.stateless_call(trainable, other, x, training=training)
        return self.compute_loss(x, y, y_pred, weight), (y_pred, other)

    def train_step(self, state, data):
        trainable, other, optimizer, metrics = state
        x, y, *weight = data
        gradient = jax.value_and_grad(self.compute_loss_and_updates, has_aux=True)
        (loss, (y_pred, other)), slopes = gradient(trainable, other, x, y, *weight, training=True)
        trainable, optimizer = self.optimizer.stateless_apply(optimizer, slopes, trainable)
        logs, metrics = self.measure(metrics, loss, y, y_pred)
        return logs, (trainable, other, optimizer, metrics)

    def measure(self, values, loss, y, y_pred):
        values, logs, kept = list(values), {}, []
        for metric in self.metrics:
            own = [values.pop(0) for _ in metric.variables]
            given = (loss,) if metric.name == "loss" else (y, y_pred)
            kept += metric.stateless_update_state(own, *given)
            result = metric.stateless_result(kept[len(kept) - len(own) :])
            logs.update(result if isinstance(result, dict) else {metric.name: result})
        return logs, kept


class OwnLossAndTest(OwnLoss):
    def test_step(self, state, data):
        trainable, other, metrics = state
        x, y = data
        y_pred, other = self.stateless_call(trainable, other, x, training=False)
        logs, metrics = self.measure(metrics, ops.mean(ops.abs(y - y_pred)), y, y_pred)
        return logs, (trainable, other, metrics)


class OwnMetrics(OwnLoss):
    """Nothing but an optimizer is compiled."""

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        self.mean_loss = keras.metrics.Mean(name="loss")
        self.error = keras.metrics.MeanAbsoluteError(name="error")

    def compute_loss(self, x=None, y=None, y_pred=None, sample_weight=None, training=True):
        return ops.mean((y - y_pred) ** 2)

    @property
    def metrics(self):
        return [self.mean_loss, self.error]


class LastLogs(keras.Model):
    """Nested logs that are not metrics."""

    def train_step(self, state, data):
        logs, state = super().train_step(state, data)
        return {"zz": logs["loss"] * 2, "more": {"half": logs["loss"] / 2}}, state


class Adversarial(keras.Model):
    """Trains on inputs that are moved along their gradient."""

    def train_step(self, state, data):
        x, y = data

        def loss(x):
            return self.compute_loss_and_updates(
                *state[:2], state[3], x, y, None, training=True, optimizer_variables=state[2]
            )[0]

        return super().train_step(state, (x + 0.1 * ops.sign(jax.grad(loss)(x)), y))


class Distilled(keras.Model):
    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        self.teacher = keras.Sequential([keras.Input((4,)), L.Dense(2)])
        self.teacher.trainable = False

    def compute_loss(self, x=None, y=None, y_pred=None, sample_weight=None, training=True):
        soft = ops.mean((self.teacher(x, training=False) - y_pred) ** 2)
        return super().compute_loss(x, y, y_pred, sample_weight) + 0.3 * soft


class MeasuresMore(keras.Model):
    """Metrics and losses in addition to the compiled ones, and metrics that see the weights."""

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        self.largest = keras.metrics.Mean(name="largest")

    def compute_metrics(self, x, y, y_pred, sample_weight=None):
        self.largest.update_state(ops.max(y_pred))
        return super().compute_metrics(x, y, y_pred, sample_weight)

    def get_metrics_result(self):
        return {**super().get_metrics_result(), "twice": 2 * self.largest.result()}


class Adversaries(keras.Model):
    """A generator and a discriminator, each with its optimizer; the second one is tracked."""

    def __init__(self):
        super().__init__()
        self.generator = keras.Sequential([keras.Input((3,)), L.Dense(4)])
        self.judge = keras.Sequential([keras.Input((4,)), L.Dense(3, "relu"), L.Dense(1)])
        self.noise = keras.random.SeedGenerator(7)
        self.judge_optimizer = keras.optimizers.Adam(0.02)
        self.judge_optimizer.build(self.judge.trainable_variables)
        self.built = True

    @property
    def trainable_variables(self):
        return self.generator.trainable_variables

    @property
    def non_trainable_variables(self):
        own = [*self.judge.trainable_variables, self.noise.state]
        return [*own, *self.judge_optimizer.variables]

    def train_step(self, state, data):
        generator, other, optimizer, metrics = state
        count = len(self.judge.trainable_variables)
        judge, seed, judge_optimizer = other[:count], other[count], other[count + 1 :]
        random = keras.random.normal((len(data[0]), 3), seed=seed)

        def judged(judge, x):
            return self.judge.stateless_call(judge, [], x)[0]

        def judge_loss(judge):
            made = self.generator.stateless_call(generator, [], random)[0]
            return ops.mean(
                ops.softplus(-judged(judge, data[0])) + ops.softplus(judged(judge, made))
            )

        def loss(generator):
            made = self.generator.stateless_call(generator, [], random)[0]
            return ops.mean(ops.softplus(-judged(judge, made)))

        found, slopes = jax.value_and_grad(judge_loss)(judge)
        judge, judge_optimizer = self.judge_optimizer.stateless_apply(
            judge_optimizer, slopes, judge
        )
        made, slopes = jax.value_and_grad(loss)(generator)
        generator, optimizer = self.optimizer.stateless_apply(optimizer, slopes, generator)
        seed = seed + ops.convert_to_tensor([0, 1], seed.dtype)
        logs = {"judge_loss": found, "generator_loss": made}
        return logs, (generator, [*judge, seed, *judge_optimizer], optimizer, metrics)


class Penalty(L.Layer):
    """Adds to the loss, counts its calls, and draws random numbers from its own seeds."""

    def __init__(self):
        super().__init__()
        self.noise = keras.random.SeedGenerator(3)

    def build(self, _):
        self.seen = self.add_weight((4,), "zeros", trainable=False, name="seen")
        self.built = True

    def call(self, x, training=False):
        self.add_loss(0.1 * ops.mean(x**2))
        self.seen.assign(0.9 * self.seen + ops.sum(x, axis=0))
        return x + keras.random.normal(ops.shape(x), stddev=0.1, seed=self.noise) + self.seen


class Halves(keras.losses.Loss):
    def call(self, y_true, y_pred):
        return ops.mean(ops.abs(y_true - y_pred), axis=-1) / 2


class Count(keras.metrics.Metric):
    def __init__(self, name="count", **kwargs):
        super().__init__(name=name, **kwargs)
        self.total = self.add_variable((), "zeros", name="total")

    def update_state(self, y_true, y_pred, sample_weight=None):
        near = ops.cast(ops.all(ops.abs(y_true - y_pred) < 1, axis=-1), self.dtype)
        self.total.assign(self.total + ops.sum(near))

    def result(self):
        return self.total.value


def stateful():
    layers = (Penalty(), L.BatchNormalization(momentum=0.7), L.Dropout(0.2, seed=1))
    last = L.Dense(6, "tanh", activity_regularizer="l2", kernel_regularizer="l1")
    return dense(keras.Model, layers=(*layers, last, L.GaussianNoise(0.1, seed=2)))


def masked():
    layers = [keras.Input((4,)), L.Embedding(9, 5, mask_zero=True), L.LSTM(3), L.Dense(2)]
    model = keras.Sequential(layers)
    model.compile("adam", "mse", metrics=["mae"])
    return model


def two_outputs():
    first, second = keras.Input((4,), name="first"), keras.Input((4,), name="second")
    both = L.Concatenate()([first, L.Dense(3)(second)])
    outputs = {"a": L.Dense(2, name="a")(both), "b": L.Dense(1, name="b")(both)}
    model = keras.Model([first, second], outputs)
    kinds = {"a": "mse", "b": "mae"}
    model.compile(
        "sgd", kinds, loss_weights={"a": 0.3, "b": 2}, metrics={"a": "mae"}, weighted_metrics=kinds
    )
    return model


def frozen():
    base = keras.Sequential([keras.Input((4,)), L.Dense(5), L.BatchNormalization()])
    base.trainable = False
    inputs = keras.Input((4,))
    model = keras.Model(inputs, L.Dense(2)(base(inputs, training=False)))
    model.compile("adam", "mse")
    return model


def adversaries():
    model = Adversaries()
    model.compile(keras.optimizers.Adam(0.01))
    return model


HELD_OUT = {"validation_data": (X[:9] + 1, Y[:9])}
WEIGHED = {"sample_weight": WEIGHTS}
CASES = {
    "custom step: own loss": (lambda: dense(OwnLoss, metrics=["mae"]), {}),
    "custom step: sample weights": (lambda: dense(OwnLoss, metrics=["mae"]), WEIGHED),
    "custom step: own test step": (lambda: dense(OwnLossAndTest, metrics=["mae"]), HELD_OUT),
    "custom step: own metrics": (lambda: dense(OwnMetrics, loss=None), {}),
    "custom step: own logs": (lambda: dense(LastLogs), HELD_OUT),
    "custom step: adversarial inputs": (lambda: dense(Adversarial), {}),
    "custom step: two optimizers": (adversaries, {}),
    "compute_loss: distillation": (lambda: dense(Distilled), HELD_OUT | WEIGHED),
    "compute_metrics": (lambda: dense(MeasuresMore, metrics=["mae"]), HELD_OUT),
    "own loss and metric": (lambda: dense(keras.Model, loss=Halves(), metrics=[Count()]), HELD_OUT),
    "loss function": (
        lambda: dense(keras.Model, loss=lambda y, p: ops.mean(abs(y - p), -1)),
        WEIGHED,
    ),
    "add_loss, regularizers, states, seeds": (stateful, HELD_OUT),
    "masks": (masked, {"x": np.abs(X * 4).astype(int) % 9}),
    "inputs, outputs and weights by name": (
        two_outputs,
        {
            "x": [X, X**2],
            "y": {"a": Y, "b": Y[:, :1]},
            "sample_weight": {"a": WEIGHTS, "b": WEIGHTS[::-1].copy()},
            "validation_split": 0.3,
        },
    ),
    "transfer learning": (frozen, HELD_OUT),
}


@pytest.mark.parametrize("case", CASES.values(), ids=CASES)
def test_history_and_weights_equal_keras(case):
    build, given = case
    arguments = {"x": X, "y": Y, "batch_size": 8, "epochs": 3, "shuffle": False, "verbose": 0}
    arguments |= given
    keras.utils.set_random_seed(1)
    model = build()
    keras.utils.set_random_seed(1)
    reference = build()
    ours, theirs = fit(model, **arguments), reference.fit(**arguments)
    assert set(ours.history) == set(theirs.history)
    for name, wanted in theirs.history.items():
        np.testing.assert_allclose(ours.history[name], wanted, 2e-4, 1e-5, err_msg=name)
    pairs = zip(model.variables, reference.variables, strict=True)
    for got, wanted in pairs:
        np.testing.assert_allclose(got.numpy(), wanted.numpy(), 2e-4, 1e-5, err_msg=got.path)
