"""Every error of the playground has a code, and is told in the language of the page."""

import ast
import json
import pickle
import re
from pathlib import Path

import pytest
from tests.language.latin import find_latin

import clearcnn
from clearcnn import models
from clearcnn.errors import ClearCNNError, LayerError
from clearcnn.language import load_language
from clearcnn.results.json_codec import describe_failure
from clearcnn.specs import LayerSpec, ModelSpec
from clearcnn.web.page_language import translate_sentences
from clearcnn.workflows.playground import playground, worker

SOURCE = Path(clearcnn.__file__).parent
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


# Names that stay in every language.
NAMES = {
    *("Keras", "MLP", "Dense", "Flatten", "Activation", "playground"),
    *("clearcnn", "train", "padding", "same", "units", "activation", "softmax"),
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


def test_every_code_is_tried_or_listed(impossible):
    assert codes() == impossible.keys() | ELSEWHERE


def find_words(text):
    return set(re.findall("[A-Za-z_]{3,}", text))


def ask(client, code, layers, language):
    body = {"run": "digits", "layers": layers, "equal_mlp": code == "mlp_too_large"}
    headers = {"Accept-Language": language}
    return client.post("/page/playground/check", json=body, headers=headers)


def test_every_problem_of_a_model_is_told_in_the_language_of_the_page(client, impossible):
    told = set()
    for code, layers in impossible.items():
        english, korean = (ask(client, code, layers, language) for language in ("en", "ko-KR,ko"))
        assert korean.headers["content-language"] == "ko"
        english, korean = english.json(), korean.json()
        # Programs find the same in both.
        assert {each: english[each] for each in ("code", "values")} == {
            each: korean[each] for each in ("code", "values")
        }
        names = NAMES | find_words(json.dumps(english["values"]))
        for field in ("error", "remedy"):
            assert not re.search("[가-힣]", english[field])
            assert re.search("[가-힣]{2}", korean[field])
            assert find_words(korean[field]) <= names
        told.add(korean["error"])
    assert len(told) > len(impossible) - 3  # Some have the same problem and another remedy.


def test_every_failure_of_a_training_is_told_in_the_language_of_the_page():
    korean = load_language("ko")
    for failure in (playground._ENDED, playground._TOO_LONG, describe_failure(worker._replaced())):
        told = translate_sentences(json.loads(json.dumps(failure)), korean)
        assert told["code"] == failure["code"]
        for field in ("problem", "remedy"):
            assert re.search("[가-힣]{2}", told[field]) and find_latin([told[field]]) == {}


@pytest.mark.parametrize("path", ["/page/models/none", "/page/playground/attempts/9/weights"])
def test_a_refusal_of_the_page_is_told_in_its_language(client, path):
    korean = client.get(path, headers={"Accept-Language": "ko"})
    english = client.get(path)
    assert korean.status_code == english.status_code == 404
    assert re.search("[가-힣]{2}", korean.json()["error"])
    assert not re.search("[가-힣]", english.json()["error"])


@pytest.mark.parametrize("path", ["/nowhere", "/page/nowhere", "/v2/nowhere"])
def test_an_address_without_anything_is_told_in_the_language_that_was_asked_for(client, path):
    korean = client.get(path, headers={"Accept-Language": "ko"})
    english = client.get(path)
    assert korean.status_code == english.status_code == 404
    assert english.json()["error"].startswith(f"GET {path}: Not Found.")
    assert "Found" not in korean.json()["error"] and "없는 주소" in korean.json()["error"]


def test_programs_get_english_whatever_they_accept(client):
    answer = client.post("/predict", headers={"Accept-Language": "ko"})
    assert answer.status_code >= 400 and not re.search("[가-힣]", answer.json()["error"])


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
