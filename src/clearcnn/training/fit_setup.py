"""Everything that one fit needs before its program is compiled."""

import warnings
from collections.abc import Sequence
from dataclasses import dataclass

import jax
import keras

from clearcnn.training import keras_state
from clearcnn.training.callbacks import check_callbacks
from clearcnn.training.data_checks import check_data
from clearcnn.training.fit_arrays import FitArrays
from clearcnn.training.shuffling import Shuffler


@dataclass(frozen=True, eq=False)
class FitSetup:
    """A fit that is checked and has not begun.

    Attributes:
      model: compiled and built.
      arrays: the data.
      batch_size, validation_batch_size: samples per step, > 0.
      epochs, initial_epoch: as for `keras.Model.fit`.
      callbacks: checked, with the model's History.
      shuffler: draws the order of the samples.
    """

    model: keras.Model
    arrays: FitArrays
    batch_size: int
    validation_batch_size: int
    epochs: int
    initial_epoch: int
    callbacks: keras.callbacks.CallbackList
    shuffler: Shuffler


def set_up_fit(
    model: keras.Model,
    arrays: FitArrays,
    *,
    batch_size: int,
    validation_batch_size: int | None,
    epochs: int,
    callbacks: Sequence[keras.callbacks.Callback] | None,
    shuffle: bool | str,
    seed: int | None,
    initial_epoch: int = 0,
    verbose: str | int = 0,
) -> FitSetup:
    """Check data and callbacks, warn of what is odd, and create the model's variables.

    Args:
      model: compiled.
      arrays: as `arrange` returns them.
      batch_size, validation_batch_size, epochs, callbacks, shuffle, seed, initial_epoch, verbose:
        as for `fit`.
    Raises:
      TrainingError: labels or weights that the loss would misread, or callbacks on batches.
    """
    for sentence in check_data(model, arrays, batch_size):
        warnings.warn(sentence, UserWarning, stacklevel=3)
    keras_state.build(model, jax.tree.map(lambda a: a[:batch_size], arrays.train))
    callback_list = keras.callbacks.CallbackList(
        callbacks,
        add_history=True,
        add_progbar=verbose != 0,
        verbose=verbose,
        epochs=epochs,
        steps=-(-arrays.num_train // batch_size),
        model=model,
    )
    check_callbacks(callback_list.callbacks)
    return FitSetup(
        model,
        arrays,
        batch_size,
        validation_batch_size or batch_size,
        epochs,
        initial_epoch,
        callback_list,
        Shuffler(arrays.num_train, batch_size, shuffle, seed),
    )
