"""What runs here tells nobody: no library leaves traces of use, or prepares to send them."""

import os
import subprocess
import sys
from pathlib import Path

import onnx
import pytest
from onnx import TensorProto, helper

pytestmark = pytest.mark.process

PROGRAM = """
import sys
import numpy as np
import clearcnn
import onnxruntime

session = onnxruntime.InferenceSession(sys.argv[1])
session.run(None, {"x": np.zeros((1, 2), np.float32)})
"""


@pytest.mark.skipif(sys.platform != "linux", reason="looks at what Linux builds leave")
def test_onnx_runtime_keeps_no_record_of_what_it_did(tmp_path: Path) -> None:
    values = [helper.make_tensor_value_info(name, TensorProto.FLOAT, [1, 2]) for name in "xy"]
    node = helper.make_node("Relu", ["x"], ["y"])
    graph = helper.make_graph([node], "g", values[:1], values[1:])
    opset = helper.make_opsetid("", 17)
    model = helper.make_model(graph, ir_version=8, opset_imports=[opset])
    onnx.save(model, tmp_path / "model.onnx")
    home = tmp_path / "home"
    home.mkdir()
    places = dict.fromkeys(("HOME", "TMPDIR", "XDG_CACHE_HOME", "XDG_DATA_HOME"), str(home))
    kept = {name: value for name, value in os.environ.items() if name != "ORT_DISABLE_TELEMETRY"}
    command = [sys.executable, "-c", PROGRAM, str(tmp_path / "model.onnx")]
    subprocess.run(command, env={**kept, **places}, check=True)
    assert list(home.rglob("*")) == []
