"""The terminal in Korean: nothing in English is left over."""

import io
import re
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from rich.console import RenderableType
from tests.cli.conftest import make_data, make_model, make_result
from tests.language.latin import find_latin
from tests.report.conftest import explained, make_digits
from tests.report.test_evaluation_report import make_assessment

import clearcnn
from clearcnn.cli.console import Console
from clearcnn.cli.evaluate_view import view_assessment
from clearcnn.cli.main import build_help, main
from clearcnn.cli.model_table import view_model
from clearcnn.cli.next_steps import view_next_steps
from clearcnn.cli.result_tables import view_data, view_explanation, view_result
from clearcnn.language import load_language
from clearcnn.report.terms import translate_term

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


def test_what_is_said_while_a_check_runs_is_in_korean(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pixels = np.random.default_rng(777).integers(0, 255, (24, 12, 12), np.uint8)
    for number, each in enumerate(pixels):
        path = tmp_path / "photos" / ("b" if number % 8 == 0 else "a") / f"{number}.png"
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(each).save(path)
    (tmp_path / "photos" / "a" / "bad.png").write_text("version https://git-lfs", "utf-8")
    monkeypatch.chdir(tmp_path)
    assert main(["check", "photos", "--lang", "ko", "--out", "c"]) == 0
    shown = capsys.readouterr()
    lines = (shown.out + shown.err).splitlines()
    assert any(line.startswith("  ") and "읽을 수 없는 파일" in line for line in lines)
    assert (
        find_latin(lines, ["photos", "bad", "png", "use", "Git", "LFS", "git", "lfs", "pull"]) == {}
    )


def test_every_phase_has_a_name_in_korean() -> None:
    names = set()
    for path in Path(clearcnn.__file__).parent.rglob("*.py"):
        names |= set(re.findall(r'\.phase\((?:say\()?"([^"]+)"', path.read_text("utf-8")))
    assert len(names) > 10
    for name in names:
        told = KOREAN.translate(translate_term(name))
        assert find_latin([told]) == {}, name


def test_errors_are_in_korean(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)  # Other runs would be named.
    assert main(["predict", "nothing-here", "x.png", "--lang", "ko"]) == 1
    shown = capsys.readouterr().err
    assert find_latin(shown.splitlines(), ["nothing", "here", "runs", "cat", "png"]) == {}
    assert main(["train", "--nothing", "--lang", "ko"]) == 2
    assert find_latin(capsys.readouterr().err.splitlines(), ["nothing", "options", "help"]) == {}
