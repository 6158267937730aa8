"""Messages recognised in plain English text, such as a sentence in a JSON file."""

import re
import struct
from collections.abc import Iterator
from functools import cache, lru_cache
from string import Formatter
from typing import NamedTuple

from clearcnn.language.languages import CATALOGUES, DOMAIN
from clearcnn.language.message import Message, Plural, spell_field

# Short templates such as "{a}: {b}" fit nearly any text, unlike measures: "{seconds:d} s".
_FEWEST_LETTERS = 4
# Values in values; a text from elsewhere could repeat "it is it is it is" without end.
_DEEPEST = 8
_NUMBER = r"-?[\d,.]+"
_COUNT = r"\d[\d,]{0,30}"
_IS_COUNT = re.compile(r"\{number[:}]")
_LETTERS = re.compile(r"[^\W\d_]")


class _Template(NamedTuple):
    """A template as a pattern.

    Attributes:
      one, many: its two forms; many is None if it has one.
      is_one: whether the pattern is that of `one`.
      is_open: whether it ends in two fields without a limit, so that it fits any text with its
        beginning, such as the path "class 1/a.png".
      pattern: of one of the forms.
      fields: what each group of the pattern stands for.
      is_measure: whether it has a number, a unit and nothing else, such as "{seconds:d} s".
      longest: the longest text between two fields, by which most templates are ruled out.
      letters: the number of letters outside fields.
    """

    one: str
    many: str | None
    is_one: bool
    is_open: bool
    pattern: re.Pattern[str]
    fields: tuple[str, ...]
    is_measure: bool
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
    return text if isinstance(text, Message) else _recall(text, code, 0)


@lru_cache(maxsize=4096)
def _recall(text: str, code: str, depth: int) -> str:
    # A single word in a sentence is rather a name, such as a class's.
    if not text or (depth and " " not in text) or depth > _DEEPEST:
        return text
    for template in _read_templates(code):
        if template.longest not in text or (depth and template.is_open):
            continue
        found = template.pattern.fullmatch(text)
        if found is None:
            continue
        values = {
            field: _recall(value, code, depth + 1)
            for field, value in zip(template.fields, found.groups(), strict=True)
        }
        if template.many is None:
            return Message(template.one, values)
        given = (values[field] for field in values if _IS_COUNT.match(field))
        number = next(given, "1" if template.is_one else "2")
        return Message(template.one, values, Plural(template.many, int(number.replace(",", ""))))
    return text


@cache
def _read_templates(code: str) -> tuple[_Template, ...]:
    """Read the English templates of a catalogue, the most specific first."""
    found = []
    catalogue = CATALOGUES / code / "LC_MESSAGES" / f"{DOMAIN}.mo"
    for one, many in _read_english(catalogue.read_bytes()):
        for form in (one,) if many is None else (one, many):
            template = _make_template(one, many, form)
            if template.letters >= _FEWEST_LETTERS or template.is_measure:
                found.append(template)
    return tuple(sorted(found, key=lambda each: -each.letters))


def _make_template(one: str, many: str | None, form: str) -> _Template:
    # A text field and what follows it, up to the next text field, form a part.
    parts = [""]
    fields: list[str] = []
    literals: list[str] = []
    for literal, name, spec, conversion in Formatter().parse(form):
        literals.append(literal)
        parts[-1] += re.escape(literal)
        if name is None:
            continue
        field = spell_field(name, spec, conversion)
        if field in fields:
            parts[-1] += f"(?:\\{fields.index(field) + 1})"
            continue
        fields.append(field)
        if many is not None and name == "number":
            parts[-1] += f"({_COUNT})"
        elif spec:
            parts[-1] += f"({_NUMBER})"
        else:
            parts.append("(.+?)")
    # Atomic parts: if a later one does not fit, no other place is tried for those before it, which
    # would take time exponential in the number of fields. The last one goes on to the end.
    *before, last = parts
    pattern = "".join(f"(?>{part})" for part in before) + last
    return _Template(
        one,
        many,
        form is one,
        pattern.endswith("(.+?))(.+?)"),
        re.compile(pattern, re.DOTALL),
        tuple(fields),
        len(parts) == 1 and len(fields) == 1 and not literals[0],
        max(literals, key=len),
        len(_LETTERS.findall("".join(literals))),
    )


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
