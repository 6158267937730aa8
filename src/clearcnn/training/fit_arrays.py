"""The arrays of a fit: checked, cast and split as by `keras.Model.fit`.

Unsupported data raise an error here, before anything is trained.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import keras
import numpy as np
from keras import tree
from numpy.typing import NDArray

from clearcnn.errors import TrainingError
from clearcnn.language import say
from clearcnn.training.class_weight import ClassWeight
from clearcnn.training.streamed_array import StoredArray, is_stored
from clearcnn.types import Batch, NumPyArray, PyTree

Rows = NDArray[np.int32]


@dataclass(frozen=True)
class FitArrays:
    """The training and the validation data.

    Attributes:
      train: (x, y, sample_weight); each a pytree of arrays with the samples first, or None.
      train_rows: int32, the rows of `train` to train on.
      validation: as `train`, or None.
      validation_rows: int32, the rows of `validation` to validate on; empty without validation.
      is_split: whether `validation` was split off from the training data.
      class_weight: the source of the sample weights of `train`, or None.
    """

    train: Batch
    train_rows: Rows
    validation: Batch | None
    validation_rows: Rows
    is_split: bool = False
    class_weight: ClassWeight | None = None

    @property
    def is_stored(self) -> bool:
        """Whether some array stays in its file."""
        leaves = tree.flatten((self.train, self.validation))
        return any(isinstance(leaf, StoredArray) for leaf in leaves)

    @property
    def num_train(self) -> int:
        """Number of training samples."""
        return len(self.train_rows)

    @property
    def num_validation(self) -> int:
        """Number of validation samples."""
        return len(self.validation_rows)


def arrange(
    x: PyTree,
    y: PyTree,
    sample_weight: PyTree,
    class_weight: Mapping[int, float] | Sequence[float] | str | None,
    validation_split: float,
    validation_data: PyTree,
) -> FitArrays:
    """Check the data among the arguments of `fit`, and split off the validation data.

    Args:
      x, y, sample_weight: arrays, or lists, tuples or dicts of arrays, samples first; floats
        are cast to Keras's floatx, integers stay. Memory maps and other array-likes that are
        read by slices stay in their files.
      class_weight: as for `fit`.
      validation_split: the fraction of samples, from the end, used for validation, in [0, 1).
      validation_data: (x, y) or (x, y, sample_weight); wins over validation_split.
    Raises:
      TrainingError: something that is not arrays, or arrays that contradict each other.
    """
    x, y = _to_arrays("x", x), _to_arrays("y", y)
    if y is None:
        raise TrainingError(
            say("y is missing: clearcnn.fit trains on arrays of samples and their targets."),
            remedy=say("Pass y, or use model.fit for a model that trains on x alone."),
        )
    if sample_weight is not None:
        sample_weight = _share_weights(_to_arrays("sample_weight", sample_weight), y)
    train = (x, y, sample_weight)
    num_train = _count(train)
    validation = None
    if validation_data is not None:
        validation = _validation_arrays(validation_data)
    elif validation_split:
        train, validation = _split(train, num_train, validation_split)
    parsed = None if class_weight is None else ClassWeight.parse(class_weight)
    if parsed is not None:
        train = (train[0], train[1], _class_to_sample_weight(train[1], train[2], parsed))
    num_validation = 0 if validation is None else _count(validation)
    return FitArrays(
        train,
        _all_rows(_count(train)),
        validation,
        _all_rows(num_validation),
        is_split=validation is not None and validation_data is None,
        class_weight=parsed,
    )


def _all_rows(count: int) -> Rows:
    return np.arange(count, dtype=np.int32)


def _to_arrays(name: str, value: PyTree) -> PyTree:
    if value is None:
        return None
    return tree.map_structure(lambda leaf: _to_array(name, leaf), value)


def _to_array(name: str, leaf: PyTree) -> NumPyArray | StoredArray:
    is_array = hasattr(leaf, "__array__") or is_stored(leaf)
    is_array = is_array and len(getattr(leaf, "shape", ())) > 0
    if not is_array or type(leaf).__module__.startswith("tensorflow.python.data"):
        raise TrainingError(
            say(
                "{name} is {found}; clearcnn.fit needs arrays, because the whole fit is one "
                "program.",
                name=name,
                found=_describe(leaf),
            ),
            remedy=say("Pass NumPy arrays, or use model.fit for generators and data sets."),
        )
    array = StoredArray(leaf) if is_stored(leaf) else np.asarray(leaf)
    if array.dtype.kind == "f" and isinstance(array, np.ndarray):
        return array.astype(keras.config.floatx(), copy=False)
    if array.dtype.kind not in "fiub":
        raise TrainingError(
            say("{name} has dtype {dtype}; numbers were expected.", name=name, dtype=array.dtype),
            remedy=say("Encode {name} as integers or floats.", name=name),
        )
    return array


def _describe(leaf: object) -> str:
    kind, module = type(leaf), type(leaf).__module__
    name = kind.__qualname__ if module == "builtins" else f"{module}.{kind.__qualname__}"
    return say("a {kind}", kind=name)


def _count(arrays: PyTree) -> int:
    counts = {leaf.shape[0] for leaf in tree.flatten(arrays) if leaf is not None}
    if len(counts) != 1:
        raise TrainingError(
            say(
                "x, y and sample_weight hold different numbers of samples: {counts}.",
                counts=sorted(counts),
            ),
            remedy=say("Give every array one row per sample."),
        )
    count = int(counts.pop())
    if count == 0:
        raise TrainingError(say("There are no samples."), remedy=say("Pass at least one."))
    return count


def _share_weights(sample_weight: PyTree, y: PyTree) -> PyTree:
    """Use one array of weights for every output, as Keras does."""
    if tree.is_nested(y) and not tree.is_nested(sample_weight):
        return tree.map_structure(lambda _: sample_weight, y)
    try:
        tree.assert_same_structure(y, sample_weight)
    except ValueError as error:
        raise TrainingError(
            say(
                "sample_weight is {weights_structure} of {num_weights} arrays, and y is "
                "{labels_structure} "
                "of {num_labels}.",
                weights_structure=_describe(sample_weight),
                num_weights=len(tree.flatten(sample_weight)),
                labels_structure=_describe(y),
                num_labels=len(tree.flatten(y)),
            ),
            remedy=say("Pass one array, or one array per output in the structure of y."),
        ) from error
    return sample_weight


def _validation_arrays(validation_data: object) -> Batch:
    if not isinstance(validation_data, (tuple, list)) or len(validation_data) not in (2, 3):
        raise TrainingError(
            say(
                "validation_data is {validation_data}; (x, y) or (x, y, sample_weight) was "
                "expected.",
                validation_data=_describe(validation_data),
            ),
            remedy=say("Pass a tuple of arrays, or use model.fit for generators and data sets."),
        )
    x, y, sample_weight = (*validation_data, None)[:3]
    arrays = (_to_arrays(say("validation x"), x), _to_arrays(say("validation y"), y), None)
    if sample_weight is not None:
        weights = _to_arrays(say("validation sample_weight"), sample_weight)
        arrays = (arrays[0], arrays[1], _share_weights(weights, arrays[1]))
    _count(arrays)
    return arrays


def _split(arrays: Batch, count: int, fraction: float) -> tuple[Batch, Batch]:
    if not 0 < fraction < 1:
        raise TrainingError(
            say("validation_split={fraction} is out of range: [0, 1).", fraction=fraction),
            remedy=say("Give a fraction such as 0.2."),
        )
    at = math.floor(count * (1.0 - fraction))
    if at == 0:
        raise TrainingError(
            say(
                "validation_split={fraction} leaves none of {count} samples to train on.",
                fraction=fraction,
                count=count,
            ),
            remedy=say("Give more samples or a smaller fraction."),
        )

    def take(rows: slice) -> Batch:
        taken: Batch = tree.map_structure(lambda a: None if a is None else a[rows], arrays)
        return taken

    return take(slice(None, at)), take(slice(at, None))


def _class_to_sample_weight(
    y: PyTree, sample_weight: PyTree, class_weight: ClassWeight
) -> NumPyArray:
    if sample_weight is not None:
        raise TrainingError(
            say("class_weight and sample_weight were both given."),
            remedy=say("Multiply them into one sample_weight."),
        )
    if tree.is_nested(y):
        raise TrainingError(
            say("class_weight was given for a model with several outputs."),
            remedy=say("Pass sample_weight with one array per output."),
        )
    return class_weight.weigh(y, _all_rows(y.shape[0]))
