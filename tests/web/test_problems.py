"""Every error about the page's layers and their training has a code and a Korean message.

Other errors, such as an unreadable run folder, are shown in English if they have no code.
"""

import ast
import pickle
import re
from pathlib import Path

import pytest

import clearcnn
from clearcnn import models
from clearcnn.errors import ClearCNNError, LayerError
from clearcnn.specs import LayerSpec, ModelSpec

SOURCE = Path(clearcnn.__file__).parent
STATIC = SOURCE / "web" / "static"
# The modules that raise between the page's request and the last message of a training.
FILES = [
    *(
        SOURCE / "models" / f"{name}.py"
        for name in ("equal_mlp", "layers", "output_layer", "shape_inference", "size_limits")
    ),
    *(
        SOURCE / "workflows" / "playground" / f"{name}.py"
        for name in ("experiment", "playground", "worker")
    ),
    SOURCE / "web" / "playground.py",
]
# These need a spec that the page cannot send, or a training that fails.
ELSEWHERE = {
    *("model_name", "too_many_layers", "input_shape", "epochs_range", "too_many_waiting"),
    *("process_ended", "took_too_long", "no_memory", "no_room", "no_images", "no_validation"),
    *("unwritten", "not_written", "diverged", "run_replaced"),
}


def raised():
    for path in FILES:
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if isinstance(node, ast.Call) and getattr(node.func, "id", "").endswith("Error"):
                yield path.name, node


def codes():
    """Every error code, including those passed to `_check_size`."""
    found = set()
    for path in FILES:
        text = path.read_text("utf-8")
        found |= set(re.findall(r'code="(\w+)"', text))
        found |= set(re.findall(r'code="\w+" if \w+ else "(\w+)"', text))
        found |= set(re.findall(r'code, remedy = \(?\s*"(\w+)"', text))
        found |= set(re.findall(r'"(too_many_(?:parameters|multiply_adds|values))"', text))
        found |= set(re.findall(r'"(side_too_long|(?:parameters|operations)_to_build)"', text))
    return found


def test_every_error_has_a_code():
    calls = list(raised())
    assert len(calls) > 20
    for name, call in calls:
        assert "code" in {keyword.arg for keyword in call.keywords}, (name, call.lineno)


def test_every_code_has_a_korean_sentence_and_each_sentence_a_code(impossible):
    text = (STATIC / "problems_ko.js").read_text("utf-8")
    told = set(re.findall(r"^  (\w+): \(", text.partition("export default")[2], re.M))
    assert {key for key in told if not key.startswith("status_")} - {"otherwise"} == codes()
    assert codes() == impossible.keys() | ELSEWHERE


def test_every_kind_of_value_has_korean_words():
    text = (STATIC / "problems_ko.js").read_text("utf-8")
    kinds = {argument.kind.name for table in models.LAYERS.values() for argument in table.values()}
    told = set(re.findall(r"^  (\w+): \(", text.partition("An argument as")[0], re.M))
    assert told == kinds | {"name"}


def test_an_impossible_model_is_refused_with_its_code(client, impossible):
    for code, layers in impossible.items():
        body = {"run": "digits", "layers": layers, "equal_mlp": code == "mlp_too_large"}
        answer = client.post("/page/playground/check", json=body).json()
        assert answer["code"] == code
        place = re.match(r"Layer (\d+) \(([\w']+)", answer["error"])
        if place:
            assert str(answer["values"]["position"]) == place[1]
            assert answer["values"]["layer"] == place[2]


def test_code_and_values_survive_another_process():
    with pytest.raises(LayerError) as caught:
        models.check_output(ModelSpec("m", (LayerSpec("Flatten"),)), (8, 8, 1), 10)
    copy = pickle.loads(pickle.dumps(caught.value))
    assert (copy.code, copy.values) == ("output_layer", caught.value.values)
    assert str(copy) == str(caught.value)
    assert ClearCNNError("A.", remedy="B.").values == {}
