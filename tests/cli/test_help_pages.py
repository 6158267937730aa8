import runpy
import subprocess
import sys
from pathlib import Path

import pytest

from clearcnn.cli.main import VERBS, build_help, build_parser
from clearcnn.kernel_library import describe_kernels
from clearcnn.version import __version__

ROOT = Path(__file__).parents[2]


def test_the_page_in_the_docs_is_current(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "50")
    script = runpy.run_path(str(ROOT / "docs" / "generate_cli.py"))
    assert (ROOT / "docs" / "cli.md").read_text(encoding="utf-8") == script["write_page"]()


def test_every_verb_has_a_page_with_its_options_and_an_example() -> None:
    pages = build_help()
    assert set(pages) == {"clearcnn", *(f"clearcnn {verb.NAME}" for verb in VERBS)}
    options = (
        "--recipe --model --epochs --batch-size --learning-rate --seed --test-fraction "
        "--validation-fraction --split --out --size --color-mode --classes --skip-unreadable "
        "--quiet --json --debug --help"
    )
    assert set(options.split()) <= set(pages["clearcnn train"].split())
    assert all("\nexamples:\n" in page for page in pages.values())


def test_the_examples_of_the_help_pages_are_valid() -> None:

    pages = build_help().values()
    examples = {
        line.strip().partition("    ")[0].partition(" >")[0].partition(" <")[0]
        for page in pages
        for line in page.partition("examples:\n")[2].splitlines()
        if line.startswith("  clearcnn ") and "--help" not in line
    }
    assert len(examples) >= 5
    for example in examples:
        words = example.split()[1:]
        assert build_parser().parse_args(words).verb == words[0]


@pytest.mark.parametrize(
    "program",
    [[sys.executable, "-m", "clearcnn"], [str(Path(sys.executable).with_name("clearcnn"))]],
    ids=["module", "script"],
)
def test_version_from_a_real_process(program: list[str]) -> None:
    done = subprocess.run([*program, "--version"], capture_output=True, text=True, check=True)
    said = f"clearcnn {__version__}\n{describe_kernels()}\n"
    assert (done.stdout, done.stderr) == (said, "")
