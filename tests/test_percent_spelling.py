"""One spelling of a share: "95 %" in English and "95%" in Korean, on every surface."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
SOURCES = sorted((ROOT / "src" / "clearcnn").rglob("*.py"))
ENGLISH = ["README.md", "docs/guide.md", "docs/reliability.md", "docs/is-97-good.md"]
KOREAN = ["README.ko.md", "docs/guide.ko.md", "docs/is-97-good.ko.md"]
CLOSE = re.compile(r"\d%(?![\w;\"')])")
APART = re.compile(r"\d[ \u00a0]%")


def list_close_percents(source: str) -> Iterator[str]:
    """Yield the formats and the words of a program that write a share without a space."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.FormattedValue) and node.format_spec is not None:
            form = ast.unparse(node.format_spec)
            if form.rstrip("'\"").endswith("%"):
                yield ast.unparse(node)
        elif isinstance(node, ast.Constant) and CLOSE.search(str(node.value)):
            yield str(node.value)


def without_code(text: str) -> str:
    return re.sub(r"^```.*?^```$|`[^`]*`", "", text, flags=re.MULTILINE | re.DOTALL)


def test_the_search_finds_what_it_should() -> None:
    assert list(list_close_percents('f"{x:.1%}"'))
    assert list(list_close_percents('"the other 5% of images"'))
    assert not list(list_close_percents('f"{100 * x:.1f} % and 5 %"'))


@pytest.mark.parametrize("path", SOURCES, ids=lambda p: p.relative_to(ROOT / "src").as_posix())
def test_programs_write_a_space_before_the_sign(path: Path) -> None:
    assert not list(list_close_percents(path.read_text(encoding="utf-8")))


@pytest.mark.parametrize("page", ENGLISH)
def test_english_pages_have_a_space(page: str) -> None:
    assert not CLOSE.findall(without_code((ROOT / page).read_text(encoding="utf-8")))


@pytest.mark.parametrize("page", KOREAN)
def test_korean_pages_have_none(page: str) -> None:
    assert not APART.findall(without_code((ROOT / page).read_text(encoding="utf-8")))


@pytest.mark.parametrize(("page", "wrong"), [("en.js", CLOSE), ("ko.js", APART)])
def test_the_words_of_the_page_follow(page: str, wrong: re.Pattern[str]) -> None:
    text = (ROOT / "src/clearcnn/web/static" / page).read_text(encoding="utf-8")
    assert not wrong.findall(text)
