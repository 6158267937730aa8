"""From a TrainSpec to Keras's optimizer, learning-rate schedule, loss and early stopping."""

import math

import keras

from clearcnn.initial_values import initial_values_by_numpy
from clearcnn.specs import TrainSpec

WARM_UP_FRACTION = 0.3
START_FRACTION = 1 / 25


def compile_model(model: keras.Model, spec: TrainSpec, num_samples: int) -> None:
    """Compile a classifier of one-hot labels as the spec says, and build its optimizer.

    Args:
      model: a built `keras.Model` whose output is one probability per class.
      spec: optimizer, learning rate and schedule, weight decay, label smoothing.
      num_samples: training images, > 0; sets the length of the schedule in steps.
    """
    rate = learning_rate(spec, math.ceil(num_samples / spec.batch_size))
    if spec.optimizer == "adamw":
        optimizer = keras.optimizers.AdamW(rate, weight_decay=spec.weight_decay)
    else:
        optimizer = keras.optimizers.Adam(rate, weight_decay=spec.weight_decay or None)
    loss = keras.losses.CategoricalCrossentropy(label_smoothing=spec.label_smoothing)
    model.compile(optimizer=optimizer, loss=loss, metrics=["accuracy"])
    with initial_values_by_numpy():
        optimizer.build(model.trainable_variables)


def learning_rate(
    spec: TrainSpec, steps_per_epoch: int
) -> float | keras.optimizers.schedules.LearningRateSchedule:
    """Return the constant rate, or one cycle: linear warm-up to the rate, then a cosine to 0.

    Source: Smith 2018, arXiv:1803.09820. Starting at 1/25 of the rate and warming up for 30 % of
    the steps are the defaults of PyTorch's OneCycleLR.
    """
    if spec.schedule == "constant":
        return spec.learning_rate
    steps = spec.epochs * steps_per_epoch
    warm_up = int(steps * WARM_UP_FRACTION)
    return keras.optimizers.schedules.CosineDecay(
        spec.learning_rate * START_FRACTION,
        max(steps - warm_up, 1),
        warmup_target=spec.learning_rate,
        warmup_steps=warm_up,
    )


def early_stopping(spec: TrainSpec) -> keras.callbacks.EarlyStopping | None:
    """Return an EarlyStopping on val_loss that restores the best weights; None without patience."""
    if spec.patience is None:
        return None
    return keras.callbacks.EarlyStopping(
        monitor="val_loss", patience=spec.patience, restore_best_weights=True
    )
