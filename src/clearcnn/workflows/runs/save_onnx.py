"""Keep the trained network as ONNX too, if that says what Keras says."""

from pathlib import Path
from typing import Any

from clearcnn.contract import InputContract
from clearcnn.errors import ExportError
from clearcnn.ood import DistanceWeights
from clearcnn.workflows.fitting.plan import TrainPlan

MODEL, MODEL_WITH_LAYERS = "model.onnx", "model_layers.onnx"

_MOST_IMAGES_WITH_LAYERS = 256


def write_onnx(
    folder: Path,
    plan: TrainPlan,
    contract: InputContract,
    network: Any,
    probabilities: Any,
    distances: DistanceWeights | None = None,
) -> str | None:
    """Write `model.onnx`, and `model_layers.onnx`, which gives every layer's output too.

    Both are executed first. The plain one must give Keras's probabilities on every test image,
    the other one on the first 256, which its many outputs make slower.

    Args:
      folder: the run folder in the making.
      plan: what was trained on what.
      contract: what goes into the network.
      network: the trained Keras model.
      probabilities: (n, classes) float32, Keras's own on the test part.
      distances: to each class; `model.onnx` gives them, too.
    Returns:
      None; or, if no file was written, why, for people.
    """
    from clearcnn import export

    images = plan.images.images[plan.split.test]
    most = {MODEL: len(images), MODEL_WITH_LAYERS: _MOST_IMAGES_WITH_LAYERS}
    contents = {}
    try:
        for name, count in most.items():
            model = export.build_onnx(
                network,
                plan.images.class_names,
                contract,
                layer_outputs=name == MODEL_WITH_LAYERS,
                distances=distances if name == MODEL else None,
            )
            contents[name] = model.SerializeToString()
            found = export.run_onnx(contents[name], images[:count], outputs=["probabilities"])
            export.check_parity(name, found["probabilities"], probabilities[:count])
    except ExportError as error:
        return f"There is no {MODEL} in the run folder. {error}"
    for name, content in contents.items():
        (folder / name).write_bytes(content)
    return None
