"""Escaping of untrusted text for terminals and tables."""

from clearcnn.language import Message


def printable(text: str) -> str:
    """Escape control characters, so that no file or class name can control a terminal.

    Of a Message, they are escaped in the values alone, and it stays translatable.
    """
    if isinstance(text, Message):
        return text.map(printable)
    return "".join(c if c.isprintable() else ascii(c)[1:-1] for c in text)


def escape(text: str) -> str:
    """Escape a text for a table cell, reversibly.

    As in `printable`; also, a backslash is doubled, and leading and trailing spaces, which readers
    of tables strip, are escaped. The result is the inside of a Python string literal.
    """
    inside = text.strip(" ")
    start = len(text) - len(text.lstrip(" "))
    spaces = [r"\x20" * number for number in (start, len(text) - start - len(inside))]
    return spaces[0] + printable(inside.replace("\\", r"\\")) + spaces[1]
