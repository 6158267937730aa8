"""A model repository for NVIDIA's Triton Inference Server."""

import json
import re
from collections.abc import Sequence
from pathlib import Path

from clearcnn.contract import InputContract

_TYPES = {
    "uint8": "TYPE_UINT8",
    "uint16": "TYPE_UINT16",
    "float32": "TYPE_FP32",
    "float64": "TYPE_FP64",
}
_LARGEST_BATCH = 64

_CONFIG = """\
name: {name}
backend: "onnxruntime"
max_batch_size: {largest_batch}
input [
  {{
    name: "images"
    data_type: {data_type}
    dims: [ {dims} ]
  }}
]
output [
  {{
    name: "probabilities"
    data_type: TYPE_FP32
    dims: [ {num_classes} ]
    label_filename: "labels.txt"
  }}
]
dynamic_batching {{ }}
"""


def write_triton_repository(
    folder: Path,
    name: str,
    model: bytes,
    class_names: Sequence[str],
    contract: InputContract,
) -> Path:
    """Write `NAME/config.pbtxt`, `NAME/labels.txt` and `NAME/1/model.onnx`.

    Args:
      folder: the repository, an existing folder.
      name: of the model; characters other than letters, digits, "_", "-" and "." become "-".
      model: the ONNX file.
      class_names: in the order of the outputs; line breaks in one become spaces.
      contract: the input contract of the model.
    Returns:
      The path of the model file.
    """
    name = re.sub(r"[^A-Za-z0-9_.-]+", "-", name).strip("-.") or "model"
    home = folder / name
    (home / "1").mkdir(parents=True)
    config = _CONFIG.format(
        name=json.dumps(name),
        largest_batch=_LARGEST_BATCH,
        data_type=_TYPES[contract.dtype],
        dims=", ".join(map(str, contract.shape)),
        num_classes=len(class_names),
    )
    (home / "config.pbtxt").write_text(config, encoding="utf-8", newline="\n")
    labels = "".join(" ".join(label.splitlines()) + "\n" for label in class_names)
    (home / "labels.txt").write_text(labels, encoding="utf-8", newline="\n")
    path = home / "1" / "model.onnx"
    path.write_bytes(model)
    return path
