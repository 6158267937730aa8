"""`model.onnx`, before and while it is executed."""

import numpy as np

from clearcnn.export import check_onnx
from clearcnn.prediction import Predictor
from clearcnn.results import to_json
from fuzz.target import Target, put
from fuzz.targets import run_folders


def seeds() -> list[bytes]:
    """A small model, and one of many kinds of layers."""
    from clearcnn import export, models
    from clearcnn.specs import LayerSpec, ModelSpec

    layers = (
        LayerSpec("Rescaling", {"scale": 0.1}),
        LayerSpec("ZeroPadding2D", {"padding": 1}),
        LayerSpec("SeparableConv2D", {"filters": 2, "kernel_size": 3, "activation": "gelu"}),
        LayerSpec("BatchNormalization"),
        LayerSpec("MaxPooling2D"),
        LayerSpec("GlobalAveragePooling2D"),
        LayerSpec("Dense", {"units": 2, "activation": "softmax"}),
    )
    many = models.build_model(ModelSpec("many", layers), (8, 8, 1), 2, seed=0)
    contract = to_json(run_folders.CONTRACT)
    built = (
        export.build_onnx(each, ("a", "b"), contract) for each in (run_folders.network(), many)
    )
    return [each.SerializeToString() for each in built]


def read(content: bytes) -> None:
    """Check the model, and execute it."""
    from clearcnn import models

    parameters = models.check_output(run_folders.MODEL, (8, 8, 1), 2).parameters
    check_onnx(put("model.onnx", content), to_json(run_folders.CONTRACT), parameters)
    predictor = Predictor(content, 2)
    if predictor.shape == (8, 8, 1) and predictor.dtype == np.uint8:
        chances = predictor.predict(np.zeros((3, 8, 8, 1), np.uint8))
        assert chances.shape == (3, 2)
        assert np.isfinite(chances).all()


TARGET = Target(seeds, read)
