"""What the README and the guide show is so: code, commands, model files, tables and links."""

import re
import shlex
import struct
import tomllib
from collections.abc import Callable
from pathlib import Path
from urllib.parse import unquote, urlsplit

import pytest

from clearcnn.backend import load_keras
from clearcnn.cli.main import build_parser
from clearcnn.data.decode_image import FORMATS
from clearcnn.models import read_model

ROOT = Path(__file__).parents[2]
PAGES = (
    "README.md",
    "README.ko.md",
    "docs/guide.md",
    "docs/guide.ko.md",
    "docs/is-97-good.md",
    "docs/is-97-good.ko.md",
)
TRANSLATIONS = {
    "README.md": "README.ko.md",
    "docs/guide.md": "docs/guide.ko.md",
    "docs/is-97-good.md": "docs/is-97-good.ko.md",
}
LARGEST_IMAGE_BYTES = 300_000


def read(page: str) -> str:
    return (ROOT / page).read_text(encoding="utf-8")


def blocks(page: str, language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```$", read(page), re.MULTILINE | re.DOTALL)


def without_comments(code: str) -> list[str]:
    lines = (re.sub(r"(^|\s+)#.*", "", line).rstrip() for line in code.splitlines())
    return [line for line in lines if line]


def commands(page: str) -> list[str]:
    """The lines of the shell blocks, and the commands within sentences."""
    lines = [line for block in blocks(page, "sh") for line in without_comments(block)]
    text = re.sub(r"^```.*?^```$", "", read(page), flags=re.MULTILINE | re.DOTALL)
    return lines + re.findall(r"`((?:make|pip|python|clearcnn) [^`]+)`", text)


@pytest.mark.release
def test_the_python_of_the_readme_runs(
    run_python: Callable[..., str], photos: Path, tmp_path: Path
) -> None:
    own_pictures, own_model = blocks("README.md", "python")
    script = tmp_path / "readme.py"
    shown = "print(model.predict(x, verbose=0).shape, *map(len, history.history.values()))\n"
    script.write_text(f"{own_pictures}\n{own_model}\n{shown}", encoding="utf-8")
    said = run_python(script)
    right = re.match(r"(\d+) of 18 correct: ", said)
    assert right
    assert int(right[1]) >= 15
    assert said.endswith("\n(1797, 10) 20 20 20 20\n")

    # And what comes out is what the table says.
    (run,) = (tmp_path / "runs").iterdir()
    table = read("README.md").partition("## What comes out")[2].partition("\n## ")[0]
    named = re.findall(r"^\| `([^`]+)`", table, re.MULTILINE)
    found = [f"{path.name}/" if path.is_dir() else path.name for path in run.iterdir()]
    assert sorted(named) == sorted(found)


@pytest.mark.parametrize("page", PAGES)
def test_every_command_exists(page: str, capsys: pytest.CaptureFixture[str]) -> None:
    found = commands(page)
    assert found
    targets = re.findall(r"^(\w[\w-]*):", read("Makefile"), re.MULTILINE)
    for command in found:
        words = shlex.split(command.replace("…", "").partition(" <")[0].partition(" && ")[0])
        if words[0] == "make":
            assert words[1] in targets, command
        elif words[0] == "clearcnn":
            try:
                build_parser().parse_args(words[1:])
            except SystemExit as end:
                assert end.code == 0, f"{command}\n{capsys.readouterr().err}"
        elif words[:2] == ["python", "-m"]:
            assert words[2:] in (["venv", ".venv"], ["pip", "install", "."]), command
        elif words[0] == "python":
            assert (ROOT / words[1]).is_file(), command
        elif words[0] == "git":
            assert words[1] == "clone", command
        elif words[0] == "curl":
            assert urlsplit(words[-1]).path == "/predict", command
        else:
            assert words[:2] == ["pip", "install"], command
            extras = tomllib.loads(read("pyproject.toml"))["project"]["optional-dependencies"]
            assert words[2] in (".", *(f".[{extra}]" for extra in extras)), command


@pytest.mark.parametrize("page", [page for page in PAGES if "97" not in page])
def test_every_model_file_is_one(page: str, tmp_path: Path) -> None:
    keras = load_keras()
    found = blocks(page, "toml")
    assert found
    for text in found:
        path = tmp_path / "model.toml"
        path.write_text(text, encoding="utf-8")
        spec = read_model(path, (8, 8, 1))
        tables = tomllib.loads(text)["layers"]
        layers = [getattr(keras.layers, table.pop("layer"))(**table) for table in tables]
        model = keras.Sequential([keras.Input((8, 8, 1)), *layers])
        assert [type(layer).__name__ for layer in model.layers] == [s.layer for s in spec.layers]
        assert model.output_shape == (None, 10)


@pytest.mark.parametrize("page", PAGES)
def test_every_link_leads_somewhere(page: str) -> None:
    text = read(page)
    links = re.findall(r"\]\(([^)]+)\)", text) + re.findall(r'(?:src|srcset)="([^"]+)"', text)
    assert links
    for link in links:
        place, _, anchor = unquote(link).partition("#")
        target = (ROOT / page).parent / place if place else ROOT / page
        assert target.exists(), link
        if anchor:
            headings = re.findall(r"^#+ (.+)$", target.read_text(encoding="utf-8"), re.MULTILINE)
            slugs = [re.sub(r"[^\w -]", "", h.lower()).replace(" ", "-") for h in headings]
            assert anchor in slugs, link


@pytest.mark.parametrize(("page", "translation"), TRANSLATIONS.items())
def test_a_translation_shows_the_same_code_and_figures(page: str, translation: str) -> None:
    for language in ("python", "sh", "toml", "text"):
        ours, theirs = (
            [without_comments(b) for b in blocks(p, language)] for p in (page, translation)
        )
        assert ours == theirs, language
    for pattern in (r"\d+(?:[.,]\d+)+", r"!\[|<img", r"^#+ ", r"^\| "):
        ours, theirs = (
            sorted(re.findall(pattern, read(p), re.MULTILINE)) for p in (page, translation)
        )
        assert ours == theirs, pattern
    assert f"({Path(translation).name})" in read(page)
    assert f"({Path(page).name})" in read(translation)


def test_every_picture_format_is_named() -> None:
    named = re.search(r"; (PNG, [\w, ]+) \|", read("README.md"))
    assert named
    assert named[1].upper().split(", ") == list(FORMATS)


@pytest.mark.parametrize(
    "picture", sorted((ROOT / "docs/images").glob("*.png")), ids=lambda p: p.name
)
def test_pictures_are_small_files(picture: Path) -> None:
    content = picture.read_bytes()
    assert len(content) < LARGEST_IMAGE_BYTES
    assert struct.unpack(">I", content[16:20])[0] >= 1280


def test_ten_lines_of_python_are_no_more() -> None:
    assert len(without_comments(blocks("README.md", "python")[0])) <= 10
