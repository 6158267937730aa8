"""The catalogue has every message, with its translation and the same fields."""

import ast
import importlib.util
import re
from pathlib import Path
from string import Formatter
from types import ModuleType

import pytest
from babel.messages import Catalog, Message

ROOT = Path(__file__).parents[2]


def _load_tool() -> ModuleType:
    spec = importlib.util.spec_from_file_location(
        "update_catalogue", ROOT / "docs" / "update_catalogue.py"
    )
    assert spec is not None and spec.loader is not None
    tool = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(tool)
    return tool


tool = _load_tool()


@pytest.fixture(scope="module")
def korean() -> Catalog:
    return tool.read_catalogue("ko")


def _messages(catalogue: Catalog) -> list[Message]:
    return [message for message in catalogue if message.id]


def _forms(text: str | tuple[str, ...] | list[str]) -> list[str]:
    return [text] if isinstance(text, str) else list(text)


def _fields(template: str) -> set[tuple[str | None, str | None, str | None]]:
    return {part[1:] for part in Formatter().parse(template) if part[1] is not None}


def test_the_catalogue_is_up_to_date(korean: Catalog) -> None:
    text, compiled = tool.encode(tool.update("ko", tool.extract_messages()))
    folder = tool.CATALOGUES / "ko" / "LC_MESSAGES"
    assert (folder / "clearcnn.po").read_bytes() == text, "Run make messages."
    assert (folder / "clearcnn.mo").read_bytes() == compiled, "Run make messages."
    for path, words in tool.page_words.write_words(korean):
        assert path.read_text("utf-8") == words, "Run make messages."


def test_no_message_is_missed(korean: Catalog) -> None:
    package = tool.PACKAGE
    for path in package.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if isinstance(node, ast.Call) and getattr(node.func, "id", "") in ("say", "say_count"):
                first = node.args[0]
                if isinstance(first, ast.Constant) and first.value:
                    assert korean.get(first.value) is not None, (path, node.lineno, first.value)
                else:  # The functions of templates pass on what the templates say.
                    assert path.name == "templates.py" or isinstance(first, ast.Constant), path


def test_no_translation_is_a_guess(korean: Catalog) -> None:
    assert [message.id for message in _messages(korean) if message.fuzzy] == []


def test_every_message_is_translated(korean: Catalog) -> None:
    missing = [each.id for each in _messages(korean) if not all(_forms(each.string) or [""])]
    assert missing == []


def test_a_translation_has_the_fields_of_its_message(korean: Catalog) -> None:
    for message in _messages(korean):
        wanted = set().union(*map(_fields, _forms(message.id)))
        for form in filter(None, _forms(message.string)):
            assert _fields(form) == wanted, message.id


def test_a_translation_has_the_tags_of_its_message(korean: Catalog) -> None:
    for message in _messages(korean):
        for form in filter(None, _forms(message.string)):
            for sign in ("<code>", "</code>", "<b>", "<em>", "<a ", "</a>", "</span>"):
                assert form.count(sign) == _forms(message.id)[0].count(sign), message.id


def test_the_words_of_the_page_are_those_of_its_english_module() -> None:
    for folder in tool.page_words.PAGES.values():
        assert {path.name for path in folder.glob("ko*.js")} == {"ko.js"}
    read = tool.page_words.read_words
    text = 'export default {\n  a: "\\"{b}\\" …",\n  "c.d":\n    "e",\n};\n'
    assert read(text) == {"a": '"{b}" …', "c.d": "e"}
    for wrong in (text + "// more\n", text.replace("a:", "a b:"), text.replace('"c.d"', "a")):
        with pytest.raises(ValueError):
            read(wrong)


def test_one_english_word_may_have_two_translations() -> None:
    catalogue = Catalog(locale="ko")
    for page in ("page", "studio"):
        catalogue.add("Train", f"{page}!", context=f"{page}.train")
    catalogue.add("Train", "학습", context=None)
    path, words = next(iter(tool.page_words.write_words(catalogue)))
    assert path.name == "ko.js" and '  train: "page!",\n' in words
    assert b"page!" not in tool.encode(catalogue)[1]


# Names of methods and functions, which say nothing about a value.
_UNREADABLE = {
    *("as_posix", "get", "max", "min", "replace", "repr", "round", "sorted", "str", "strerror"),
    *("it", "rest", "them"),
}


def test_a_translator_can_tell_what_a_field_is(korean: Catalog) -> None:
    for message in _messages(korean):
        for name, *_ in set().union(*map(_fields, _forms(message.id))):
            assert name not in _UNREADABLE and not re.search(r"_\d$", name), message.id
