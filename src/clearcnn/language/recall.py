"""Messages recognised in plain English text, such as a sentence in a JSON file."""

import re
import struct
from collections.abc import Iterator
from functools import cache, lru_cache
from string import Formatter
from typing import NamedTuple

from clearcnn.language.languages import CATALOGUES, DOMAIN
from clearcnn.language.message import Message, Plural, spell_field

# Short templates such as "{a}: {b}" fit nearly any text.
_FEWEST_LETTERS = 4
_NUMBER = r"-?[\d,.]+"
_COUNT = r"\d[\d,]*"
_LETTERS = re.compile(r"[^\W\d_]")


class _Template(NamedTuple):
    """A template as a pattern.

    Attributes:
      one, many: its two forms; many is None if it has one.
      pattern: of one of the forms.
      fields: what each group of the pattern stands for.
      longest: the longest text between two fields, by which most templates are ruled out.
      letters: the number of letters outside fields.
    """

    one: str
    many: str | None
    pattern: re.Pattern[str]
    fields: tuple[str, ...]
    longest: str
    letters: int


def recall(text: str, code: str) -> str:
    """Return the Message that a plain English text was, if the catalogue has its template.

    Args:
      text: English.
      code: of the language that it is to be translated into.
    Returns:
      The Message with the most specific template that fits; otherwise the text.
    """
    return text if isinstance(text, Message) else _recall(text, code, is_value=False)


@lru_cache(maxsize=4096)
def _recall(text: str, code: str, *, is_value: bool) -> str:
    # A single word in a sentence is rather a name, such as a class's.
    if not text or (is_value and " " not in text):
        return text
    for template in _read_templates(code):
        if template.longest not in text:
            continue
        found = template.pattern.fullmatch(text)
        if found is None:
            continue
        values = {
            field: _recall(value, code, is_value=True)
            for field, value in zip(template.fields, found.groups(), strict=True)
        }
        if template.many is None:
            return Message(template.one, values)
        number = next(values[field] for field in values if field.startswith("{number"))
        return Message(template.one, values, Plural(template.many, int(number.replace(",", ""))))
    return text


@cache
def _read_templates(code: str) -> tuple[_Template, ...]:
    """Read the English templates of a catalogue, the most specific first."""
    found = []
    catalogue = CATALOGUES / code / "LC_MESSAGES" / f"{DOMAIN}.mo"
    for one, many in _read_english(catalogue.read_bytes()):
        for form in (one,) if many is None else (one, many):
            pattern, fields, literals = "", [], []
            seen: dict[str, int] = {}
            for literal, name, spec, conversion in Formatter().parse(form):
                literals.append(literal)
                pattern += re.escape(literal)
                if name is None:
                    continue
                field = spell_field(name, spec, conversion)
                if field in seen:
                    pattern += f"(?:\\{seen[field]})"
                    continue
                fields.append(field)
                seen[field] = len(fields)
                is_count = many is not None and name == "number"
                pattern += f"({_COUNT if is_count else _NUMBER})" if spec or is_count else "(.+?)"
            letters = len(_LETTERS.findall("".join(literals)))
            if letters >= _FEWEST_LETTERS:
                compiled = re.compile(pattern, re.DOTALL)
                longest = max(literals, key=len)
                found.append(_Template(one, many, compiled, tuple(fields), longest, letters))
    return tuple(sorted(found, key=lambda each: -each.letters))


def _read_english(content: bytes) -> Iterator[tuple[str, str | None]]:
    """Read the English texts of a .mo file, which `gettext` keeps only the first form of.

    Source: GNU gettext's manual, "The Format of GNU MO Files".
    """
    order = "<" if content[:4] == b"\xde\x12\x04\x95" else ">"
    count, start = struct.unpack_from(f"{order}II", content, 8)
    for position in range(count):
        length, offset = struct.unpack_from(f"{order}II", content, start + 8 * position)
        one, _, many = content[offset : offset + length].decode().partition("\0")
        if one:
            yield one, many or None
