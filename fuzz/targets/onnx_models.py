"""`model.onnx`: read beside the manifest's layers, and executed."""

import numpy as np

from clearcnn.bundle import read_bundle, write_manifest
from clearcnn.workflows.runs.load_onnx_model import open_model
from clearcnn.workflows.runs.read_onnx import read_onnx_file
from fuzz.target import Target, put, scratch
from fuzz.targets import run_folders


def seeds() -> list[bytes]:
    """The model of the run folder, and one of many other kinds of layers, which is refused."""
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
    built = export.build_onnx(many, ("cat", "dog"), run_folders.CONTRACT)
    own = (run_folders.folder() / "model.onnx").read_bytes()
    return [own, built.SerializeToString()]


def read(content: bytes) -> None:
    """Read the model, and execute it; whatever is taken has the honest graph."""
    honest = (run_folders.folder() / "model.onnx").read_bytes()
    run = run_folders.copy_manifest(scratch() / "onnx")
    put("onnx/model.onnx", content)
    write_manifest(run, read_bundle(run, only=()).manifest)
    weights = read_onnx_file(read_bundle(run, only=()), "model.onnx").weights
    kept = sum(values.nbytes for values in weights.values())
    assert len(content) == len(honest)
    assert sum(a != b for a, b in zip(content, honest, strict=True)) <= kept
    predictor = open_model(run).predictor
    chances = predictor.predict(np.zeros((3, 8, 8, 1), np.uint8))
    assert chances.shape == (3, 2)
    assert np.isfinite(chances).all()


TARGET = Target(seeds, read)
