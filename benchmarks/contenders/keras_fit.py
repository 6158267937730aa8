"""`model.fit` of Keras, on any backend, or `clearcnn.fit`.

The model is warmed up, gets its first weights back, and is then timed. For Keras one short epoch
traces and compiles everything; clearcnn's program depends on the number of epochs, so there the
warm-up is the same call.
"""

import os
import time
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import protocol

_JIT: dict[str, list[Any]] = {"auto": ["auto"], "yes": [True], "no": [False], "try": [True, False]}


def main() -> None:
    """Fit once, and report."""
    parser = protocol.make_parser(__doc__)
    parser.add_argument("--with", dest="fit", choices=("model.fit", "clearcnn.fit"), required=True)
    parser.add_argument(
        "--jit", choices=_JIT, default="auto", help="jit_compile; try uses the faster one"
    )
    parser.add_argument(
        "--steps-per-execution", type=int, default=1, help="0 makes an epoch one execution"
    )
    arguments = parser.parse_args()
    workload = protocol.read_workload(arguments.workload)
    steps_at_once = arguments.steps_per_execution or protocol.count_steps(workload)
    fit = _choose_fit(arguments.fit, arguments.seed)

    import keras

    keras.utils.set_random_seed(arguments.seed)
    x, y = _to_arrays(workload.parts["train"])
    validation = _to_arrays(workload.parts["validation"])
    settings: dict[str, Any] = {
        "batch_size": workload.batch_size,
        "validation_data": validation,
        "verbose": 0,
    }
    started = time.perf_counter()

    few = _to_arrays(protocol.take_first(workload))
    tried: list[tuple[float, Any, Any]] = []
    choices = _JIT[arguments.jit]
    for jit in choices:
        model = _compile(workload, jit, steps_at_once)
        if arguments.cold:
            tried.append((0.0, jit, model))
            continue
        first_state = _read_state(model)
        if arguments.fit == "clearcnn.fit":
            fit(model, x, y, epochs=workload.epochs, **settings)
        else:
            fit(model, *few, epochs=1, **settings)
        begun = time.perf_counter()
        if len(choices) > 1:
            fit(model, *few, epochs=1, **settings)
        tried.append((time.perf_counter() - begun, jit, model))
        _write_state(first_state)
    _, jit, model = min(tried, key=lambda trial: trial[0])
    warmed = time.perf_counter()

    history = fit(model, x, y, epochs=workload.epochs, **settings).history
    model.get_weights()  # The weights must be computed, not only scheduled.
    seconds = time.perf_counter() - warmed
    peak_memory_bytes = protocol.peak_memory_bytes()
    loss, accuracy = model.evaluate(*_to_arrays(workload.parts["test"]), batch_size=500, verbose=0)
    protocol.report_fit(
        workload,
        seconds=seconds,
        start_seconds=started - protocol.BEGAN,
        warm_seconds=warmed - started,
        peak_memory_bytes=peak_memory_bytes,
        loss=loss,
        accuracy=accuracy,
        val_accuracy=history.get("val_accuracy"),
        parameters=sum(int(v.size) for v in map(_to_numpy, model.trainable_variables)),
        chose=f"jit_compile={jit}" if len(choices) > 1 else None,
        accelerator=_find_accelerator(keras.backend.backend()),
    )


def _choose_fit(name: str, seed: int) -> Callable[..., Any]:
    if name == "model.fit":
        return lambda model, *arrays, **settings: model.fit(*arrays, **settings)
    os.environ["KERAS_BACKEND"] = "jax"
    import clearcnn

    return lambda model, *arrays, **settings: clearcnn.fit(model, *arrays, seed=seed, **settings)


def _to_arrays(part: Any) -> Any:
    return part and (part[0], protocol.to_one_hot(part[1]))


def _compile(workload: SimpleNamespace, jit: Any, steps_at_once: int) -> Any:
    import keras
    from keras_models import build

    model = build(workload)
    model.compile(
        optimizer=keras.optimizers.Adam(1e-3),
        loss="categorical_crossentropy",
        metrics=["accuracy"],
        jit_compile=jit,
        steps_per_execution=steps_at_once,
    )
    model.optimizer.build(model.trainable_variables)
    return model


def _read_state(model: Any) -> list[tuple[Any, Any]]:
    variables = (*model.variables, *model.optimizer.variables)
    return [(variable, _to_numpy(variable)) for variable in variables]


def _write_state(state: list[tuple[Any, Any]]) -> None:
    for variable, value in state:
        variable.assign(value)


def _find_accelerator(backend: str) -> str | None:
    """Return the name of the backend's GPU; None if it uses the CPU."""
    if backend == "jax":
        import jax

        device = jax.devices()[0]
        return None if device.platform == "cpu" else str(device.device_kind)
    if backend == "torch":
        import torch

        return torch.cuda.get_device_name() if torch.cuda.is_available() else None
    import tensorflow as tf

    found = tf.config.list_physical_devices("GPU")
    details = tf.config.experimental.get_device_details(found[0]) if found else {}
    return str(details.get("device_name", "GPU")) if found else None


def _to_numpy(variable: Any) -> Any:
    import keras

    return keras.ops.convert_to_numpy(variable).copy()


if __name__ == "__main__":
    main()
