"""The terminal in Korean: nothing in English is left over."""

import io
import re
from pathlib import Path

import pytest
from rich.console import RenderableType
from tests.cli.conftest import make_data, make_model, make_result
from tests.language.latin import find_latin
from tests.report.conftest import explained, make_digits
from tests.report.test_evaluation_report import make_assessment

from clearcnn.cli.console import Console
from clearcnn.cli.evaluate_view import view_assessment
from clearcnn.cli.main import build_help, main
from clearcnn.cli.model_table import view_model
from clearcnn.cli.next_steps import view_next_steps
from clearcnn.cli.result_tables import view_data, view_explanation, view_result
from clearcnn.language import load_language

KOREAN = load_language("ko")


def show(view: RenderableType) -> list[str]:
    file = io.StringIO()
    Console(file=file, language=KOREAN).show(view)
    return file.getvalue().splitlines()


@pytest.mark.parametrize("page", sorted(build_help()))
def test_the_help_is_in_korean(page: str) -> None:
    text = build_help(KOREAN)[page]
    assert text != build_help()[page]
    # Commands, options with their values, paths and file names stay.
    text = re.sub(r"^.*(clearcnn \S+|clearcnn VERB).*$", "", text, flags=re.MULTILINE)
    text = re.sub(r"--?[a-z][\w-]*|[\w./:'()+\[\]=$-]*[./:_=\[\]][\w./:'()+\[\]=$-]*", " ", text)
    words = "auto rgb grayscale contrast brightness flip shift rotation zoom shear none random"
    kept = [*words.split(), "onnx", "keras", "triton", "openvino", "litert", "text", "latest"]
    kept += ["stratified", "group", "cat", "dog", "yes", "index", "label", "png", "all"]
    kept += ["studio", "TIME", "min"]
    assert find_latin(text.splitlines(), kept) == {}


def test_a_training_is_in_korean(tmp_path: Path) -> None:
    result = make_result(tmp_path / "run")
    lines = show(view_data(make_data(), tmp_path / "data.png"))
    lines += show(view_model(make_model())) + show(view_result(result))
    lines += [line for line in show(view_next_steps(result)) if "clearcnn" not in line]
    shown = [line for line in lines if str(tmp_path) not in line]
    # The source and a phase of this example.
    assert find_latin(shown, ["embedded", "model"]) == {}
    assert not any(re.search(r"\d %", line) for line in shown)


def test_an_evaluation_is_in_korean() -> None:
    evaluation = make_digits()[0].test
    result = make_assessment(evaluation, tuple(each.name for each in evaluation.classes))
    own = " ".join((*(each.sentence for each in result.protocols), *result.notes))
    assert result.learning_curve is not None
    own += " " + result.learning_curve.sentence
    names = ["block", "inverted", *re.findall(r"[A-Za-z]+", own)]
    assert find_latin(show(view_assessment(result)), names) == {}


def test_an_explanation_is_in_korean() -> None:
    lines = show(view_explanation(explained(("고양이", "개", "말"))[0]))
    assert find_latin(lines, ["image", "png", "runs", "one", "explained"]) == {}


def test_errors_are_in_korean(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)  # Other runs would be named.
    assert main(["predict", "nothing-here", "x.png", "--lang", "ko"]) == 1
    shown = capsys.readouterr().err
    assert find_latin(shown.splitlines(), ["nothing", "here", "runs", "cat", "png"]) == {}
    assert main(["train", "--nothing", "--lang", "ko"]) == 2
    assert find_latin(capsys.readouterr().err.splitlines(), ["nothing", "options", "help"]) == {}
