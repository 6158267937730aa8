"""In a real kernel: progress below the cell, results as HTML and text, silence where asked."""

import os
import shutil
from pathlib import Path
from typing import Any

import nbformat
import pytest
from nbclient import NotebookClient

pytestmark = pytest.mark.process


def run_cells(folder: Path, *cells: str) -> list[Any]:
    """Run cells in a kernel, and give the outputs of each."""
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(each) for each in cells])
    NotebookClient(
        notebook,
        timeout=300,
        kernel_name="python3",
        resources={"metadata": {"path": str(folder)}},
    ).execute(env=dict(os.environ))
    return [cell.outputs for cell in notebook.cells]


def test_a_training_in_a_notebook(tmp_path: Path) -> None:
    shutil.copy(Path(__file__).with_name("conftest.py"), tmp_path / "shapes.py")
    load = "import clearcnn\nfrom shapes import MODEL, make_images\nimages = make_images()"
    _, live, silent, shown, page = run_cells(
        tmp_path,
        load,
        "result = clearcnn.train(images, model=MODEL, epochs=3, out='a')",
        "clearcnn.train(images, model=MODEL, epochs=3, out='b', verbose=0);",
        "result",
        "result.show()",
    )
    (output,) = live
    assert output.output_type == "display_data"
    assert "finished 3 epochs" in output.data["text/plain"]
    assert "<svg" in output.data["text/html"]
    assert silent == []
    (output,) = shown
    assert output.output_type == "execute_result"
    assert "test images correct" in output.data["text/plain"]
    assert "\x1b" not in output.data["text/plain"]
    assert "clearcnn-view" in output.data["text/html"]
    (output,) = page
    assert "<iframe" in output.data["text/html"]
