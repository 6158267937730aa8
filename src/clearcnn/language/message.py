"""English text that remembers its template and the values in it."""

from collections.abc import Callable, Iterable, Mapping
from string import Formatter
from typing import NamedTuple

_FORMATTER = Formatter()


class Plural(NamedTuple):
    """The second form of a template, and the number that decides."""

    template: str
    number: int


class Message(str):
    """English text that can be rendered in another language.

    It is the English text wherever a `str` is expected: in JSON, in logs, in comparisons. Slicing,
    `replace`, f-strings and `"".join` return the plain English text; `+` and `join` keep the rest.

    Attributes:
      template: the text with a field such as "{count:,}" for each value.
      fields: what stands for each field, by its text in the template; a Message where the value
        is one.
      plural: of a template with two forms.
    """

    __slots__ = ("fields", "plural", "template")

    template: str
    fields: Mapping[str, str]
    plural: Plural | None

    def __new__(
        cls, template: str, fields: Mapping[str, str], plural: Plural | None = None
    ) -> "Message":
        """Fill the fields of a template."""
        chosen = template if plural is None or plural.number == 1 else plural.template
        message = super().__new__(cls, fill(chosen, fields))
        message.template, message.fields, message.plural = template, fields, plural
        return message

    @property
    def english(self) -> str:
        """The text alone, as a plain `str`."""
        return str.__str__(self)

    def __str__(self) -> str:
        return self

    def __reduce__(self) -> tuple[object, ...]:
        return (Message, (self.template, self.fields, self.plural))

    def __add__(self, other: str) -> "Message":
        return Message("{0}{1}", {"{0}": self, "{1}": other})

    def __radd__(self, other: str) -> "Message":
        return Message("{0}{1}", {"{0}": other, "{1}": self})

    def map(self, change: Callable[[str], str]) -> "Message":
        """Change every value in the text, and nothing that the template says."""
        fields = {
            key: value.map(change) if isinstance(value, Message) else change(value)
            for key, value in self.fields.items()
        }
        return Message(self.template, fields, self.plural)


def say(template: str, /, **values: object) -> str:
    """Write a text that people read.

    Args:
      template: a literal, in the syntax of `str.format`, with a name in each field; the extraction
        of messages finds it as the first argument of `say`.
      values: by name. A Message stays one, so that it is translated with the text around it.
    Returns:
      A Message: the English text.
    """
    return Message(template, _render(template, values))


def say_count(one: str, many: str, number: int, /, **values: object) -> str:
    """Write a text whose form depends on a number.

    Args:
      one: the template for 1, such as "{number:,} image".
      many: for every other number, with the same fields.
      number: decides, and is a value of that name.
      values: as for `say`.
    Returns:
      A Message: the English text.
    """
    values |= {"number": number}
    fields = _render(one, values) | _render(many, values)
    return Message(one, fields, Plural(many, int(number)))


def join(separator: str, texts: Iterable[str]) -> str:
    """Join texts as `str.join` does; Messages among them stay translatable."""
    parts = list(texts)
    if not any(isinstance(part, Message) for part in (separator, *parts)):
        return separator.join(parts)
    fields = {f"{{{position}}}": part for position, part in enumerate(parts)}
    fields["{separator}"] = separator
    return Message("{separator}".join(f"{{{position}}}" for position in range(len(parts))), fields)


def fill(
    template: str, fields: Mapping[str, str], follow: Callable[[str, str], str] | None = None
) -> str:
    """Put the values into a template.

    Args:
      template: in the syntax of `str.format`.
      fields: by their text in the template.
      follow: from a value and the text after it to that text as it must be after this value.
    Returns:
      The text; a field that is not among `fields` stays as it is.
    """
    parts: list[str] = []
    before = None
    for literal, name, spec, conversion in _FORMATTER.parse(template):
        parts.append(literal if before is None or follow is None else follow(before, literal))
        before = None
        if name is not None:
            field = spell_field(name, spec, conversion)
            before = fields.get(field, field)
            parts.append(before)
    return "".join(parts)


def spell_field(name: str, spec: str | None, conversion: str | None) -> str:
    """Return a field as a template spells it, such as "{share:.1f}"."""
    return (
        "{" + name + (f"!{conversion}" if conversion else "") + (f":{spec}" if spec else "") + "}"
    )


def _render(template: str, values: dict[str, object]) -> dict[str, str]:
    fields = {}
    for _, name, spec, conversion in _FORMATTER.parse(template):
        if name is not None:
            value = _FORMATTER.convert_field(values[name], conversion)
            if spec or not isinstance(value, str):
                value = format(value, spec) if spec else str(value)
            fields[spell_field(name, spec, conversion)] = value
    return fields
