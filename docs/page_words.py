"""The words of the page, as plain modules for the browser: `en.js`, and `ko.js` made from it.

English is written in `en.js`; its texts are in the catalogue with the page and the key as their
context, so that two keys with the same English can have two translations.
"""

import json
import re
from collections.abc import Iterator
from pathlib import Path

from babel.messages import Catalog

STATIC = Path(__file__).parents[1] / "src" / "clearcnn" / "web" / "static"
PAGES = {"page": STATIC, "studio": STATIC / "studio"}

_HEAD = "// Made by `make messages` from the catalogue; do not edit.\nexport default {\n"
_WORD = re.compile(r'  (?P<key>\w+|"[\w.]+"):\s+(?P<text>"(?:[^"\\]|\\.)*"),\n')


def read_words(text: str) -> dict[str, str]:
    """Read `en.js`.

    Args:
      text: one object of keys and texts in double quotes.
    Returns:
      The texts by key, in order.
    Raises:
      ValueError: something else is in the file, or a key is twice.
    """
    words = {each["key"].strip('"'): json.loads(each["text"]) for each in _WORD.finditer(text)}
    rest = _WORD.sub("", text)
    if rest != "export default {\n};\n" or len(words) != len(_WORD.findall(text)):
        raise ValueError(rest)
    return words


def list_words() -> Iterator[tuple[Path, str, str]]:
    """List every word of the page: its file, its context in the catalogue, and its English."""
    for page, folder in PAGES.items():
        path = folder / "en.js"
        for key, text in read_words(path.read_text("utf-8")).items():
            yield path, f"{page}.{key}", text


def write_words(catalogue: Catalog) -> Iterator[tuple[Path, str]]:
    """Write the modules of a language, such as `ko.js`: their paths and contents."""
    for page, folder in PAGES.items():
        lines = []
        for key, english in read_words((folder / "en.js").read_text("utf-8")).items():
            message = catalogue.get(english, f"{page}.{key}")
            text = json.dumps((message and message.string) or english, ensure_ascii=False)
            lines.append(f"  {key if key.isidentifier() else json.dumps(key)}: {text},\n")
        yield folder / f"{catalogue.locale}.js", _HEAD + "".join(lines) + "};\n"
