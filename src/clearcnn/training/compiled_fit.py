"""`fit`: `keras.Model.fit` as one compiled program."""

from collections.abc import Mapping, Sequence
from pathlib import Path

import keras

from clearcnn.backend import load_keras
from clearcnn.checkpoints import CheckpointTarget
from clearcnn.errors import TrainingError
from clearcnn.language import say
from clearcnn.specs import CheckpointSpec
from clearcnn.training.callbacks import honour_terminate_on_nan
from clearcnn.training.checkpointing import Checkpointer, open_target
from clearcnn.training.fit_arrays import arrange
from clearcnn.training.fit_loop import FitLoop
from clearcnn.training.fit_setup import set_up_fit
from clearcnn.training.streaming import StreamedFitLoop
from clearcnn.types import PyTree


def fit(
    model: keras.Model,
    x: PyTree = None,
    y: PyTree = None,
    batch_size: int | None = None,
    epochs: int = 1,
    verbose: str | int = "auto",
    callbacks: Sequence[keras.callbacks.Callback] | None = None,
    validation_split: float = 0.0,
    validation_data: PyTree = None,
    shuffle: bool | str = True,
    class_weight: Mapping[int, float] | Sequence[float] | str | None = None,
    sample_weight: PyTree = None,
    initial_epoch: int = 0,
    validation_batch_size: int | None = None,
    *,
    seed: int | None = None,
    checkpoint: CheckpointTarget | CheckpointSpec | Path | str | None = None,
    **unsupported: object,
) -> keras.callbacks.History:
    """Train a compiled Keras model, as `model.fit` does, in one XLA program.

    The trained weights are left in the model. With the same initial weights and the same order
    of samples, history and weights equal those of `model.fit` to float tolerance.

    Args:
      model: a compiled `keras.Model` on the JAX backend; any optimizer, loss and metrics.
      x, y, batch_size, epochs, verbose, callbacks, validation_split, validation_data, shuffle,
        sample_weight, initial_epoch, validation_batch_size: as for `keras.Model.fit`; x, y and
        sample_weight are arrays, or lists, tuples or dicts of arrays. Callbacks are called for
        epochs, not for batches. A NumPy memory map, or another array-like that is read by
        slices, is streamed in chunks and never loaded whole.
      class_weight: a dict from class number to weight, as for `keras.Model.fit`; or one weight
        per class, in a list or array; or "balanced", for weights inversely proportional to the
        number of training samples of a class, as scikit-learn computes them.
      seed: int for the order of the samples. None draws it from NumPy's global generator, as
        Keras does. Dropout and augmentation draw from the seeds of their own layers.
      checkpoint: a folder, or a CheckpointSpec or CheckpointTarget, in which to keep checkpoints.
        If it has checkpoints of this training, the training resumes from the newest, to the same
        bits as if it had never stopped; a finished one with more epochs than it had is extended,
        and an EarlyStopping that had ended it counts anew. With seed None, the state of NumPy's
        global generator is saved and restored too. None keeps nothing.
    Returns:
      `keras.callbacks.History`.
    Raises:
      TrainingError: something unsupported (generators, callbacks on batches, eager running, other
        arguments of `model.fit`), or labels or weights that the loss would misread; before
        anything is trained.
      DivergenceError: after an epoch, the loss or a weight was NaN or infinite. The model has the
        weights of the epoch before, or of the best one if `EarlyStopping` restores them;
        `model.history` ends there, and `on_train_end` was called. With Keras's TerminateOnNaN
        there is no error: the history ends with the epoch that diverged, as Keras's does, and
        the model has the same weights as without it. With its `raise_error` this error, which is
        a RuntimeError too, is raised, and `on_train_end` is not called.
      BackendError: this process was forked from one in which JAX had computed.
      CheckpointError: the folder of `checkpoint` has checkpoints of another training, cannot be
        read, or is in use by another process.
    Warns:
      UserWarning: a class of the validation data has no training sample; weights are negative, or
        for a class that no sample has.
    """
    load_keras()
    _check_arguments(model, unsupported)
    batch_size = _positive("batch_size", 32 if batch_size is None else batch_size)
    arrays = arrange(x, y, sample_weight, class_weight, validation_split, validation_data)
    setup = set_up_fit(
        model,
        arrays,
        batch_size=batch_size,
        validation_batch_size=validation_batch_size,
        epochs=epochs,
        callbacks=callbacks,
        shuffle=shuffle,
        seed=seed,
        initial_epoch=initial_epoch,
        verbose=verbose,
    )
    callback_list = setup.callbacks
    if epochs <= initial_epoch:
        callback_list.on_train_begin()
        callback_list.on_train_end()
        return model.history
    loop = StreamedFitLoop if arrays.is_stored else FitLoop
    if checkpoint is None:
        with honour_terminate_on_nan(callback_list.callbacks):
            loop(setup).run()
        return model.history
    target = open_target(checkpoint)
    with target.store.locked(), honour_terminate_on_nan(callback_list.callbacks):
        loop(setup, Checkpointer(target, setup)).run()
    return model.history


def _check_arguments(model: object, unsupported: dict[str, object]) -> None:
    if not isinstance(model, keras.Model):
        raise TrainingError(
            say(
                "model is a {name}; a compiled keras.Model was expected.", name=type(model).__name__
            ),
            remedy=say("Pass the model first: clearcnn.fit(model, x, y)."),
        )
    if not model.compiled:
        raise TrainingError(
            say(
                "The model {name!r} is not compiled, so it has no loss and no optimizer.",
                name=model.name,
            ),
            remedy=say("Call model.compile(optimizer=..., loss=..., metrics=...) first."),
        )
    if model.run_eagerly:
        raise TrainingError(
            say(
                "The model {name!r} is compiled with run_eagerly=True; clearcnn.fit is one "
                "compiled program.",
                name=model.name,
            ),
            remedy=say("Compile it without run_eagerly, or use model.fit to debug it."),
        )
    if unsupported:
        names = ", ".join(f"{name}=" for name in sorted(unsupported))
        raise TrainingError(
            say("clearcnn.fit does not take {argument}.", argument=names.removesuffix("=")),
            remedy=say("Leave it out, or use model.fit."),
        )


def _positive(name: str, value: int) -> int:
    if value < 1:
        raise TrainingError(
            say("{name}={value} is out of range: at least 1.", name=name, value=value),
            remedy=say("Use 1 or more."),
        )
    return int(value)
