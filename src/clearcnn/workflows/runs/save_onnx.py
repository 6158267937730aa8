"""Write the trained network to the run folder as ONNX, if it agrees with Keras."""

from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from clearcnn.contract import InputContract
from clearcnn.errors import ExportError
from clearcnn.language import say
from clearcnn.workflows.fitting.plan import TrainPlan

if TYPE_CHECKING:
    import keras

MODEL, MODEL_WITH_LAYERS = "model.onnx", "model_layers.onnx"

_MOST_IMAGES_WITH_LAYERS = 256


def write_onnx(
    folder: Path,
    plan: TrainPlan,
    contract: InputContract,
    network: "keras.Model",
    probabilities: NDArray[np.float32],
    built: bytes | None = None,
) -> str | None:
    """Write `model.onnx` and `model_layers.onnx`, which also outputs every layer's values.

    Both are first checked against Keras's probabilities: `model.onnx` on every test image,
    `model_layers.onnx`, which is slower, on the first 256.

    Args:
      folder: the draft of the run folder.
      plan: of the training.
      contract: the network's input contract.
      network: the trained Keras model.
      probabilities: (n, num_classes) float32, Keras's on the test set.
      built: the content of `model.onnx`, if it was built already; it may have more outputs.
    Returns:
      None; or, if no file was written, the reason in a sentence.
    """
    from clearcnn import export

    images = plan.images.images[plan.splits.test]
    most = {MODEL: len(images), MODEL_WITH_LAYERS: _MOST_IMAGES_WITH_LAYERS}
    contents = {} if built is None else {MODEL: built}
    try:
        for name, count in most.items():
            if name not in contents:
                with_layers = name == MODEL_WITH_LAYERS
                model = export.build_onnx(
                    network, plan.images.class_names, contract, layer_outputs=with_layers
                )
                contents[name] = model.SerializeToString()
            found = export.run_onnx(contents[name], images[:count], outputs=["probabilities"])
            export.check_parity(name, found["probabilities"], probabilities[:count])
    except ExportError as error:
        return say("There is no {model} in the run folder. {error}", model=MODEL, error=error)
    for name, content in contents.items():
        (folder / name).write_bytes(content)
    return None
