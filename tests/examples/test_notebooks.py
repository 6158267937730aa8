"""The notebooks: the same code in both languages, no outputs kept, and every cell runs."""

import ast
import os
import re
from pathlib import Path
from typing import Any

import nbformat
import pytest
from nbclient import NotebookClient

EXAMPLES = Path(__file__).parents[2] / "examples"
ENGLISH = sorted(path for path in EXAMPLES.glob("*.ipynb") if ".ko." not in path.name)
HANGUL = re.compile("[가-힣]")
SECONDS_FOR_A_CELL = 600


def read(path: Path) -> Any:
    return nbformat.read(path, as_version=4)


def sources(path: Path, kind: str) -> list[str]:
    return [cell.source for cell in read(path).cells if cell.cell_type == kind]


def test_there_are_three_lessons() -> None:
    assert [path.stem for path in ENGLISH] == ["digits_tutorial", "evaluation", "own_pictures"]


@pytest.mark.parametrize("path", ENGLISH, ids=lambda path: path.stem)
def test_korean_has_the_same_code_and_its_own_words(path: Path) -> None:
    korean = path.with_suffix(".ko.ipynb")
    assert sources(path, "code") == sources(korean, "code")
    ours, theirs = sources(path, "markdown"), sources(korean, "markdown")
    assert len(ours) == len(theirs)
    for english, translated in zip(ours, theirs, strict=True):
        assert not HANGUL.search(english)
        assert HANGUL.search(translated), translated
        assert not re.search(r"\d %", translated), translated
        assert re.findall(r"^#+", english, re.M) == re.findall(r"^#+", translated, re.M)


@pytest.mark.parametrize("path", sorted(EXAMPLES.glob("*.ipynb")), ids=lambda path: path.stem)
def test_notebooks_are_valid_and_hold_no_outputs(path: Path) -> None:
    notebook = read(path)
    nbformat.validate(notebook)
    for cell in notebook.cells:
        if cell.cell_type == "code":
            assert (cell.outputs, cell.execution_count) == ([], None)
            ast.parse(cell.source)


def test_the_lesson_is_that_of_the_script() -> None:
    """The same data, split, layers and settings, in the same order."""
    script = (EXAMPLES / "digits_tutorial.py").read_text(encoding="utf-8")
    notebook = "\n".join(sources(EXAMPLES / "digits_tutorial.ipynb", "code"))
    layers = r"keras\.(?:Input|layers\.\w+)\(.*\)"
    assert re.findall(layers, notebook) == re.findall(layers, script)
    for line in ("epochs=100", "batch_size=50", "validation_split=0.2", "learning_rate=1e-3"):
        assert line in notebook
        assert line in script
    assert "test_size=0.3, random_state=777" in notebook


@pytest.mark.process
@pytest.mark.release
@pytest.mark.parametrize("path", ENGLISH, ids=lambda path: path.stem)
def test_every_cell_runs(path: Path, tmp_path: Path) -> None:
    notebook = read(path)
    resources = {"metadata": {"path": str(tmp_path)}}
    NotebookClient(
        notebook,
        timeout=SECONDS_FOR_A_CELL,
        kernel_name="python3",
        resources=resources,
        env=dict(os.environ),
    ).execute()
    shown = [output for cell in notebook.cells for output in cell.get("outputs", ())]
    assert not [each for each in shown if each.get("name") == "stderr"]
    html = [each.data["text/html"] for each in shown if "text/html" in each.get("data", {})]
    assert any("clearcnn-view" in each for each in html)
