"""The house rules that a machine can check."""

import ast
import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
MOST_LINES = 400
VAGUE = {"utils", "util", "helpers", "helper", "manager", "managers", "common", "misc"}
HEAVY = ("keras", "jax", "sklearn", "scipy", "matplotlib", "numpy", "onnx", "onnxruntime", "rich")
HEAVY += ("fastapi", "uvicorn")

# The modules of workflows/ that read images from a source. A run folder may name a stranger's:
# only run_data.py reads that, and pipeline.py as run_data.py chose it; the others read what the
# user named.
READ_SOURCES = {
    "check/check.py",
    "evaluate/evaluate.py",
    "evaluate/finished_run.py",
    "fitting/python_images.py",
    "runs/run_data.py",
    "train/forecast.py",
    "train/pipeline.py",
    "studio/import_source.py",
    "studio/look.py",
}


def python_files() -> list[Path]:
    folders = ("src", "tests", "benchmarks", "examples", "docs", "supply")
    return sorted(path for folder in folders for path in (ROOT / folder).rglob("*.py"))


def test_imports_keep_to_the_layers() -> None:
    linter = Path(sys.executable).with_name("lint-imports")
    done = subprocess.run([linter], cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


def test_there_is_code_to_check() -> None:
    assert ROOT / "src" / "clearcnn" / "cli" / "main.py" in python_files()


def test_files_are_short_and_have_names_that_say_something() -> None:
    for path in python_files():
        place = path.relative_to(ROOT)
        assert len(path.read_text(encoding="utf-8").splitlines()) <= MOST_LINES, place
        names = {part.removeprefix("test_") for part in place.with_suffix("").parts}
        assert not names & VAGUE, place


def test_the_table_of_rooms_is_complete() -> None:
    """ARCHITECTURE.md names every room and every module of the ground, and no other."""
    text = (ROOT / "ARCHITECTURE.md").read_text(encoding="utf-8")
    rows = [line for line in text.splitlines() if line.startswith("| ")]
    named = {name for row in rows for name in re.findall(r"`(\w+(?:/|\.py))`", row)}
    package = ROOT / "src" / "clearcnn"
    found = set()
    for folder in (package, package / "workflows"):
        for path in folder.iterdir():
            if path.is_dir() and (path / "__init__.py").exists():
                found.add(f"{path.name}/")
            elif path.suffix == ".py" and not path.name.startswith("__"):
                found.add(path.name)
    assert named - {"cpu_kernels/", "native/", "static/"} == found


@pytest.mark.parametrize(
    "program",
    [
        "import clearcnn",
        "from clearcnn.cli.main import main; assert main(['--help']) == 0",
        "from clearcnn.cli.main import main; assert main(['train', '--help']) == 0",
        "from clearcnn.cli.main import main; assert main(['explain', '--help']) == 0",
        "from clearcnn.cli.main import main; assert main(['predict', '--help']) == 0",
        "from clearcnn.cli.main import main; assert main(['--version']) == 0",
        "from clearcnn.cli.main import main; assert main(['train', '--epoch', '3']) == 2",
    ],
)
def test_nothing_heavy_is_imported_before_there_is_work(program: str) -> None:
    report = f"{program}; import sys; print('loaded:', *({set(HEAVY)!r} & set(sys.modules)))"
    done = subprocess.run(
        [sys.executable, "-c", report], capture_output=True, text=True, check=True
    )
    assert done.stdout.splitlines()[-1] == "loaded:"


def test_images_are_read_where_it_is_known_who_named_them() -> None:
    workflows = ROOT / "src" / "clearcnn" / "workflows"
    found = {
        path.relative_to(workflows).as_posix()
        for path in workflows.rglob("*.py")
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.Call) and ast.unparse(node.func) in ("load", "data.load")
    }
    assert found == READ_SOURCES
