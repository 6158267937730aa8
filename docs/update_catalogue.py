"""Bring the catalogues of translated messages up to date with the source.

`make messages` extracts every message, adds new ones to the `.po` of each language without a
translation, drops those that are gone, compiles the `.mo` that clearcnn reads, and writes the words
of the page (`page_words.py`).
"""

import io
import sys
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

from babel.messages import Catalog
from babel.messages.extract import extract
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po, write_po

sys.path.insert(0, str(Path(__file__).parent))

import page_words

ROOT = Path(__file__).parents[1]
PACKAGE = ROOT / "src" / "clearcnn"
CATALOGUES = PACKAGE / "language" / "locales"
LANGUAGES = ("ko",)
KEYWORDS = {"say": (1,), "say_count": (1, 2)}
TEMPLATE_KEYWORDS = {"_": (1,), "_n": (1, 2)}


def extract_messages() -> Catalog:
    """Extract the messages of the Python files, the reports' templates and the page."""
    catalogue = Catalog(project="clearcnn")
    for path, message in _extract_all():
        catalogue.add(message, locations=[(path.relative_to(ROOT).as_posix(), 1)])
    for path, context, text in page_words.list_words():
        locations = [(path.relative_to(ROOT).as_posix(), 1)]
        catalogue.add(text, locations=locations, context=context)
    return catalogue


def _extract_all() -> Iterator[tuple[Path, str | tuple[str, ...]]]:
    for path in sorted(PACKAGE.rglob("*.py")):
        with path.open("rb") as file:
            for _, message, _, _ in extract("python", file, keywords=KEYWORDS):
                yield path, message
    for path in sorted((PACKAGE / "report" / "page").rglob("*.html")):
        options = {"trimmed": "true", "silent": "false", "trim_blocks": "true"}
        with path.open("rb") as file:
            for _, message, _, _ in extract(
                "jinja2.ext:babel_extract", file, keywords=TEMPLATE_KEYWORDS, options=options
            ):
                yield path, message


def read_catalogue(code: str) -> Catalog:
    """Read the `.po` of a language; an empty one if there is none."""
    path = CATALOGUES / code / "LC_MESSAGES" / "clearcnn.po"
    if not path.exists():
        return Catalog(locale=code, project="clearcnn")
    with path.open("rb") as file:
        return read_po(file, locale=code)


def update(code: str, source: Catalog) -> Catalog:
    """Return the catalogue of a language with the messages of the source, and no others."""
    known = read_catalogue(code)
    updated = Catalog(locale=code, project="clearcnn", fuzzy=False)
    for message in source:
        if message.id:
            same = known.get(message.id, message.context)
            string = same.string if same is not None else None
            updated.add(message.id, string, locations=message.locations, context=message.context)
    return updated


def encode(catalogue: Catalog) -> tuple[bytes, bytes]:
    """Return a catalogue as `.po`, and without the page's words as `.mo`; both without a date."""
    # A date or a line number would change the files without a change of their content.
    head = {"PO-Revision-Date", "Generated-By", "Last-Translator"}
    catalogue.creation_date = datetime(2026, 1, 1, tzinfo=UTC)
    catalogue.header_comment = f"# clearcnn's messages: {catalogue.locale}."
    catalogue.mime_headers = [each for each in catalogue.mime_headers if each[0] not in head]
    text, compiled = io.BytesIO(), io.BytesIO()
    write_po(text, catalogue, width=100, sort_by_file=True, include_lineno=False)
    spoken = Catalog(locale=catalogue.locale, project=catalogue.project, fuzzy=False)
    spoken.creation_date, spoken.mime_headers = catalogue.creation_date, catalogue.mime_headers
    for message in catalogue:
        if message.id and message.context is None:
            spoken.add(message.id, message.string)
    write_mo(compiled, spoken)
    return text.getvalue(), compiled.getvalue()


def main() -> None:
    """Write the catalogues; say how many messages have no translation."""
    source = extract_messages()
    for code in LANGUAGES:
        catalogue = update(code, source)
        folder = CATALOGUES / code / "LC_MESSAGES"
        folder.mkdir(parents=True, exist_ok=True)
        for suffix, content in zip(("po", "mo"), encode(catalogue), strict=True):
            (folder / f"clearcnn.{suffix}").write_bytes(content)
        for path, text in page_words.write_words(catalogue):
            path.write_text(text, "utf-8")
        missing = sum(not _is_translated(message.string) for message in catalogue if message.id)
        sys.stdout.write(f"{code}: {len(catalogue):,} messages, {missing:,} untranslated\n")


def _is_translated(string: str | tuple[str, ...] | list[str] | None) -> bool:
    return bool(string) and all(string if isinstance(string, (list, tuple)) else [string])


if __name__ == "__main__":
    main()
