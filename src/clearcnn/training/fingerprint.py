"""What makes a training the same one: model, optimizer, data and settings, without the weights."""

import hashlib
import json
from typing import Any

import jax
import numpy as np

from clearcnn.training.callback_state import describe_callbacks
from clearcnn.training.fit_arrays import FitArrays
from clearcnn.training.shuffling import Shuffler
from clearcnn.training.streamed_array import StoredArray

_PASSING = {"build_config", "shared_object_id"}
_LONGEST_SHOWN = 60

Fingerprint = dict[str, Any]


def describe_training(
    model: Any,
    arrays: FitArrays,
    batch_sizes: tuple[int, int],
    shuffler: Shuffler,
    callbacks: Any,
    initial_epoch: int,
) -> Fingerprint:
    """Describe a training that is about to begin, all but its data.

    Args:
      model: compiled and built; its weights do not count, since a checkpoint brings them.
      arrays, batch_sizes, shuffler, callbacks, initial_epoch: of the fit.
    Returns:
      What JSON can hold, equal for equal trainings in any process.
    """
    numbers = {model.name: 0}
    for layer in model._flatten_layers():
        numbers.setdefault(layer.name, len(numbers))
    optimizer = _ask(model.optimizer.get_config, numbers)
    compiled = _ask(model.get_compile_config, numbers)
    described = {
        "layers": _ask(model.get_config, numbers),
        "weights": [[list(v.shape), str(v.dtype), bool(v.trainable)] for v in model.variables],
        "optimizer": {k: v for k, v in optimizer.items() if k not in ("name", "learning_rate")},
        "optimizer_kind": type(model.optimizer).__name__,
        "learning_rate": optimizer.get("learning_rate"),
        "loss_and_metrics": {k: v for k, v in compiled.items() if k != "optimizer"},
        "callbacks": describe_callbacks(callbacks),
        "batch_size": batch_sizes[0],
        "validation_batch_size": batch_sizes[1],
        "shuffle": shuffler.shuffle,
        "seed": shuffler.seed,
        "initial_epoch": initial_epoch,
        "samples": arrays.num_train,
        "validation_samples": arrays.num_validation,
    }
    # As JSON gives it back: tuples are lists there.
    plain: Fingerprint = json.loads(json.dumps(described, default=_name))
    return plain


def hash_data(arrays: FitArrays) -> str:
    """SHA-256 over all samples, targets and weights; of arrays in files, a thousand even rows."""
    digest = hashlib.sha256()
    for part, rows in (
        (arrays.train, arrays.train_rows),
        (arrays.validation, arrays.validation_rows),
    ):
        digest.update(np.ascontiguousarray(rows).data)
        for leaf in jax.tree.leaves(part):
            digest.update(f"{leaf.shape} {leaf.dtype}".encode())
            is_stored = isinstance(leaf, StoredArray)
            values = leaf.sample(rows) if is_stored else np.asarray(leaf)
            digest.update(np.ascontiguousarray(values).reshape(-1).view(np.uint8).data)
    return digest.hexdigest()


def find_differences(
    then: Fingerprint, now: Fingerprint, *, schedule_may_differ: bool
) -> list[str]:
    """Say in what two trainings differ; in nothing if they are the same.

    Args:
      then: of the checkpoint.
      now: of the training that would go on.
      schedule_may_differ: whether a schedule may be another one; a constant rate may not.
    """
    found = []
    for key in (*now, *(key for key in then if key not in now)):
        old, new = then.get(key), now.get(key)
        if old == new:
            continue
        both_scheduled = isinstance(old, dict) and isinstance(new, dict)
        if key == "learning_rate" and schedule_may_differ and both_scheduled:
            continue
        name = key.replace("_", " ")
        shown = [json.dumps(value) for value in (old, new)]
        is_short = max(map(len, shown)) <= _LONGEST_SHOWN and key != "data"
        found.append(f"{name} ({shown[0]} then, {shown[1]} now)" if is_short else name)
    return found


def _ask(get_config: Any, numbers: dict[str, int]) -> dict[str, Any]:
    """Give a configuration with layers by number; nothing where a custom class has none."""
    try:
        config = get_config()
    # What Keras raises for a class without a configuration, a RuntimeError among them.
    except (RuntimeError, TypeError, ValueError):
        return {}
    numbered: dict[str, Any] = _number(config or {}, numbers)
    return numbered


def _number(value: Any, numbers: dict[str, int]) -> Any:
    if isinstance(value, dict):
        return {
            str(key): _number(item, numbers) for key, item in value.items() if key not in _PASSING
        }
    if isinstance(value, (list, tuple)):
        return [_number(item, numbers) for item in value]
    return numbers.get(value, value) if isinstance(value, str) else value


def _name(value: Any) -> Any:
    """What JSON does not know: arrays by their values, the rest by its kind."""
    if hasattr(value, "__array__"):
        return np.asarray(value).tolist()
    return getattr(value, "__qualname__", type(value).__qualname__)
